"""Tasks and decisions, as the gateway needs them."""

from dataclasses import dataclass

from sqlalchemy import select

from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from models.framework import StageDef
from models.messages import DecisionReceipt
from models.tables import CaseRow, DecisionRow, TaskRow


@dataclass(frozen=True)
class TaskPlace:
    """Where a task belongs."""

    case_id: str
    stage_def: StageDef
    reason: str


def task_place(database: Database, task_id: str) -> TaskPlace:
    """Raises NotFound ``task_unknown``."""
    tasks, cases = TaskRow.__table__, CaseRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        row = connection.execute(
            select(tasks.c.case_id, tasks.c.stage, tasks.c.reason, cases.c.framework_digest)
            .join(cases, cases.c.case_id == tasks.c.case_id)
            .where(tasks.c.task_id == task_id)
        ).first()
        if row is None:
            raise NotFound("task_unknown", f"There is no task {task_id}.", "See `starter.py tasks`.")
        stage = framework_by_digest(connection, row.framework_digest).stage(row.stage)
        return TaskPlace(row.case_id, stage, row.reason)


def receipt(database: Database, decision_id: str) -> DecisionReceipt | None:
    """The receipt of a decision that was recorded; None when there is no such decision."""
    table = DecisionRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        row = connection.execute(select(table).where(table.c.decision_id == decision_id)).mappings().first()
    if row is None:
        return None
    return DecisionReceipt(
        decision_id=row["decision_id"],
        task_id=row["task_id"],
        stage=row["stage"],
        verdict=row["verdict"],
        stage_outcome=row["stage_outcome"],
        case_status=row["case_status"],
        position=row["position"],
        digest=row["ledger_digest"],
    )
