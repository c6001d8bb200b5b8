"""Rows of the times of a case, as its ledger tells them: written by the commits, and by a rebuild, from one source."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from imprimatur.errors import NotFound
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.history.records import CASE, LEDGER
from imprimatur.rules.business_time import WorkCalendar
from imprimatur.rules.measures import Measures, Row, measure
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework_by_digest
from models.framework import Framework
from models.tables import AnswerTimeRow, CaseTimeRow, StageTimeRow
from models.vocabulary import Party

Values = dict[str, Any]
Table = type[StageTimeRow] | type[AnswerTimeRow] | type[CaseTimeRow]
TABLES: tuple[Table, ...] = (StageTimeRow, AnswerTimeRow, CaseTimeRow)
# Rows of a case's ledger, as they are folded.
LEDGER_NAMES = ("case_id", "position", "type", "at", "actor", "data")
LEDGER_COLUMNS = [LEDGER.c[name] for name in LEDGER_NAMES]
CASES_AT_ONCE = 200


class FrameworkCalendars:
    """Calendars of stored frameworks. A framework that is gone raises KeyError: what it is needed for is not told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, str | None], WorkCalendar] = {}

    def of_case(self, digest: str) -> WorkCalendar:
        return self._calendar(digest, None)

    def of_stage(self, digest: str, stage: str) -> WorkCalendar:
        return self._calendar(digest, stage)

    def _calendar(self, digest: str, stage: str | None) -> WorkCalendar:
        key = (digest, stage)
        if key not in self._known:
            policy = self._framework(digest)
            slas = {known.id: known.sla for known in policy.stages if known.sla is not None}
            name = slas[stage].calendar if stage in slas else policy.speed_to_market.calendar
            self._known[key] = work_calendar(policy.calendars[name], name)
        return self._known[key]

    def _framework(self, digest: str) -> Framework:
        try:
            return framework_by_digest(self._connection, digest)
        except NotFound as error:
            raise KeyError(digest) from error


def time_rows(
    case_id: str, framework_id: str, unit: str | None, ledger: Sequence[Row], calendars: FrameworkCalendars, after: int
) -> list[tuple[Table, Values]]:
    """What ended behind the position ``after``, as rows of the tables."""
    found = measure(ledger, calendars, after)
    if found.submitted_at is None:
        return []
    place = {"case_id": case_id, "framework_id": framework_id, "unit": unit}
    return [
        *((StageTimeRow, place | _stage_values(found, index)) for index in range(len(found.stages))),
        *((AnswerTimeRow, place | vars(answer)) for answer in found.answers),
        *([(CaseTimeRow, place | _case_values(found))] if found.case is not None else []),
    ]


def _stage_values(found: Measures, index: int) -> Values:
    time = found.stages[index]
    return vars(time) | {"outcome": str(time.outcome), "submitted_at": found.submitted_at}


def _case_values(found: Measures) -> Values:
    assert found.case is not None
    values = dict(vars(found.case))
    held: dict[Party, int] = values.pop("held")
    return values | {f"{party}_seconds": seconds for party, seconds in held.items()}


def measure_once(database: Database) -> None:
    """For a database from before anything was measured; where something is measured already, nothing is done."""
    with database.read() as connection:
        measured = any(connection.execute(select(_target(table).c.case_id).limit(1)).first() for table in TABLES)
        begun = connection.execute(select(CASE.c.case_id).limit(1)).first() is not None
    if begun and not measured:
        rebuild(database)


def rebuild(database: Database) -> dict[str, int]:
    """Makes all rows anew from the ledgers; answers how many of each. Commits may go on meanwhile."""
    totals = dict.fromkeys(("cases", *(table.__tablename__ for table in TABLES)), 0)
    with database.write() as connection:
        for table in TABLES:
            target = _target(table)
            connection.execute(delete(target).where(target.c.case_id.not_in(select(CASE.c.case_id))))
        ids = connection.execute(select(CASE.c.case_id).order_by(CASE.c.case_id)).scalars().all()
    for start in range(0, len(ids), CASES_AT_ONCE):
        with database.write() as connection:
            found = _rebuild_some(connection, ids[start : start + CASES_AT_ONCE])
        totals["cases"] += len(ids[start : start + CASES_AT_ONCE])
        for name, number in found.items():
            totals[name] += number
    return totals


def _rebuild_some(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    # Whoever commits a step of one of these cases meanwhile waits here, and then adds what came of that step.
    columns = [CASE.c.case_id, CASE.c.framework_id, CASE.c.unit]
    cases = connection.execute(select(*columns).where(CASE.c.case_id.in_(ids)).with_for_update()).all()
    chains: dict[str, list[Row]] = {}
    query = select(*LEDGER_COLUMNS).where(LEDGER.c.case_id.in_(ids))
    for row in connection.execute(query.order_by(LEDGER.c.case_id, LEDGER.c.position)).mappings():
        chains.setdefault(row["case_id"], []).append(dict(row))
    calendars = FrameworkCalendars(connection)
    rows: dict[Table, list[Values]] = {table: [] for table in TABLES}
    for case in cases:
        chain = chains.get(case.case_id, [])
        for table, values in time_rows(case.case_id, case.framework_id, case.unit, chain, calendars, 0):
            rows[table].append(values)
    for table, some in rows.items():
        target = _target(table)
        connection.execute(delete(target).where(target.c.case_id.in_(ids)))
        if some:
            connection.execute(insert(target), some)
    return {str(table.__tablename__): len(some) for table, some in rows.items()}


def _target(table: Table) -> Any:
    return table.__table__  # type: ignore[union-attr]
