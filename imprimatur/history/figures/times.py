"""Figures about promises and time: kept or not, how long, in whose hands, by month."""

import calendar
import datetime as dt
from collections.abc import Iterator

from imprimatur.history.figures import sums
from imprimatur.history.figures.asking import Asking
from imprimatur.history.figures.chosen import CASE_TIME
from imprimatur.history.figures.figure import Column, Figure, Line
from imprimatur.history.figures.filters import ONE_DAY
from imprimatur.history.figures.quantiles import percentile, rate
from imprimatur.history.figures.sums import HOLDERS, CaseSums, Kept
from models.vocabulary import Party

FRAMEWORK, STAGE, UNIT = Column("framework", "Framework"), Column("stage", "Stage"), Column("unit", "Unit")
HELD_BY = {
    Party.AUTHOR: "Author",
    Party.REVIEWER: "Reviewers",
    Party.PARTNER: "Partners",
    Party.OFFICE: "Office",
    Party.SYSTEM: "Nobody",
}
PERCENTILES = (
    ("low", "Quarter within", 25),
    ("median", "Median", 50),
    ("high", "Three quarters", 75),
    ("p90", "90 %", 90),
)
MEDIAN_AND_P90 = tuple(item for item in PERCENTILES if item[0] in ("median", "p90"))


def percentiles(seconds: list[int], wanted: tuple[tuple[str, str, int], ...]) -> dict[str, int | None]:
    return {key: percentile(seconds, percent) for key, _, percent in wanted}


def time_columns(wanted: tuple[tuple[str, str, int], ...]) -> tuple[Column, ...]:
    return tuple(Column(key, label, "time") for key, label, _ in wanted)


def promise_columns(which: str = "") -> tuple[Column, ...]:
    """Of passages of stages, or with ``which`` of whole cases."""
    if which:
        return (
            Column("cases", "Cases decided", "count", "cases"),
            Column("cases_late", "Cases late", "count", "cases_late"),
            Column("cases_rate", "Cases on time", "percent"),
        )
    return (
        Column("decided", "Decided", "count", "all"),
        Column("kept", "On time", "count", "kept"),
        Column("late", "Late", "count", "late"),
        Column("rate", "On time", "percent"),
    )


def _promise(kept: Kept) -> dict[str, object]:
    late = kept.promised - kept.kept
    return {"decided": kept.number, "kept": kept.kept, "late": late, "rate": rate(kept.kept, kept.promised)}


def _case_promise(found: CaseSums) -> dict[str, object]:
    kept = found.kept
    late = kept.promised - kept.kept
    return {"cases": kept.number, "cases_late": late, "cases_rate": rate(kept.kept, kept.promised)}


def on_time(asking: Asking) -> Figure:
    stages: dict[tuple[str, str], Kept] = {}
    for (framework, stage, _), (kept, _) in sums.stages_kept(*asking.of).items():
        stages[framework, stage] = stages.get((framework, stage), Kept()) + kept
    cases = sums.cases_by(asking.connection, CASE_TIME.c.framework_id, asking.chosen, asking.scope)
    lines = [
        Line(asking.named(framework, stage) | _promise(kept), asking.about(framework, stage))
        for framework, stage, kept in asking.by_stage(stages, {name: found.kept for name, found in cases.items()})
    ]
    counted = (
        "Of stages and of whole cases that came to a decision in the period: how many did so within the time promised."
    )
    return Figure("on-time", counted, (FRAMEWORK, STAGE, *promise_columns()), lines)


def units(asking: Asking) -> Figure:
    stages: dict[str | None, Kept] = {}
    for (_, _, unit), (kept, _) in sums.stages_kept(*asking.of).items():
        stages[unit] = stages.get(unit, Kept()) + kept
    cases = sums.cases_by(asking.connection, CASE_TIME.c.unit, asking.chosen, asking.scope)
    lines = []
    for unit in sorted({*stages, *cases}, key=lambda unit: (unit is None, unit or "")):
        told = _promise(stages.get(unit, Kept())) | _case_promise(cases.get(unit, CaseSums()))
        lines.append(Line({"unit": unit or "No unit"} | told, {"unit": unit} if unit else None))
    counted = "Stages and cases that came to a decision in the period, by the unit that proposed."
    columns = (UNIT, *promise_columns(), *promise_columns("cases"))
    return Figure("units", counted, columns, lines)


def frameworks(asking: Asking) -> Figure:
    stages: dict[str, Kept] = {}
    for (framework, _, _), (kept, _) in sums.stages_kept(*asking.of).items():
        stages[framework] = stages.get(framework, Kept()) + kept
    cases = sums.cases_by(asking.connection, CASE_TIME.c.framework_id, asking.chosen, asking.scope)
    lines = []
    for framework in sorted({*stages, *cases}, key=asking.names.framework):
        told = _promise(stages.get(framework, Kept())) | _case_promise(cases.get(framework, CaseSums()))
        lines.append(Line({"framework": asking.names.framework(framework)} | told, {"framework": framework}))
    counted = "Stages and cases that came to a decision in the period, by framework."
    columns = (FRAMEWORK, *promise_columns(), *promise_columns("cases"))
    return Figure("frameworks", counted, columns, lines)


def times(asking: Asking) -> Figure:
    stages = sums.stage_seconds(*asking.of)
    cases = sums.case_seconds(asking.connection, CASE_TIME.c.framework_id, asking.chosen, asking.scope)
    lines = [
        Line(
            asking.named(framework, stage) | {"decided": len(seconds)} | percentiles(seconds, PERCENTILES),
            asking.about(framework, stage),
        )
        for framework, stage, seconds in asking.by_stage(stages, cases)
    ]
    counted = (
        "Business time of stages and of whole cases that came to a decision in the period: within how much of it a "
        "quarter, half, three quarters and nine tenths of them did."
    )
    number = Column("decided", "Decided", "count", "all")
    columns = (FRAMEWORK, STAGE, number, *time_columns(PERCENTILES))
    return Figure("times", counted, columns, lines)


def holders(asking: Asking) -> Figure:
    cases = sums.cases_by(asking.connection, CASE_TIME.c.framework_id, asking.chosen, asking.scope)
    lines = []
    for framework in sorted(cases, key=asking.names.framework):
        found = cases[framework]
        if number := found.kept.number:
            held = {str(party): _mean(found.held[party], number) for party in HOLDERS}
            told = {"framework": asking.names.framework(framework), "cases": number} | held
            lines.append(Line(told | {"total": _mean(sum(found.held.values()), number)}, {"framework": framework}))
    counted = (
        "Business time of cases that were decided in the period, a case on average, by who held them: where several "
        "are waited for at once, the time is parted equally between the kinds of holders."
    )
    by_holder = tuple(Column(str(party), HELD_BY[party], "time") for party in HOLDERS)
    columns = (FRAMEWORK, Column("cases", "Cases", "count", "all"), *by_holder, Column("total", "Together", "time"))
    return Figure("holders", counted, columns, lines)


def _mean(seconds: int, number: int) -> int:
    return (seconds * 2 + number) // (number * 2)


def trend(asking: Asking) -> Figure:
    connection = asking.connection
    closing = sums.closing_month(connection)
    cases = sums.cases_by(connection, closing, asking.chosen, asking.scope, with_seconds=True)
    submitted = sums.submissions(connection, sums.submission_month(connection), asking.chosen, asking.scope)
    lines = []
    for month, about in _months(asking):
        found = cases.get(month, CaseSums())
        told: dict[str, object] = {"month": month, "submitted": submitted.get(month, 0), "withdrawn": found.withdrawn}
        told |= _promise(found.kept) | percentiles(found.seconds, MEDIAN_AND_P90)
        lines.append(Line(told, about))
    counted = (
        "Cases by the month (UTC) in which they were submitted or closed; times are those of the cases decided in it."
    )
    columns = (
        Column("month", "Month"),
        Column("submitted", "Submitted", "count", "submitted"),
        Column("decided", "Decided", "count", "all"),
        Column("late", "Late", "count", "late"),
        Column("withdrawn", "Withdrawn", "count", "withdrawn"),
        Column("rate", "On time", "percent"),
        *time_columns(MEDIAN_AND_P90),
    )
    return Figure("trend", counted, columns, lines)


# A century of months is no longer a picture.
MONTHS_AT_MOST = 120


def _months(asking: Asking) -> Iterator[tuple[str, dict[str, str]]]:
    """Every month of the period, also those in which nothing was; with the part of it that lies in the period."""
    chosen = asking.chosen
    last_on = min(chosen.last_on, max(asking.now.date(), chosen.first_on))
    number = (last_on.year - chosen.first_on.year) * 12 + last_on.month - chosen.first_on.month + 1
    first = chosen.first_on
    if number > MONTHS_AT_MOST:
        first = dt.date(last_on.year - MONTHS_AT_MOST // 12, last_on.month, 1)
    while first <= last_on:
        ends_on = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        yield f"{first:%Y-%m}", {"from": first.isoformat(), "to": min(ends_on, chosen.last_on).isoformat()}
        if ends_on == dt.date.max:
            return
        first = ends_on + ONE_DAY
