"""The publication of a case as its page shows it: what the record says of itself, and what each target has."""

import datetime as dt
from dataclasses import dataclass

from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from imprimatur.store.publishing import PublicationView, publication_view, publish_on


@dataclass(frozen=True)
class PublicationSheet:
    """``view`` is None before the case has come to its publication; ``on`` is the day that the office has set."""

    view: PublicationView | None
    on: dt.date | None


def publication_sheet(database: Database, case_id: str) -> PublicationSheet | None:
    """None where there is nothing to tell."""
    try:
        view = publication_view(database, case_id)
    except NotFound:
        with database.read() as connection:
            day = publish_on(connection, case_id)
        return PublicationSheet(None, day) if day is not None else None
    return PublicationSheet(view, view.publish_on)
