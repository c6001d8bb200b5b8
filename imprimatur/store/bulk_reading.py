"""Acts on many cases as the pages show them: what was chosen, how far it is, what became of each."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import and_, case, func, select

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotFound
from imprimatur.store.access import overseen, within
from imprimatur.store.engine import Database
from models.tables import BulkItemRow, BulkRow, CaseRow, StageRow
from models.vocabulary import BulkResult, StageStatus

_BULK = BulkRow.__table__  # type: ignore[attr-defined]
_ITEM = BulkItemRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
LISTED = 50
# A query takes only so many values.
_AT_ONCE = 500


class BulkLine(BaseModel):
    """``ended_at`` is None while some case has come to no result."""

    bulk_id: str
    act: str
    actor: str
    reason: str
    options: dict[str, Any]
    begun_at: dt.datetime
    ended_at: dt.datetime | None
    chosen: int
    settled: int
    done: int

    @property
    def refused(self) -> int:
        return self.settled - self.done


class BulkItem(BaseModel):
    number: int
    case_id: str
    title: str | None
    subject: str
    result: str | None
    code: str | None
    message: str


@dataclass(frozen=True)
class Chosen:
    """``titles`` of the cases that the viewer sees, by id; ``own`` are those that they may act on for the office."""

    titles: Mapping[str, str]
    own: Sequence[str]
    open_stages: Sequence[tuple[str, str]]
    reached_stages: Sequence[tuple[str, str]]

    @property
    def others(self) -> list[str]:
        return [case_id for case_id in self.titles if case_id not in set(self.own)]


def bulks_of(database: Database, viewer: Viewer) -> list[BulkLine]:
    """The newest first: the viewer's own; to whoever oversees every case, all of them."""
    query = _lines().order_by(_BULK.c.begun_at.desc(), _BULK.c.bulk_id).limit(LISTED)
    if not (viewer.oversees and viewer.scope.everything):
        query = query.where(_BULK.c.actor == viewer.person)
    with database.read() as connection:
        return [BulkLine.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def bulk_of(database: Database, viewer: Viewer, bulk_id: str) -> tuple[BulkLine, list[BulkItem]]:
    """Raises NotFound ``bulk_unknown``, also for one that the viewer does not see."""
    with database.read() as connection:
        row = connection.execute(_lines().where(_BULK.c.bulk_id == bulk_id)).mappings().first()
        if row is None or not (row["actor"] == viewer.person or (viewer.oversees and viewer.scope.everything)):
            raise NotFound("bulk_unknown", "There is no such act on many cases.", "See the list of them.")
        columns = [_ITEM.c[name] for name in BulkItem.model_fields if name != "title"]
        query = (
            select(*columns, _CASE.c.title)
            .select_from(_ITEM.outerjoin(_CASE, _CASE.c.case_id == _ITEM.c.case_id))
            .where(_ITEM.c.bulk_id == bulk_id)
            .order_by(_ITEM.c.number)
        )
        items = [BulkItem.model_validate(dict(found)) for found in connection.execute(query).mappings()]
    return BulkLine.model_validate(dict(row)), items


def _lines() -> Any:
    done = _ITEM.c.result == str(BulkResult.DONE)
    counts = (
        select(
            _ITEM.c.bulk_id,
            func.count().label("chosen"),
            func.count(_ITEM.c.result).label("settled"),
            func.sum(case((done, 1), else_=0)).label("done"),
        )
        .group_by(_ITEM.c.bulk_id)
        .subquery()
    )
    columns = [_BULK.c[name] for name in ("bulk_id", "act", "actor", "reason", "options", "begun_at", "ended_at")]
    return select(*columns, counts.c.chosen, counts.c.settled, counts.c.done).join(
        counts, counts.c.bulk_id == _BULK.c.bulk_id
    )


def chosen(database: Database, viewer: Viewer, case_ids: Sequence[str]) -> Chosen:
    """Of the cases named, those inside the viewer's scope, in the order given."""
    titles: dict[str, str] = {}
    own: set[str] = set()
    opened: dict[str, str] = {}
    reached: dict[str, str] = {}
    with database.read() as connection:
        for start in range(0, len(case_ids), _AT_ONCE):
            these = list(case_ids[start : start + _AT_ONCE])
            seen = and_(_CASE.c.case_id.in_(these), within(viewer.scope))
            titles |= {row[0]: row[1] for row in connection.execute(select(_CASE.c.case_id, _CASE.c.title).where(seen))}
            own |= set(connection.execute(select(_CASE.c.case_id).where(seen, overseen(viewer.scope))).scalars())
            stages = select(_STAGE.c.stage, _STAGE.c.name, _STAGE.c.status).join(
                _CASE, _CASE.c.case_id == _STAGE.c.case_id
            )
            for stage, name, status in connection.execute(stages.where(seen).distinct().order_by(_STAGE.c.stage)):
                if status != StageStatus.WAITING:
                    reached.setdefault(stage, name)
                if status == StageStatus.OPEN:
                    opened.setdefault(stage, name)
    ordered = {case_id: titles[case_id] for case_id in dict.fromkeys(case_ids) if case_id in titles}
    return Chosen(ordered, [case_id for case_id in ordered if case_id in own], [*opened.items()], [*reached.items()])
