"""Incidents as pages show them: those of the cases that somebody oversees, and one with its mail and its task."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from imprimatur.access.viewer import Scope
from imprimatur.errors import InputError, NotFound
from imprimatur.store.access import overseen
from imprimatur.store.engine import Database
from imprimatur.store.incidents import IncidentEntry
from models.tables import CaseRow, IncidentRow, OutboxRow, TaskRow
from models.vocabulary import CaseStatus, IncidentKind, MailStatus, TaskStatus

_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
PAGE_LENGTH = 100
STATES = ("open", "closed", "all")


@dataclass(frozen=True)
class IncidentLine:
    incident: IncidentEntry
    title: str


@dataclass(frozen=True)
class IncidentSheet:
    """``mail`` is the row of the outbox that the incident is about, ``tasks`` what is open in its stage."""

    incident: IncidentEntry
    title: str
    status: CaseStatus
    mail: dict[str, Any] | None
    tasks: list[dict[str, Any]]

    @property
    def is_open(self) -> bool:
        return self.incident.resolved_at is None

    @property
    def can_resend(self) -> bool:
        return self.is_open and self.mail is not None and self.mail["status"] == MailStatus.BOUNCED

    @property
    def can_reassign(self) -> bool:
        return self.is_open and bool(self.tasks) and not self.status.is_final

    @property
    def can_retry(self) -> bool:
        """Whether the stage can be opened anew, which looks for people once more."""
        return self.is_open and self.incident.stage is not None and self.status is CaseStatus.IN_REVIEW


def incident_lines(database: Database, scope: Scope, state: str = "open", kind: str = "") -> list[IncidentLine]:
    """The newest first, at most a hundred. Raises InputError ``incident_kind_unknown`` or ``status_unknown``."""
    if kind and kind not in list(IncidentKind):
        raise InputError(
            "incident_kind_unknown",
            f"There is no kind {kind!r} of incidents.",
            f"Choose one of: {', '.join(IncidentKind)}.",
        )
    if state not in STATES:
        raise InputError("status_unknown", f"There is no status {state!r}.", f"Choose one of: {', '.join(STATES)}.")
    query = select(_INCIDENT, _CASE.c.title).join(_CASE, _CASE.c.case_id == _INCIDENT.c.case_id).where(overseen(scope))
    if state != "all":
        resolved = _INCIDENT.c.resolved_at
        query = query.where(resolved.is_(None) if state == "open" else resolved.is_not(None))
    if kind:
        query = query.where(_INCIDENT.c.kind == kind)
    query = query.order_by(_INCIDENT.c.opened_at.desc(), _INCIDENT.c.incident_id).limit(PAGE_LENGTH)
    with database.read() as connection:
        return [
            IncidentLine(IncidentEntry.model_validate(dict(row)), row["title"])
            for row in connection.execute(query).mappings()
        ]


def incident_sheet(database: Database, scope: Scope, incident_id: str) -> IncidentSheet:
    """Raises NotFound ``incident_unknown``, also for one of a case that the scope does not oversee."""
    query = select(_INCIDENT, _CASE.c.title, _CASE.c.status).join(_CASE, _CASE.c.case_id == _INCIDENT.c.case_id)
    with database.read() as connection:
        row = (
            connection.execute(query.where(_INCIDENT.c.incident_id == incident_id, overseen(scope))).mappings().first()
        )
        if row is None:
            raise NotFound("incident_unknown", f"There is no incident {incident_id}.", "Look for it in the list.")
        mail = connection.execute(select(_MAIL).where(_MAIL.c.mail_id == row["mail_id"])).mappings().first()
        waiting = select(_TASK.c.task_id, _TASK.c.stage, _TASK.c.assignee, _TASK.c.role).where(
            _TASK.c.case_id == row["case_id"], _TASK.c.status == str(TaskStatus.OPEN)
        )
        if row["stage"] is not None:
            waiting = waiting.where(_TASK.c.stage == row["stage"])
        tasks = connection.execute(waiting.order_by(_TASK.c.stage, _TASK.c.assignee)).mappings().all()
    return IncidentSheet(
        incident=IncidentEntry.model_validate(dict(row)),
        title=row["title"],
        status=CaseStatus(row["status"]),
        mail=dict(mail) if mail is not None else None,
        tasks=[dict(task) for task in tasks],
    )
