"""The collection of this process: kept in memory, and brought up to date whenever it is asked for."""

import threading
from dataclasses import dataclass, field

from imprimatur.publication.catalogue.collection import Collection
from imprimatur.publication.catalogue.entry import entry_of
from imprimatur.publication.page import CataloguePage
from imprimatur.store.catalogue import changes, listed, pathway_titles, revision, state_of_all
from imprimatur.store.engine import Database


@dataclass(frozen=True)
class _Kept:
    """A collection and what it was made of; never changed, so that whoever reads it needs no turn."""

    revision: str = ""
    pathways: dict[str, str] = field(default_factory=dict)
    collection: Collection = field(default_factory=lambda: Collection(state=state_of_all("", {})))


class Shelf:
    """One for each process: two questions to the database each time, and one more where something has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        self._kept = _Kept()

    def collection(self) -> Collection:
        while True:
            kept = self._kept
            with self._database.read() as connection:
                found, pathways = revision(connection), pathway_titles(connection)
            if (found, pathways) == (kept.revision, kept.pathways):
                return kept.collection
            with self._turn:
                # Who came first may have read something later than this: then it is asked for once more.
                if self._kept is kept:
                    self._kept = self._caught_up(kept, found, pathways)
                    return self._kept.collection

    def _caught_up(self, kept: _Kept, found: str, pathways: dict[str, str]) -> _Kept:
        # Titles of pathways stand in the entries.
        since = kept if pathways == kept.pathways else _Kept()
        changed, gone = changes(since.revision, found)
        with self._database.read() as connection:
            rows = listed(connection, changed)
        put = [
            entry_of(row.slug, CataloguePage.model_validate(row.page), row.proposal, pathways, row.status)
            for row in rows
        ]
        # What is public and not listed has no row here.
        gone |= changed - {entry.slug for entry in put}
        return _Kept(found, pathways, since.collection.with_changes(put, gone, state_of_all(found, pathways)))
