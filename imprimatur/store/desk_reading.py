"""What the governance office must look at now, and what waits for one person; a constant number of queries each."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Label,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    select,
    true,
    union_all,
)

from imprimatur.access.viewer import Scope, Viewer
from imprimatur.store.access import overseen, within
from imprimatur.store.case_listing import (
    CaseLine,
    Need,
    all_lines,
    earliest_due,
    falls_due,
    lines_of,
    needing,
    promised,
)
from imprimatur.store.engine import Database
from imprimatur.store.unfinished import IS_PENDING
from models.tables import CaseRow, ImprovementRow, IncidentRow, StageRow, TaskRow
from models.vocabulary import CaseStatus, TaskStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
LISTED = 6
# What only a case that has not ended can need, as no incident does; who is at risk follows from what else is found out.
LOOKED_AT = (Need.OVERDUE, Need.INCOMPLETE, Need.NOBODY)
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
    """One query for what is needed, two for the cases that are listed, and one for what else is counted."""
    counts, listed = dict.fromkeys(Need, 0), {need: list[str]() for need in Need}
    with database.read() as connection:
        for need, number, case_id in connection.execute(_needed(scope, now)):
            counts[Need(need)] = number
            listed[Need(need)].append(case_id)
        chosen = sorted({case_id for cases in listed.values() for case_id in cases})
        lines = {line.case_id: line for line in lines_of(connection, all_lines(now).where(_CASE.c.case_id.in_(chosen)))}
        others = connection.execute(select(_still_open(scope), _reviews(scope, now))).one()
    lists = {need: sorted((lines[case_id] for case_id in cases), key=_urgency) for need, cases in listed.items()}
    return OfficeDesk(counts, others.open, lists, others.reviews)


def _urgency(line: CaseLine) -> tuple[bool, dt.datetime, dt.datetime, str]:
    return line.due_at is None, line.due_at or line.opened_at, line.opened_at, line.case_id


def _needed(scope: Scope, now: dt.datetime) -> CompoundSelect[Any]:
    """Of each need that there is: how many cases have it, beside each of the most urgent, by the promise that is shown.

    Each open case is looked at once; what is at risk is not overdue, and whether a case is takes longest to find out.
    """
    shown = [_CASE.c.case_id, _CASE.c.opened_at, earliest_due().label("earliest"), _CASE.c.due_at]
    # SQLite finds out every part of what is wanted as a value, of a condition no more than it takes.
    told = [case((needing(need, now), true()), else_=false()).label(need) for need in LOOKED_AT]
    is_open = select(*shown, *told).where(_CASE.c.closed_at.is_(None), within(scope))
    looked_at = is_open.cte("open_case").prefix_with("MATERIALIZED")
    needs: dict[Need, ColumnElement[bool]] = {need: looked_at.c[need] for need in LOOKED_AT}
    soon = falls_due(looked_at.c.earliest, looked_at.c.due_at, now)
    needs[Need.AT_RISK] = and_(soon, ~needs[Need.OVERDUE])
    found = [_most_urgent(need, select(looked_at).where(needed)) for need, needed in needs.items()]
    troubled = select(*shown).where(needing(Need.INCIDENT, now), within(scope))
    return union_all(*found, _most_urgent(Need.INCIDENT, troubled))


def _most_urgent(need: Need, cases: Select[Any]) -> Select[Any]:
    of = cases.subquery()
    number = func.count().over().label("number")
    order = (promised(of.c.earliest, of.c.due_at).nulls_last(), of.c.opened_at, of.c.case_id)
    chosen = select(literal(str(need)).label("need"), number, of.c.case_id).order_by(*order)
    urgent = chosen.limit(LISTED).subquery()
    return select(urgent.c.need, urgent.c.number, urgent.c.case_id)


def _still_open(scope: Scope) -> Label[int]:
    counted = select(func.count()).select_from(_CASE).where(_CASE.c.closed_at.is_(None), within(scope))
    return counted.scalar_subquery().label("open")


def _reviews(scope: Scope, now: dt.datetime) -> Label[int]:
    held_or_due = _IMPROVEMENT.c.open_review.is_not(None) | (_IMPROVEMENT.c.next_at <= now + REVIEWS_AHEAD)
    joined = _IMPROVEMENT.join(_CASE, _CASE.c.case_id == _IMPROVEMENT.c.case_id)
    counted = select(func.count()).select_from(joined).where(held_or_due, overseen(scope))
    return counted.scalar_subquery().label("reviews")


def own_tasks(database: Database, viewer: Viewer) -> list[OwnTask]:
    """Whatever waits for the viewer, earliest due first; what is on offer belongs to it. One query."""
    of_stage = [_STAGE.c[name] == _TASK.c[name] for name in ("case_id", "stage", "round")]
    columns: list[Any] = [_TASK.c[name] for name in ("task_id", "case_id", "round", "status", "due_at", "opened_at")]
    columns += [_CASE.c.title, _CASE.c.status.label("case_status"), _STAGE.c.name.label("stage_name")]
    query = (
        select(*columns)
        .join(_CASE, _CASE.c.case_id == _TASK.c.case_id)
        .join(_STAGE, and_(*of_stage))
        .where(_TASK.c.assignee == viewer.person, IS_PENDING)
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
