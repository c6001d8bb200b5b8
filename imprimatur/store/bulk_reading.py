"""Acts on many cases as they stand: how far each has come, and what became of each case."""

import datetime as dt
from typing import Any

from pydantic import BaseModel
from sqlalchemy import func, select

from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from models.tables import BulkItemRow, BulkRow
from models.vocabulary import BulkResult

_BULK = BulkRow.__table__  # type: ignore[attr-defined]
_ITEM = BulkItemRow.__table__  # type: ignore[attr-defined]
MOST_LISTED = 500


class BulkEntry(BaseModel):
    """``chosen`` cases, of which ``settled`` have a result; ``ended_at`` is None while some have none."""

    bulk_id: str
    act: str
    actor: str
    reason: str
    options: dict[str, Any]
    begun_at: dt.datetime
    ended_at: dt.datetime | None
    chosen: int
    settled: int


class BulkLine(BaseModel):
    """``result`` is None for what has not been come to yet, or was not answered."""

    number: int
    case_id: str
    subject: str
    result: BulkResult | None
    code: str | None
    message: str


def list_bulks(database: Database, actor: str | None = None) -> list[BulkEntry]:
    """The newest first, at most 500; of one person when named."""
    counts = (
        select(_ITEM.c.bulk_id, func.count().label("chosen"), func.count(_ITEM.c.result).label("settled"))
        .group_by(_ITEM.c.bulk_id)
        .subquery()
    )
    query = select(_BULK, counts.c.chosen, counts.c.settled).join(counts, counts.c.bulk_id == _BULK.c.bulk_id)
    if actor is not None:
        query = query.where(_BULK.c.actor == actor)
    ordered = query.order_by(_BULK.c.begun_at.desc(), _BULK.c.bulk_id).limit(MOST_LISTED)
    with database.read() as connection:
        return [BulkEntry.model_validate(dict(row)) for row in connection.execute(ordered).mappings()]


def bulk_entry(database: Database, bulk_id: str) -> BulkEntry:
    """Raises NotFound ``bulk_unknown``."""
    counts = select(func.count().label("chosen"), func.count(_ITEM.c.result).label("settled"))
    with database.read() as connection:
        row = connection.execute(select(_BULK).where(_BULK.c.bulk_id == bulk_id)).mappings().first()
        if row is None:
            raise NotFound("bulk_unknown", f"There is no act {bulk_id} on many cases.", "Look for it in their list.")
        counted = connection.execute(counts.where(_ITEM.c.bulk_id == bulk_id)).mappings().one()
    return BulkEntry.model_validate(dict(row) | dict(counted))


def bulk_lines(database: Database, bulk_id: str, after: int, limit: int) -> list[BulkLine]:
    """In their order, from the one behind ``after``."""
    query = select(_ITEM).where(_ITEM.c.bulk_id == bulk_id, _ITEM.c.number > after).order_by(_ITEM.c.number)
    with database.read() as connection:
        return [BulkLine.model_validate(dict(row)) for row in connection.execute(query.limit(limit)).mappings()]
