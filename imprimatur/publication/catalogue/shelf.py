"""The collection of this process: kept in memory, and brought up to date whenever it is asked for."""

import threading

from imprimatur.publication.catalogue.collection import Collection
from imprimatur.publication.catalogue.entry import Entry, entry_of
from imprimatur.publication.page import CataloguePage
from imprimatur.store.catalogue import listed, mark_of_states, pathway_titles, state_of_all, states
from imprimatur.store.engine import Database


class Shelf:
    """One for each process: two questions to the database each time, and two more where something has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        self._mark: str | None = None
        self._seen: dict[str, str] = {}
        self._pathways: dict[str, str] = {}
        self._entries: dict[str, Entry] = {}
        self._collection = Collection([], state_of_all({}, {}))

    def collection(self) -> Collection:
        with self._turn:
            self._catch_up()
            return self._collection

    def _catch_up(self) -> None:
        with self._database.read() as connection:
            # The mark is no newer than what is read after it: what changes in between is seen the next time.
            mark, pathways = mark_of_states(connection), pathway_titles(connection)
            if (mark, pathways) == (self._mark, self._pathways):
                return
            found = states(connection)
            if pathways != self._pathways:
                # Their titles stand in the entries.
                self._entries, self._seen = {}, {}
            changed = {slug for slug, state in found.items() if self._seen.get(slug) != state}
            rows = listed(connection, changed)
        kept = {slug: entry for slug, entry in self._entries.items() if slug in found and slug not in changed}
        for row in rows:
            page = CataloguePage.model_validate(row.page)
            kept[row.slug] = entry_of(row.slug, page, row.proposal, pathways, row.status)
        self._entries, self._seen, self._pathways, self._mark = kept, found, pathways, mark
        self._collection = Collection(kept.values(), state_of_all(found, pathways))
