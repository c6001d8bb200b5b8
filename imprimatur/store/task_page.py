"""What a reviewer sees: the task, its proposal, and what was decided so far."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from imprimatur.errors import NotFound
from imprimatur.rules.completeness import FieldProblem, missing
from imprimatur.rules.voting import IN_FAVOUR
from imprimatur.store.authority import authority
from imprimatur.store.baselines import Baseline, comparison
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest, stage_in
from models.framework import Framework, StageDef
from models.proposal import Partner, Proposal
from models.tables import AdviceRow, CaseRow, DecisionRow, PublicationRow, StageRow, TaskRow
from models.vocabulary import Conditions, RecordStatus, TaskStatus, Verdict

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_ADVICE = AdviceRow.__table__  # type: ignore[attr-defined]
_LISTED = [str(status) for status in RecordStatus if status.is_listed]
_KEPT = [str(status) for status in RecordStatus if status.is_public and status is not RecordStatus.RETRACTED]


@dataclass(frozen=True)
class TaskPage:
    """``decisions`` are those of the case, oldest first, with the stage's name; ``own`` is the assignee's.

    ``advice`` is what was asked for in this stage and round; ``asked`` the advice that this page asks for, when it is
    an adviser's page. ``sits_at``: when the committee meets that decides the stage, where it has not met yet.
    ``conflict`` says which interest keeps the assignee from deciding.
    """

    task: dict[str, Any]
    case: dict[str, Any]
    framework: Framework
    stage: StageDef
    proposal: Proposal
    unstated: tuple[FieldProblem, ...]
    due_reason: dict[str, Any] | None
    sits_at: dt.datetime | None
    decisions: tuple[dict[str, Any], ...]
    own: dict[str, Any] | None
    advice: tuple[dict[str, Any], ...]
    asked: dict[str, Any] | None
    conflict: str | None
    conditions: tuple[ConditionView, ...]
    baseline: Baseline | None

    @property
    def accepted(self) -> tuple[Verdict, ...]:
        return (Verdict.RECUSE,) if self.conflict else self.stage.accepted(str(self.task["reason"]))

    @property
    def takes_conditions(self) -> bool:
        return self.stage.conditions is Conditions.ALLOWED and bool(IN_FAVOUR.intersection(self.accepted))

    @property
    def is_open(self) -> bool:
        return bool(self.task["status"] == TaskStatus.OPEN)

    @property
    def on_offer(self) -> bool:
        return bool(self.task["status"] == TaskStatus.OFFERED)

    @property
    def organisation(self) -> Partner | None:
        """For whom the assignee signs; None where they do not sign for a partner."""
        signer = self.task["on_behalf_of"] or self.task["assignee"]
        of = (p for p in self.proposal.partners if any(email == signer for email, _ in p.signers()))
        return next(of, None)

    @property
    def committee(self) -> str:
        """The name of the committee that decides the stage; empty where people do."""
        return self.framework.committees[self.stage.committee].name if self.stage.committee else ""

    @property
    def time_zone(self) -> str:
        """Of the calendar that the stage is promised in."""
        return self.framework.calendar_of(self.stage).time_zone


def task_page(database: Database, task_id: str, person: str) -> TaskPage:
    """Raises NotFound ``task_unknown``; also when the task is not this person's, and no advice of theirs is asked."""
    with database.read() as connection:
        task = connection.execute(select(_TASK).where(_TASK.c.task_id == task_id)).mappings().first()
        advice = _advice(connection, task) if task is not None else ()
        asked = next((row for row in advice if (row["task_id"], row["adviser"]) == (task_id, person)), None)
        if task is None or (task["assignee"] != person and asked is None):
            raise NotFound(
                "task_unknown", "This task no longer exists.", "Ask the governance office if you expected one."
            )
        case = connection.execute(select(_CASE).where(_CASE.c.case_id == task["case_id"])).mappings().one()
        stage = connection.execute(
            select(_STAGE.c.due_reason, _STAGE.c.sits_at, _STAGE.c.begun_at).where(
                _STAGE.c.case_id == task["case_id"], _STAGE.c.stage == task["stage"], _STAGE.c.round == task["round"]
            )
        ).one()
        rows = connection.execute(
            select(_DECISION, _TASK.c.assignee_name, _TASK.c.role)
            .join(_TASK, _TASK.c.task_id == _DECISION.c.task_id)
            .where(_DECISION.c.case_id == task["case_id"])
            .order_by(_DECISION.c.position)
        ).mappings()
        framework = framework_by_digest(connection, case["framework_digest"])
        decisions = tuple(
            dict(row) | {"stage_name": stage_in(connection, framework, row["stage"]).name} for row in rows
        )
        proposal = proposal_by_digest(connection, case["digest"])
        return TaskPage(
            task=dict(task),
            case=dict(case),
            framework=framework,
            stage=stage_in(connection, framework, task["stage"]),
            proposal=proposal,
            unstated=missing(proposal, framework).recommended,
            due_reason=stage.due_reason,
            sits_at=stage.sits_at if stage.begun_at is None else None,
            decisions=decisions,
            own=next((row for row in decisions if row["task_id"] == task_id), None),
            advice=tuple(row for row in advice if row["given_at"] is not None),
            asked=asked if task["assignee"] != person else None,
            conflict=authority(connection, task["case_id"], person).conflict,
            baseline=comparison(connection, [dict(task)])(dict(task), case["digest"]),
            conditions=tuple(conditions_of(connection, [task["case_id"]]).get(task["case_id"], ())),
        )


def _advice(connection: Connection, task: RowMapping) -> tuple[dict[str, Any], ...]:
    """Asked for in the task's stage and round, whoever held the task then; what was given last comes first."""
    query = select(_ADVICE).where(
        _ADVICE.c.case_id == task["case_id"], _ADVICE.c.stage == task["stage"], _ADVICE.c.round == task["round"]
    )
    rows = [dict(row) for row in connection.execute(query.order_by(_ADVICE.c.asked_at.desc())).mappings()]
    return tuple(sorted(rows, key=lambda row: row["given_at"] is not None))


@dataclass(frozen=True)
class Publication:
    slug: str
    title: str
    digest: str
    achievement: dict[str, Any]
    page: dict[str, Any]
    published_at: dt.datetime
    status: RecordStatus
    status_at: dt.datetime | None
    reason: str
    replaces: str | None
    replaced_by: str | None


def publications(database: Database) -> list[Publication]:
    """The catalogue, newest first: what can be taken up, or will be again."""
    with database.read() as connection:
        listed = select(_PUBLICATION).where(_PUBLICATION.c.status.in_(_LISTED))
        newest_first = listed.order_by(_PUBLICATION.c.published_at.desc(), _PUBLICATION.c.slug)
        rows = connection.execute(newest_first).mappings()
        return [_publication(dict(row)) for row in rows]


def publication_slugs(database: Database) -> list[str]:
    """Of every record that is public and was not retracted."""
    query = select(_PUBLICATION.c.slug).where(_PUBLICATION.c.status.in_(_KEPT)).order_by(_PUBLICATION.c.slug)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def publication(database: Database, slug: str) -> Publication:
    """One that is public, be it retracted. Raises NotFound ``publication_unknown``."""
    with database.read() as connection:
        row = connection.execute(select(_PUBLICATION).where(_PUBLICATION.c.slug == slug)).mappings().first()
    if row is None or not RecordStatus(row["status"]).is_public:
        raise NotFound("publication_unknown", "There is no such micro-credential.", "Look for it in the catalogue.")
    return _publication(dict(row))


def _publication(row: dict[str, Any]) -> Publication:
    copied = ("slug", "title", "digest", "achievement", "page", "published_at", "status_at", "replaces", "replaced_by")
    return Publication(
        **{name: row[name] for name in copied},
        status=RecordStatus(row["status"]),
        reason=row["status_reason"] or "",
    )
