"""Tasks, decisions and what was answered to acts, as the gateway needs them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, select

from imprimatur.errors import NotFound
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest, stage_in
from models.case import TaskState
from models.events import Revised, Submitted, Withdrawn
from models.framework import StageDef
from models.messages import CaseAnswer, DecisionReceipt
from models.tables import CaseRow, DecisionRow, LedgerRow, TaskRow, VersionRow
from models.vocabulary import CaseStatus, EventType

_TASK, _CASE = TaskRow.__table__, CaseRow.__table__  # type: ignore[attr-defined]
# Built once, for it is asked at each decision: composing a statement costs more than running it.
_PLACE = (
    select(_TASK.c.case_id, _TASK.c.stage, _TASK.c.reason, _CASE.c.framework_digest)
    .join(_CASE, _CASE.c.case_id == _TASK.c.case_id)
    .where(_TASK.c.task_id == bindparam("task"))
)


@dataclass(frozen=True)
class TaskPlace:
    """Where a task belongs."""

    case_id: str
    stage_def: StageDef
    reason: str


def task_place(database: Database, task_id: str) -> TaskPlace:
    """Raises NotFound ``task_unknown``."""
    with database.read() as connection:
        return place_of(connection, task_id)


def place_of(connection: Connection, task_id: str) -> TaskPlace:
    """As :func:`task_place`."""
    row = connection.execute(_PLACE, {"task": task_id}).first()
    if row is None:
        raise NotFound("task_unknown", f"There is no task {task_id}.", "See `starter.py tasks`.")
    stage = stage_in(connection, framework_by_digest(connection, row.framework_digest), row.stage)
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


def task_state(database: Database, task_id: str) -> TaskState | None:
    """A task as its case would know it; None when there is no such task."""
    tasks, decided = TaskRow.__table__, DecisionRow.__table__  # type: ignore[attr-defined]
    query = select(tasks, decided.c.verdict).outerjoin(decided, decided.c.task_id == tasks.c.task_id)
    with database.read() as connection:
        row = connection.execute(query.where(tasks.c.task_id == task_id)).mappings().first()
    return None if row is None else TaskState.model_validate(dict(row) | {"id": row["task_id"]})


def changed_in(database: Database, case_id: str, version: int) -> list[str]:
    """The fields that a version of the proposal changed."""
    table = VersionRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        query = select(table.c.changed).where(table.c.case_id == case_id, table.c.version == version)
        return list(connection.execute(query).scalar() or [])


def first_answer(database: Database, case_id: str, event: Submitted | Revised | Withdrawn) -> CaseAnswer | None:
    """The answer to an act that was recorded before, from the rows; None when it was not recorded.

    Its status is the case's status now. A version that was sent back since is no repetition.
    """
    cases, ledger = CaseRow.__table__, LedgerRow.__table__  # type: ignore[attr-defined]
    with database.read() as connection:
        case = connection.execute(select(cases).where(cases.c.case_id == case_id)).mappings().first()
        query = select(ledger).where(ledger.c.case_id == case_id, ledger.c.type.in_(list(_PROOFS)))
        events = connection.execute(query.order_by(ledger.c.position)).mappings().all()
    if case is None or (isinstance(event, Revised) and case["status"] == CaseStatus.REVISING):
        return None
    proof = _proof(events, event)
    if proof is None:
        return None
    since = [row for row in events if isinstance(event, Revised) and row["position"] > proof["position"]]
    return CaseAnswer(
        case_id=case_id,
        status=case["status"],
        version=case["version"],
        round=case["round"],
        position=proof["position"],
        digest=proof["digest"],
        kept=tuple(row["data"]["stage"] for row in since if row["type"] == EventType.STAGE_KEPT),
        lapsed=tuple(row["data"]["stage"] for row in since if row["type"] == EventType.STAGE_LAPSED),
    )


_PROOFS = (
    EventType.CASE_SUBMITTED,
    EventType.PROPOSAL_VERSION_ADDED,
    EventType.STAGE_KEPT,
    EventType.STAGE_LAPSED,
    EventType.CASE_CLOSED,
)


def _proof(events: Sequence[RowMapping], event: Submitted | Revised | Withdrawn) -> RowMapping | None:
    """The ledger event that proves the act."""
    versions = [row for row in events if row["type"] == EventType.PROPOSAL_VERSION_ADDED]
    match event:
        case Submitted():
            return events[0] if _is_version(versions[0], event) else None
        case Revised():
            return versions[-1] if len(versions) > 1 and _is_version(versions[-1], event) else None
        case Withdrawn():
            last = events[-1]
            withdrawn = last["type"] == EventType.CASE_CLOSED and last["data"]["status"] == CaseStatus.WITHDRAWN
            return last if withdrawn and last["actor"] == event.actor else None


def _is_version(row: RowMapping, event: Submitted | Revised) -> bool:
    return bool(row["actor"] == event.actor and row["data"]["digest"] == event.digest)
