"""Scopes as conditions of queries, and the facts by which acts on a case are allowed or not."""

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true

from imprimatur.access.acts import CaseFacts
from imprimatur.access.published import Published
from imprimatur.access.viewer import Scope, Viewer
from imprimatur.errors import NotFound
from models.tables import (
    CaseRow,
    ConditionRow,
    FrameworkRow,
    HandoverRow,
    ImprovementRow,
    ProposedActRow,
    PublicationDateRow,
    PublicationRow,
    PublicationRunRow,
    StageRow,
    TaskRow,
)
from models.vocabulary import CaseStatus, ConditionStatus, RecordStatus, RunStatus, StageStatus, TaskStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_ACT = ProposedActRow.__table__  # type: ignore[attr-defined]
_CONDITION = ConditionRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_DATE = PublicationDateRow.__table__  # type: ignore[attr-defined]
_RUN = PublicationRunRow.__table__  # type: ignore[attr-defined]
_FRAMEWORK = FrameworkRow.__table__  # type: ignore[attr-defined]
_HANDOVER = HandoverRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]


def within(scope: Scope) -> ColumnElement[bool]:
    """For queries that read ``case_record``: the cases inside a scope, as :meth:`Scope.holds` says of one."""
    if scope.everything:
        return true()
    # Looked up by the person, who has few of all the cases; asked case by case it takes as long as there are cases.
    asked = _CASE.c.case_id.in_(select(_TASK.c.case_id).where(_TASK.c.assignee == scope.person))
    inside = [_CASE.c.proposer == scope.person, asked]
    if scope.units:
        inside.append(_CASE.c.unit.in_(sorted(scope.units)))
    return or_(*inside)


def overseen(scope: Scope) -> ColumnElement[bool]:
    """As ``within``, without what somebody sees only because they proposed it or were asked."""
    return true() if scope.everything else _CASE.c.unit.in_(sorted(scope.units))


def unseen_case() -> NotFound:
    """To raise; the same for a case that is not there and one that is none of the viewer's."""
    return NotFound("case_unseen", "There is no such case among those that you see.", "Look for it among the cases.")


def facts_of(connection: Connection, viewer: Viewer, case_id: str) -> CaseFacts:
    """One query. Raises NotFound ``case_unseen``, also for a case outside the viewer's scope."""
    columns = (_CASE.c.status, _CASE.c.proposer, _CASE.c.unit, *_counted(viewer.person), *published_columns())
    policy = select(_FRAMEWORK.c.body["handover"]["framework"].as_string())
    of_case = _FRAMEWORK.c.digest == _CASE.c.framework_digest
    columns += (policy.where(of_case).scalar_subquery().label("hands_over"),)
    query = select(*columns).outerjoin_from(_CASE, _IMPROVEMENT, _IMPROVEMENT.c.case_id == _CASE.c.case_id)
    row = connection.execute(query.where(_CASE.c.case_id == case_id, within(viewer.scope))).mappings().first()
    if row is None:
        raise unseen_case()
    return CaseFacts(
        status=CaseStatus(row["status"]),
        proposer=row["proposer"],
        unit=row["unit"],
        asked=row["asked"] > 0,
        open_tasks=row["open_tasks"],
        offered=row["offered"],
        stage_open=row["open_stages"] > 0,
        reached=row["reached"] > 0,
        tasks_open=row["pending"] > 0,
        answered_in_open_stage=row["answered"] > 0,
        to_confirm=row["proposed"] - row["proposed_by_viewer"],
        own_to_confirm=row["proposed_by_viewer"],
        waits_for_conditions=row["status"] == CaseStatus.IN_REVIEW and row["blocking"] > 0 and not row["open_stages"],
        **{name: row[name] for name in ("on_agenda", "own_on_agenda", "to_fulfil", "to_judge", "own_to_judge")},
        published=Published(
            record=RecordStatus(row["record"]) if row["record"] else None,
            run=RunStatus(row["run"]) if row["run"] else None,
            reviewed=row["reviewed"] is not None,
            review_open=row["open_review"] is not None,
            review_to_come=row["next_at"] is not None,
            handed_over=row["hands_over"] is not None,
            handover=RunStatus(row["handover"]) if row["handover"] else None,
            handover_open=row["handover"] is not None and row["answered_at"] is None,
        ),
    )


def published_columns() -> list[ColumnElement[object]]:
    """How publication, reviews and hand-overs of a case stand: of ``case_record``, joined with ``improvement``."""
    of_case = select(_PUBLICATION.c.status).where(_PUBLICATION.c.case_id == _CASE.c.case_id)
    runs = select(_RUN.c.status).where(_RUN.c.case_id == _CASE.c.case_id).order_by(_RUN.c.number.desc()).limit(1)
    handovers = select(_HANDOVER.c.case_id).where(_HANDOVER.c.case_id == _CASE.c.case_id)
    last = handovers.order_by(_HANDOVER.c.number.desc()).limit(1)
    return [
        of_case.scalar_subquery().label("record"),
        runs.scalar_subquery().label("run"),
        _IMPROVEMENT.c.case_id.label("reviewed"),
        _IMPROVEMENT.c.open_review,
        _IMPROVEMENT.c.next_at,
        select(_DATE.c.publish_on).where(_DATE.c.case_id == _CASE.c.case_id).scalar_subquery().label("publish_on"),
        last.with_only_columns(_HANDOVER.c.number).scalar_subquery().label("handover_number"),
        last.with_only_columns(_HANDOVER.c.status).scalar_subquery().label("handover"),
        last.with_only_columns(_HANDOVER.c.concluded_at).scalar_subquery().label("answered_at"),
    ]


def _counted(person: str) -> list[ColumnElement[int]]:
    theirs = _TASK.c.assignee == person
    is_open = _STAGE.c.status == str(StageStatus.OPEN)
    in_open_stage = and_(_STAGE.c.stage == _TASK.c.stage, _STAGE.c.round == _TASK.c.round, is_open)
    stage_stands = exists().where(
        _STAGE.c.case_id == _ACT.c.case_id, _STAGE.c.stage == _ACT.c.stage, _STAGE.c.round == _ACT.c.round, is_open
    )
    proposed = and_(_ACT.c.confirmed_at.is_(None), stage_stands)
    unsettled = _CONDITION.c.status.in_([str(s) for s in ConditionStatus if not s.is_settled])
    in_force = _CONDITION.c.status.in_([str(ConditionStatus.OPEN), str(ConditionStatus.FULFILLED)])
    others = and_(in_force, _CONDITION.c.owner != person)
    on_agenda = and_(is_open, _STAGE.c.committee.is_not(None))
    counts = {
        "asked": (_TASK, theirs),
        "open_tasks": (_TASK, and_(theirs, _TASK.c.status == str(TaskStatus.OPEN))),
        "offered": (_TASK, and_(theirs, _TASK.c.status == str(TaskStatus.OFFERED))),
        "pending": (_TASK, _TASK.c.status == str(TaskStatus.OPEN)),
        "open_stages": (_STAGE, is_open),
        "reached": (_STAGE, _STAGE.c.status != str(StageStatus.WAITING)),
        "proposed": (_ACT, proposed),
        "proposed_by_viewer": (_ACT, and_(proposed, _ACT.c.actor == person)),
        "blocking": (_CONDITION, and_(_CONDITION.c.blocking, unsettled)),
        "on_agenda": (_STAGE, on_agenda),
        "own_on_agenda": (_STAGE, and_(on_agenda, _recorded_by(person))),
        "to_fulfil": (_CONDITION, and_(_CONDITION.c.owner == person, _CONDITION.c.status == str(ConditionStatus.OPEN))),
        "to_judge": (_CONDITION, others),
        "own_to_judge": (_CONDITION, and_(others, _CONDITION.c.set_by == person)),
    }
    found: list[ColumnElement[int]] = [
        select(func.count())
        .select_from(table)
        .where(table.c.case_id == _CASE.c.case_id, what)
        .scalar_subquery()
        .label(n)
        for n, (table, what) in counts.items()
    ]
    decided = and_(_TASK.c.case_id == _CASE.c.case_id, _TASK.c.status == str(TaskStatus.DECIDED))
    answered = (
        select(func.count())
        .select_from(_TASK.join(_STAGE, and_(_STAGE.c.case_id == _TASK.c.case_id, in_open_stage)))
        .where(decided)
        .correlate(_CASE)
        .scalar_subquery()
        .label("answered")
    )
    return [*found, answered]


def _recorded_by(person: str) -> ColumnElement[bool]:
    """Of a stage: the person holds an open task in it."""
    same = [_TASK.c[name] == _STAGE.c[name] for name in ("case_id", "stage", "round")]
    return exists().where(*same, _TASK.c.assignee == person, _TASK.c.status == str(TaskStatus.OPEN))
