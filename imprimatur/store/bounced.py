"""Incidents about mail that did not arrive: opened, passed on to whoever can stand in, told to the office, closed."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from imprimatur import ids
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest, stage_in
from imprimatur.store.people import holders, people_by_email
from imprimatur.store.standing import facts_of
from models.tables import CaseRow, IncidentRow, OutboxRow, PersonRow, TaskRow
from models.vocabulary import IncidentKind, MailKind, MailStatus, TaskStatus

_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
OFFICE_ROLE = "governance_office"
SYSTEM = "system"
# Without these their reader does not know that something is asked.
ASKS = frozenset({MailKind.TASK, MailKind.DELEGATION, MailKind.REMINDER, MailKind.ESCALATION})
# Addresses change seldom; a circle of them must not hold anything up.
MOST_CHANGES = 10


@dataclass(frozen=True)
class Undelivered:
    """A mail that will not arrive; ``created_at`` is its case's own time."""

    mail_id: str
    case_id: str
    task_id: str | None
    kind: MailKind
    recipient: str
    created_at: dt.datetime


@dataclass(frozen=True)
class Waiting:
    """An incident about a task mail that waits for the task to be passed on to one of ``heirs``, tried in order."""

    incident_id: str
    detail: str
    mail: Undelivered
    heirs: tuple[str, ...]


def open_bounce(connection: Connection, mail: Undelivered, reply: str, now: dt.datetime) -> None:
    """One incident at a time for each mail. The office is told, unless somebody could take the task over."""
    detail = f"mail ({mail.kind}) to {mail.recipient} could not be delivered: {reply[:300]}"
    of_mail = select(_INCIDENT).where(_INCIDENT.c.mail_id == mail.mail_id)
    known = connection.execute(of_mail.where(_INCIDENT.c.resolved_at.is_(None))).mappings().first()
    if known is not None:
        incident_id = known["incident_id"]
        changed = _INCIDENT.update().where(_INCIDENT.c.incident_id == incident_id)
        connection.execute(changed.values(detail=detail, told_at=None))
    else:
        earlier = connection.execute(select(func.count()).select_from(of_mail.subquery())).scalar() or 0
        incident_id = ids.incident_id(mail.case_id, mail.mail_id, earlier, IncidentKind.MAIL_BOUNCED)
        task = _task(connection, mail)
        row = {
            "incident_id": incident_id,
            "case_id": mail.case_id,
            "stage": task["stage"] if task else None,
            "kind": str(IncidentKind.MAIL_BOUNCED),
            "detail": detail,
            "opened_at": mail.created_at,
            "mail_id": mail.mail_id,
            "task_id": mail.task_id,
        }
        connection.execute(_INCIDENT.insert(), row)
    if not heirs_of(connection, mail, now):
        tell_office(connection, incident_id, mail, detail, now)


def is_open(connection: Connection, mail_id: str) -> bool:
    """Whether there is an open incident about a mail."""
    of_mail = select(_INCIDENT.c.incident_id).where(_INCIDENT.c.mail_id == mail_id, _INCIDENT.c.resolved_at.is_(None))
    return connection.execute(of_mail.limit(1)).first() is not None


def tell_office(connection: Connection, incident_id: str, mail: Undelivered, detail: str, now: dt.datetime) -> None:
    """A mail of the office's own that bounced is not told by yet another mail."""
    told = _INCIDENT.update().where(_INCIDENT.c.incident_id == incident_id)
    connection.execute(told.values(told_at=now, detail=detail))
    if mail.kind is MailKind.INCIDENT:
        return
    before = select(func.count()).select_from(_MAIL).where(_MAIL.c.kind == str(MailKind.INCIDENT))
    already = connection.execute(before.where(_MAIL.c.case_id == mail.case_id)).scalar() or 0
    task = _task(connection, mail)
    data = {
        "kind": str(IncidentKind.MAIL_BOUNCED),
        "detail": detail,
        "stage": task["stage"] if task else None,
        "incident_id": incident_id,
        "task_id": mail.task_id if _is_waited_for(mail, task) else None,
    }
    for number, person in enumerate(holders(connection, OFFICE_ROLE), already):
        row = {
            "mail_id": ids.mail_id(mail.mail_id, 0, number),
            "case_id": mail.case_id,
            "task_id": None,
            "kind": str(MailKind.INCIDENT),
            "recipient": person.email,
            "recipient_name": person.name,
            "data": data,
            "created_at": mail.created_at,
            "status": str(MailStatus.QUEUED),
            "due_at": now,
            "attempts": 0,
            "last_reply": "",
        }
        connection.execute(_MAIL.insert(), row)


def heirs_of(connection: Connection, mail: Undelivered, now: dt.datetime) -> tuple[str, ...]:
    """Whoever can answer the mail's task in its reader's place: they at their new address, else their deputies."""
    task = _task(connection, mail)
    if task is None or not _is_waited_for(mail, task):
        return ()
    present = present_address(connection, mail.recipient)
    if present != mail.recipient:
        return (present,)
    case = connection.execute(select(_CASE).where(_CASE.c.case_id == mail.case_id)).mappings().one()
    policy = framework_by_digest(connection, case["framework_digest"])
    zone = ZoneInfo(policy.calendar_of(stage_in(connection, policy, task["stage"])).time_zone)
    # The case may be ahead of real time, where its clock can be moved.
    on = max(now, mail.created_at).astimezone(zone).date()
    scope = {"framework": policy.id, "stage": task["stage"], "unit": case["unit"]}
    facts = facts_of(connection, [mail.recipient], on, **scope)
    named = [deputy.email for deputy in facts.deputies.get(mail.recipient, ())]
    return tuple(email for email in named if email not in facts.inactive and email not in facts.absent)


def _task(connection: Connection, mail: Undelivered) -> dict[str, Any] | None:
    if mail.task_id is None:
        return None
    found = connection.execute(select(_TASK).where(_TASK.c.task_id == mail.task_id)).mappings().first()
    return dict(found) if found is not None else None


def _is_waited_for(mail: Undelivered, task: dict[str, Any] | None) -> bool:
    return (
        task is not None
        and mail.kind in ASKS
        and task["status"] == TaskStatus.OPEN
        and task["assignee"] == mail.recipient
    )


def present_address(connection: Connection, email: str) -> str:
    """Where the directory says that somebody is reached by now; the address itself where it says nothing of another."""
    reached = email
    for _ in range(MOST_CHANGES):
        # An address that was given up in its turn leads on to the next one.
        newer = select(_PERSON.c.email, _PERSON.c.active).where(_PERSON.c.formerly == email)
        found = connection.execute(newer.order_by(_PERSON.c.active.desc(), _PERSON.c.email)).first()
        if found is None:
            break
        email = found.email
        reached = email if found.active else reached
    return reached


def name_of(connection: Connection, email: str) -> str:
    return next((person.name for person in people_by_email(connection, [email])), "")


def waiting_bounces(database: Database, now: dt.datetime) -> list[Waiting]:
    """Incidents that the office has not been told of, because somebody could take the task over."""
    query = (
        select(_INCIDENT.c.incident_id, _INCIDENT.c.detail, _MAIL)
        .join(_MAIL, _MAIL.c.mail_id == _INCIDENT.c.mail_id)
        .where(_INCIDENT.c.mail_id.is_not(None), _INCIDENT.c.resolved_at.is_(None), _INCIDENT.c.told_at.is_(None))
        .order_by(_INCIDENT.c.opened_at, _INCIDENT.c.incident_id)
    )
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
        mails = [(row["incident_id"], row["detail"], undelivered(dict(row))) for row in rows]
        return [Waiting(*found, heirs_of(connection, found[2], now)) for found in mails]


def undelivered(row: dict[str, Any]) -> Undelivered:
    """Of a row of the outbox."""
    named = (row["mail_id"], row["case_id"], row["task_id"])
    return Undelivered(*named, MailKind(row["kind"]), row["recipient"], row["created_at"])


def give_to_office(database: Database, waiting: Waiting, problem: str, now: dt.datetime) -> None:
    """Nobody could take the task over; tells the office, unless somebody has closed the incident meanwhile."""
    detail = f"{waiting.detail} ({problem})" if problem else waiting.detail
    with database.write() as connection:
        query = select(_INCIDENT.c.resolved_at, _INCIDENT.c.told_at)
        row = connection.execute(query.where(_INCIDENT.c.incident_id == waiting.incident_id)).one()
        if row.resolved_at is None and row.told_at is None:
            tell_office(connection, waiting.incident_id, waiting.mail, detail, now)


def close_bounces(connection: Connection, mail_ids: Sequence[str], why: str, now: dt.datetime) -> None:
    """What these mails were about has come to its end."""
    if mail_ids:
        connection.execute(_closing(_INCIDENT.c.mail_id.in_(mail_ids), why=why, now=now))


def close_bounces_of_task(
    connection: Connection, task_id: str, people: Iterable[str], why: str, now: dt.datetime
) -> None:
    """Of mails about a task to these people: they know of it."""
    mails = select(_MAIL.c.mail_id).where(_MAIL.c.task_id == task_id, _MAIL.c.recipient.in_(list(people)))
    connection.execute(_closing(_INCIDENT.c.mail_id.in_(mails), why=why, now=now))


def _closing(*which: Any, why: str, now: dt.datetime) -> Any:
    return (
        _INCIDENT.update()
        .where(*which, _INCIDENT.c.resolved_at.is_(None))
        .values(resolved_at=now, resolved_by=SYSTEM, resolution=why)
    )
