"""How what is published is handed over to those who deliver it."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant


class HandoverRow(SQLModel, table=True):
    """One hand-over of a published micro-credential; ``handover_case`` is its own case, written with what causes it.

    ``status`` is how far the machine is with it: a package made, people asked, every target told; ``attempt`` counts
    from 1 how often that was begun, ``ended_at`` is in real time. ``package`` is what is handed over, and does not
    change once it is made. ``outcome``, ``concluded_by`` and ``comment`` are the answer of those who deliver it.
    """

    __tablename__ = "handover"
    __table_args__ = (UniqueConstraint("case_id", "number"), Index("ix_handover_status", "status"))
    handover_case: str = Field(primary_key=True)
    case_id: str
    number: int
    version: int
    reason: str = long_text()
    called_by: str
    called_at: dt.datetime = instant()
    targets: list[str] = json_value()
    status: str
    attempt: int = 1
    package: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    package_digest: str | None = None
    ended_at: dt.datetime | None = maybe_instant()
    detail: str = long_text()
    begun_at: dt.datetime | None = maybe_instant()
    concluded_at: dt.datetime | None = maybe_instant()
    outcome: str | None = None
    concluded_by: str | None = None
    comment: str = long_text()


class HandoverTargetRow(SQLModel, table=True):
    """A target that has the package of a hand-over: since when, and what it said."""

    __tablename__ = "handover_target"
    handover_case: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    sent_at: dt.datetime = instant()
    detail: str = long_text()
