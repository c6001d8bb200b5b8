"""Conditions of approvals, as they stand."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, select

from imprimatur.store.engine import Database
from models.tables import ConditionRow
from models.vocabulary import ConditionStatus

_TABLE = ConditionRow.__table__  # type: ignore[attr-defined]


class ConditionView(BaseModel):
    """``reason`` is why it was waived, reopened or lapsed; ``evidence`` what its owner says shows that it is met."""

    condition_id: str
    decision_id: str
    stage: str
    round: int
    text: str
    owner: str
    set_by: str
    blocking: bool
    status: ConditionStatus
    due_at: dt.datetime | None
    due_reason: dict[str, Any] | None
    breached_at: dt.datetime | None
    evidence: str
    reason: str
    settled_by: str | None
    settled_at: dt.datetime | None


def conditions_of(connection: Connection, case_ids: Iterable[str]) -> dict[str, list[ConditionView]]:
    """By case, oldest first."""
    found: dict[str, list[ConditionView]] = {}
    query = select(_TABLE).where(_TABLE.c.case_id.in_(list(case_ids)))
    for row in connection.execute(
        query.order_by(_TABLE.c.proposed_at, _TABLE.c.decision_id, _TABLE.c.number)
    ).mappings():
        found.setdefault(row["case_id"], []).append(ConditionView.model_validate(dict(row)))
    return found


def unsettled_of(database: Database, person: str) -> list[str]:
    """Conditions that a person is to see to, or to judge, oldest first."""
    settled = [str(status) for status in ConditionStatus if status.is_settled]
    query = select(_TABLE.c.condition_id).where(
        (_TABLE.c.owner == person) | (_TABLE.c.set_by == person), _TABLE.c.status.not_in(settled)
    )
    with database.read() as connection:
        return list(connection.execute(query.order_by(_TABLE.c.proposed_at, _TABLE.c.condition_id)).scalars())


def case_of_condition(database: Database, condition_id: str) -> str | None:
    """None when there is no such condition."""
    with database.read() as connection:
        return connection.execute(select(_TABLE.c.case_id).where(_TABLE.c.condition_id == condition_id)).scalar()
