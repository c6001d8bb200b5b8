"""What an act on many cases acts on inside each: tasks, decisions, acts that wait for a second person."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select

from imprimatur.store.bulks import Item
from imprimatur.store.engine import Database
from models.tables import ProposedActRow, StageRow, TaskRow
from models.vocabulary import StageStatus, TaskStatus

_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_ACT = ProposedActRow.__table__  # type: ignore[attr-defined]
# A query takes only so many values.
AT_ONCE = 500


def whole_cases(case_ids: Sequence[str]) -> list[Item]:
    return [Item(case_id) for case_id in case_ids]


def open_tasks_of(database: Database, case_ids: Sequence[str], person: str, stage: str | None) -> list[Item]:
    return _tasks(database, case_ids, person, stage, TaskStatus.OPEN)


def decided_tasks_of(database: Database, case_ids: Sequence[str], person: str, stage: str | None) -> list[Item]:
    """Answers that can still be annulled: those in stages that are open in the same round."""
    return _tasks(database, case_ids, person, stage, TaskStatus.DECIDED)


def waiting_acts(database: Database, case_ids: Sequence[str]) -> list[Item]:
    """Acts of the office that nobody has confirmed, in stages that are open in the same round."""
    query = select(_ACT.c.case_id, _ACT.c.act_id).where(_ACT.c.confirmed_at.is_(None)).order_by(_ACT.c.proposed_at)
    query = query.join(_STAGE, _same_stage(_ACT)).where(_STAGE.c.status == str(StageStatus.OPEN))
    return _items(database, case_ids, query)


def _tasks(
    database: Database, case_ids: Sequence[str], person: str, stage: str | None, status: TaskStatus
) -> list[Item]:
    query = select(_TASK.c.case_id, _TASK.c.task_id).join(_STAGE, _same_stage(_TASK))
    query = query.where(_TASK.c.assignee == person, _TASK.c.status == str(status)).order_by(_TASK.c.task_id)
    if status is TaskStatus.DECIDED:
        query = query.where(_STAGE.c.status == str(StageStatus.OPEN))
    return _items(database, case_ids, query.where(_TASK.c.stage == stage) if stage else query)


def _same_stage(table: Any) -> ColumnElement[bool]:
    columns = table.c
    return and_(_STAGE.c.case_id == columns.case_id, _STAGE.c.stage == columns.stage, _STAGE.c.round == columns.round)


def _items(database: Database, case_ids: Sequence[str], query: Select[Any]) -> list[Item]:
    """In the order of the cases."""
    case_column = query.selected_columns[0]
    found: dict[str, list[Item]] = {}
    with database.read() as connection:
        for start in range(0, len(case_ids), AT_ONCE):
            rows = connection.execute(query.where(case_column.in_(case_ids[start : start + AT_ONCE])))
            for case_id, subject in rows:
                found.setdefault(case_id, []).append(Item(case_id, subject))
    return [item for case_id in case_ids for item in found.get(case_id, ())]
