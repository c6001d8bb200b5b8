"""What was measured of published micro-credentials, by case, indicator and period."""

import datetime as dt
from collections.abc import Iterable, Sequence

from pydantic import BaseModel
from sqlalchemy import Connection, select

from imprimatur.store.engine import Database
from imprimatur.store.indicators_file import Measured, RejectedLine
from imprimatur.store.ledger import append_event
from models.tables import IndicatorRow, PublicationRow
from models.vocabulary import EventType, Indicator

_INDICATOR = IndicatorRow.__table__  # type: ignore[attr-defined]
_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]


class IndicatorView(BaseModel):
    case_id: str
    indicator: Indicator
    period: str
    value: float
    source: str
    imported_by: str
    imported_at: dt.datetime


class IndicatorReport(BaseModel):
    """What became of a file: ``cases`` are those of which something new is known, ``reviews`` those that this
    called. A preview stores nothing.
    """

    preview: bool
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: list[RejectedLine] = []
    cases: list[str] = []
    reviews: list[str] = []


def put_indicators(
    database: Database,
    measured: Sequence[Measured],
    rejected: Sequence[RejectedLine],
    *,
    actor: str,
    preview: bool = False,
) -> IndicatorReport:
    """Stores what is new and corrects what differs, with one event in the ledger of each case; the same again is none.

    Lines about nothing that was published are rejected with the others.
    """
    report = IndicatorReport(preview=preview, rejected=list(rejected))
    now = dt.datetime.now(dt.UTC)
    with database.read() if preview else database.write() as connection:
        cases = _cases(connection, {line.case for line in measured})
        known = _known(connection, set(cases.values()))
        news: dict[str, list[tuple[Measured, float | None]]] = {}
        for line in measured:
            case_id = cases.get(line.case)
            if case_id is None:
                problem = f"nothing was published as {line.case}"
                report.rejected.append(RejectedLine(line=line.line, field="case", problem=problem))
                continue
            before = known.get((case_id, line.indicator, line.period))
            if before == line.value:
                report.unchanged += 1
                continue
            # A case may stand in a file by its id and by its address: what comes last counts.
            known[(case_id, line.indicator, line.period)] = line.value
            report.added += before is None
            report.changed += before is not None
            news.setdefault(case_id, []).append((line, before))
        if not preview:
            for case_id, lines in sorted(news.items()):
                _store(connection, case_id, lines, actor, now)
    report.rejected.sort(key=lambda item: item.line)
    report.cases = sorted(news)
    return report


def _cases(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    named = sorted(names)
    query = select(_PUBLICATION.c.case_id, _PUBLICATION.c.slug)
    found: dict[str, str] = {}
    for row in connection.execute(query.where(_PUBLICATION.c.case_id.in_(named) | _PUBLICATION.c.slug.in_(named))):
        found |= {row.case_id: row.case_id, row.slug: row.case_id}
    return found


def _known(connection: Connection, cases: Iterable[str]) -> dict[tuple[str, str, str], float]:
    query = select(_INDICATOR).where(_INDICATOR.c.case_id.in_(sorted(cases)))
    return {(row.case_id, row.indicator, row.period): row.value for row in connection.execute(query)}


def _store(
    connection: Connection, case_id: str, lines: Sequence[tuple[Measured, float | None]], actor: str, now: dt.datetime
) -> None:
    told = []
    for line, before in lines:
        values = {"value": line.value, "source": line.source, "imported_by": actor, "imported_at": now}
        key = {"case_id": case_id, "indicator": str(line.indicator), "period": line.period}
        if before is None:
            connection.execute(_INDICATOR.insert().values(key | values))
        else:
            same = (_INDICATOR.c[name] == value for name, value in key.items())
            connection.execute(_INDICATOR.update().where(*same).values(values))
        entry: dict[str, object] = {
            "indicator": str(line.indicator), "period": line.period, "value": line.value, "source": line.source
        }  # fmt: skip
        told.append(entry | ({} if before is None else {"before": before}))
    append_event(connection, case_id, EventType.INDICATORS_RECEIVED, actor, now, values=told)


def indicators_of(connection: Connection, case_id: str) -> list[IndicatorView]:
    """In order of indicator and period."""
    query = select(_INDICATOR).where(_INDICATOR.c.case_id == case_id)
    rows = connection.execute(query.order_by(_INDICATOR.c.indicator, _INDICATOR.c.period)).mappings()
    return [IndicatorView.model_validate(dict(row)) for row in rows]


def figures_of(connection: Connection, case_ids: Sequence[str]) -> dict[str, dict[Indicator, list[tuple[str, float]]]]:
    """By case and indicator, in order of the periods."""
    found: dict[str, dict[Indicator, list[tuple[str, float]]]] = {}
    query = select(_INDICATOR).where(_INDICATOR.c.case_id.in_(case_ids)).order_by(_INDICATOR.c.period)
    for row in connection.execute(query):
        found.setdefault(row.case_id, {}).setdefault(Indicator(row.indicator), []).append((row.period, row.value))
    return found
