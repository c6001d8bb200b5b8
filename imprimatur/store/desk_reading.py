"""What the governance office must look at now, and what waits for one person; a constant number of queries each."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, and_, case, func, select

from imprimatur.access.viewer import Scope, Viewer
from imprimatur.store.access import overseen, within
from imprimatur.store.case_listing import CaseLine, Need, all_lines, falls_due, lines_needing, lines_of, needing
from imprimatur.store.engine import Database
from models.tables import CaseRow, ImprovementRow, IncidentRow, StageRow, TaskRow
from models.vocabulary import CaseStatus, TaskStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
LISTED = 6
# What only a case that has not ended can need; an incident can outlive its case.
OF_OPEN = [need for need in Need if need is not Need.INCIDENT]
REVIEWS_AHEAD = dt.timedelta(days=60)


@dataclass(frozen=True)
class OfficeDesk:
    """``counts`` are cases in the scope by need, ``open`` those that have not ended; ``lists`` hold the most urgent.

    ``reviews`` of what is published are open, or due within sixty days.
    """

    counts: Mapping[Need, int]
    open: int
    lists: Mapping[Need, Sequence[CaseLine]]
    reviews: int = 0


class OwnTask(BaseModel):
    task_id: str
    case_id: str
    title: str
    stage_name: str
    round: int
    status: TaskStatus
    case_status: CaseStatus
    due_at: dt.datetime | None
    opened_at: dt.datetime


class Incident(BaseModel):
    incident_id: str
    case_id: str
    title: str
    stage: str | None
    kind: str
    detail: str
    opened_at: dt.datetime


def office_desk(database: Database, scope: Scope, now: dt.datetime) -> OfficeDesk:
    """Two queries for all counts, one for reviews, and two for each list."""
    of_open = _counted(scope, now)
    troubled = select(func.count()).select_from(_CASE).where(needing(Need.INCIDENT, now), within(scope))
    with database.read() as connection:
        row = dict(connection.execute(of_open).mappings().one())
        row[Need.INCIDENT] = connection.execute(troubled).scalar_one()
        lists = {need: lines_of(connection, lines_needing(need, scope, now, LISTED)) for need in Need}
        reviews = connection.execute(_reviews(scope, now)).scalar_one()
    return OfficeDesk({need: int(row[need]) for need in Need}, int(row["open"]), lists, int(reviews))


def _counted(scope: Scope, now: dt.datetime) -> Select[Any]:
    """Each case is looked at once: who is at risk is not overdue, and whether somebody is takes longest to find out."""
    told = [needing(need, now).label(need) for need in OF_OPEN if need is not Need.AT_RISK]
    is_open = select(*told, falls_due(now).label(Need.AT_RISK)).where(_CASE.c.closed_at.is_(None), within(scope))
    looked_at = is_open.cte("open_case").prefix_with("MATERIALIZED")
    needs: dict[Need, ColumnElement[bool]] = {need: looked_at.c[need] for need in OF_OPEN}
    needs[Need.AT_RISK] = and_(needs[Need.AT_RISK], ~needs[Need.OVERDUE])
    sums = [func.coalesce(func.sum(case((needed, 1), else_=0)), 0).label(need) for need, needed in needs.items()]
    return select(*sums, func.count().label("open")).select_from(looked_at)


def _reviews(scope: Scope, now: dt.datetime) -> Select[Any]:
    held_or_due = _IMPROVEMENT.c.open_review.is_not(None) | (_IMPROVEMENT.c.next_at <= now + REVIEWS_AHEAD)
    counted = select(func.count()).select_from(_IMPROVEMENT).join(_CASE, _CASE.c.case_id == _IMPROVEMENT.c.case_id)
    return counted.where(held_or_due, overseen(scope))


def own_tasks(database: Database, viewer: Viewer) -> list[OwnTask]:
    """Whatever waits for the viewer, earliest due first; what is on offer belongs to it. One query."""
    of_stage = [_STAGE.c[name] == _TASK.c[name] for name in ("case_id", "stage", "round")]
    columns: list[Any] = [_TASK.c[name] for name in ("task_id", "case_id", "round", "status", "due_at", "opened_at")]
    columns += [_CASE.c.title, _CASE.c.status.label("case_status"), _STAGE.c.name.label("stage_name")]
    pending = [str(status) for status in TaskStatus if status.is_pending]
    query = (
        select(*columns)
        .join(_CASE, _CASE.c.case_id == _TASK.c.case_id)
        .join(_STAGE, and_(*of_stage))
        .where(_TASK.c.assignee == viewer.person, _TASK.c.status.in_(pending))
        .order_by(_TASK.c.due_at.nulls_last(), _TASK.c.opened_at, _TASK.c.task_id)
    )
    with database.read() as connection:
        return [OwnTask.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def own_proposals(database: Database, viewer: Viewer, now: dt.datetime) -> list[CaseLine]:
    """The viewer's own cases, those that wait for them first, then the newest."""
    waits = case((_CASE.c.status.in_([str(s) for s in CaseStatus if s.waits_for_proposer]), 0), else_=1)
    query = all_lines(now).where(_CASE.c.proposer == viewer.person)
    with database.read() as connection:
        return lines_of(connection, query.order_by(waits, _CASE.c.opened_at.desc(), _CASE.c.case_id).limit(50))


def open_incidents(database: Database, scope: Scope, limit: int = 200) -> list[Incident]:
    """The newest first, of cases that the scope oversees. One query."""
    columns = [_INCIDENT.c[name] for name in ("incident_id", "case_id", "stage", "kind", "detail", "opened_at")]
    query = (
        select(*columns, _CASE.c.title)
        .join(_CASE, _CASE.c.case_id == _INCIDENT.c.case_id)
        .where(_INCIDENT.c.resolved_at.is_(None), overseen(scope))
        .order_by(_INCIDENT.c.opened_at.desc(), _INCIDENT.c.incident_id)
        .limit(limit)
    )
    with database.read() as connection:
        return [Incident.model_validate(dict(row)) for row in connection.execute(query).mappings()]
