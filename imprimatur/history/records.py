"""Reads what verification needs, also from a database that somebody has tampered with."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, select
from sqlalchemy.sql.selectable import TypedReturnsRows

from imprimatur.history.chain import Row
from models.tables import (
    CaseRow,
    ConditionRow,
    DecisionRow,
    DocumentRow,
    FrameworkRow,
    HandoverRow,
    ImprovementRow,
    IncidentRow,
    IndicatorRow,
    LedgerRow,
    PublicationRow,
    ReviewRow,
    VersionRow,
)

LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_CONDITION = ConditionRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
_IMPROVEMENT = ImprovementRow.__table__  # type: ignore[attr-defined]
_REVIEW = ReviewRow.__table__  # type: ignore[attr-defined]
_INDICATOR = IndicatorRow.__table__  # type: ignore[attr-defined]
_HANDOVER = HandoverRow.__table__  # type: ignore[attr-defined]
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_DOCUMENT = DocumentRow.__table__  # type: ignore[attr-defined]
_FRAMEWORK = FrameworkRow.__table__  # type: ignore[attr-defined]
_OF_CASES = (
    CASE, LEDGER, _DECISION, _CONDITION, _VERSION, _PUBLICATION, _IMPROVEMENT, _REVIEW, _INDICATOR, _INCIDENT,
    _HANDOVER,
)  # fmt: skip
_CASE_COLUMNS = [column for column in CASE.c if column.name != "due_reason"]


@dataclass(frozen=True)
class Records:
    """Rows by case id; documents and frameworks by digest.

    ``reviews`` and ``handovers`` are those of a published micro-credential, ``held`` and ``handed`` are the rows of the
    review, or the hand-over, that a case itself is.
    """

    cases: dict[str, Row]
    chains: dict[str, list[Row]]
    decisions: dict[str, list[Row]]
    conditions: dict[str, list[Row]]
    versions: dict[str, list[Row]]
    publications: dict[str, list[Row]]
    improvements: dict[str, list[Row]]
    reviews: dict[str, list[Row]]
    held: dict[str, Row]
    indicators: dict[str, list[Row]]
    incidents: dict[str, list[Row]]
    handovers: dict[str, list[Row]]
    handed: dict[str, Row]
    documents: dict[str, str]
    frameworks: dict[str, Any]

    def knows(self, case_id: str) -> bool:
        of_cases = (self.cases, self.chains, self.decisions, self.conditions, self.versions, self.publications)
        later = (self.improvements, self.reviews, self.indicators, self.incidents, self.handovers)
        return any(case_id in rows for rows in (*of_cases, *later))


def all_case_ids(connection: Connection) -> list[str]:
    """Every id that any of the tables names: rows without a case are found too."""
    found: set[str] = set()
    for table in _OF_CASES:
        found |= set(connection.execute(select(table.c.case_id).distinct()).scalars())
    # An incident about a mail of no case is in no ledger.
    return sorted(found - {""})


def is_named(connection: Connection, case_id: str) -> bool:
    """Whether any of the tables names the id."""
    queries = (select(table.c.case_id).where(table.c.case_id == case_id).limit(1) for table in _OF_CASES)
    return any(connection.execute(query).first() for query in queries)


def read_records(connection: Connection, case_ids: Sequence[str]) -> Records:
    """Raises ValueError or TypeError when a row holds a value that its column does not allow."""
    cases = {
        row["case_id"]: row for row in _rows(connection, select(*_CASE_COLUMNS).where(CASE.c.case_id.in_(case_ids)))
    }
    versions = _by_case(connection, _VERSION, case_ids)
    documents = {row["digest"] for rows in versions.values() for row in rows}
    frameworks = {case["framework_digest"] for case in cases.values()}
    return Records(
        cases=cases,
        chains=_chains(connection, case_ids),
        decisions=_by_case(connection, _DECISION, case_ids),
        conditions=_by_case(connection, _CONDITION, case_ids),
        versions=versions,
        publications=_by_case(connection, _PUBLICATION, case_ids),
        improvements=_by_case(connection, _IMPROVEMENT, case_ids),
        reviews=_by_case(connection, _REVIEW, case_ids),
        held={
            row["review_case"]: row
            for row in _rows(connection, select(_REVIEW).where(_REVIEW.c.review_case.in_(case_ids)))
        },
        indicators=_by_case(connection, _INDICATOR, case_ids),
        incidents=_by_case(connection, _INCIDENT, case_ids),
        handovers=_by_case(connection, _HANDOVER, case_ids),
        handed={
            row["handover_case"]: row
            for row in _rows(connection, select(_HANDOVER).where(_HANDOVER.c.handover_case.in_(case_ids)))
        },
        documents={row["digest"]: row["body"] for row in _by_digest(connection, _DOCUMENT, documents)},
        frameworks={row["digest"]: row["body"] for row in _by_digest(connection, _FRAMEWORK, frameworks)},
    )


def _rows(connection: Connection, query: TypedReturnsRows[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _by_case(connection: Connection, table: Any, case_ids: Sequence[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in _rows(connection, select(table).where(table.c.case_id.in_(case_ids))):
        found.setdefault(row["case_id"], []).append(row)
    return found


def _by_digest(connection: Connection, table: Any, digests: Iterable[str]) -> list[Row]:
    return _rows(connection, select(table.c.digest, table.c.body).where(table.c.digest.in_(list(digests))))


def _chains(connection: Connection, case_ids: Sequence[str]) -> dict[str, list[Row]]:
    """Ledger rows in order. Instants and data are parsed here, so that what cannot be parsed is found and not fatal."""
    is_sqlite = connection.dialect.name == "sqlite"
    at: ColumnElement[Any] = cast(LEDGER.c.at, Text) if is_sqlite else LEDGER.c.at
    parsed = {"at": at.label("at"), "data": cast(LEDGER.c.data, Text).label("data")}
    columns = [parsed.get(column.name, column) for column in LEDGER.c]
    query = select(*columns).where(LEDGER.c.case_id.in_(case_ids)).order_by(LEDGER.c.case_id, LEDGER.c.position)
    rows = ({**row, "at": _instant(row["at"]), "data": _json(row["data"])} for row in _rows(connection, query))
    return {case_id: list(group) for case_id, group in groupby(rows, lambda row: row["case_id"])}


def _instant(value: Any) -> Any:
    """SQLite keeps instants as text without a zone, in UTC; text of any other form stays text."""
    if not isinstance(value, str):
        return value
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=dt.UTC)
    except ValueError:
        return value


def _json(value: Any) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return value
