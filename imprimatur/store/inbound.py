"""Incoming mail: what came, what became of it, and the answer to it, in one transaction."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from imprimatur import ids
from imprimatur.errors import ImprimaturError
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from imprimatur.store.refusals import insert_refusal
from imprimatur.store.seen import write_seen
from models.tables import InboundContentRow, InboundMailRow, OutboxRow, TaskRow
from models.vocabulary import Channel, InboundKind, MailKind, MailStatus

_MAIL = InboundMailRow.__table__  # type: ignore[attr-defined]
_CONTENT = InboundContentRow.__table__  # type: ignore[attr-defined]
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
# Built once, for they are asked for each message: composing a statement costs more than running it.
_OF_TASK = select(_TASK.c.task_id, _TASK.c.case_id, _TASK.c.assignee, _TASK.c.assignee_name)
_HOLDER = _OF_TASK.where(_TASK.c.task_id == bindparam("task"))
_CARRIED = (
    _OF_TASK.join(_OUTBOX, (_OUTBOX.c.task_id == _TASK.c.task_id) & (_OUTBOX.c.recipient == _TASK.c.assignee))
    .where(_OUTBOX.c.carried_by == bindparam("carrier"))
    .order_by(_OUTBOX.c.due_at, _OUTBOX.c.mail_id)
)
_RESULT = select(_MAIL.c.result).where(_MAIL.c.mail_key == bindparam("key"))
_ANSWERED = (
    select(func.count())
    .select_from(_MAIL)
    .where(_MAIL.c.task_id == bindparam("task"), _MAIL.c.answered.is_(True), _MAIL.c.received_at > bindparam("since"))
)
UNKNOWN_SENDER = "unknown sender"
DAY = dt.timedelta(days=1)
# What else belongs into the transaction of a message.
Also = Callable[[Connection], None]


@dataclass(frozen=True)
class Holder:
    """A task, and whose it is."""

    task_id: str
    case_id: str
    assignee: str
    assignee_name: str


@dataclass(frozen=True)
class Arrival:
    """A message as it came in; ``attachments`` tell name, type, size and digest. ``content`` is None when not kept."""

    mail_key: str
    message_id: str | None
    sender: str | None
    kind: InboundKind
    digest: str
    content: bytes | None
    attachments: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class Reaction:
    """``refused`` is written as a refusal, unless ``traced`` says that it was before.

    ``answer`` with its ``data`` goes to the holder, unless there were ``answers_a_day`` already. ``attested_by`` says
    why the message is the holder's, who has thus seen the mail about the task.
    """

    result: str
    attested_by: str | None = None
    refused: ImprimaturError | None = None
    traced: bool = False
    answer: MailKind | None = None
    data: dict[str, Any] = field(default_factory=dict)
    answers_a_day: int = 0


Settled = tuple[Arrival, Holder | None, Reaction, Also | None]


def holder(connection: Connection, task_id: str) -> Holder | None:
    row = connection.execute(_HOLDER, {"task": task_id}).first()
    return Holder(*row) if row is not None else None


def carried_to(connection: Connection, carrier: str) -> Holder | None:
    """Of a message that carried the mails of several tasks: one of them, and to whom it was sent."""
    row = connection.execute(_CARRIED, {"carrier": carrier}).first()
    return Holder(*row) if row is not None else None


def result_of(connection: Connection, mail_key: str) -> str | None:
    """What became of a message that was dealt with; None when it was not."""
    found = connection.execute(_RESULT, {"key": mail_key}).scalar()
    return str(found) if found is not None else None


def write_settled(connection: Connection, settled: Settled) -> bool:
    """Writes a message, its trace and its answer; False when another process was faster, and nothing was written.

    ``also`` is written in any case.
    """
    arrival, task, reaction, also = settled
    now = dt.datetime.now(dt.UTC)
    if also is not None:
        also(connection)
    answered = _may_answer(connection, task, reaction, now)
    row = {
        "mail_key": arrival.mail_key,
        "message_id": arrival.message_id,
        "sender": arrival.sender or "",
        "kind": str(arrival.kind),
        "case_id": task.case_id if task else None,
        "task_id": task.task_id if task else None,
        "result": reaction.result,
        "attested_by": reaction.attested_by,
        "answered": answered,
        "digest": arrival.digest,
        "attachments": list(arrival.attachments),
        "received_at": now,
    }
    if not insert_once(connection, _MAIL, row):
        return False
    if arrival.content is not None:
        insert_once(connection, _CONTENT, {"digest": arrival.digest, "content": arrival.content})
    if reaction.refused is not None and not reaction.traced:
        case_id, task_id = (task.case_id, task.task_id) if task else (None, None)
        sender = arrival.sender or UNKNOWN_SENDER
        insert_refusal(connection, reaction.refused, case_id, task_id, sender, "decide", Channel.MAIL)
    if reaction.attested_by is not None and task is not None:
        write_seen(connection, task.task_id, task.assignee, now)
    if answered and task is not None:
        connection.execute(_OUTBOX.insert(), _answer(arrival, task, reaction, now))
    return True


def _may_answer(connection: Connection, task: Holder | None, reaction: Reaction, now: dt.datetime) -> bool:
    """An end to what two machines could say to each other, and to what a stranger can make us send."""
    if reaction.answer is None or task is None:
        return False
    number = connection.execute(_ANSWERED, {"task": task.task_id, "since": now - DAY}).scalar() or 0
    return number < reaction.answers_a_day


def _answer(arrival: Arrival, task: Holder, reaction: Reaction, now: dt.datetime) -> dict[str, Any]:
    return {
        "mail_id": ids.mail_id(arrival.mail_key, 0, 0),
        "case_id": task.case_id,
        "task_id": task.task_id,
        "kind": str(reaction.answer),
        "recipient": task.assignee,
        "recipient_name": task.assignee_name,
        "data": reaction.data,
        "created_at": now,
        "status": str(MailStatus.QUEUED),
        "due_at": now,
        "attempts": 0,
        "last_reply": "",
    }


def content(database: Database, digest: str) -> bytes | None:
    """A message as it came; None when there is none of that digest."""
    with database.read() as connection:
        found = connection.execute(select(_CONTENT.c.content).where(_CONTENT.c.digest == digest)).scalar()
    return bytes(found) if found is not None else None
