"""Lists of cases as the pages show them: searched, filtered, a page at a time; a constant number of queries each."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from imprimatur.access.viewer import Scope
from imprimatur.errors import InputError
from imprimatur.store.access import within
from imprimatur.store.cursors import read_instant, write_instant
from imprimatur.store.engine import Database
from imprimatur.store.unfinished import IS_OPEN, IS_PENDING
from models.tables import CaseRow, ConditionRow, FrameworkRow, IncidentRow, PersonRow, StageRow, TaskRow
from models.vocabulary import CaseStatus, ConditionStatus, StageStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_CONDITION = ConditionRow.__table__  # type: ignore[attr-defined]
_FRAMEWORK = FrameworkRow.__table__  # type: ignore[attr-defined]
PAGE_LENGTH = 25
SOON = dt.timedelta(days=2)


class Need(StrEnum):
    """Why a case needs the office now."""

    OVERDUE = "overdue"
    AT_RISK = "at_risk"
    INCIDENT = "incident"
    INCOMPLETE = "incomplete"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Filters:
    """Empty means all. ``words`` is looked for in title, number and proposer."""

    words: str = ""
    status: str = ""
    framework: str = ""
    unit: str = ""
    need: str = ""

    def check(self) -> None:
        """Raises InputError ``filter_unknown``."""
        for given, known in ((self.status, list(CaseStatus)), (self.need, list(Need))):
            if given and given not in known:
                raise InputError("filter_unknown", f"There is no filter {given!r}.", f"Known are: {', '.join(known)}.")


class CaseLine(BaseModel):
    """One case in a list. ``waits_for`` are the open stages, by name; ``due_at`` is the earliest promise still open."""

    case_id: str
    title: str
    status: CaseStatus
    framework_id: str
    unit: str | None
    proposer: str
    proposer_name: str
    opened_at: dt.datetime
    due_at: dt.datetime | None
    late: bool
    stages: list[str] = []


@dataclass(frozen=True)
class CasePage:
    """``cursor`` is where the next page begins; None on the last one."""

    cases: Sequence[CaseLine]
    cursor: str | None


@dataclass(frozen=True)
class Choices:
    """What can be filtered by, among the cases in a scope."""

    frameworks: Sequence[tuple[str, str]]
    units: Sequence[str]


def case_page(
    database: Database, scope: Scope, filters: Filters, cursor: str | None, now: dt.datetime, length: int = PAGE_LENGTH
) -> CasePage:
    """Newest first. Raises InputError ``filter_unknown`` or ``cursor_malformed``."""
    filters.check()
    chosen = _filtered(_identified(scope), filters, now)
    if cursor:
        opened_at, case_id = read_instant(cursor)
        after = and_(_CASE.c.opened_at == opened_at, _CASE.c.case_id > case_id)
        chosen = chosen.where(or_(_CASE.c.opened_at < opened_at, after))
    order = (_CASE.c.opened_at.desc(), _CASE.c.case_id)
    query = all_lines(now).where(_CASE.c.case_id.in_(chosen.order_by(*order).limit(length + 1))).order_by(*order)
    with database.read() as connection:
        found = lines_of(connection, query)
    last = found[length - 1] if len(found) > length else None
    return CasePage(found[:length], write_instant(last.opened_at, last.case_id) if last else None)


def matching(database: Database, scope: Scope, filters: Filters, now: dt.datetime, most: int) -> list[str]:
    """Ids of all cases that a filter finds, at most one more than ``most``; the oldest first."""
    filters.check()
    query = _filtered(_identified(scope), filters, now)
    with database.read() as connection:
        rows = connection.execute(query.order_by(_CASE.c.opened_at, _CASE.c.case_id).limit(most + 1))
        return [str(row[0]) for row in rows]


def lines_of(connection: Connection, query: Select[tuple[object, ...]]) -> list[CaseLine]:
    """Two queries: the cases, and the names of their open stages."""
    lines = [CaseLine.model_validate(dict(row)) for row in connection.execute(query).mappings()]
    by_case = {line.case_id: line for line in lines}
    is_open = _STAGE.c.status == str(StageStatus.OPEN)
    stages = select(_STAGE.c.case_id, _STAGE.c.name).where(is_open, _STAGE.c.case_id.in_(list(by_case)))
    for case_id, name in connection.execute(stages.order_by(_STAGE.c.opened_at, _STAGE.c.stage)):
        by_case[case_id].stages.append(name)
    return lines


def choices(database: Database, scope: Scope) -> Choices:
    with database.read() as connection:
        named = _FRAMEWORK.c.digest == _CASE.c.framework_digest
        used = select(_CASE.c.framework_id, func.max(_FRAMEWORK.c.name)).join(_FRAMEWORK, named).where(within(scope))
        frameworks = connection.execute(used.group_by(_CASE.c.framework_id).order_by(_CASE.c.framework_id))
        units = select(_CASE.c.unit).where(within(scope), _CASE.c.unit.is_not(None)).distinct().order_by(_CASE.c.unit)
        return Choices([(row[0], row[1]) for row in frameworks], list(connection.execute(units).scalars()))


def all_lines(now: dt.datetime) -> Select[tuple[object, ...]]:
    columns = [
        _CASE.c[name] for name in ("case_id", "title", "status", "framework_id", "unit", "proposer", "opened_at")
    ]
    due_at = promised(earliest_due(), _CASE.c.due_at).label("due_at")
    name = func.coalesce(_PERSON.c.name, "").label("proposer_name")
    joined = _CASE.outerjoin(_PERSON, _PERSON.c.email == _CASE.c.proposer)
    return select(*columns, due_at, name, needing(Need.OVERDUE, now).label("late")).select_from(joined)


def _identified(scope: Scope) -> Select[Any]:
    joined = _CASE.outerjoin(_PERSON, _PERSON.c.email == _CASE.c.proposer)
    return select(_CASE.c.case_id).select_from(joined).where(within(scope))


def _filtered(query: Select[Any], filters: Filters, now: dt.datetime) -> Select[Any]:
    for word in filters.words.split()[:8]:
        texts = (_CASE.c.title, _CASE.c.case_id, _CASE.c.proposer, _PERSON.c.name)
        query = query.where(or_(*(text.icontains(word, autoescape=True) for text in texts)))
    for column, value in ((_CASE.c.status, filters.status), (_CASE.c.framework_id, filters.framework)):
        query = query.where(column == value) if value else query
    if filters.unit:
        query = query.where(_CASE.c.unit == filters.unit)
    return query.where(needing(Need(filters.need), now)) if filters.need else query


def earliest_due() -> ColumnElement[dt.datetime | None]:
    """For queries that read ``case_record``: when the first of its open stages falls due."""
    return select(func.min(_STAGE.c.due_at)).where(_open_stage()).scalar_subquery()


def promised(
    earliest: ColumnElement[dt.datetime | None], due_at: ColumnElement[dt.datetime | None]
) -> ColumnElement[dt.datetime | None]:
    """The earliest promise still open: of a stage, else of the case."""
    return func.coalesce(earliest, due_at, type_=_CASE.c.due_at.type)


def _open_stage() -> ColumnElement[bool]:
    return and_(_STAGE.c.case_id == _CASE.c.case_id, IS_OPEN)


def needing(need: Need, now: dt.datetime) -> ColumnElement[bool]:
    """For queries that read ``case_record``."""
    is_open = _CASE.c.closed_at.is_(None)
    # A stage that was late and got more time is late no more, before that has passed as well.
    missed = or_(_STAGE.c.due_at.is_(None), _STAGE.c.due_at <= _STAGE.c.breached_at)
    late_stage = exists().where(_open_stage(), or_(_STAGE.c.due_at < now, _STAGE.c.breached_at.is_not(None) & missed))
    # What is compared with nothing is neither true nor false, and its contrary neither.
    overdue = or_(late_stage, _CASE.c.due_at.is_not(None) & (_CASE.c.due_at < now), _CASE.c.breached_at.is_not(None))
    match need:
        case Need.OVERDUE:
            return and_(is_open, overdue)
        case Need.AT_RISK:
            return and_(is_open, ~overdue, falls_due(earliest_due(), _CASE.c.due_at, now))
        case Need.INCIDENT:
            return and_(_CASE.c.case_id.in_(select(_INCIDENT.c.case_id).where(_INCIDENT.c.resolved_at.is_(None))))
        case Need.INCOMPLETE:
            return and_(is_open, _CASE.c.status == str(CaseStatus.INCOMPLETE))
        case Need.NOBODY:
            return _waits_for_nobody()


def falls_due(
    earliest: ColumnElement[dt.datetime | None], due_at: ColumnElement[dt.datetime | None], now: dt.datetime
) -> ColumnElement[bool]:
    return or_(*(due.is_not(None) & (due < now + SOON) for due in (earliest, due_at)))


def _waits_for_nobody() -> ColumnElement[bool]:
    """Under review, and yet no person, no sitting, no window and no condition is waited for."""
    asked = exists().where(_TASK.c.case_id == _CASE.c.case_id, IS_PENDING)
    to_come = or_(_STAGE.c.opens_at.is_not(None), and_(_STAGE.c.sits_at.is_not(None), _STAGE.c.begun_at.is_(None)))
    awaited = exists().where(_STAGE.c.case_id == _CASE.c.case_id, _STAGE.c.status != str(StageStatus.CLOSED), to_come)
    unsettled = [str(status) for status in ConditionStatus if not status.is_settled]
    held_up = exists().where(
        _CONDITION.c.case_id == _CASE.c.case_id, _CONDITION.c.blocking, _CONDITION.c.status.in_(unsettled)
    )
    reviewed = and_(_CASE.c.closed_at.is_(None), _CASE.c.status == str(CaseStatus.IN_REVIEW))
    return and_(reviewed, ~asked, ~awaited, ~held_up)
