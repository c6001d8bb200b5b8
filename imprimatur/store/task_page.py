"""What a reviewer sees: the task, its proposal, and what was decided so far."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from imprimatur.errors import NotFound
from imprimatur.rules.completeness import FieldProblem, missing
from imprimatur.rules.voting import IN_FAVOUR
from imprimatur.store.baselines import Baseline, baselines
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from models.framework import Framework, StageDef
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, PublicationRow, StageRow, TaskRow
from models.vocabulary import Conditions, TaskStatus, Verdict

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class TaskPage:
    """``decisions`` are those of the case, oldest first, with the stage's name; ``own`` is the assignee's."""

    task: dict[str, Any]
    case: dict[str, Any]
    framework: Framework
    stage: StageDef
    proposal: Proposal
    unstated: tuple[FieldProblem, ...]
    due_reason: dict[str, Any] | None
    decisions: tuple[dict[str, Any], ...]
    own: dict[str, Any] | None
    conditions: tuple[ConditionView, ...]
    baseline: Baseline | None

    @property
    def accepted(self) -> tuple[Verdict, ...]:
        return self.stage.accepted(str(self.task["reason"]))

    @property
    def takes_conditions(self) -> bool:
        return self.stage.conditions is Conditions.ALLOWED and bool(IN_FAVOUR.intersection(self.accepted))

    @property
    def is_open(self) -> bool:
        return bool(self.task["status"] == TaskStatus.OPEN)


def task_page(database: Database, task_id: str, person: str) -> TaskPage:
    """Raises NotFound ``task_unknown``; also when the task is not this person's."""
    with database.read() as connection:
        task = connection.execute(select(_TASK).where(_TASK.c.task_id == task_id)).mappings().first()
        if task is None or task["assignee"] != person:
            raise NotFound(
                "task_unknown", "This task no longer exists.", "Ask the governance office if you expected one."
            )
        case = connection.execute(select(_CASE).where(_CASE.c.case_id == task["case_id"])).mappings().one()
        due_reason = connection.execute(
            select(_STAGE.c.due_reason).where(
                _STAGE.c.case_id == task["case_id"], _STAGE.c.stage == task["stage"], _STAGE.c.round == task["round"]
            )
        ).scalar()
        rows = connection.execute(
            select(_DECISION, _TASK.c.assignee_name, _TASK.c.role)
            .join(_TASK, _TASK.c.task_id == _DECISION.c.task_id)
            .where(_DECISION.c.case_id == task["case_id"])
            .order_by(_DECISION.c.position)
        ).mappings()
        framework = framework_by_digest(connection, case["framework_digest"])
        decisions = tuple(dict(row) | {"stage_name": framework.stage(row["stage"]).name} for row in rows)
        proposal = proposal_by_digest(connection, case["digest"])
        return TaskPage(
            task=dict(task),
            case=dict(case),
            framework=framework,
            stage=framework.stage(task["stage"]),
            proposal=proposal,
            unstated=missing(proposal, framework).recommended,
            due_reason=due_reason,
            decisions=decisions,
            own=next((row for row in decisions if row["task_id"] == task_id), None),
            baseline=baselines(connection, [dict(task)], {task["case_id"]: case["digest"]}).get(task_id),
            conditions=tuple(conditions_of(connection, [task["case_id"]]).get(task["case_id"], ())),
        )


@dataclass(frozen=True)
class Publication:
    slug: str
    title: str
    digest: str
    achievement: dict[str, Any]
    page: dict[str, Any]
    published_at: dt.datetime


def publications(database: Database) -> list[Publication]:
    """The catalogue, newest first."""
    with database.read() as connection:
        newest_first = select(_PUBLICATION).order_by(_PUBLICATION.c.published_at.desc(), _PUBLICATION.c.slug)
        rows = connection.execute(newest_first).mappings()
        return [_publication(dict(row)) for row in rows]


def publication(database: Database, slug: str) -> Publication:
    """Raises NotFound ``publication_unknown``."""
    with database.read() as connection:
        row = connection.execute(select(_PUBLICATION).where(_PUBLICATION.c.slug == slug)).mappings().first()
    if row is None:
        raise NotFound("publication_unknown", "There is no such micro-credential.", "Look for it in the catalogue.")
    return _publication(dict(row))


def _publication(row: dict[str, Any]) -> Publication:
    return Publication(row["slug"], row["title"], row["digest"], row["achievement"], row["page"], row["published_at"])
