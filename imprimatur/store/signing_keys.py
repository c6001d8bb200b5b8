"""Keys that sign records: public parts for everybody, private parts as they were sealed."""

import datetime as dt
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, select

from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from models.tables import SigningKeyRow

_KEY = SigningKeyRow.__table__  # type: ignore[attr-defined]
_TURN = 7203116


class KeptKey(BaseModel):
    """``public`` is the JWK without what only this installation adds to it."""

    kid: str
    owner: str
    alg: str
    public: dict[str, Any]
    sealed: str | None
    held: bool
    created_at: dt.datetime
    retired_at: dt.datetime | None

    @property
    def signs(self) -> bool:
        return self.sealed is not None and self.retired_at is None


def take_turns(connection: Connection) -> None:
    """Two who make a key for one owner at once would make two; on SQLite writers queue anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")


def keys(connection: Connection, owner: str | None = None) -> list[KeptKey]:
    """Newest first."""
    query = select(_KEY).order_by(_KEY.c.created_at.desc(), _KEY.c.kid)
    rows = connection.execute(query if owner is None else query.where(_KEY.c.owner == owner)).mappings()
    return [KeptKey(**row) for row in rows]


def key(database: Database, kid: str) -> KeptKey:
    """Raises NotFound ``key_unknown``."""
    with database.read() as connection:
        row = connection.execute(select(_KEY).where(_KEY.c.kid == kid)).mappings().first()
    if row is None:
        raise NotFound("key_unknown", f"There is no key {kid[:64]}.", "See `starter.py keys list`.")
    return KeptKey(**row)


def put_key(connection: Connection, found: KeptKey) -> None:
    connection.execute(_KEY.insert().values(found.model_dump()))


def change_key(connection: Connection, kid: str, **values: Any) -> None:
    connection.execute(_KEY.update().where(_KEY.c.kid == kid).values(**values))
