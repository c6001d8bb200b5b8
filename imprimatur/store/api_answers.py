"""First answers of the programming interface, kept for a while for requests that come again."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import delete, select

from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.tables import ApiAnswerRow

_TABLE = ApiAnswerRow.__table__  # type: ignore[attr-defined]
KEPT_FOR = dt.timedelta(days=2)


class KeptAnswer(NamedTuple):
    request_digest: str
    status: int
    media_type: str
    body: str


def kept_answer(database: Database, caller: str, key: str) -> KeptAnswer | None:
    columns = [_TABLE.c[name] for name in KeptAnswer._fields]
    with database.read() as connection:
        row = connection.execute(select(*columns).where(_TABLE.c.caller == caller, _TABLE.c.key == key)).first()
    return KeptAnswer(*row) if row is not None else None


def keep_answer(database: Database, caller: str, key: str, answer: KeptAnswer, at: dt.datetime) -> None:
    """The first one stays; those that are old are forgotten."""
    with database.write() as connection:
        connection.execute(delete(_TABLE).where(_TABLE.c.at < at - KEPT_FOR))
        insert_once(connection, _TABLE, {"caller": caller, "key": key, "at": at} | answer._asdict())
