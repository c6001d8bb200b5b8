"""Whether somebody has had the mail about a task: from what they do, never from what a program fetches."""

import datetime as dt

from sqlalchemy import ColumnElement, Connection, func, select

from imprimatur.store.bounced import close_bounces_of_task
from imprimatur.store.engine import Database
from imprimatur.store.mail_journal import Entry, note
from models.tables import OutboxRow
from models.vocabulary import MailState, MailStatus

_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]


def mark_seen(database: Database, task_id: str, person: str) -> None:
    """Whoever acts on a task has had its mail: written once for each, and an incident about it is over."""
    with database.read() as connection:
        if connection.execute(select(_MAIL.c.mail_id).where(*_unseen(task_id, person)).limit(1)).first() is None:
            return
    with database.write() as connection:
        write_seen(connection, task_id, person, dt.datetime.now(dt.UTC))


def write_seen(connection: Connection, task_id: str, person: str, at: dt.datetime) -> None:
    """As :func:`mark_seen`, within a transaction."""
    unseen = select(_MAIL.c.mail_id).where(*_unseen(task_id, person)).order_by(_MAIL.c.mail_id)
    found = list(connection.execute(unseen.with_for_update()).scalars())
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


def _unseen(task_id: str, person: str) -> tuple[ColumnElement[bool], ...]:
    there = [str(MailStatus.SENT), str(MailStatus.BOUNCED), str(MailStatus.UNKNOWN)]
    mine = _MAIL.c.task_id == task_id, _MAIL.c.recipient == person
    return (*mine, _MAIL.c.seen_at.is_(None), _MAIL.c.status.in_(there))
