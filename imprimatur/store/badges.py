"""Badges and the lists of those revoked."""

import datetime as dt
from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from models.tables import BadgeRow, StatusListRow

_BADGE = BadgeRow.__table__  # type: ignore[attr-defined]
_LIST = StatusListRow.__table__  # type: ignore[attr-defined]
_TURN = 7203117


class KeptBadge(BaseModel):
    badge_id: str
    slug: str
    position: int
    learner: str
    token: str
    issued_at: dt.datetime
    revoked_at: dt.datetime | None = None
    reason: str = ""


def take_turns(connection: Connection) -> None:
    """Positions are counted: two who award at once would count the same; on SQLite writers queue anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")


def badge(database: Database, badge_id: str) -> KeptBadge:
    """Raises NotFound ``badge_unknown``."""
    with database.read() as connection:
        return badge_in(connection, badge_id)


def badge_in(connection: Connection, badge_id: str) -> KeptBadge:
    row = connection.execute(select(_BADGE).where(_BADGE.c.badge_id == badge_id)).mappings().first()
    if row is None:
        raise NotFound("badge_unknown", "There is no such badge.", "Check its id: it begins with ob-.")
    return KeptBadge(**row)


def badges_of(connection: Connection, slug: str, learners: Sequence[str]) -> dict[str, KeptBadge]:
    """By learner."""
    query = select(_BADGE).where(_BADGE.c.slug == slug, _BADGE.c.learner.in_(learners))
    return {row["learner"]: KeptBadge(**row) for row in connection.execute(query).mappings()}


def next_position(connection: Connection, slug: str) -> int:
    last = connection.execute(select(func.max(_BADGE.c.position)).where(_BADGE.c.slug == slug)).scalar()
    return 0 if last is None else int(last) + 1


def add_badges(connection: Connection, found: Sequence[KeptBadge]) -> None:
    if found:
        connection.execute(_BADGE.insert(), [item.model_dump() for item in found])


def rename_learner(connection: Connection, badge_id: str, learner: str) -> None:
    connection.execute(_BADGE.update().where(_BADGE.c.badge_id == badge_id).values(learner=learner))


def revoke(connection: Connection, badge_id: str, at: dt.datetime, reason: str) -> None:
    connection.execute(_BADGE.update().where(_BADGE.c.badge_id == badge_id).values(revoked_at=at, reason=reason))


def revoked_positions(connection: Connection, slug: str, first: int, behind: int) -> list[int]:
    """Of the positions from ``first`` up to before ``behind``."""
    query = select(_BADGE.c.position).where(
        _BADGE.c.slug == slug,
        _BADGE.c.position >= first,
        _BADGE.c.position < behind,
        _BADGE.c.revoked_at.is_not(None),
    )
    return list(connection.execute(query).scalars())


def has_status_list(connection: Connection, slug: str, number: int) -> bool:
    query = select(_LIST.c.number).where(_LIST.c.slug == slug, _LIST.c.number == number)
    return connection.execute(query).first() is not None


def put_status_list(connection: Connection, slug: str, number: int, token: str, at: dt.datetime) -> None:
    named = (_LIST.c.slug == slug) & (_LIST.c.number == number)
    connection.execute(_LIST.delete().where(named))
    connection.execute(_LIST.insert().values(slug=slug, number=number, token=token, updated_at=at))


def status_list(database: Database, slug: str, number: int) -> str:
    """The token. Raises NotFound ``status_list_unknown``."""
    query = select(_LIST.c.token).where(_LIST.c.slug == slug, _LIST.c.number == number)
    with database.read() as connection:
        token = connection.execute(query).scalar()
    if token is None:
        raise NotFound("status_list_unknown", "There is no such status list.", "Take its address from a badge.")
    return str(token)


def status_lists(database: Database, slug: str) -> list[tuple[int, str]]:
    """All of a micro-credential, with their numbers."""
    query = select(_LIST.c.number, _LIST.c.token).where(_LIST.c.slug == slug).order_by(_LIST.c.number)
    with database.read() as connection:
        return [(row.number, row.token) for row in connection.execute(query)]
