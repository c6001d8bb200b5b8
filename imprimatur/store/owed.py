"""Conditions that somebody is to see to: what they need of the case for it, whether it lies in their scope or not."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from imprimatur.access.viewer import Viewer
from imprimatur.store.access import within
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from models.tables import CaseRow, ConditionRow
from models.vocabulary import CaseStatus, ConditionStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_CONDITION = ConditionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Owed:
    """A case as the owner of its ``conditions`` sees it, who may see nothing else of it."""

    case_id: str
    title: str
    status: CaseStatus
    conditions: Sequence[ConditionView]
    time_zone: str


def owed_outside_scope(database: Database, viewer: Viewer, case_id: str) -> Owed | None:
    """None for a case that the viewer sees as a whole, and for one that asks nothing of them."""
    columns = (_CASE.c.title, _CASE.c.status, _CASE.c.framework_digest, within(viewer.scope).label("seen"))
    with database.read() as connection:
        row = connection.execute(select(*columns).where(_CASE.c.case_id == case_id)).mappings().first()
        if row is None or row["seen"]:
            return None
        found = conditions_of(connection, [case_id]).get(case_id, [])
        # A condition of an approval comes into force when its stage has passed.
        own = [item for item in found if item.owner == viewer.person and item.status is not ConditionStatus.PROPOSED]
        if not own:
            return None
        zone = framework_by_digest(connection, row["framework_digest"]).calendar_of(None).time_zone
    return Owed(case_id, row["title"], CaseStatus(row["status"]), own, zone)


@dataclass(frozen=True)
class OwedLine:
    condition_id: str
    case_id: str
    title: str
    text: str
    due_at: dt.datetime | None
    late: bool


def owed_by(database: Database, person: str) -> list[OwedLine]:
    """What waits for somebody to fulfil it, the earliest due first; one query."""
    query = (
        select(_CONDITION, _CASE.c.title)
        .join(_CASE, _CASE.c.case_id == _CONDITION.c.case_id)
        .where(_CONDITION.c.owner == person, _CONDITION.c.status == str(ConditionStatus.OPEN))
        .order_by(_CONDITION.c.due_at.is_(None), _CONDITION.c.due_at, _CONDITION.c.condition_id)
    )
    with database.read() as connection:
        return [
            OwedLine(
                row["condition_id"],
                row["case_id"],
                row["title"],
                row["text"],
                row["due_at"],
                row["breached_at"] is not None,
            )
            for row in connection.execute(query).mappings()
        ]
