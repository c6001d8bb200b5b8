"""The cases behind a figure's numbers, as a list to page through."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, func, select, union

from imprimatur.errors import NotFound
from imprimatur.history.figures import sums
from imprimatur.history.figures.ageing import LABELS, age
from imprimatur.history.figures.chosen import (
    ANSWER_TIME,
    CASE_TIME,
    STAGE,
    STAGE_TIME,
    TASK,
    closed_cases,
    decided_cases,
    decided_stages,
    ended_stages,
    first_openings,
    given_answers,
    late,
    open_cases,
    submitted_cases,
    waiting_tasks,
)
from imprimatur.history.figures.figure import WHOLE_CASE
from imprimatur.history.figures.filters import Filter, Scope
from imprimatur.history.figures.measuring import FrameworkCalendars
from imprimatur.history.records import CASE
from models.vocabulary import CaseStatus, StageOutcome

CASES_A_PAGE = 100
# Of what a line is about, what the filter does not say.
ABOUT = ("stage", "reviewer", "age")
AGES = [str(index) for index in range(len(LABELS))]
OF_STAGES = frozenset({"on-time", "units", "frameworks", "times", "changes"})
AGEING_STATUSES = {
    "review": [CaseStatus.IN_REVIEW],
    "author": [CaseStatus.INCOMPLETE, CaseStatus.REVISING],
    "hold": [CaseStatus.ON_HOLD],
}


class CaseBehind(BaseModel):
    case_id: str
    title: str
    status: CaseStatus
    framework_id: str
    unit: str | None
    opened_at: dt.datetime
    closed_at: dt.datetime | None


@dataclass(frozen=True)
class Behind:
    """``total`` cases; of them those of one page, newest first."""

    total: int
    cases: list[CaseBehind]


@dataclass(frozen=True)
class _Asked:
    connection: Connection
    about: Mapping[str, str]
    which: str
    chosen: Filter
    scope: Scope
    now: dt.datetime


def cases_behind(
    connection: Connection,
    figure: str,
    about: Mapping[str, str],
    which: str,
    chosen: Filter,
    scope: Scope,
    now: dt.datetime,
    page: int = 1,
) -> Behind:
    """Raises NotFound ``figure_unknown`` when no figure counts such cases."""
    asked = _Asked(connection, about, which, chosen, scope, now)
    ids = _CASES[figure](asked) if figure in _CASES else None
    if ids is None:
        raise NotFound("figure_unknown", f"No figure {figure!r} counts {which or 'such'} cases.", "Begin at /sla.")
    chosen_cases = CASE.c.case_id.in_(ids)
    columns = [CASE.c[name] for name in CaseBehind.model_fields]
    query = select(*columns).where(chosen_cases).order_by(CASE.c.opened_at.desc(), CASE.c.case_id)
    rows = connection.execute(query.limit(CASES_A_PAGE).offset((page - 1) * CASES_A_PAGE)).mappings()
    found = [CaseBehind.model_validate(dict(row)) for row in rows]
    total = connection.execute(select(func.count()).select_from(CASE).where(chosen_cases)).scalar_one()
    return Behind(total, found)


Ids = Select[Any] | None


def _of_stages(asked: _Asked) -> Ids:
    """Passages of stages, or whole cases."""
    stage = asked.about.get("stage")
    if stage == WHOLE_CASE or asked.which.startswith("cases"):
        return _of_cases(
            asked, {"all": [], "cases": [], **_kept(CASE_TIME), "cases_late": [CASE_TIME.c.on_time.is_(False)]}
        )
    changes = STAGE_TIME.c.outcome == str(StageOutcome.CHANGES_REQUESTED)
    narrower = {"all": [], **_kept(STAGE_TIME), "changes": [changes]}.get(asked.which)
    if narrower is None:
        return None
    if stage:
        narrower = [*narrower, STAGE_TIME.c.stage == stage]
    return select(STAGE_TIME.c.case_id).where(*decided_stages(asked.chosen, asked.scope), *narrower)


def _kept(table: Any) -> dict[str, list[ColumnElement[bool]]]:
    return {"kept": [table.c.on_time.is_(True)], "late": [table.c.on_time.is_(False)]}


def _of_cases(asked: _Asked, known: Mapping[str, list[ColumnElement[bool]]]) -> Ids:
    if asked.which not in known:
        return None
    return select(CASE_TIME.c.case_id).where(*decided_cases(asked.chosen, asked.scope), *known[asked.which])


def _rework(asked: _Asked) -> Ids:
    c = CASE_TIME.c
    known = {"repeated": [c.rounds > 1], "changes": [c.changes_requested > 0], "lapsed": [c.lapsed > 0]}
    return _of_cases(asked, {"all": [], **known})


def _ageing(asked: _Asked) -> Ids:
    narrower: list[ColumnElement[bool]]
    if asked.which in AGEING_STATUSES:
        narrower = [CASE.c.status.in_([str(status) for status in AGEING_STATUSES[asked.which]])]
    elif asked.which in ("all", "late"):
        narrower = [late(asked.now)] if asked.which == "late" else []
    else:
        return None
    place = asked.about.get("age", "")
    if place in AGES:
        digests = sums.frameworks_of_open(asked.connection, asked.chosen, asked.scope)
        narrower.append(age(digests, FrameworkCalendars(asked.connection), asked.now) == AGES.index(place))
    return select(CASE.c.case_id).where(*open_cases(asked.chosen, asked.scope), *narrower)


def _funnel(asked: _Asked) -> Ids:
    if asked.which == "submitted":
        return select(CASE.c.case_id).where(*submitted_cases(asked.chosen, asked.scope))
    stage = asked.about.get("stage", "")
    ended = select(STAGE_TIME.c.case_id).where(*ended_stages(asked.chosen, asked.scope), STAGE_TIME.c.stage == stage)
    if asked.which == "passed":
        return ended.where(STAGE_TIME.c.first_pass.is_(True))
    if asked.which != "reached":
        return None
    begun = select(CASE.c.case_id).where(*first_openings(asked.chosen, asked.scope), STAGE.c.stage == stage)
    return select(union(ended, begun).subquery().c.case_id)


def _workload(asked: _Asked) -> Ids:
    reviewer = asked.about.get("reviewer", "")
    if asked.which == "answered":
        answered = given_answers(asked.chosen, asked.scope)
        return select(ANSWER_TIME.c.case_id).where(*answered, ANSWER_TIME.c.reviewer == reviewer)
    known = {"open": [], "late": [TASK.c.due_at < asked.now]}
    if asked.which not in known:
        return None
    waiting = [*waiting_tasks(asked.chosen, asked.scope), TASK.c.assignee == reviewer]
    return select(TASK.c.case_id).where(*waiting, *known[asked.which])


def _trend(asked: _Asked) -> Ids:
    if asked.which == "submitted":
        return _funnel(asked)
    if asked.which == "withdrawn":
        withdrawn = CASE_TIME.c.status == str(CaseStatus.WITHDRAWN)
        return select(CASE_TIME.c.case_id).where(*closed_cases(asked.chosen, asked.scope), withdrawn)
    return _of_cases(asked, {"all": [], **_kept(CASE_TIME)})


_CASES = dict.fromkeys(OF_STAGES, _of_stages) | {
    "holders": lambda asked: _of_cases(asked, {"all": []}),
    "rework": _rework,
    "ageing": _ageing,
    "funnel": _funnel,
    "workload": _workload,
    "trend": _trend,
}
