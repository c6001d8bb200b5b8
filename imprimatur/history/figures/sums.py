"""The database's part of the figures: one query each, whatever the number of cases.

Quantiles need every value. The database hands them over as one text a group: a row each would cost ten times as much.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Connection, String, cast, func, select, type_coerce

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
from imprimatur.history.figures.filters import Filter, Scope
from imprimatur.history.records import CASE
from models.vocabulary import CaseStatus, Party, StageOutcome

# In the order in which they are told.
HOLDERS = (Party.AUTHOR, Party.REVIEWER, Party.PARTNER, Party.OFFICE, Party.SYSTEM)


@dataclass
class Kept:
    """How many were closed, how many of them had a promise, and how many kept it."""

    number: int = 0
    promised: int = 0
    kept: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(self.number + other.number, self.promised + other.promised, self.kept + other.kept)


@dataclass
class CaseSums:
    """Cases that came to a decision; ``withdrawn`` counts those that did not. ``seconds`` are in ascending order."""

    kept: Kept = field(default_factory=Kept)
    withdrawn: int = 0
    repeated: int = 0
    rounds: int = 0
    changes: int = 0
    lapsed: int = 0
    held: dict[Party, int] = field(default_factory=dict)
    seconds: list[int] = field(default_factory=list)


def stages_kept(
    connection: Connection, chosen: Filter, scope: Scope
) -> dict[tuple[str, str, str | None], tuple[Kept, int]]:
    """By framework, stage and unit; beside it, how many asked for changes."""
    c = STAGE_TIME.c
    keys = (c.framework_id, c.stage, c.unit)
    counts = (func.count(), func.count(c.on_time), _how_many(c.on_time))
    changes = _how_many(c.outcome == str(StageOutcome.CHANGES_REQUESTED))
    query = select(*keys, *counts, changes).where(*decided_stages(chosen, scope)).group_by(*keys)
    return {(row[0], row[1], row[2]): (Kept(*row[3:6]), row[6]) for row in connection.execute(query)}


def stage_seconds(connection: Connection, chosen: Filter, scope: Scope) -> dict[tuple[str, str], list[int]]:
    """By framework and stage, in ascending order."""
    c = STAGE_TIME.c
    keys = (c.framework_id, c.stage)
    query = select(*keys, _values(c.seconds)).where(*decided_stages(chosen, scope)).group_by(*keys)
    return {(row[0], row[1]): _ordered(row[2]) for row in connection.execute(query)}


def cases_by(
    connection: Connection, key: Any, chosen: Filter, scope: Scope, with_seconds: bool = False
) -> dict[Any, CaseSums]:
    """By a column of the cases' times, or an expression of it."""
    c = CASE_TIME.c
    withdrawn = (c.status == str(CaseStatus.WITHDRAWN)).label("withdrawn")
    counts = (func.count(), func.count(c.on_time), _how_many(c.on_time), _how_many(c.rounds > 1))
    sums = [_sum(c[name]) for name in ("rounds", "changes_requested", "lapsed")]
    held = [_sum(c[f"{party}_seconds"]) for party in HOLDERS]
    values = [_values(c.seconds)] if with_seconds else []
    query = select(key, withdrawn, *counts, *sums, *held, *values)
    found: dict[Any, CaseSums] = {}
    for row in connection.execute(query.where(*closed_cases(chosen, scope)).group_by(key, withdrawn)):
        of_key = found.setdefault(row[0], CaseSums())
        if row[1]:
            of_key.withdrawn = row[2]
            continue
        of_key.kept = Kept(*row[2:5])
        of_key.repeated, of_key.rounds, of_key.changes, of_key.lapsed = row[5:9]
        of_key.held = dict(zip(HOLDERS, row[9:14], strict=True))
        of_key.seconds = _ordered(row[14]) if with_seconds else []
    return found


def case_seconds(connection: Connection, key: Any, chosen: Filter, scope: Scope) -> dict[Any, list[int]]:
    """Of cases that came to a decision, in ascending order; by the same keys as :func:`cases_by`."""
    query = select(key, _values(CASE_TIME.c.seconds)).where(*decided_cases(chosen, scope)).group_by(key)
    return {row[0]: _ordered(row[1]) for row in connection.execute(query)}


def closing_month(connection: Connection) -> ColumnElement[str]:
    return month(connection, CASE_TIME.c.closed_at)


def submissions(connection: Connection, key: Any, chosen: Filter, scope: Scope) -> dict[str, int]:
    """Cases submitted in the period, by a column of the cases or an expression of it."""
    query = select(key, func.count()).where(*submitted_cases(chosen, scope)).group_by(key)
    return {row[0]: row[1] for row in connection.execute(query)}


def submission_month(connection: Connection) -> ColumnElement[str]:
    return month(connection, CASE.c.opened_at)


def stages_ended(connection: Connection, chosen: Filter, scope: Scope) -> dict[tuple[str, str], tuple[int, int]]:
    """Of cases submitted in the period, how many came to an end of a stage and how many passed it."""
    c = STAGE_TIME.c
    keys = (c.framework_id, c.stage)
    query = select(*keys, _how_many(c.first), _how_many(c.first_pass)).where(*ended_stages(chosen, scope))
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query.group_by(*keys))}


def stages_begun(connection: Connection, chosen: Filter, scope: Scope) -> dict[tuple[str, str], int]:
    """Of cases submitted in the period, how many stand in a stage for the first time."""
    keys = (CASE.c.framework_id, STAGE.c.stage)
    query = select(*keys, func.count(CASE.c.case_id.distinct())).where(*first_openings(chosen, scope)).group_by(*keys)
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def answers(connection: Connection, chosen: Filter, scope: Scope) -> dict[str, list[int]]:
    """Business seconds of each answer given in the period, in ascending order, by reviewer."""
    c = ANSWER_TIME.c
    query = select(c.reviewer, _values(c.seconds)).where(*given_answers(chosen, scope)).group_by(c.reviewer)
    return {row[0]: _ordered(row[1]) for row in connection.execute(query)}


def waiting(connection: Connection, chosen: Filter, scope: Scope, now: dt.datetime) -> dict[str, tuple[int, int]]:
    """Tasks that wait for an answer, and those of them that are late, by person."""
    query = select(TASK.c.assignee, func.count(), _how_many(TASK.c.due_at < now))
    found = connection.execute(query.where(*waiting_tasks(chosen, scope)).group_by(TASK.c.assignee))
    return {row[0]: (row[1], row[2]) for row in found}


def ages(
    connection: Connection, chosen: Filter, scope: Scope, age: ColumnElement[int], now: dt.datetime
) -> dict[tuple[int, str], tuple[int, int]]:
    """Open cases, and the late ones of them, by ``age`` and status."""
    keys = (age.label("age"), CASE.c.status)
    query = select(*keys, func.count(), _how_many(late(now))).where(*open_cases(chosen, scope)).group_by(*keys)
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query)}


def frameworks_of_open(connection: Connection, chosen: Filter, scope: Scope) -> list[str]:
    """Digests of the frameworks under which the open cases are."""
    query = select(CASE.c.framework_digest).where(*open_cases(chosen, scope)).distinct()
    return [str(digest) for digest in connection.execute(query.order_by(CASE.c.framework_digest)).scalars()]


def units(connection: Connection, scope: Scope) -> list[str]:
    query = select(CASE.c.unit).where(CASE.c.unit.is_not(None)).distinct().order_by(CASE.c.unit)
    if scope.units is not None:
        query = query.where(CASE.c.unit.in_(sorted(scope.units)))
    return [str(unit) for unit in connection.execute(query).scalars()]


def month(connection: Connection, column: Any) -> ColumnElement[str]:
    """Such as 2026-03, in UTC."""
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", column), "YYYY-MM")
    # SQLite keeps instants as text, in UTC; its own functions for them cost as much as all else of a figure.
    return func.substr(cast(column, String), 1, 7)


def _how_many(condition: Any) -> ColumnElement[int]:
    return func.count().filter(type_coerce(condition, Boolean))


def _sum(column: Any) -> ColumnElement[int]:
    """PostgreSQL sums up in a type that would be no whole number in Python."""
    return cast(func.sum(column), BigInteger)


def _values(column: Any) -> ColumnElement[str]:
    return func.aggregate_strings(cast(column, String), ",")


def _ordered(text: str | None) -> list[int]:
    return sorted(map(int, text.split(","))) if text else []
