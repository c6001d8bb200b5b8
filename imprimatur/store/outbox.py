"""The outbox: mail that commits have left behind, and what became of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update

from imprimatur import ids
from imprimatur.store.engine import Database
from imprimatur.store.people import holders
from models.tables import IncidentRow, OutboxRow
from models.vocabulary import IncidentKind, MailKind, MailStatus

_TABLE = OutboxRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
OFFICE_ROLE = "governance_office"
DEFERRALS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
AT_ONCE = dt.timedelta()
# What answers a reply stands in the reply's thread; digest and agenda have threads of their own.
NEVER_COMBINED = frozenset({MailKind.REPLY_RECORDED, MailKind.REPLY_NOT_RECORDED, MailKind.DIGEST, MailKind.AGENDA})
# About five days, after which RFC 5321 (4.5.4.1) lets a sender give up; the office then hears of it.
LAST_ATTEMPT = 34


@dataclass(frozen=True)
class Mail:
    """One row of the outbox. ``tried``: it may have arrived already, so it is sent as it was or not at all."""

    mail_id: str
    case_id: str
    task_id: str | None
    kind: MailKind
    recipient: str
    recipient_name: str
    data: Mapping[str, Any]
    created_at: dt.datetime
    attempts: int
    carried_by: str | None = None
    tried: bool = False


@dataclass(frozen=True)
class Result:
    """What became of one mail; ``reply`` is the relay's answer or the reason.

    ``not_before``: it was not tried, and is not to be tried any earlier.
    """

    mail: Mail
    status: MailStatus
    reply: str = ""
    message_id: str | None = None
    not_before: dt.datetime | None = None


def claim(database: Database, limit: int, now: dt.datetime, gather: dt.timedelta = AT_ONCE) -> list[Mail]:
    """The next mails to send, marked as being sent. Only one mailer works on an outbox at a time.

    The first mail to a person waits ``gather`` for others, and all that are due then come together.

    Mail found marked already was in flight when a mailer died: its fate is unknown, so it is sent again, with the
    same Message-ID.
    """
    due = _due(now, gather)
    if not _has_any(database, due):
        return []
    with database.write() as connection:
        rows = connection.execute(
            select(_TABLE).where(*due).order_by(_TABLE.c.due_at, _TABLE.c.mail_id).limit(limit)
        ).mappings()
        mails = [
            Mail(
                row["mail_id"],
                row["case_id"],
                row["task_id"],
                MailKind(row["kind"]),
                row["recipient"],
                row["recipient_name"],
                row["data"],
                row["created_at"],
                row["attempts"],
                row["carried_by"],
                row["attempts"] > 0 or row["status"] == MailStatus.SENDING,
            )
            for row in rows
        ]
        connection.execute(
            update(_TABLE).where(_TABLE.c.mail_id == bindparam("of_mail")).values(status=str(MailStatus.SENDING)),
            [{"of_mail": mail.mail_id} for mail in mails],
        )
    return mails


def _due(now: dt.datetime, gather: dt.timedelta) -> tuple[ColumnElement[bool], ...]:
    waiting = _TABLE.c.status.in_([str(MailStatus.QUEUED), str(MailStatus.DEFERRED), str(MailStatus.SENDING)])
    due = waiting, _TABLE.c.due_at <= now
    if not gather:
        return due
    ripe = (
        select(_TABLE.c.recipient)
        .where(waiting)
        .group_by(_TABLE.c.recipient)
        .having(func.min(_TABLE.c.due_at) <= now - gather)
    )
    alone = _TABLE.c.kind.in_([str(kind) for kind in NEVER_COMBINED])
    return *due, or_(alone, _TABLE.c.recipient.in_(ripe))


def _has_any(database: Database, due: Sequence[ColumnElement[bool]]) -> bool:
    with database.read() as connection:
        return connection.execute(select(_TABLE.c.mail_id).where(*due).limit(1)).first() is not None


def bind(database: Database, carriers: Mapping[str, str | None]) -> None:
    """Writes down which message carries each mail, before it is sent: sent again, it carries the same ones."""
    if carriers:
        with database.write() as connection:
            connection.execute(
                update(_TABLE).where(_TABLE.c.mail_id == bindparam("of_mail")).values(carried_by=bindparam("carrier")),
                [{"of_mail": mail_id, "carrier": carrier} for mail_id, carrier in carriers.items()],
            )


def release(database: Database, mails: Sequence[Mail]) -> None:
    """Puts mails back that were not tried: the relay did not answer."""
    if not mails:
        return
    with database.write() as connection:
        connection.execute(
            update(_TABLE).where(_TABLE.c.mail_id == bindparam("of_mail")).values(status=str(MailStatus.QUEUED)),
            [{"of_mail": mail.mail_id} for mail in mails],
        )


def record(database: Database, results: Sequence[Result], now: dt.datetime) -> None:
    """Writes what became of the mails, and opens an incident for each that bounced or was put off too often."""
    if not results:
        return
    results = [_given_up(result) for result in results]
    columns = ("status", "due_at", "attempts", "sent_at", "message_id", "last_reply")
    statement = (
        update(_TABLE)
        .where(_TABLE.c.mail_id == bindparam("of_mail"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )
    with database.write() as connection:
        connection.execute(statement, [_values(result, now) for result in results])
        for result in results:
            if result.status is MailStatus.BOUNCED:
                _report_bounce(connection, result, now)


def _given_up(result: Result) -> Result:
    if result.status is not MailStatus.DEFERRED or result.mail.attempts + 1 < LAST_ATTEMPT:
        return result
    reply = f"given up after {LAST_ATTEMPT} attempts: {result.reply}"
    return Result(result.mail, MailStatus.BOUNCED, reply, result.message_id)


def _values(result: Result, now: dt.datetime) -> dict[str, Any]:
    status, attempts, due_at = result.status, result.mail.attempts + 1, now
    if result.not_before is not None:
        attempts, due_at = result.mail.attempts, result.not_before
    if status is MailStatus.DEFERRED:
        due_at = now + DEFERRALS[min(attempts, len(DEFERRALS)) - 1]
    return {
        "of_mail": result.mail.mail_id,
        "new_status": str(status),
        "new_due_at": due_at,
        "new_attempts": attempts,
        "new_sent_at": now if status is MailStatus.SENT else None,
        "new_message_id": result.message_id,
        "new_last_reply": result.reply[:500],
    }


def _report_bounce(connection: Any, result: Result, now: dt.datetime) -> None:
    """The office hears of it; a bounced incident mail is not reported by yet another mail.

    Incidents belong to cases: what is about none of them, a digest or an agenda, only stays listed as bounced.
    """
    mail = result.mail
    if not mail.case_id:
        return
    detail = f"mail ({mail.kind}) to {mail.recipient} could not be delivered: {result.reply[:300]}"
    incident = {
        "incident_id": ids.incident_id(mail.case_id, mail.mail_id, 0, IncidentKind.MAIL_BOUNCED),
        "case_id": mail.case_id,
        "stage": None,
        "kind": str(IncidentKind.MAIL_BOUNCED),
        "detail": detail,
        "opened_at": mail.created_at,
    }
    known = connection.execute(
        select(_INCIDENT.c.incident_id).where(_INCIDENT.c.incident_id == incident["incident_id"])
    ).first()
    if known is not None:
        return
    connection.execute(_INCIDENT.insert(), incident)
    if mail.kind is MailKind.INCIDENT:
        return
    for number, person in enumerate(holders(connection, OFFICE_ROLE)):
        connection.execute(
            _TABLE.insert(),
            {
                "mail_id": ids.mail_id(mail.mail_id, 0, number),
                "case_id": mail.case_id,
                "task_id": None,
                "kind": str(MailKind.INCIDENT),
                "recipient": person.email,
                "recipient_name": person.name,
                "data": {"kind": str(IncidentKind.MAIL_BOUNCED), "detail": detail, "stage": None},
                "created_at": mail.created_at,
                "status": str(MailStatus.QUEUED),
                "due_at": now,
                "attempts": 0,
                "last_reply": "",
            },
        )


def counts(database: Database) -> dict[str, int]:
    """Number of mails by status."""
    with database.read() as connection:
        rows = connection.execute(select(_TABLE.c.status, func.count()).group_by(_TABLE.c.status))
        return {row[0]: row[1] for row in rows}
