"""Refused acts: they change nothing and leave a trace."""

import datetime as dt

from sqlalchemy import Connection

from imprimatur.errors import ImprimaturError, Unavailable
from imprimatur.store.engine import Database
from models.tables import RefusalRow


def record_refusal(
    database: Database,
    error: ImprimaturError,
    case_id: str | None,
    task_id: str | None,
    actor: str,
    act: str,
    channel: str,
) -> None:
    """Writes one refusal. An unavailable part is no refusal: nobody was told no."""
    if isinstance(error, Unavailable):
        return
    with database.write() as connection:
        insert_refusal(connection, error, case_id, task_id, actor, act, channel)


def insert_refusal(
    connection: Connection,
    error: ImprimaturError,
    case_id: str | None,
    task_id: str | None,
    actor: str,
    act: str,
    channel: str,
) -> None:
    connection.execute(
        RefusalRow.__table__.insert(),  # type: ignore[attr-defined]
        {
            "case_id": case_id,
            "task_id": task_id,
            "actor": actor[:320],
            "act": act,
            "code": error.code,
            "message": error.message,
            "channel": str(channel),
            "at": dt.datetime.now(dt.UTC),
        },
    )
