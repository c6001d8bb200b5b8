"""The read side: cases, stages and tasks as lists and pages show them. A constant number of queries each."""

import datetime as dt
import difflib
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping, exists, select

from imprimatur.errors import InputError, NotFound
from imprimatur.rules.turns import Turns, turns_of
from imprimatur.rules.voting import IN_FAVOUR
from imprimatur.store.case_listing import Need, needing
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.deliveries import MailCount, counts_of_case
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.unfinished import IS_PENDING
from models.proposal import Proposal
from models.tables import (
    CaseRow,
    DecisionRow,
    IncidentRow,
    LedgerRow,
    OutboxRow,
    ProposedActRow,
    PublicationRow,
    StageRow,
    TaskRow,
)
from models.vocabulary import (
    Boundary,
    CaseStatus,
    MailStatus,
    OfficeAct,
    Party,
    RecordStatus,
    StageOutcome,
    StageStatus,
    TaskStatus,
)

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
_ACT = ProposedActRow.__table__  # type: ignore[attr-defined]
TROUBLED = [str(status) for status in (MailStatus.BOUNCED, MailStatus.DEFERRED, MailStatus.UNKNOWN)]


class CaseSummary(BaseModel):
    case_id: str
    title: str
    status: CaseStatus
    framework: str
    proposer: str
    version: int
    round: int
    open_stages: list[str]
    opened_at: dt.datetime
    due_at: dt.datetime | None
    closed_at: dt.datetime | None


class NoteView(BaseModel):
    """An act of the office that still has its effect; an extension says until when."""

    actor: str
    at: dt.datetime
    reason: str
    due_at: dt.datetime | None = None


class Proof(BaseModel):
    """A ledger event that helped to make an approval."""

    position: int
    digest: str
    actor: str
    strength: str | None = None


class ChangeView(BaseModel):
    """A move to another version of the framework that waits for its boundary ``at``."""

    version: str
    at: Boundary
    actor: str
    reason: str
    scheduled_at: dt.datetime


class StageView(BaseModel):
    """A stage as it stands; one that has not opened in this round has round 0, and may say why.

    ``opens_at``: when the review window opens for which it waits; ``sits_at``: when its committee meets on it.
    ``proof`` has the decisions that made a standing approval, also when it was kept from an earlier round.
    """

    stage: str
    name: str
    status: StageStatus
    outcome: str | None = None
    reason: str = ""
    round: int = 0
    opened_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    due_reason: dict[str, Any] | None = None
    breached_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    opens_at: dt.datetime | None = None
    committee: str | None = None
    sits_at: dt.datetime | None = None
    extensions: list[NoteView] = []
    proof: list[Proof] = []

    @property
    def is_late(self) -> bool:
        """A stage that was late and got more time is late no more, before that has passed as well."""
        return self.breached_at is not None and (self.due_at is None or self.due_at <= self.breached_at)


class TaskView(BaseModel):
    task_id: str
    case_id: str
    stage: str
    round: int
    assignee: str
    on_behalf_of: str | None = None
    reason: str
    status: TaskStatus
    opened_at: dt.datetime
    due_at: dt.datetime | None


class ProposedActView(BaseModel):
    """An act of the office that waits for a second person."""

    act_id: str
    act: OfficeAct
    stage: str
    outcome: StageOutcome
    actor: str
    reason: str
    proposed_at: dt.datetime


class IncidentView(BaseModel):
    incident_id: str
    stage: str | None
    kind: str
    detail: str
    opened_at: dt.datetime


class MailProblem(BaseModel):
    mail_id: str
    kind: str
    recipient: str
    status: MailStatus
    last_reply: str


class CaseView(BaseModel):
    """``running`` says whose time it is, ``used_seconds`` how much of it each has had until the last event."""

    case_id: str
    title: str
    status: CaseStatus
    framework: str
    framework_digest: str
    proposer: str
    track: str | None
    version: int
    digest: str
    round: int
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    closing_reason: str
    due_at: dt.datetime | None
    due_reason: dict[str, Any] | None
    clock_remaining_seconds: int | None
    breached_at: dt.datetime | None
    running: list[Party]
    used_seconds: dict[Party, int]
    held: NoteView | None
    change: ChangeView | None
    proposed: list[ProposedActView]
    stages: list[StageView]
    tasks: list[TaskView]
    conditions: list[ConditionView]
    incidents: list[IncidentView]
    mail_problems: list[MailProblem]
    mails: list[MailCount]
    slug: str | None
    record_status: RecordStatus | None


def list_cases(
    database: Database,
    *,
    status: str | None = None,
    stage: str | None = None,
    overdue_at: dt.datetime | None = None,
    framework: str | None = None,
) -> list[CaseSummary]:
    """Newest first. ``overdue_at``: only open cases with a stage or the whole case past due at that instant.

    ``framework`` is ``ID`` or ``ID@VERSION``. Raises InputError ``status_unknown``.
    """
    if status is not None and status not in list(CaseStatus):
        raise InputError(
            "status_unknown", f"There is no status {status!r}.", f"Choose one of: {', '.join(CaseStatus)}."
        )
    query = select(_CASE).order_by(_CASE.c.opened_at.desc(), _CASE.c.case_id)
    if status is not None:
        query = query.where(_CASE.c.status == status)
    if framework is not None:
        name, _, version = framework.partition("@")
        query = query.where(_CASE.c.framework_id == name)
        query = query.where(_CASE.c.framework_version == version) if version else query
    open_stage = (_STAGE.c.case_id == _CASE.c.case_id) & (_STAGE.c.status == str(StageStatus.OPEN))
    if stage is not None:
        query = query.where(exists().where(open_stage & (_STAGE.c.stage == stage)))
    if overdue_at is not None:
        query = query.where(needing(Need.OVERDUE, overdue_at))
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
        open_stages = _open_stages(connection)
    return [_summary(row, open_stages.get(row["case_id"], [])) for row in rows]


def _open_stages(connection: Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = select(_STAGE.c.case_id, _STAGE.c.stage).where(_STAGE.c.status == str(StageStatus.OPEN))
    for case_id, stage in connection.execute(query.order_by(_STAGE.c.opened_at, _STAGE.c.stage)):
        found.setdefault(case_id, []).append(stage)
    return found


def _summary(row: RowMapping, open_stages: list[str]) -> CaseSummary:
    return CaseSummary.model_validate(dict(row) | {"framework": _framework_name(row), "open_stages": open_stages})


def _framework_name(row: RowMapping) -> str:
    return f"{row['framework_id']}@{row['framework_version']}"


def show_case(database: Database, case_id: str) -> CaseView:
    """Raises NotFound ``case_unknown``."""
    with database.read() as connection:
        case = connection.execute(select(_CASE).where(_CASE.c.case_id == case_id)).mappings().first()
        if case is None:
            raise unknown_case(connection, case_id)
        of_case = {table: table.c.case_id == case_id for table in (_STAGE, _TASK, _INCIDENT, _MAIL, _PUBLICATION)}
        stages = connection.execute(select(_STAGE).where(of_case[_STAGE]).order_by(_STAGE.c.round)).mappings().all()
        tasks = connection.execute(
            select(_TASK).where(of_case[_TASK], IS_PENDING).order_by(_TASK.c.opened_at, _TASK.c.assignee)
        ).mappings()
        incidents = connection.execute(
            select(_INCIDENT).where(of_case[_INCIDENT], _INCIDENT.c.resolved_at.is_(None))
        ).mappings()
        mail = connection.execute(
            select(_MAIL)
            .where(of_case[_MAIL], _MAIL.c.status.in_(TROUBLED))
            .order_by(_MAIL.c.created_at, _MAIL.c.mail_id)
        ).mappings()
        published = connection.execute(
            select(_PUBLICATION.c.slug, _PUBLICATION.c.status.label("record_status")).where(of_case[_PUBLICATION])
        ).mappings()
        defined = [(stage.id, stage.name) for stage in framework_by_digest(connection, case["framework_digest"]).stages]
        turns = _turns(connection, case_id)
        views = _stage_views(defined, stages, turns)
        return CaseView.model_validate(
            dict(case)
            | {
                "framework": _framework_name(case),
                "running": turns.running if turns.at else (),
                "used_seconds": {party: int(seconds) for party, seconds in turns.used.items()},
                "held": asdict(turns.held) if turns.held else None,
                "change": asdict(turns.change) if turns.change else None,
                "proposed": _proposed_acts(connection, case_id, views),
                "stages": _proved(views, _proofs(connection, case_id)),
                "tasks": [dict(row) for row in tasks],
                "conditions": conditions_of(connection, [case_id]).get(case_id, []),
                "incidents": [dict(row) for row in incidents],
                "mail_problems": [dict(row) for row in mail],
                "mails": counts_of_case(connection, case_id),
                **(published.first() or {"slug": None, "record_status": None}),
            }
        )


def _turns(connection: Connection, case_id: str) -> Turns:
    """Whose time it is, by the ledger; nothing is told where somebody has made its rows unreadable."""
    columns = [_LEDGER.c[name] for name in ("type", "actor", "at", "data")]
    query = select(*columns).where(_LEDGER.c.case_id == case_id).order_by(_LEDGER.c.position)
    try:
        return turns_of(dict(row) for row in connection.execute(query).mappings())
    except (ValueError, TypeError):
        return Turns()


def _stage_views(defined: Iterable[tuple[str, str]], rows: Iterable[RowMapping], turns: Turns) -> list[StageView]:
    latest: dict[str, RowMapping] = {}
    for row in rows:
        called_off = row["confirms"] is not None and row["outcome"] == StageOutcome.CANCELLED
        if not called_off:
            latest[row["stage"]] = row
    return [_stage_view(stage_id, name, latest.get(stage_id), turns) for stage_id, name in defined]


def _stage_view(stage_id: str, name: str, row: RowMapping | None, turns: Turns) -> StageView:
    """Of a round before the latest version only an approval still stands; whatever else came of it is sought anew."""
    if row is None:
        return StageView(stage=stage_id, name=name, status=StageStatus.WAITING)
    waits, outcome = row["status"] == StageStatus.WAITING, row["outcome"]
    if not waits and (row["round"] >= turns.revised_round or (outcome and StageOutcome(outcome).stays_valid)):
        extensions = [asdict(note) for note in turns.extensions.get(stage_id, ())]
        return StageView.model_validate(dict(row) | {"extensions": extensions})
    if not waits:
        return StageView(stage=stage_id, name=name, status=StageStatus.WAITING)
    told = {"reason": row["reason"], "opens_at": row["opens_at"]}
    return StageView(stage=stage_id, name=name, status=StageStatus.WAITING, **told)


def _proposed_acts(connection: Connection, case_id: str, stages: Iterable[StageView]) -> list[dict[str, Any]]:
    """Those that can still be confirmed: their stage stands open in the round for which they were proposed."""
    opened = {(stage.stage, stage.round) for stage in stages if stage.status is StageStatus.OPEN}
    query = select(_ACT).where(_ACT.c.case_id == case_id, _ACT.c.confirmed_at.is_(None)).order_by(_ACT.c.proposed_at)
    return [dict(row) for row in connection.execute(query).mappings() if (row["stage"], row["round"]) in opened]


def _proofs(connection: Connection, case_id: str) -> dict[tuple[str, int], list[Proof]]:
    query = select(_DECISION).where(
        _DECISION.c.case_id == case_id, _DECISION.c.verdict.in_(sorted(IN_FAVOUR)), _DECISION.c.annulled_at.is_(None)
    )
    found: dict[tuple[str, int], list[Proof]] = {}
    for row in connection.execute(query.order_by(_DECISION.c.position)).mappings():
        told = {name: row[name] for name in ("position", "actor", "strength")}
        proof = Proof(digest=row["ledger_digest"], **told)
        found.setdefault((row["stage"], row["round"]), []).append(proof)
    return found


def _proved(views: list[StageView], proofs: dict[tuple[str, int], list[Proof]]) -> list[StageView]:
    return [
        view.model_copy(update={"proof": proofs.get((view.stage, view.round), [])})
        if view.outcome is not None and StageOutcome(view.outcome).stays_valid
        else view
        for view in views
    ]


def latest_proposal(database: Database, case_id: str) -> Proposal:
    """The version under review. Raises NotFound ``case_unknown``."""
    with database.read() as connection:
        digest = connection.execute(select(_CASE.c.digest).where(_CASE.c.case_id == case_id)).scalar()
        if digest is None:
            raise unknown_case(connection, case_id)
        return proposal_by_digest(connection, digest)


def unknown_case(connection: Connection, case_id: str) -> NotFound:
    """To raise; names the case that was probably meant."""
    known = connection.execute(select(_CASE.c.case_id).limit(5000)).scalars().all()
    near = difflib.get_close_matches(case_id, known, 1)
    hint = f"Did you mean {near[0]}?" if near else "See `starter.py list`."
    return NotFound("case_unknown", f"There is no case {case_id}.", hint)


def open_tasks(database: Database, *, person: str | None = None, case_id: str | None = None) -> list[TaskView]:
    """Earliest due first; tasks without a date last. Those on offer belong to them."""
    query = select(_TASK).where(IS_PENDING)
    if person is not None:
        query = query.where(_TASK.c.assignee == person.strip().lower())
    with database.read() as connection:
        if case_id is not None:
            query = query.where(_TASK.c.case_id == case_id)
            if connection.execute(select(_CASE.c.case_id).where(_CASE.c.case_id == case_id)).first() is None:
                raise unknown_case(connection, case_id)
        ordered = query.order_by(_TASK.c.due_at.nulls_last(), _TASK.c.case_id, _TASK.c.task_id)
        return [TaskView.model_validate(dict(row)) for row in connection.execute(ordered).mappings()]
