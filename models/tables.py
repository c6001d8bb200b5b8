"""Tables. Documents, people, the ledger and the read model live here; the process state's truth is the workflow.

Instants are UTC. A row's times are its case's own time, so a case under virtual time is consistent.
"""

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Index,
    LargeBinary,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlmodel import Field, SQLModel

from models.vocabulary import MailStatus, StageStatus, TaskStatus


class UtcDateTime(TypeDecorator[dt.datetime]):
    """SQLite keeps no time zone: instants go in and come out as aware UTC everywhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(dt.UTC) if value is not None else None

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _instant(index: bool = False) -> Any:
    return Field(sa_type=UtcDateTime, index=index)


def _maybe_instant(index: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=True, index=index)


def _json() -> Any:
    return Field(sa_column=Column(JSON, nullable=False))


def _text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))


class PersonRow(SQLModel, table=True):
    """Of what is left open, from ``time_zone`` to ``language``, the institution's default holds.

    ``formerly`` is the address that the same person had before.
    """

    __tablename__ = "person"
    email: str = Field(primary_key=True)
    name: str
    organisation: str = ""
    active: bool = True
    time_zone: str | None = None
    quiet_hours: str | None = None
    digest: str | None = None
    receipts: bool | None = None
    language: str | None = None
    roles: list[str] = _json()
    units: list[str] = _json()
    formerly: str | None = Field(default=None, index=True)


class PersonRoleRow(SQLModel, table=True):
    """Directory index of who holds a role; kept in step with ``person`` by the people repository."""

    __tablename__ = "person_role"
    email: str = Field(primary_key=True, foreign_key="person.email")
    role: str = Field(primary_key=True, index=True)


class PersonUnitRow(SQLModel, table=True):
    __tablename__ = "person_unit"
    email: str = Field(primary_key=True, foreign_key="person.email")
    unit: str = Field(primary_key=True, index=True)


class PersonAliasRow(SQLModel, table=True):
    """A further address of a person, from which a reply is as good as from the first."""

    __tablename__ = "person_alias"
    alias: str = Field(primary_key=True)
    email: str = Field(foreign_key="person.email", index=True)
    recorded_by: str
    recorded_at: dt.datetime = _instant()


class FrameworkRow(SQLModel, table=True):
    __tablename__ = "framework"
    id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    digest: str = Field(index=True, unique=True)
    name: str
    credential_kind: str
    body: dict[str, Any] = _json()
    added_at: dt.datetime = _instant()


class DocumentRow(SQLModel, table=True):
    """Proposal documents by digest: canonical JSON text, immutable."""

    __tablename__ = "document"
    digest: str = Field(primary_key=True)
    body: str = _text()


class CaseRow(SQLModel, table=True):
    """``seq`` is the last commit, ``events`` and ``head`` are the ledger's length and last digest."""

    __tablename__ = "case_record"
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
    opened_at: dt.datetime = _instant(index=True)
    updated_at: dt.datetime = _instant()
    closed_at: dt.datetime | None = _maybe_instant()
    due_at: dt.datetime | None = _maybe_instant(index=True)
    due_reason: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    clock_remaining_seconds: int | None = None
    breached_at: dt.datetime | None = _maybe_instant()
    closing_reason: str = _text()
    track: str | None = None


class VersionRow(SQLModel, table=True):
    __tablename__ = "proposal_version"
    case_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    digest: str
    submitted_by: str
    submitted_at: dt.datetime = _instant()
    complete: bool
    changed: list[str] = _json()


class StageRow(SQLModel, table=True):
    """One row per stage and round; one whose approval lapsed waits again, without an outcome.

    ``due_reason`` derives the due date: from, calendar, days skipped. A stage that waits for its review window has
    ``opens_at``; one that a committee decides has ``sits_at``, and ``begun_at`` once that sitting has begun.
    ``confirms`` is the round whose approval this one only asks to confirm: where that is called off, the approval of
    then stands.
    """

    __tablename__ = "stage"
    case_id: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    round: int = Field(primary_key=True)
    name: str
    status: str = StageStatus.OPEN
    outcome: str | None = None
    reason: str = _text()
    opened_at: dt.datetime = _instant()
    due_at: dt.datetime | None = _maybe_instant(index=True)
    due_reason: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    clock_remaining_seconds: int | None = None
    breached_at: dt.datetime | None = _maybe_instant()
    closed_at: dt.datetime | None = _maybe_instant()
    opens_at: dt.datetime | None = _maybe_instant()
    committee: str | None = Field(default=None, index=True)
    sits_at: dt.datetime | None = _maybe_instant()
    valid_until: dt.datetime | None = _maybe_instant()
    begun_at: dt.datetime | None = _maybe_instant()
    confirms: int | None = None


class TaskRow(SQLModel, table=True):
    """``on_behalf_of`` is the person whose place the assignee takes; the offer is :class:`models.case.Offer`."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_assignee_status", "assignee", "status"),)
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
    opened_at: dt.datetime = _instant()
    due_at: dt.datetime | None = _maybe_instant()
    closed_at: dt.datetime | None = _maybe_instant()
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
    comment: str = _text()
    scores: dict[str, int] = _json()
    digest: str
    channel: str
    decided_at: dt.datetime = _instant()
    position: int
    ledger_digest: str
    stage_outcome: str | None = None
    case_status: str
    annulled_at: dt.datetime | None = _maybe_instant()
    statement: str | None = Field(default=None, sa_column=Column(Text))
    logo: bool | None = None
    strength: str | None = None


class LedgerRow(SQLModel, table=True):
    """``digest`` covers the row's own content and ``previous``; see imprimatur/history/ledger.py."""

    __tablename__ = "ledger"
    case_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    at: dt.datetime = _instant()
    type: str
    actor: str
    data: dict[str, Any] = _json()
    previous: str
    digest: str


class StepRow(SQLModel, table=True):
    """Each commit's event and first answer: a :class:`models.case.WrittenStep`."""

    __tablename__ = "step"
    case_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    answer: str = _text()


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
    at: dt.datetime = _instant()


class IncidentRow(SQLModel, table=True):
    """One about a mail names it, and its task. ``told_at`` says when the office was written to about it, in real time.

    ``resolved_by`` and ``resolution`` are of whoever closed it and why; where the case itself did, nobody is named.
    """

    __tablename__ = "incident"
    incident_id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    stage: str | None = None
    kind: str
    detail: str = _text()
    opened_at: dt.datetime = _instant()
    resolved_at: dt.datetime | None = _maybe_instant()
    mail_id: str | None = Field(default=None, index=True)
    task_id: str | None = None
    told_at: dt.datetime | None = _maybe_instant()
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
    reason: str = _text()
    proposed_at: dt.datetime = _instant()
    confirmed_by: str | None = None
    confirmed_at: dt.datetime | None = _maybe_instant()


class MinutesRow(SQLModel, table=True):
    """What was recorded of a committee's sitting, beside the decisions on its items."""

    __tablename__ = "minutes"
    committee: str = Field(primary_key=True)
    held_on: dt.date = Field(primary_key=True)
    present: list[str] = _json()
    apologies: list[str] = _json()
    remarks: str = _text()
    recorded_by: str
    recorded_at: dt.datetime = _instant()


class AdviceRow(SQLModel, table=True):
    """Advice that a task's holder asked for; it decides nothing."""

    __tablename__ = "advice"
    advice_id: str = Field(primary_key=True)
    task_id: str
    case_id: str = Field(index=True)
    stage: str
    round: int
    asked_by: str
    question: str = _text()
    asked_at: dt.datetime = _instant()
    adviser: str
    adviser_name: str = ""
    text: str = _text()
    given_at: dt.datetime | None = _maybe_instant()


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
    text: str = _text()
    owner: str = Field(index=True)
    set_by: str
    blocking: bool
    due: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    due_on: dt.date | None = None
    status: str
    proposed_at: dt.datetime = _instant()
    opened_at: dt.datetime | None = _maybe_instant()
    due_at: dt.datetime | None = _maybe_instant(index=True)
    due_reason: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    breached_at: dt.datetime | None = _maybe_instant()
    evidence: str = _text()
    fulfilled_at: dt.datetime | None = _maybe_instant()
    reason: str = _text()
    settled_by: str | None = None
    settled_at: dt.datetime | None = _maybe_instant()


class StageTimeRow(SQLModel, table=True):
    """One passage of a stage: a :class:`imprimatur.rules.measures.StageTime`, with what figures are filtered by.

    ``unit`` is always that of the case. The index holds all that figures ask for, in the order that they are told in.
    """

    __tablename__ = "stage_time"
    __table_args__ = (
        Index(
            "ix_stage_time_figures",
            *("framework_id", "stage", "unit", "closed_at", "submitted_at"),
            *("outcome", "on_time", "seconds", "first", "first_pass"),
        ),
    )
    case_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    framework_id: str
    unit: str | None = None
    stage: str
    round: int
    outcome: str
    submitted_at: dt.datetime = _instant()
    opened_at: dt.datetime | None = _maybe_instant()
    closed_at: dt.datetime = _instant()
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
    asked_at: dt.datetime = _instant()
    answered_at: dt.datetime = _instant()
    seconds: int


class CaseTimeRow(SQLModel, table=True):
    """How long a case took that has ended, and who held it: a :class:`imprimatur.rules.measures.CaseTime`."""

    __tablename__ = "case_time"
    case_id: str = Field(primary_key=True)
    framework_id: str
    unit: str | None = None
    status: str
    submitted_at: dt.datetime = _instant()
    closed_at: dt.datetime = _instant(index=True)
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


class InterestRow(SQLModel, table=True):
    """A declared interest: ``subject`` is a partner's organisation, a unit or a person's address, as ``kind`` says."""

    __tablename__ = "interest"
    person: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    reason: str = _text()
    declared_at: dt.datetime = _instant()


class DelegationRow(SQLModel, table=True):
    """Whoever is asked between two dates, both included, is represented; empty scopes mean everywhere."""

    __tablename__ = "delegation"
    delegation_id: str = Field(primary_key=True)
    person: str = Field(index=True)
    deputy: str
    first_on: dt.date
    last_on: dt.date
    framework: str | None = None
    stage: str | None = None
    unit: str | None = None
    declared_at: dt.datetime = _instant()
    ended_at: dt.datetime | None = _maybe_instant()


class AbsenceRow(SQLModel, table=True):
    """Days on which a person is not asked; both included."""

    __tablename__ = "absence"
    person: str = Field(primary_key=True)
    first_on: dt.date = Field(primary_key=True)
    last_on: dt.date
    reason: str = _text()


class OutboxRow(SQLModel, table=True):
    """Outgoing mail, written with the step that causes it; ``due_at`` is real time: when the mailer may try.

    ``case_id`` is empty for mail that is about a person and no case. ``carried_by`` names the message that several
    mails to one person became. ``returned`` counts how often a relay took it and gave it back later.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_status_due", "status", "due_at"),)
    mail_id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    task_id: str | None = Field(default=None, index=True)
    kind: str
    recipient: str
    recipient_name: str = ""
    data: dict[str, Any] = _json()
    created_at: dt.datetime = _instant()
    status: str = MailStatus.QUEUED
    due_at: dt.datetime = _instant()
    attempts: int = 0
    sent_at: dt.datetime | None = _maybe_instant()
    message_id: str | None = None
    last_reply: str = _text()
    seen_at: dt.datetime | None = _maybe_instant()
    reminded_at: dt.datetime | None = _maybe_instant()
    returned: int | None = None
    carried_by: str | None = Field(default=None, index=True)


class MailEventRow(SQLModel, table=True):
    """What happened to an outgoing mail, in order: a :class:`models.vocabulary.MailState`; times are real.

    ``status`` is the enhanced status code of RFC 3463, where a relay gave one.
    """

    __tablename__ = "mail_event"
    mail_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: dt.datetime = _instant()
    state: str
    status: str | None = None
    reply: str = _text()


class InboundMailRow(SQLModel, table=True):
    """An incoming message and what became of it; ``mail_key`` is derived from its Message-ID and its recipient.

    ``result`` is ``recorded``, ``reported``, ``ignored`` or the code of the error; ``attested_by`` says what vouched
    for its sender. ``mail_id`` is the outgoing mail of which a delivery report speaks. Times are real.
    """

    __tablename__ = "inbound_mail"
    __table_args__ = (Index("ix_inbound_mail_task_received", "task_id", "received_at"),)
    mail_key: str = Field(primary_key=True)
    message_id: str | None = None
    sender: str = ""
    kind: str
    case_id: str | None = None
    task_id: str | None = None
    result: str
    attested_by: str | None = None
    answered: bool = False
    digest: str
    attachments: list[dict[str, Any]] = _json()
    received_at: dt.datetime = _instant()
    mail_id: str | None = None


class InboundContentRow(SQLModel, table=True):
    """Incoming messages as they came, by SHA-256."""

    __tablename__ = "inbound_content"
    digest: str = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SentFormRow(SQLModel, table=True):
    """A form of a task page that was sent: its one-time value, and the digest of what it said."""

    __tablename__ = "sent_form"
    form_id: str = Field(primary_key=True)
    task_id: str
    digest: str
    sent_at: dt.datetime = _instant()


class MailboxRow(SQLModel, table=True):
    """How far a polled mailbox has been read: ``last_uid`` under ``uid_validity`` (RFC 9051, 2.3.1.1).

    ``trying_uid`` has been begun ``tries`` times and is not dealt with yet. Numbers of a mailbox have 32 bits.
    """

    __tablename__ = "mailbox"
    name: str = Field(primary_key=True)
    uid_validity: int = Field(sa_type=BigInteger)
    last_uid: int = Field(default=0, sa_type=BigInteger)
    trying_uid: int = Field(default=0, sa_type=BigInteger)
    tries: int = 0
    polled_at: dt.datetime = _instant()


class PublicationRow(SQLModel, table=True):
    """A published micro-credential: its record as Open Badges 3.0 Achievement, and what the catalogue shows."""

    __tablename__ = "publication"
    slug: str = Field(primary_key=True)
    case_id: str = Field(unique=True)
    version: int
    title: str
    digest: str
    achievement: dict[str, Any] = _json()
    page: dict[str, Any] = _json()
    published_at: dt.datetime = _instant(index=True)


class PathwayRow(SQLModel, table=True):
    """A pathway as it was written last: a :class:`models.stacking.Pathway`."""

    __tablename__ = "pathway"
    pathway_id: str = Field(primary_key=True)
    title: str
    body: dict[str, Any] = _json()
    changed_at: dt.datetime = _instant()


class StackingRow(SQLModel, table=True):
    """What a proposal version counts towards (``pathway``) or builds on (``case``); see ``models.proposal``."""

    __tablename__ = "stacking"
    case_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    target: str = Field(primary_key=True, index=True)
    credits: float | None = None


class SkillRow(SQLModel, table=True):
    """A skill of an imported framework; ``key`` is its address there, or else its code."""

    __tablename__ = "skill"
    framework: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    title: str
    words: str = _text()
    description: str = _text()
    url: str | None = None
    code: str | None = None
    imported_at: dt.datetime = _instant()


class WebhookRow(SQLModel, table=True):
    """Where ledger events are sent; empty ``events`` and ``units`` mean all.

    Its secret is derived from the installation's keys and ``generation``; the one before it is good until
    ``old_secret_until``. ``paused_until``: it has failed, and is left alone until then. Times are real.
    """

    __tablename__ = "webhook"
    webhook_id: str = Field(primary_key=True)
    url: str
    events: list[str] = _json()
    units: list[str] = _json()
    generation: int = 1
    old_secret_until: dt.datetime | None = _maybe_instant()
    failures: int = 0
    paused_until: dt.datetime | None = _maybe_instant()
    added_at: dt.datetime = _instant()
    ended_at: dt.datetime | None = _maybe_instant()
    end_reason: str = _text()


class WebhookDeliveryRow(SQLModel, table=True):
    """One ledger event (``position`` 0: a trial) on its way to one webhook, written with the step that causes it."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("ix_webhook_delivery_due", "status", "due_at"),)
    delivery_id: str = Field(primary_key=True)
    webhook_id: str = Field(index=True)
    case_id: str
    position: int
    type: str
    status: str
    due_at: dt.datetime = _instant()
    attempts: int = 0
    answer: str = _text()
    queued_at: dt.datetime = _instant()
    ended_at: dt.datetime | None = _maybe_instant()


class BulkRow(SQLModel, table=True):
    """An act on many cases at once. ``operation`` is a digest of all that was said: repeated, it goes on with the rest.

    ``options`` hold how the cases were chosen, and what else the act was given; ``ended_at`` is set when each has come
    to a result.
    """

    __tablename__ = "bulk"
    bulk_id: str = Field(primary_key=True)
    operation: str = Field(index=True)
    act: str
    actor: str
    reason: str = _text()
    options: dict[str, Any] = _json()
    begun_at: dt.datetime = _instant()
    ended_at: dt.datetime | None = _maybe_instant()


class BulkItemRow(SQLModel, table=True):
    """One case of a bulk, or one task or act of it (``subject``). ``result`` is None as long as there is none."""

    __tablename__ = "bulk_item"
    bulk_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    case_id: str
    subject: str = ""
    result: str | None = None
    code: str | None = None
    message: str = _text()


class SigningKeyRow(SQLModel, table=True):
    """A key that signs records; ``kid`` is its thumbprint (RFC 7638), ``owner`` is ``issuer`` or an organisation.

    ``sealed`` is its private part, encrypted; a retired key has none. One that is not ``held`` never had it here: its
    owner keeps it, and the key is not served as one of ours. Times are real.
    """

    __tablename__ = "signing_key"
    kid: str = Field(primary_key=True)
    owner: str = Field(index=True)
    alg: str
    public: dict[str, Any] = _json()
    sealed: str | None = Field(default=None, sa_column=Column(Text))
    held: bool
    created_at: dt.datetime = _instant()
    retired_at: dt.datetime | None = _maybe_instant()


class EndorsementRow(SQLModel, table=True):
    """What an organisation says of a published micro-credential, as a signed token; ``number`` names it.

    ``by_partner``: the partner signed it with a key of its own; else it is issued in its name. Times are real.
    """

    __tablename__ = "endorsement"
    __table_args__ = (UniqueConstraint("slug", "organisation"),)
    slug: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    organisation: str
    by_partner: bool
    kid: str
    token: str = _text()
    issued_at: dt.datetime = _instant()


class BadgeRow(SQLModel, table=True):
    """A badge of one learner. Of the learner nothing is kept but ``learner``, a keyed digest, and what is in the badge.

    ``position`` counts the badges of a micro-credential from 0, and leads to the entry in its status list.
    """

    __tablename__ = "badge"
    __table_args__ = (UniqueConstraint("slug", "learner"), UniqueConstraint("slug", "position"))
    badge_id: str = Field(primary_key=True)
    slug: str
    position: int
    learner: str
    token: str = _text()
    issued_at: dt.datetime = _instant()
    revoked_at: dt.datetime | None = _maybe_instant()
    reason: str = _text()


class StatusListRow(SQLModel, table=True):
    """Which badges of a micro-credential are revoked, as a signed token; ``number`` counts its lists from 1."""

    __tablename__ = "status_list"
    slug: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    token: str = _text()
    updated_at: dt.datetime = _instant()
