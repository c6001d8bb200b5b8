"""Endorsements of what is published, as signed tokens."""

import datetime as dt

from pydantic import BaseModel
from sqlalchemy import Connection, select

from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.tables import EndorsementRow

_ENDORSEMENT = EndorsementRow.__table__  # type: ignore[attr-defined]


class KeptEndorsement(BaseModel):
    slug: str
    number: int
    organisation: str
    by_partner: bool
    kid: str
    token: str
    issued_at: dt.datetime


def endorsements(connection: Connection, slug: str) -> list[KeptEndorsement]:
    query = select(_ENDORSEMENT).where(_ENDORSEMENT.c.slug == slug).order_by(_ENDORSEMENT.c.number)
    return [KeptEndorsement(**row) for row in connection.execute(query).mappings()]


def endorsements_of(database: Database, slug: str) -> list[KeptEndorsement]:
    with database.read() as connection:
        return endorsements(connection, slug)


def add_endorsement(connection: Connection, found: KeptEndorsement) -> bool:
    """False when the organisation's, or one of this number, is there."""
    return insert_once(connection, _ENDORSEMENT, found.model_dump())


def replace_endorsement(connection: Connection, found: KeptEndorsement) -> None:
    """In the place of the organisation's own, else as a further one."""
    connection.execute(
        _ENDORSEMENT.delete().where(
            _ENDORSEMENT.c.slug == found.slug, _ENDORSEMENT.c.organisation == found.organisation
        )
    )
    connection.execute(_ENDORSEMENT.insert().values(found.model_dump()))


def kid_of_token(database: Database, token: str) -> str | None:
    """The key that a kept endorsement was checked with."""
    with database.read() as connection:
        return connection.execute(select(_ENDORSEMENT.c.kid).where(_ENDORSEMENT.c.token == token)).scalar()
