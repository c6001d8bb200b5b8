"""What a reviewer of a new round compares with: the version that this person decided on, else the one before."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from imprimatur.rules.delta import FieldChange, delta
from imprimatur.rules.voting import IN_FAVOUR
from imprimatur.store.documents import proposal_by_digest
from models.tables import DecisionRow, VersionRow
from models.vocabulary import TaskStatus

_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """``version`` is what is compared with; ``approval`` the reviewer's own earlier decision, when it was in favour."""

    version: int
    changes: tuple[FieldChange, ...]
    approval: dict[str, Any] | None


def comparison(connection: Connection, tasks: Iterable[Row]) -> Callable[[Row, str], Baseline | None]:
    """For one of ``tasks`` and the digest of the version under review: what its reviewer compares with.

    None but for open tasks of later rounds. Two queries at most, however many tasks there are.
    """
    cases = sorted({task["case_id"] for task in tasks if _compares(task)})
    if not cases:
        return lambda task, digest: None
    versions = _rows(connection, select(_VERSION).where(_VERSION.c.case_id.in_(cases)).order_by(_VERSION.c.version))
    query = select(_DECISION).where(_DECISION.c.case_id.in_(cases), _DECISION.c.annulled_at.is_(None))
    decisions = _rows(connection, query.order_by(_DECISION.c.position))

    def compared(task: Row, digest: str) -> Baseline | None:
        return _baseline(connection, task, versions, decisions, digest) if _compares(task) else None

    return compared


def _compares(task: Row) -> bool:
    return bool(task["round"] > 1 and task["status"] == TaskStatus.OPEN)


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _baseline(
    connection: Connection, task: Row, versions: list[dict[str, Any]], decisions: list[dict[str, Any]], digest: str
) -> Baseline | None:
    own = [
        decision
        for decision in decisions
        if (decision["case_id"], decision["stage"], decision["actor"])
        == (task["case_id"], task["stage"], task["assignee"])
    ]
    known = [row for row in versions if row["case_id"] == task["case_id"] and row["complete"]]
    before = [row for row in known if row["digest"] == own[-1]["digest"]] if own else known[:-1]
    if not before:
        return None
    approval = own[-1] if own and own[-1]["verdict"] in IN_FAVOUR else None
    old, new = (proposal_by_digest(connection, name) for name in (before[-1]["digest"], digest))
    return Baseline(before[-1]["version"], delta(old, new), approval)
