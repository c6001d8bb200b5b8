"""What each figure counts, as conditions on tables: the figures and the lists of cases behind them share these."""

import datetime as dt

from sqlalchemy import ColumnElement, and_, exists, or_

from imprimatur.history.figures.filters import Filter, Scope, of_cases, within
from imprimatur.history.records import CASE
from imprimatur.store.unfinished import IS_PENDING
from models.tables import AnswerTimeRow, CaseTimeRow, StageRow, StageTimeRow, TaskRow
from models.vocabulary import CaseStatus, StageOutcome, StageStatus

STAGE_TIME = StageTimeRow.__table__  # type: ignore[attr-defined]
CASE_TIME = CaseTimeRow.__table__  # type: ignore[attr-defined]
ANSWER_TIME = AnswerTimeRow.__table__  # type: ignore[attr-defined]
STAGE = StageRow.__table__  # type: ignore[attr-defined]
TASK = TaskRow.__table__  # type: ignore[attr-defined]
UNDECIDED = [str(StageOutcome.CANCELLED), str(StageOutcome.SKIPPED)]
OPEN_STATUSES = [str(status) for status in CaseStatus if not status.is_final]

Conditions = list[ColumnElement[bool]]


def decided_stages(chosen: Filter, scope: Scope) -> Conditions:
    """Passages that count: the stage was open, and came to a decision within the period."""
    counted = [STAGE_TIME.c.seconds.is_not(None), STAGE_TIME.c.outcome.not_in(UNDECIDED)]
    return [*counted, *within(STAGE_TIME.c.closed_at, chosen), *of_cases(STAGE_TIME, chosen, scope)]


def closed_cases(chosen: Filter, scope: Scope) -> Conditions:
    return [*within(CASE_TIME.c.closed_at, chosen), *of_cases(CASE_TIME, chosen, scope)]


def decided_cases(chosen: Filter, scope: Scope) -> Conditions:
    return [*closed_cases(chosen, scope), CASE_TIME.c.status != str(CaseStatus.WITHDRAWN)]


def submitted_cases(chosen: Filter, scope: Scope) -> Conditions:
    return [*within(CASE.c.opened_at, chosen), *of_cases(CASE, chosen, scope)]


def open_cases(chosen: Filter, scope: Scope) -> Conditions:
    """As things stand now, whatever the period."""
    return [CASE.c.status.in_(OPEN_STATUSES), *of_cases(CASE, chosen, scope)]


def ended_stages(chosen: Filter, scope: Scope) -> Conditions:
    """Of cases submitted in the period."""
    return [*within(STAGE_TIME.c.submitted_at, chosen), *of_cases(STAGE_TIME, chosen, scope)]


def first_openings(chosen: Filter, scope: Scope) -> Conditions:
    """Of cases and stages: a stage that is open in a case submitted in the period, and never ended in it before."""
    ended = exists().where(STAGE_TIME.c.case_id == STAGE.c.case_id, STAGE_TIME.c.stage == STAGE.c.stage)
    is_open = [CASE.c.status.in_(OPEN_STATUSES), STAGE.c.status == str(StageStatus.OPEN)]
    return [*submitted_cases(chosen, scope), *is_open, STAGE.c.case_id == CASE.c.case_id, ~ended]


def given_answers(chosen: Filter, scope: Scope) -> Conditions:
    return [*within(ANSWER_TIME.c.answered_at, chosen), *of_cases(ANSWER_TIME, chosen, scope)]


def waiting_tasks(chosen: Filter, scope: Scope) -> Conditions:
    return [*open_cases(chosen, scope), TASK.c.case_id == CASE.c.case_id, IS_PENDING]


def late(now: dt.datetime) -> ColumnElement[bool]:
    """An open case whose promise is broken: as recorded, or by the clock."""
    return and_(CASE.c.closed_at.is_(None), or_(CASE.c.breached_at.is_not(None), CASE.c.due_at < now))
