"""A collection that follows changes is the one that would be laid down anew, and leaves the one before as it was."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from imprimatur.publication.catalogue.choice import SORTS, Choice
from imprimatur.publication.catalogue.collection import Collection
from imprimatur.publication.catalogue.entry import Entry, Mark
from imprimatur.publication.catalogue.index import MOST_CHANGES, Index
from tests.facts import START

WORDS = ("data", "database", "design", "water")
# Of one value several spellings, and values with a rank beside ones without.
MARKS = (
    Mark("partner", "acme", "Acme"),
    Mark("partner", "acme", "ACME"),
    Mark("mode", "online", "Online"),
    Mark("level", "eqf-5", "EQF 5", "EQF 5"),
    Mark("level", "eqf-5", "eqf 5", "eqf 5"),
)
CHOICES = [
    Choice(),
    *(Choice(query=query) for query in ("dat", "data", "desing", "water data", "nothing")),
    *(Choice(chosen={mark.facet: mark.key}) for mark in MARKS),
    Choice(query="data", chosen={"mode": "online", "partner": "acme"}),
    *(Choice(query="data", sort=sort) for sort in SORTS),
]

ENTRIES = st.builds(
    lambda number, hour, marks, words, hours: Entry(
        slug=f"entry-{number}",
        case_id=f"mc-{number}",
        title=f"Title {hour % 3}",
        summary="",
        provider="Example",
        standing="",
        told=(),
        hours=hours,
        price=None,
        currency="",
        published_at=START + dt.timedelta(hours=hour),
        marks=tuple(marks),
        words=words,
    ),
    number=st.integers(0, 11),
    hour=st.integers(0, 6),
    marks=st.lists(st.sampled_from(MARKS), unique=True),
    words=st.dictionaries(st.sampled_from(WORDS), st.sampled_from([2, 12])),
    hours=st.sampled_from([None, 5.0, 20.0]),
)
SOME = st.lists(ENTRIES, max_size=12, unique_by=lambda entry: entry.slug)
# What is put, and what is gone; that can name what was never there, and most steps are small, as most changes are.
STEPS = st.lists(
    st.tuples(st.one_of(SOME, SOME.map(lambda found: found[:1])), st.sets(st.integers(0, 13), max_size=2)), max_size=8
)


def told(collection: Collection) -> Sequence[Any]:
    found = [collection.find(choice, 5) for choice in CHOICES]
    matching = [collection.matching(choice) for choice in CHOICES]
    return [collection.entries, collection.state, collection.labels(), list(collection.values()), found, matching]


def numbered(number: int, hour: int, *words: str) -> Entry:
    return Entry(
        slug=f"entry-{number}", case_id=f"mc-{number}", title=f"Title {number}", summary="", provider="Example",
        standing="", told=(), hours=None, price=None, currency="", published_at=START + dt.timedelta(hours=hour),
        marks=MARKS[:1], words=dict.fromkeys(words, 2),
    )  # fmt: skip


@given(SOME, STEPS)
def test_changes_lead_where_laying_it_down_anew_does(first: list[Entry], steps: list[tuple[Any, set[int]]]) -> None:
    collection, there = Collection(first, "0"), {entry.slug: entry for entry in first}
    for number, (put, gone_numbers) in enumerate(steps, 1):
        gone = {f"entry-{found}" for found in gone_numbers} - {entry.slug for entry in put}
        before, was = collection, told(collection)
        collection = collection.with_changes(put, gone, str(number))
        there = {slug: entry for slug, entry in there.items() if slug not in gone}
        there |= {entry.slug: entry for entry in put}
        assert told(collection) == told(Collection(there.values(), str(number)))
        assert told(before) == was
        assert told(before.with_changes(put, gone, str(number))) == told(collection)


@given(SOME, st.integers(7, 9), st.sampled_from(["appended", "changed", "removed"]))
def test_what_usually_happens_lays_nothing_down_anew(first: list[Entry], hour: int, act: str) -> None:
    untouched = numbered(100, -1, "elsewhere")
    many = [*first, untouched, *(numbered(200 + number, -2) for number in range(9))]
    index = Index([*many, numbered(99, 6, "water")])
    put = {
        "appended": [numbered(98, hour, "water", "new")],
        "changed": [replace(numbered(99, 6, "data"), standing="Intake paused")],
        "removed": [],
    }[act]
    found = index.with_changes(put, {"entry-99"} if act == "removed" else set())
    assert found.holding["elsewhere"] is index.holding["elsewhere"]
    assert found.holding["water"] is not index.holding["water"]


def test_many_changes_at_once_are_taken_too() -> None:
    entries = [numbered(number, number % 7, "data") for number in range(MOST_CHANGES + 50)]
    collection = Collection().with_changes(entries, set(), "all")
    assert told(collection) == told(Collection(entries, "all"))
    left = collection.with_changes([], {entry.slug for entry in entries[10:]}, "ten")
    assert told(left) == told(Collection(entries[:10], "ten"))


def test_numbers_that_nothing_has_do_not_pile_up() -> None:
    index = Index([numbered(number, 0, "data") for number in range(20)])
    for hour in range(1, 200):
        index = index.with_changes([numbered(hour % 20, hour, "data", f"word{hour}")], set())
        assert len(index.vocabulary) <= 21
    assert index.size < 30
    assert sum(1 for _ in index.newest_first()) == index.every.bit_count() == 20
