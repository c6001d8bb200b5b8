"""The open book of one commit: reads what a step needs, collects events, rows and mail, writes them at the end."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from activities.rows import RowBuffer
from imprimatur import ids
from imprimatur.rules.ledger import GENESIS, event_digest
from imprimatur.rules.standing import Held
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.frameworks import framework_by_digest
from imprimatur.store.people import holders
from models.commit import Resolution, StageResolution, Step, WrittenStep
from models.conditions import ConditionResolution
from models.framework import StageDef
from models.tables import CaseRow, DecisionRow, IncidentRow, LedgerRow, OutboxRow, StageRow, StepRow, TaskRow
from models.vocabulary import (
    EventType,
    IncidentKind,
    MailKind,
    StageKind,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
)

SYSTEM = "system"
OFFICE_ROLE = "governance_office"
_TASK, _DECISION = TaskRow.__table__, DecisionRow.__table__  # type: ignore[attr-defined]
_TASKS = (
    select(_TASK, _DECISION.c.verdict)
    .outerjoin(_DECISION, _DECISION.c.task_id == _TASK.c.task_id)
    .where(_TASK.c.case_id == bindparam("case"))
)


@dataclass(frozen=True)
class Published:
    """An Open Badges Achievement that became public; ``endorsed``: a partner's word stands in its record."""

    slug: str
    achievement: dict[str, Any]
    endorsed: bool


class Book:
    """``published`` lists what became public; ``to_publish``: a run is to be begun."""

    def __init__(
        self, connection: Connection, step: Step, base_url: str, rows: RowBuffer, case: dict[str, Any]
    ) -> None:
        self.connection = connection
        self.step = step
        self.base_url = base_url
        self.rows = rows
        self.framework = framework_by_digest(connection, step.framework_digest)
        self.proposal = proposal_by_digest(connection, step.digest)
        self.case = case
        self.position: int = self.case.get("events", 0)
        self.head: str = self.case.get("head", GENESIS)
        self.changes: dict[str, Any] = {}
        self.resolutions: list[StageResolution] = []
        self.condition_resolutions: list[ConditionResolution] = []
        self.conditions: dict[str, dict[str, Any]] = {}
        self.due_at: dt.datetime | None = None
        self.mails = 0
        self.asked_now: list[dict[str, Any]] = []
        self.skipped_now: set[str] = set()
        self.escalated_now: set[str] = set()
        self._incidents: set[str] = set()
        self.published: list[Published] = []
        self.to_publish = False
        # Of what is approved and not public yet: the day on which it is to be, where one is set.
        self.awaited: dict[str, Any] = {}
        self._tasks: dict[str, dict[str, Any]] | None = None
        self._first: tuple[int, str] | None = None
        # The operation on many cases, of which this step is a part.
        self._bulk: str | None = getattr(step.event, "bulk", None)

    @property
    def proposer(self) -> str:
        return str(self.case["proposer"])

    def stage_def(self, stage_id: str) -> StageDef:
        return self.framework.stage(stage_id)

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The case's tasks with their verdicts, by id: as they stood before this step, but for those it has closed.

        Read once, when first asked for; a case that begins has none.
        """
        if self._tasks is None:
            begins = self.step.seq == 1
            found = [] if begins else self.connection.execute(_TASKS, {"case": self.step.case_id}).mappings().all()
            self._tasks = {row["task_id"]: dict(row) for row in found}
        return self._tasks

    def tasks_of_round(self, stage_id: str, round_number: int) -> list[dict[str, Any]]:
        """Those of this step included."""
        return [
            task
            for task in (*self.tasks().values(), *self.asked_now)
            if (task["stage"], task["round"]) == (stage_id, round_number)
        ]

    def people_of_round(self, stage_id: str, round_number: int) -> set[str]:
        """Everyone who was asked; whoever was offered a task that another took has not been."""
        asked = self.tasks_of_round(stage_id, round_number)
        return {task["assignee"] for task in asked if task["closure"] != TaskClosure.CLAIMED}

    def hats(self) -> tuple[Held, ...]:
        """Who decided, or is to decide, in which of the framework's stages under which role."""
        deciding = {stage.id for stage in self.framework.stages if stage.kind is not StageKind.INFORMATION}
        return tuple(
            Held(task["assignee"], task["role"], task["stage"])
            for task in (*self.tasks().values(), *self.asked_now)
            if task["status"] in (TaskStatus.OPEN, TaskStatus.DECIDED) and task["stage"] in deciding
        )

    def open_tasks_of(self, stage_id: str, round_number: int) -> list[dict[str, Any]]:
        return [
            task
            for task in self.tasks().values()
            if (task["stage"], task["round"]) == (stage_id, round_number) and TaskStatus(task["status"]).is_pending
        ]

    def stage_due_at(self, stage_id: str, round_number: int) -> dt.datetime | None:
        """When an open stage is due; None when nothing was promised, or the promise is broken already."""
        due_at: dt.datetime | None = self.stage_row(stage_id, round_number)["due_at"]
        return due_at if due_at is not None and due_at > self.step.at else None

    def stage_row(self, stage_id: str, round_number: int) -> dict[str, Any]:
        """The stage as it stood before this step."""
        table = StageRow.__table__  # type: ignore[attr-defined]
        query = select(table).where(
            table.c.case_id == self.step.case_id, table.c.stage == stage_id, table.c.round == round_number
        )
        return dict(self.connection.execute(query).mappings().one())

    def put_stage(self, stage: StageDef, round_number: int, status: StageStatus, **facts: Any) -> None:
        """The row of a stage that opens, waits or is left out; one that had to wait before has its row already."""
        key = {"case_id": self.step.case_id, "stage": stage.id, "round": round_number}
        values = {
            "name": stage.name,
            "status": str(status),
            "outcome": None,
            "reason": "",
            "opened_at": self.step.at,
            "due_at": None,
            "due_reason": None,
            "closed_at": None,
        } | facts
        if self._has_waited(stage, key):
            self.rows.update(StageRow, key, **({"opens_at": None} | values))
        else:
            self.rows.insert(StageRow, **key, **values)

    def _has_waited(self, stage: StageDef, key: dict[str, Any]) -> bool:
        if stage.window is None and stage.committee is None:
            return False
        table = StageRow.__table__  # type: ignore[attr-defined]
        query = select(table.c.stage).where(*(table.c[name] == value for name, value in key.items()))
        return self.connection.execute(query).first() is not None

    def latest_rounds(self, stage_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Keys of the latest rows of stages, as they stood before this step."""
        table = StageRow.__table__  # type: ignore[attr-defined]
        query = (
            select(table.c.stage, func.max(table.c.round).label("round"))
            .where(table.c.case_id == self.step.case_id, table.c.stage.in_(stage_ids))
            .group_by(table.c.stage)
        )
        return [{"case_id": self.step.case_id, **row} for row in self.connection.execute(query).mappings()]

    def reopened_rounds(self, stage_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Keys of all rows that no longer stand once stages are decided anew."""
        earlier = [key for stage_id in stage_ids for key in self.standing_rounds(stage_id)]
        return [*earlier, *(key for key in self.latest_rounds(stage_ids) if key not in earlier)]

    def standing_rounds(self, stage_id: str) -> list[dict[str, Any]]:
        """Keys of the rows whose approval stands: several, where a later round confirmed an earlier one."""
        table = StageRow.__table__  # type: ignore[attr-defined]
        valid = [str(outcome) for outcome in StageOutcome if outcome.stays_valid]
        query = select(table.c.stage, table.c.round).where(
            table.c.case_id == self.step.case_id, table.c.stage == stage_id, table.c.outcome.in_(valid)
        )
        return [{"case_id": self.step.case_id, **row} for row in self.connection.execute(query).mappings()]

    def event(self, type_: EventType, actor: str, **data: Any) -> None:
        if self._bulk and actor == getattr(self.step.event, "actor", None):
            data["bulk"] = self._bulk
        self.position += 1
        digest = event_digest(self.step.case_id, self.position, self.step.at, type_, actor, data, self.head)
        self.rows.insert(
            LedgerRow,
            case_id=self.step.case_id,
            position=self.position,
            at=self.step.at,
            type=str(type_),
            actor=actor,
            data=data,
            previous=self.head,
            digest=digest,
        )
        self.head = digest
        if self._first is None:
            self._first = (self.position, digest)

    def mail(
        self, template: MailKind, recipient: str, name: str = "", *, task_id: str | None = None, **data: Any
    ) -> None:
        self.mails += 1
        self.rows.insert(
            OutboxRow,
            mail_id=ids.mail_id(self.step.case_id, self.step.seq, self.mails),
            case_id=self.step.case_id,
            task_id=task_id,
            kind=str(template),
            recipient=recipient,
            recipient_name=name,
            data=data,
            created_at=self.step.at,
            status="queued",
            due_at=dt.datetime.now(dt.UTC),
            attempts=0,
            last_reply="",
        )

    def incident(self, kind: IncidentKind, stage_id: str, detail: str, about: str = "") -> None:
        """Opens an incident once per stage, round and kind (and person, when it is ``about`` one); tells the office."""
        incident_id = self.incident_id(kind, stage_id, about)
        table = IncidentRow.__table__  # type: ignore[attr-defined]
        known = self.connection.execute(select(table.c.kind).where(table.c.incident_id == incident_id)).first()
        if known is not None or incident_id in self._incidents:
            return
        self._incidents.add(incident_id)
        self.rows.insert(
            IncidentRow,
            incident_id=incident_id,
            case_id=self.step.case_id,
            stage=stage_id,
            kind=str(kind),
            detail=detail,
            opened_at=self.step.at,
            resolved_at=None,
            task_id=None,
        )
        self.event(
            EventType.INCIDENT_OPENED,
            SYSTEM,
            incident_id=incident_id,
            kind=str(kind),
            stage=stage_id,
            detail=detail,
        )
        for person in holders(self.connection, OFFICE_ROLE):
            self.mail(MailKind.INCIDENT, person.email, person.name, kind=str(kind), detail=detail, stage=stage_id)

    def incident_id(self, kind: IncidentKind, stage_id: str, about: str = "") -> str:
        of_kind = f"{kind} {about}" if about else kind
        return ids.incident_id(self.step.case_id, stage_id, self.step.round, of_kind)

    def close(self) -> Resolution:
        """Completes the rows and answers the commit."""
        assert self._first is not None, "every step leaves at least one ledger event"
        facts: dict[str, Any] = {"position": self._first[0], "ledger_digest": self._first[1]}
        if self.resolutions:
            facts["stages"] = tuple(self.resolutions)
        if self.condition_resolutions:
            facts["conditions"] = tuple(self.condition_resolutions)
        if self.due_at is not None:
            facts["due_at"] = self.due_at
        answer = Resolution.model_construct(_fields_set=set(facts), **facts)
        self._write_case()
        self.rows.insert(
            StepRow,
            case_id=self.step.case_id,
            seq=self.step.seq,
            answer=WrittenStep(event=self.step.event, at=self.step.at, resolution=answer).model_dump_json(
                exclude_unset=True
            ),
        )
        return answer

    def _write_case(self) -> None:
        step = self.step
        values = {
            "status": str(step.status),
            "round": step.round,
            "version": step.version,
            "digest": step.digest,
            "seq": step.seq,
            "events": self.position,
            "head": self.head,
            "updated_at": step.at,
        } | self.changes
        if step.seq == 1:
            self.rows.insert(CaseRow, **(self.case | values))
        else:
            self.rows.update(CaseRow, {"case_id": step.case_id}, **values)

    def open_task_of(self, task_id: str) -> dict[str, Any]:
        task = self.tasks()[task_id]
        assert TaskStatus(task["status"]).is_pending
        return task
