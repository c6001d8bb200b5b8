"""How far each polled mailbox has been read."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.tables import MailboxRow

_TABLE = MailboxRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Place:
    """A message by its number, in a mailbox whose numbers are valid under ``uid_validity``."""

    mailbox: str
    uid_validity: int
    uid: int


def begin(database: Database, mailbox: str, uid_validity: int) -> int:
    """The last number that was dealt with; 0 for a mailbox that is new, or that has numbered its messages anew."""
    row = {
        "name": mailbox,
        "uid_validity": uid_validity,
        "last_uid": 0,
        "trying_uid": 0,
        "tries": 0,
        "polled_at": dt.datetime.now(dt.UTC),
    }
    with database.write() as connection:
        if insert_once(connection, _TABLE, row):
            return 0
        of_mailbox = _TABLE.c.name == mailbox
        connection.execute(_TABLE.update().where(of_mailbox, _TABLE.c.uid_validity != uid_validity).values(row))
        connection.execute(_TABLE.update().where(of_mailbox).values(polled_at=row["polled_at"]))
        return int(connection.execute(select(_TABLE.c.last_uid).where(of_mailbox)).scalar_one())


def attempt(database: Database, place: Place) -> int:
    """Notes that a message is begun; answers the how-manyth time it is, also when a process died over it."""
    with database.write() as connection:
        here = _here(place)
        row = connection.execute(select(_TABLE.c.trying_uid, _TABLE.c.tries).where(*here)).first()
        tries = row.tries + 1 if row is not None and row.trying_uid == place.uid else 1
        connection.execute(_TABLE.update().where(*here).values(trying_uid=place.uid, tries=tries))
    return tries


def postpone(database: Database, place: Place) -> None:
    """The message was not dealt with, and it was no fault of its own: the try does not count."""
    with database.write() as connection:
        connection.execute(_TABLE.update().where(*_here(place), _TABLE.c.trying_uid == place.uid).values(tries=0))


def note(connection: Connection, place: Place) -> None:
    """The message was dealt with. Two that read one mailbox never set each other back."""
    connection.execute(
        _TABLE.update()
        .where(*_here(place), _TABLE.c.last_uid < place.uid)
        .values(last_uid=place.uid, trying_uid=0, tries=0)
    )


def _here(place: Place) -> tuple[ColumnElement[bool], ...]:
    return _TABLE.c.name == place.mailbox, _TABLE.c.uid_validity == place.uid_validity
