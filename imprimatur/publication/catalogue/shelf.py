"""The collection of this process: kept in memory, and brought up to date whenever it is asked for."""

import threading
from dataclasses import dataclass, field

from imprimatur.publication.catalogue.collection import Collection
from imprimatur.publication.catalogue.entry import Entry, entry_of
from imprimatur.publication.page import CataloguePage
from imprimatur.store.catalogue import listed, pathway_titles, revision, state_of_all, states
from imprimatur.store.engine import Database


@dataclass(frozen=True)
class _Kept:
    """A collection and what it was made of; never changed, so that whoever reads it needs no turn."""

    revision: str = ""
    pathways: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    collection: Collection = field(default_factory=lambda: Collection([], state_of_all("", {})))


class Shelf:
    """One for each process: two questions to the database each time, and more only where something has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        self._kept = _Kept()

    def collection(self) -> Collection:
        # Taken before the database is asked: what it had then can only be newer.
        kept = self._kept
        with self._database.read() as connection:
            current = (revision(connection), pathway_titles(connection))
        if current == (kept.revision, kept.pathways):
            return kept.collection
        with self._turn:
            self._kept = self._caught_up(self._kept)
            return self._kept.collection

    def _caught_up(self, kept: _Kept) -> _Kept:
        with self._database.read() as connection:
            found, pathways = revision(connection), pathway_titles(connection)
            if (found, pathways) == (kept.revision, kept.pathways):
                return kept
            # Titles of pathways stand in the entries.
            same = pathways == kept.pathways
            before, now = states(kept.revision) if same else {}, states(found)
            changed = {slug for slug, state in now.items() if before.get(slug) != state}
            rows = listed(connection, changed)
        entries = {slug: entry for slug, entry in kept.entries.items() if slug in now and slug not in changed}
        for row in rows:
            page = CataloguePage.model_validate(row.page)
            entries[row.slug] = entry_of(row.slug, page, row.proposal, pathways, row.status)
        return _Kept(found, pathways, entries, Collection(entries.values(), state_of_all(found, pathways)))
