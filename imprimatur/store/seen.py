"""Whether somebody has had the mail about a task: from what they do, never from what a program fetches."""

import datetime as dt

from sqlalchemy import Connection, bindparam, func, select

from imprimatur.store.bounced import close_bounces_of_task
from imprimatur.store.engine import Database
from imprimatur.store.mail_journal import Entry, note
from models.tables import OutboxRow
from models.vocabulary import MailState, MailStatus

_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
_THERE = [str(MailStatus.SENT), str(MailStatus.BOUNCED), str(MailStatus.UNKNOWN)]
# Built once, for they are asked at each answer: composing a statement costs more than running it.
_OF_PERSON = select(_MAIL.c.mail_id).where(
    _MAIL.c.task_id == bindparam("task"),
    _MAIL.c.recipient == bindparam("person"),
    _MAIL.c.seen_at.is_(None),
    _MAIL.c.status.in_(_THERE),
)
_ANY_UNSEEN = _OF_PERSON.limit(1)
_UNSEEN = _OF_PERSON.order_by(_MAIL.c.mail_id).with_for_update()


def mark_seen(database: Database, task_id: str, person: str) -> None:
    """Whoever acts on a task has had its mail: written once for each, and an incident about it is over."""
    with database.read() as connection:
        if connection.execute(_ANY_UNSEEN, {"task": task_id, "person": person}).first() is None:
            return
    with database.write() as connection:
        write_seen(connection, task_id, person, dt.datetime.now(dt.UTC))


def write_seen(connection: Connection, task_id: str, person: str, at: dt.datetime) -> None:
    """As :func:`mark_seen`, within a transaction."""
    found = list(connection.execute(_UNSEEN, {"task": task_id, "person": person}).scalars())
    if found:
        connection.execute(_MAIL.update().where(_MAIL.c.mail_id.in_(found)).values(seen_at=at))
        note(connection, [Entry(mail_id, MailState.SEEN, at) for mail_id in found])
        close_bounces_of_task(connection, task_id, [person], f"{person} has acted on the task", at)


def is_seen(database: Database, task_id: str, person: str) -> bool:
    """Whether it is known that somebody has had a mail about a task; also when there was none to have."""
    query = select(func.count(), func.count(_MAIL.c.seen_at)).where(
        _MAIL.c.task_id == task_id, _MAIL.c.recipient == person, _MAIL.c.status == str(MailStatus.SENT)
    )
    with database.read() as connection:
        sent, seen = connection.execute(query).one()
    return bool(sent == 0 or seen > 0)
