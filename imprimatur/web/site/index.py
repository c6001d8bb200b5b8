"""What the exported site's script searches: a script itself, for without a server no page may read another file."""

import json
from collections.abc import Iterator
from typing import Any

from imprimatur.publication.catalogue.choice import FACETS, PAGE_LENGTH, SORTS
from imprimatur.publication.catalogue.collection import LITTLE_WORDS, ONE_MISTAKE, TWO_MISTAKES, Collection
from imprimatur.publication.catalogue.entry import Entry
from imprimatur.web.catalogue_view import SEEN


def search_index(collection: Collection) -> Iterator[str]:
    """The global ``catalogue``, piece by piece: what the rules go by, and all entries, the newest first."""
    rules = {
        "facets": FACETS,
        "sorts": SORTS,
        "pageLength": PAGE_LENGTH,
        "seen": SEEN,
        "littleWords": sorted(LITTLE_WORDS),
        "oneMistake": ONE_MISTAKE,
        "twoMistakes": TWO_MISTAKES,
        "labels": collection.labels(),
    }
    yield f"window.catalogue = {json.dumps(rules, ensure_ascii=False)};\nwindow.catalogue.entries = [\n"
    for entry in collection.entries:
        yield json.dumps(_entry(entry), ensure_ascii=False) + ",\n"
    yield "];\n"


def _entry(entry: Entry) -> dict[str, Any]:
    marks: dict[str, list[str]] = {}
    for mark in entry.marks:
        marks.setdefault(mark.facet, []).append(mark.key)
    return {
        "slug": entry.slug,
        "title": entry.title,
        "provider": entry.provider,
        "summary": entry.summary,
        "standing": entry.standing,
        "told": entry.told,
        "hours": entry.hours,
        "price": None if entry.price is None else float(entry.price),
        "currency": entry.currency,
        "marks": marks,
        "words": entry.words,
    }
