"""What became of each outgoing mail: as relays report it later, as its reader shows it, and as the office sees it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, RowMapping, case, func, or_, select

from imprimatur.errors import ImprimaturError, InputError, NotFound
from imprimatur.store.bounced import close_bounces, open_bounce, undelivered
from imprimatur.store.engine import Database
from imprimatur.store.inbound import UNKNOWN_SENDER, Also, Arrival, Holder
from imprimatur.store.inserting import insert_once
from imprimatur.store.mail_journal import Entry, note
from imprimatur.store.outbox import DEFERRALS
from imprimatur.store.refusals import insert_refusal
from models.tables import InboundContentRow, InboundMailRow, MailEventRow, OutboxRow
from models.vocabulary import Channel, MailKind, MailState, MailStatus, ReportAction

_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
_EVENT = MailEventRow.__table__  # type: ignore[attr-defined]
_INBOUND = InboundMailRow.__table__  # type: ignore[attr-defined]
_CONTENT = InboundContentRow.__table__  # type: ignore[attr-defined]
# Relays try for days before they give a mail back.
MOST_RETURNS = 3
HANDED_OVER = (MailStatus.SENDING, MailStatus.SENT, MailStatus.UNKNOWN)
SHOWN = tuple(MailState)[: tuple(MailState).index(MailState.SEEN) + 1]
# What a mail is, as the office sees it: of one that was taken, the latest that is known of its reader.
_STATE: ColumnElement[str] = case(
    (_MAIL.c.status != str(MailStatus.SENT), _MAIL.c.status),
    (_MAIL.c.seen_at.is_not(None), str(MailState.SEEN)),
    (_MAIL.c.reminded_at.is_not(None), str(MailState.REMINDED)),
    else_=str(MailState.SENT),
)


class MailEventView(BaseModel):
    """``status`` is the enhanced status code of RFC 3463."""

    at: dt.datetime
    state: MailState
    status: str | None = None
    reply: str = ""


class MailView(BaseModel):
    """``due_at``: when it is tried next, of one that waits."""

    mail_id: str
    case_id: str
    task_id: str | None
    kind: MailKind
    recipient: str
    state: MailState
    attempts: int
    created_at: dt.datetime
    due_at: dt.datetime | None
    sent_at: dt.datetime | None
    seen_at: dt.datetime | None
    reminded_at: dt.datetime | None
    message_id: str | None
    last_reply: str


class MailCount(BaseModel):
    state: MailState
    number: int


@dataclass(frozen=True)
class OutgoingMail:
    mail_id: str
    case_id: str
    task_id: str | None
    recipient: str


@dataclass(frozen=True)
class Report:
    """What a relay says of a mail that it took; ``status`` is the enhanced status code, ``text`` its own words."""

    action: ReportAction
    status: str | None = None
    text: str = ""

    @property
    def is_temporary(self) -> bool:
        return self.status is not None and self.status.startswith("4")

    @property
    def told(self) -> str:
        return " ".join(part for part in ("returned:", self.text or self.status or "without a reason") if part)


def outgoing(database: Database, mail_id: str) -> OutgoingMail | None:
    columns = (_MAIL.c.mail_id, _MAIL.c.case_id, _MAIL.c.task_id, _MAIL.c.recipient)
    with database.read() as connection:
        row = connection.execute(select(*columns).where(_MAIL.c.mail_id == mail_id)).first()
    return OutgoingMail(*row) if row is not None else None


def sent_together(database: Database, carrier: str, task_id: str, recipient: str) -> OutgoingMail | None:
    """The mail about a task in a message that carried several; None where there is none to this person."""
    columns = (_MAIL.c.mail_id, _MAIL.c.case_id, _MAIL.c.task_id, _MAIL.c.recipient)
    of_it = (_MAIL.c.carried_by == carrier, _MAIL.c.task_id == task_id, _MAIL.c.recipient == recipient)
    with database.read() as connection:
        row = connection.execute(select(*columns).where(*of_it).order_by(_MAIL.c.mail_id)).first()
    return OutgoingMail(*row) if row is not None else None


def settle_report(
    database: Database,
    arrival: Arrival,
    mail: OutgoingMail | None,
    result: str,
    *,
    report: Report | None = None,
    refused: ImprimaturError | None = None,
    place: Holder | None = None,
    also: Also | None = None,
) -> bool:
    """Writes a message that speaks of a mail of ours, and what follows; False when another process was faster.

    ``place`` is the task to whose reply address it came, where no mail is known. ``also`` is written in any case.
    """
    now = dt.datetime.now(dt.UTC)
    about = mail or place
    case_id, task_id = (about.case_id, about.task_id) if about else (None, None)
    with database.write() as connection:
        if also is not None:
            also(connection)
        row = {
            "mail_key": arrival.mail_key,
            "message_id": arrival.message_id,
            "sender": arrival.sender or "",
            "kind": str(arrival.kind),
            "case_id": case_id,
            "task_id": task_id,
            "mail_id": mail.mail_id if mail else None,
            "result": result,
            "digest": arrival.digest,
            "attachments": list(arrival.attachments),
            "received_at": now,
            "answered": False,
        }
        if not insert_once(connection, _INBOUND, row):
            return False
        if arrival.content is not None:
            insert_once(connection, _CONTENT, {"digest": arrival.digest, "content": arrival.content})
        if refused is not None:
            sender = arrival.sender or UNKNOWN_SENDER
            insert_refusal(connection, refused, case_id, task_id, sender, "report", Channel.MAIL)
        if mail is not None and report is not None:
            for mail_id in _together(connection, mail.mail_id):
                apply_report(connection, mail_id, report, now)
    return True


def _together(connection: Connection, mail_id: str) -> Sequence[str]:
    """All mails of the message that carried this one; a relay knows the message only."""
    carrier = select(_MAIL.c.carried_by).where(_MAIL.c.mail_id == mail_id).scalar_subquery()
    query = select(_MAIL.c.mail_id).where(or_(_MAIL.c.mail_id == mail_id, _MAIL.c.carried_by == carrier))
    return connection.execute(query.order_by(_MAIL.c.mail_id)).scalars().all()


def apply_report(connection: Connection, mail_id: str, report: Report, now: dt.datetime) -> None:
    """What fails for good is bounced; what fails for now is sent again, a few times. All else is only noted.

    A mail that is on its way again, or that the office has given up, is not stopped by what became of it before.
    """
    row = connection.execute(select(_MAIL).where(_MAIL.c.mail_id == mail_id).with_for_update()).mappings().one()
    status, returned = MailStatus(row["status"]), (row["returned"] or 0) + 1
    told, state = report.told[:500], MailState(report.action) if report.action is not ReportAction.FAILED else None
    if state is None and status not in HANDED_OVER:
        state = MailState(status)
    if state is not None:
        note(connection, [Entry(mail_id, state, now, told, report.status)])
        if report.action is ReportAction.DELIVERED:
            close_bounces(connection, [mail_id], "the mail was delivered", now)
        return
    again = report.is_temporary and returned < MOST_RETURNS
    changes: dict[str, Any] = {"returned": returned, "last_reply": told}
    if again:
        later = DEFERRALS[min(returned + 2, len(DEFERRALS) - 1)]
        changes |= {"status": str(MailStatus.DEFERRED), "due_at": now + later, "sent_at": None}
    else:
        changes |= {"status": str(MailStatus.BOUNCED)}
    connection.execute(_MAIL.update().where(_MAIL.c.mail_id == mail_id).values(**changes))
    note(connection, [Entry(mail_id, MailState(changes["status"]), now, told, report.status)])
    if not again:
        open_bounce(connection, undelivered(dict(row)), told, now)


def mail_row(database: Database, mail_id: str) -> dict[str, Any]:
    with database.read() as connection:
        return dict(connection.execute(select(_MAIL).where(_MAIL.c.mail_id == mail_id)).mappings().one())


def list_mails(
    database: Database,
    *,
    case_id: str | None = None,
    state: str | None = None,
    recipient: str | None = None,
    limit: int = 200,
) -> list[MailView]:
    """Newest first. Raises InputError ``mail_state_unknown``."""
    if state is not None and state not in SHOWN:
        raise InputError(
            "mail_state_unknown", f"There is no state {state!r} of a mail.", f"Choose one of: {', '.join(SHOWN)}."
        )
    query = select(_MAIL, _STATE.label("state"))
    wanted = {_MAIL.c.case_id: case_id, _STATE: state, _MAIL.c.recipient: recipient and recipient.strip().lower()}
    for column, value in wanted.items():
        query = query.where(column == value) if value is not None else query
    ordered = query.order_by(_MAIL.c.created_at.desc(), _MAIL.c.mail_id).limit(limit)
    with database.read() as connection:
        return [_view(row) for row in connection.execute(ordered).mappings()]


def _view(row: RowMapping) -> MailView:
    waits = row["state"] in (MailState.QUEUED, MailState.DEFERRED, MailState.UNKNOWN)
    return MailView.model_validate(dict(row) | {"due_at": row["due_at"] if waits else None})


def show_mail(database: Database, mail_id: str) -> tuple[MailView, list[MailEventView]]:
    """A mail and its journal, oldest first. Raises NotFound ``mail_unknown``."""
    with database.read() as connection:
        query = select(_MAIL, _STATE.label("state")).where(_MAIL.c.mail_id == mail_id)
        row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound("mail_unknown", f"There is no mail {mail_id}.", "See `starter.py mail list`.")
        events = connection.execute(
            select(_EVENT).where(_EVENT.c.mail_id == mail_id).order_by(_EVENT.c.number)
        ).mappings()
        written = MailEventView(at=row["created_at"], state=MailState.QUEUED)
        return _view(row), [written, *(MailEventView.model_validate(dict(event)) for event in events)]


def counts_of_case(connection: Connection, case_id: str) -> Sequence[MailCount]:
    """How many mails of a case are in which state."""
    query = select(_STATE.label("state"), func.count().label("number")).where(_MAIL.c.case_id == case_id)
    rows = connection.execute(query.group_by("state")).all()
    return sorted((MailCount(state=MailState(row[0]), number=row[1]) for row in rows), key=lambda c: c.state)
