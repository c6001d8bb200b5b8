"""The outbox: mail that commits have left behind, and what became of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, func, or_, select, update

from imprimatur.store.bounced import Undelivered, close_bounces, is_open, open_bounce
from imprimatur.store.engine import Database
from imprimatur.store.mail_journal import Entry, note
from models.tables import OutboxRow
from models.vocabulary import MailKind, MailState, MailStatus

_TABLE = OutboxRow.__table__  # type: ignore[attr-defined]
DEFERRALS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
AT_ONCE = dt.timedelta()
# What is told of a mail that waits for their end.
QUIET = "quiet hours"
# What answers a reply stands in the reply's thread; digest and agenda have threads of their own; a link to sign in is
# waited for.
NEVER_COMBINED = frozenset(
    {MailKind.REPLY_RECORDED, MailKind.REPLY_NOT_RECORDED, MailKind.DIGEST, MailKind.AGENDA, MailKind.SIGN_IN}
)
# About five days, after which RFC 5321 (4.5.4.1) lets a sender give up; the office then hears of it.
LAST_ATTEMPT = 34
WAITING = [str(status) for status in (MailStatus.QUEUED, MailStatus.DEFERRED, MailStatus.SENDING, MailStatus.UNKNOWN)]
IN_FLIGHT_NOW = [str(status) for status in (MailStatus.SENDING, MailStatus.UNKNOWN)]
# Spelled out, for a list of values cannot be sent with many rows.
IN_FLIGHT = or_(*(_TABLE.c.status == status for status in IN_FLIGHT_NOW))
PUT_OFF = (MailStatus.DEFERRED, MailStatus.UNKNOWN)
CUT_SHORT = "the mailer ended before it had written down what became of it; it is sent again"


@dataclass(frozen=True)
class Mail:
    """One row of the outbox; ``case_id`` is empty for mail that is about a person and no case.

    ``tried``: a relay or the mailer itself has said something of it before: what may have arrived is sent as it was.
    """

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

    ``told``: the office hears of it although the mail is tried again, for no relay is at fault.
    ``not_before``: it was not tried, and is not to be tried any earlier.
    """

    mail: Mail
    status: MailStatus
    reply: str = ""
    message_id: str | None = None
    told: bool = False
    not_before: dt.datetime | None = None


def claim(database: Database, limit: int, now: dt.datetime, gather: dt.timedelta = AT_ONCE) -> list[Mail]:
    """The next mails to send, marked as being sent. Only one mailer works on an outbox at a time.

    The first mail to a person waits ``gather`` for others, and all that are due then come together.

    Mail found marked already was in flight when a mailer died: its fate is unknown, and told to be until the relay has
    answered. It is sent again, with the same Message-ID.
    """
    due = _due(now, gather)
    if not _has_any(database, due):
        return []
    with database.write() as connection:
        found = connection.execute(select(_TABLE).where(*due).order_by(_TABLE.c.due_at, _TABLE.c.mail_id).limit(limit))
        rows = found.mappings().all()
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
                _was_tried(row),
            )
            for row in rows
        ]
        cut_short = {row["mail_id"] for row in rows if row["status"] == MailStatus.SENDING}
        unknown = cut_short | {row["mail_id"] for row in rows if row["status"] == MailStatus.UNKNOWN}
        marked = [
            (mail.mail_id, MailStatus.UNKNOWN if mail.mail_id in unknown else MailStatus.SENDING) for mail in mails
        ]
        connection.execute(
            update(_TABLE).where(_TABLE.c.mail_id == bindparam("of_mail")).values(status=bindparam("new_status")),
            [{"of_mail": mail_id, "new_status": str(status)} for mail_id, status in marked],
        )
        note(connection, [Entry(mail_id, MailState.UNKNOWN, now, CUT_SHORT) for mail_id in sorted(cut_short)])
    return mails


def _was_tried(row: RowMapping) -> bool:
    return bool(row["status"] in IN_FLIGHT_NOW or row["attempts"] > 0 or row["last_reply"] not in ("", QUIET))


def _due(now: dt.datetime, gather: dt.timedelta) -> tuple[ColumnElement[bool], ...]:
    waiting = _TABLE.c.status.in_(WAITING)
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
    """Puts mails back that were not tried: the relay did not answer. One whose fate was unknown stays so."""
    if not mails:
        return
    of_mail = _TABLE.c.mail_id == bindparam("of_mail"), _TABLE.c.status == str(MailStatus.SENDING)
    with database.write() as connection:
        connection.execute(
            update(_TABLE).where(*of_mail).values(status=str(MailStatus.QUEUED)),
            [{"of_mail": mail.mail_id} for mail in mails],
        )


def record(database: Database, results: Sequence[Result], now: dt.datetime) -> None:
    """Writes what became of the mails, and opens an incident for each that bounced or was put off too often.

    What a delivery report has said meanwhile stands: a bounce can be back before the batch that it came from is
    written. An incident about a mail that the relay takes at last is closed, unless it took it before and gave it
    back; so is one about a mail that is no longer needed.
    """
    if not results:
        return
    results = [_given_up(result) for result in results]
    columns = ("status", "due_at", "attempts", "sent_at", "message_id", "last_reply")
    statement = (
        update(_TABLE)
        .where(_TABLE.c.mail_id == bindparam("of_mail"), IN_FLIGHT)
        .values({name: bindparam(f"new_{name}") for name in columns})
    )
    with database.write() as connection:
        connection.execute(statement, [_values(result, now) for result in results])
        note(connection, [Entry(r.mail.mail_id, MailState(r.status), now, r.reply) for r in results])
        for result in results:
            # What is put off again and again is told once.
            told = result.told and not is_open(connection, result.mail.mail_id)
            if (result.status is MailStatus.BOUNCED or told) and result.mail.case_id:
                open_bounce(connection, undelivered_of(result.mail), result.reply, now)
        settled = [result for result in results if result.status in (MailStatus.SENT, MailStatus.DROPPED)]
        _close_incidents(connection, settled, now)
        _mark_reminded(connection, [result.mail for result in settled if result.status is MailStatus.SENT], now)


def undelivered_of(mail: Mail) -> Undelivered:
    return Undelivered(mail.mail_id, mail.case_id, mail.task_id, mail.kind, mail.recipient, mail.created_at)


def _close_incidents(connection: Connection, settled: Sequence[Result], now: dt.datetime) -> None:
    again = [result for result in settled if result.mail.tried]
    taken = {result.mail.mail_id for result in again if result.status is MailStatus.SENT}
    if taken:
        given_back = select(_TABLE.c.mail_id).where(_TABLE.c.mail_id.in_(taken), _TABLE.c.returned > 0)
        taken -= set(connection.execute(given_back).scalars())
    close_bounces(connection, sorted(taken), "the relay took the mail", now)
    for result in again:
        if result.status is MailStatus.DROPPED:
            close_bounces(connection, [result.mail.mail_id], f"the mail is no longer needed: {result.reply}", now)


def _mark_reminded(connection: Connection, sent: Sequence[Mail], now: dt.datetime) -> None:
    """What was sent about the same task before, and has not been reminded of yet."""
    for mail in sent:
        if mail.kind is not MailKind.REMINDER:
            continue
        earlier = (
            _TABLE.c.task_id == mail.task_id,
            _TABLE.c.recipient == mail.recipient,
            _TABLE.c.status == str(MailStatus.SENT),
            _TABLE.c.mail_id != mail.mail_id,
            _TABLE.c.reminded_at.is_(None),
        )
        found = list(connection.execute(select(_TABLE.c.mail_id).where(*earlier)).scalars())
        if found:
            connection.execute(update(_TABLE).where(_TABLE.c.mail_id.in_(found)).values(reminded_at=now))
        note(connection, [Entry(mail_id, MailState.REMINDED, now, mail.mail_id) for mail_id in found])


def _given_up(result: Result) -> Result:
    if result.status not in PUT_OFF or result.mail.attempts + 1 < LAST_ATTEMPT:
        return result
    reply = f"given up after {LAST_ATTEMPT} attempts: {result.reply}"
    return Result(result.mail, MailStatus.BOUNCED, reply, result.message_id)


def _values(result: Result, now: dt.datetime) -> dict[str, Any]:
    status, attempts, due_at = result.status, result.mail.attempts + 1, now
    if result.not_before is not None:
        attempts, due_at = result.mail.attempts, result.not_before
    if status in PUT_OFF:
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


def counts(database: Database) -> dict[str, int]:
    """Number of mails by status."""
    with database.read() as connection:
        rows = connection.execute(select(_TABLE.c.status, func.count()).group_by(_TABLE.c.status))
        return {row[0]: row[1] for row in rows}
