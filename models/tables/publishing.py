"""How publications reach their targets, and when."""

import datetime as dt

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant


class PublicationDateRow(SQLModel, table=True):
    """The day before which the office does not want a case to be public; it goes before the proposal's own."""

    __tablename__ = "publication_date"
    case_id: str = Field(primary_key=True)
    publish_on: dt.date
    set_by: str
    set_at: dt.datetime = instant()


class PublicationRunRow(SQLModel, table=True):
    """One act on the targets of a publication; written with what causes it, and carried out by a workflow of its own.

    ``number`` counts the runs of a case from 1. ``targets`` are names in their order. Times are real.
    """

    __tablename__ = "publication_run"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        Index("ix_publication_run_due", "status", "due_at"),
    )
    run_id: str = Field(primary_key=True)
    case_id: str
    number: int
    kind: str
    status: str
    targets: list[str] = json_value()
    due_at: dt.datetime = instant()
    asked_by: str
    asked_at: dt.datetime = instant()
    ended_at: dt.datetime | None = maybe_instant()
    detail: str = long_text()


class PublicationTargetRow(SQLModel, table=True):
    """What a target has of a publication: since when, by which run, and what it said."""

    __tablename__ = "publication_target"
    case_id: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    status: str
    run_id: str
    changed_at: dt.datetime = instant()
    detail: str = long_text()
