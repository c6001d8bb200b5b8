"""Frameworks, cases and what happens in them."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Column, Index, Text, text
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant
from models.vocabulary import StageStatus, TaskStatus


class FrameworkRow(SQLModel, table=True):
    __tablename__ = "framework"
    id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    digest: str = Field(index=True, unique=True)
    name: str
    credential_kind: str
    body: dict[str, Any] = json_value()
    added_at: dt.datetime = instant()


class DocumentRow(SQLModel, table=True):
    """Proposal documents by digest: canonical JSON text, immutable."""

    __tablename__ = "document"
    digest: str = Field(primary_key=True)
    body: str = long_text()


class CaseRow(SQLModel, table=True):
    """``seq`` is the last commit, ``events`` and ``head`` are the ledger's length and last digest."""

    __tablename__ = "case_record"
    # Lists choose among open cases, and offer the frameworks and units that there are. Figures count submissions.
    __table_args__ = (
        Index(
            "ix_case_record_open",
            "opened_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_case_record_submitted", "opened_at", "framework_id", "unit"),
        Index("ix_case_record_used", "framework_id", "framework_digest"),
        Index("ix_case_record_unit", "unit"),
    )
    case_id: str = Field(primary_key=True)
    framework_id: str = Field(index=True)
    framework_version: str
    framework_digest: str
    title: str
    proposer: str = Field(index=True)
    unit: str | None = None
    status: str = Field(index=True)
    round: int = 0
    version: int = 0
    digest: str
    seq: int = 0
    events: int = 0
    head: str = ""
    opened_at: dt.datetime = instant()
    updated_at: dt.datetime = instant()
    closed_at: dt.datetime | None = maybe_instant()
    due_at: dt.datetime | None = maybe_instant(index=True)
    due_reason: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    clock_remaining_seconds: int | None = None
    breached_at: dt.datetime | None = maybe_instant()
    closing_reason: str = long_text()
    track: str | None = None


class VersionRow(SQLModel, table=True):
    __tablename__ = "proposal_version"
    case_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    digest: str
    submitted_by: str
    submitted_at: dt.datetime = instant()
    complete: bool
    changed: list[str] = json_value()


class StageRow(SQLModel, table=True):
    """One row per stage and round; one whose approval lapsed waits again, without an outcome.

    ``due_reason`` derives the due date: from, calendar, days skipped. A stage that waits for its review window has
    ``opens_at``; one that a committee decides has ``sits_at``, and ``begun_at`` once that sitting has begun.
    ``confirms`` is the round whose approval this one only asks to confirm: where that is called off, the approval of
    then stands.
    """

    __tablename__ = "stage"
    # What is promised in the stages that are open is asked of every open case at once.
    __table_args__ = (
        Index(
            "ix_stage_open",
            *("case_id", "due_at", "breached_at"),
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )
    case_id: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    round: int = Field(primary_key=True)
    name: str
    status: str = StageStatus.OPEN
    outcome: str | None = None
    reason: str = long_text()
    opened_at: dt.datetime = instant()
    due_at: dt.datetime | None = maybe_instant(index=True)
    due_reason: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    clock_remaining_seconds: int | None = None
    breached_at: dt.datetime | None = maybe_instant()
    closed_at: dt.datetime | None = maybe_instant()
    opens_at: dt.datetime | None = maybe_instant()
    committee: str | None = Field(default=None, index=True)
    sits_at: dt.datetime | None = maybe_instant()
    valid_until: dt.datetime | None = maybe_instant()
    begun_at: dt.datetime | None = maybe_instant()
    confirms: int | None = None


class TaskRow(SQLModel, table=True):
    """``on_behalf_of`` is the person whose place the assignee takes; the offer is :class:`models.case.Offer`."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_assignee_status", "assignee", "status"),
        Index(
            "ix_task_pending",
            "case_id",
            sqlite_where=text("status IN ('offered', 'open')"),
            postgresql_where=text("status IN ('offered', 'open')"),
        ),
    )
    task_id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    stage: str
    round: int
    assignee: str
    assignee_name: str = ""
    reason: str
    role: str | None = None
    on_behalf_of: str | None = None
    offer_rule: int | None = None
    offer_seats: int | None = None
    status: str = TaskStatus.OPEN
    opened_at: dt.datetime = instant()
    due_at: dt.datetime | None = maybe_instant()
    closed_at: dt.datetime | None = maybe_instant()
    closure: str | None = None
    closed_by: str | None = None


class DecisionRow(SQLModel, table=True):
    """``position`` and ``ledger_digest`` name the ledger event that proves the decision.

    ``statement`` is published with the micro-credential; ``logo``: the organisation's logo may be shown with it.
    ``strength`` says how surely the actor was known, where that was recorded.
    """

    __tablename__ = "decision"
    decision_id: str = Field(primary_key=True)
    task_id: str = Field(unique=True)
    case_id: str = Field(index=True)
    stage: str
    round: int
    actor: str
    verdict: str
    comment: str = long_text()
    scores: dict[str, int] = json_value()
    digest: str
    channel: str
    decided_at: dt.datetime = instant()
    position: int
    ledger_digest: str
    stage_outcome: str | None = None
    case_status: str
    annulled_at: dt.datetime | None = maybe_instant()
    statement: str | None = Field(default=None, sa_column=Column(Text))
    logo: bool | None = None
    strength: str | None = None


class LedgerRow(SQLModel, table=True):
    """``digest`` covers the row's own content and ``previous``; see imprimatur/rules/ledger.py."""

    __tablename__ = "ledger"
    case_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    at: dt.datetime = instant()
    type: str
    actor: str
    data: dict[str, Any] = json_value()
    previous: str
    digest: str


class StepRow(SQLModel, table=True):
    """Each commit's event and first answer: a :class:`models.case.WrittenStep`."""

    __tablename__ = "step"
    case_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    answer: str = long_text()


class RefusalRow(SQLModel, table=True):
    """Refused acts: the ledger's side table. They change nothing, and leave a trace."""

    __tablename__ = "refusal"
    id: int | None = Field(default=None, primary_key=True)
    case_id: str | None = Field(default=None, index=True)
    task_id: str | None = None
    actor: str
    act: str
    code: str
    message: str
    channel: str
    at: dt.datetime = instant()


class IncidentRow(SQLModel, table=True):
    """One about a mail names it, and its task. ``told_at`` says when the office was written to about it, in real time.

    ``resolved_by`` and ``resolution`` are of whoever closed it and why; where the case itself did, nobody is named.
    """

    __tablename__ = "incident"
    incident_id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    stage: str | None = None
    kind: str
    detail: str = long_text()
    opened_at: dt.datetime = instant()
    resolved_at: dt.datetime | None = maybe_instant()
    mail_id: str | None = Field(default=None, index=True)
    task_id: str | None = None
    told_at: dt.datetime | None = maybe_instant()
    resolved_by: str | None = None
    resolution: str | None = Field(default=None, sa_column=Column(Text))


class ProposedActRow(SQLModel, table=True):
    """An act of the office that waits, or waited, for a second person."""

    __tablename__ = "proposed_act"
    act_id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    stage: str
    round: int
    act: str
    outcome: str
    actor: str
    reason: str = long_text()
    proposed_at: dt.datetime = instant()
    confirmed_by: str | None = None
    confirmed_at: dt.datetime | None = maybe_instant()


class MinutesRow(SQLModel, table=True):
    """What was recorded of a committee's sitting, beside the decisions on its items."""

    __tablename__ = "minutes"
    committee: str = Field(primary_key=True)
    held_on: dt.date = Field(primary_key=True)
    present: list[str] = json_value()
    apologies: list[str] = json_value()
    remarks: str = long_text()
    recorded_by: str
    recorded_at: dt.datetime = instant()


class AdviceRow(SQLModel, table=True):
    """Advice that a task's holder asked for; it decides nothing."""

    __tablename__ = "advice"
    advice_id: str = Field(primary_key=True)
    task_id: str
    case_id: str = Field(index=True)
    stage: str
    round: int
    asked_by: str
    question: str = long_text()
    asked_at: dt.datetime = instant()
    adviser: str
    adviser_name: str = ""
    text: str = long_text()
    given_at: dt.datetime | None = maybe_instant()


class ConditionRow(SQLModel, table=True):
    """A condition of an approval, the ``number``-th of its decision.

    ``due`` and ``due_on`` are what was asked for, ``due_at`` what came of it.
    """

    __tablename__ = "condition"
    condition_id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    decision_id: str
    task_id: str
    stage: str
    round: int
    number: int
    text: str = long_text()
    owner: str = Field(index=True)
    set_by: str
    blocking: bool
    due: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    due_on: dt.date | None = None
    status: str
    proposed_at: dt.datetime = instant()
    opened_at: dt.datetime | None = maybe_instant()
    due_at: dt.datetime | None = maybe_instant(index=True)
    due_reason: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    breached_at: dt.datetime | None = maybe_instant()
    evidence: str = long_text()
    fulfilled_at: dt.datetime | None = maybe_instant()
    reason: str = long_text()
    settled_by: str | None = None
    settled_at: dt.datetime | None = maybe_instant()
