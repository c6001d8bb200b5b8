"""What a commit adds to the times of cases: rows for the stages, answers and cases that its steps ended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from activities.book import Book
from activities.rows import RowBuffer
from imprimatur.history.figures.measuring import LEDGER_COLUMNS, LEDGER_NAMES, TABLES, FrameworkCalendars, time_rows
from imprimatur.history.records import LEDGER
from imprimatur.rules.measures import ENDINGS
from models.tables import LedgerRow

_EARLIER = (
    select(*LEDGER_COLUMNS)
    .where(LEDGER.c.case_id.in_(bindparam("cases", expanding=True)))
    .order_by(LEDGER.c.case_id, LEDGER.c.position)
)


def add_times(connection: Connection, rows: RowBuffer, books: Sequence[Book]) -> None:
    """Once for all steps of a transaction, before their rows are written."""
    for book in books:
        _follow_unit(book)
    written: dict[str, list[dict[str, Any]]] = {}
    for event in rows.awaiting(LedgerRow):
        written.setdefault(event["case_id"], []).append(event)
    ending = [book for book in books if any(event["type"] in ENDINGS for event in written[book.step.case_id])]
    if not ending:
        return
    earlier = _earlier(connection, [book.step.case_id for book in ending if book.step.seq > 1])
    calendars = FrameworkCalendars(connection)
    for book in ending:
        case_id = book.step.case_id
        before = earlier.get(case_id, [])
        unit = book.changes.get("unit", book.case.get("unit"))
        ledger, after = [*before, *written[case_id]], written[case_id][0]["position"] - 1
        for table, values in time_rows(case_id, book.case["framework_id"], unit, ledger, calendars, after):
            rows.insert(table, **values)


def _earlier(connection: Connection, case_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """What somebody has made unreadable keeps no case from going on: it is then not measured, and others are."""
    if not case_ids:
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        for row in connection.execute(_EARLIER, {"cases": list(case_ids)}):
            found.setdefault(row[0], []).append(dict(zip(LEDGER_NAMES, row, strict=True)))
    except (ValueError, TypeError):
        alone = [_earlier(connection, [case_id]) for case_id in case_ids] if len(case_ids) > 1 else []
        return {case_id: chain for some in alone for case_id, chain in some.items()}
    return found


def _follow_unit(book: Book) -> None:
    """Figures are told to those who may see the case, which its unit decides."""
    if book.step.seq > 1 and "unit" in book.changes and book.changes["unit"] != book.case.get("unit"):
        for table in TABLES:
            book.rows.update(table, {"case_id": book.step.case_id}, unit=book.changes["unit"])
