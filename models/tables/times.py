"""What cases, stages and answers took, written as they end."""

import datetime as dt

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, maybe_instant


class StageTimeRow(SQLModel, table=True):
    """One passage of a stage: a :class:`imprimatur.rules.measures.StageTime`, with what figures are filtered by.

    ``unit`` is always that of the case. The index holds all that figures ask for, in the order that they are told in,
    and last whose passage it is, for the lists of cases behind them.
    """

    __tablename__ = "stage_time"
    __table_args__ = (
        Index(
            "ix_stage_time_figures",
            *("framework_id", "stage", "unit", "closed_at", "submitted_at"),
            *("outcome", "on_time", "seconds", "first", "first_pass", "case_id"),
        ),
    )
    case_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    framework_id: str
    unit: str | None = None
    stage: str
    round: int
    outcome: str
    submitted_at: dt.datetime = instant()
    opened_at: dt.datetime | None = maybe_instant()
    closed_at: dt.datetime = instant()
    seconds: int | None = None
    on_time: bool | None = None
    first: bool
    first_pass: bool


class AnswerTimeRow(SQLModel, table=True):
    """How long a decision took: a :class:`imprimatur.rules.measures.AnswerTime`."""

    __tablename__ = "answer_time"
    __table_args__ = (Index("ix_answer_time_figures", "reviewer", "framework_id", "unit", "answered_at", "seconds"),)
    case_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    framework_id: str
    unit: str | None = None
    stage: str
    reviewer: str
    asked_at: dt.datetime = instant()
    answered_at: dt.datetime = instant()
    seconds: int


class CaseTimeRow(SQLModel, table=True):
    """How long a case took that has ended, and who held it: a :class:`imprimatur.rules.measures.CaseTime`."""

    __tablename__ = "case_time"
    case_id: str = Field(primary_key=True)
    framework_id: str
    unit: str | None = None
    status: str
    submitted_at: dt.datetime = instant()
    closed_at: dt.datetime = instant(index=True)
    seconds: int
    author_seconds: int
    reviewer_seconds: int
    partner_seconds: int
    office_seconds: int
    system_seconds: int
    on_time: bool | None = None
    rounds: int
    changes_requested: int
    lapsed: int
