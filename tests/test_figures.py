"""The figures against what plain counting over all cases gives, on both databases; and the cases behind each number."""

import datetime as dt
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select

from imprimatur.errors import InputError, NotFound
from imprimatur.history.figures.behind import CASES_A_PAGE, Behind, cases_behind
from imprimatur.history.figures.catalogue import FIGURES, make_figure
from imprimatur.history.figures.figure import Figure
from imprimatur.history.figures.filters import Filter, Scope
from imprimatur.history.figures.titles import TITLES
from imprimatur.store.engine import Database
from models.tables import AnswerTimeRow, CaseRow, CaseTimeRow, StageRow, StageTimeRow, TaskRow
from tests.bench.many_cases import fill
from tests.facts import furnish

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
PERIOD = {"from": "2026-02-15", "to": "2026-10-20"}
EVERYONE = Scope()
# Cells of these count passages or answers, of which a case may have several.
SEVERAL_A_CASE = {("rework", "changes"), ("rework", "lapsed"), ("workload", "open"), ("workload", "late")}
PASSAGES = {"on-time", "units", "frameworks", "times", "changes"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def cases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The same cases for all tests of this file, which only look at them."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("figures") / "imprimatur.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), file)
        found = Database(f"sqlite:///{file}")
    else:
        found = Database(request.getfixturevalue("postgres_template")())
    furnish(found)
    fill(found, 150, NOW, months=12)
    yield found
    found.close()


def made(database: Database, name: str, scope: Scope = EVERYONE, **given: str) -> Figure:
    with database.read() as connection:
        return make_figure(connection, name, Filter.parse(PERIOD | given, NOW.date()), scope, NOW)


def behind(database: Database, name: str, which: str, scope: Scope = EVERYONE, page: int = 1, **about: str) -> Behind:
    chosen = Filter.parse(PERIOD | about, NOW.date())
    with database.read() as connection:
        return cases_behind(connection, name, about, which, chosen, scope, NOW, page)


def rows(database: Database, table: Any) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table.__table__)).mappings()]


def in_period(at: dt.datetime | None) -> bool:
    return at is not None and dt.date(2026, 2, 15) <= at.date() <= dt.date(2026, 10, 20)


def decided_stages(database: Database) -> list[dict[str, Any]]:
    found = [row for row in rows(database, StageTimeRow) if in_period(row["closed_at"]) and row["seconds"] is not None]
    return [row for row in found if row["outcome"] not in ("cancelled", "skipped")]


def decided_cases(database: Database) -> list[dict[str, Any]]:
    return [row for row in rows(database, CaseTimeRow) if in_period(row["closed_at"]) and row["status"] != "withdrawn"]


# --- each figure, counted plainly -------------------------------------------------------------------------------------


def test_on_time_counts_promises_that_were_kept(cases: Database) -> None:
    stages, whole = decided_stages(cases), decided_cases(cases)
    for line in made(cases, "on-time").lines:
        assert line.about is not None
        stage, framework = line.about["stage"], line.about["framework"]
        of_line = [row for row in (whole if stage == "*" else stages) if row["framework_id"] == framework]
        of_line = [row for row in of_line if stage in ("*", row.get("stage"))]
        kept = [row["on_time"] for row in of_line]
        assert (line.cells["decided"], line.cells["kept"], line.cells["late"]) == (
            len(kept),
            kept.count(True),
            kept.count(False),
        )
        assert line.cells["rate"] == round(kept.count(True) * 100 / len(kept), 1)


@pytest.mark.parametrize(("name", "column"), [("units", "unit"), ("frameworks", "framework_id")])
def test_on_time_by_unit_and_framework_adds_up_to_all(cases: Database, name: str, column: str) -> None:
    stages, whole = decided_stages(cases), decided_cases(cases)
    lines = made(cases, name).lines
    assert len(lines) == len({row[column] for row in (*stages, *whole)})
    assert sum(line.cells["decided"] for line in lines) == len(stages)
    assert sum(line.cells["cases"] for line in lines) == len(whole)
    assert sum(line.cells["late"] for line in lines) == [row["on_time"] for row in stages].count(False)


def test_times_are_the_percentiles_of_all_values(cases: Database) -> None:
    [line] = [
        line
        for line in made(cases, "times").lines
        if line.about == {"framework": "coursework-credit", "stage": "quality"}
    ]
    stages = [row for row in decided_stages(cases) if row["framework_id"] == "coursework-credit"]
    values = [row["seconds"] for row in stages if row["stage"] == "quality"]
    hundredths = statistics.quantiles(values, n=100, method="inclusive")
    for key, percent in (("low", 25), ("median", 50), ("high", 75), ("p90", 90)):
        assert line.cells[key] == pytest.approx(hundredths[percent - 1], abs=0.5001)


def test_holders_share_all_the_time_of_the_cases(cases: Database) -> None:
    for line in made(cases, "holders").lines:
        assert line.about is not None
        of_line = [row for row in decided_cases(cases) if row["framework_id"] == line.about["framework"]]
        for holder in ("author", "reviewer", "partner", "office", "system"):
            mean = statistics.mean(row[f"{holder}_seconds"] for row in of_line)
            assert line.cells[holder] == pytest.approx(mean, abs=0.5001)
        assert line.cells["total"] == pytest.approx(statistics.mean(row["seconds"] for row in of_line), abs=0.5001)


def test_ageing_has_every_open_case_once(cases: Database) -> None:
    lines = made(cases, "ageing").lines
    waiting = [row for row in rows(cases, CaseRow) if row["closed_at"] is None]
    assert sum(line.cells["cases"] for line in lines) == len(waiting) > 0
    parts = sum(line.cells[key] for line in lines for key in ("review", "author", "hold"))
    assert parts == len(waiting)
    late = [row for row in waiting if row["breached_at"] or row["due_at"] < NOW]
    assert sum(line.cells["late"] for line in lines) == len(late)


def test_the_funnel_follows_the_cases_of_the_period(cases: Database) -> None:
    submitted = {row["case_id"] for row in rows(cases, CaseRow) if in_period(row["opened_at"])}
    times, stages = rows(cases, StageTimeRow), rows(cases, StageRow)
    lines = made(cases, "funnel").lines
    assert sum(line.cells["reached"] for line in lines if line.about is None) == len(submitted)
    for stage in ("proposal", "quality", "industry", "publication"):
        reached = {row["case_id"] for row in (*times, *stages) if row["stage"] == stage} & submitted
        through = ("approved", "published")
        passed = {row["case_id"] for row in times if row["stage"] == stage and row["outcome"] in through} & submitted
        of_stage = [line.cells for line in lines if line.about and line.about["stage"] == stage]
        assert sum(cells["reached"] for cells in of_stage) == len(reached)
        assert sum(cells["passed"] for cells in of_stage) == len(passed)


def test_rework_counts_rounds(cases: Database) -> None:
    whole = decided_cases(cases)
    lines = made(cases, "rework").lines
    assert sum(line.cells["repeated"] for line in lines) == len([row for row in whole if row["rounds"] > 1]) > 0
    assert sum(line.cells["changes"] for line in lines) == sum(row["changes_requested"] for row in whole)
    assert sum(line.cells["lapsed"] for line in lines) == sum(row["lapsed"] for row in whole)
    by_stage = made(cases, "changes").lines
    asked = [row for row in decided_stages(cases) if row["outcome"] == "changes_requested"]
    assert sum(line.cells["changes"] for line in by_stage) == len(asked) > 0


def test_workload_has_who_waits_and_who_answered(cases: Database) -> None:
    is_open = {row["case_id"] for row in rows(cases, CaseRow) if row["closed_at"] is None}
    tasks = [row for row in rows(cases, TaskRow) if row["status"] == "open" and row["case_id"] in is_open]
    answers = [row for row in rows(cases, AnswerTimeRow) if in_period(row["answered_at"])]
    lines = {line.cells["reviewer"]: line.cells for line in made(cases, "workload").lines}
    assert set(lines) == {row["assignee"] for row in tasks} | {row["reviewer"] for row in answers}
    for person, cells in lines.items():
        own = [row for row in tasks if row["assignee"] == person]
        assert (cells["open"], cells["late"]) == (len(own), len([row for row in own if row["due_at"] < NOW]))
        values = [row["seconds"] for row in answers if row["reviewer"] == person]
        assert cells["answered"] == len(values)
        expected = statistics.median(values) if values else None
        assert cells["median"] == (expected if expected is None else pytest.approx(expected, abs=0.5001))


def test_the_trend_has_every_month_of_the_period(cases: Database) -> None:
    lines = made(cases, "trend").lines
    assert [line.cells["month"] for line in lines] == [f"2026-{month:02d}" for month in range(2, 11)]
    submitted = [row for row in rows(cases, CaseRow) if in_period(row["opened_at"])]
    assert sum(line.cells["submitted"] for line in lines) == len(submitted)
    assert sum(line.cells["decided"] for line in lines) == len(decided_cases(cases))
    given_up = [row for row in rows(cases, CaseTimeRow) if row["status"] == "withdrawn" and in_period(row["closed_at"])]
    assert sum(line.cells["withdrawn"] for line in lines) == len(given_up)


# --- the cases behind the numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
def test_every_number_leads_to_its_cases(cases: Database, name: str) -> None:
    figure, seen = made(cases, name), 0
    for line in figure.lines:
        for column in figure.columns:
            if not column.which or line.about is None:
                continue
            number = line.cells[column.key]
            about: dict[str, Any] = dict(line.about)
            found = behind(cases, name, column.which, **about)
            several = (name, column.key) in SEVERAL_A_CASE or column.which == "answered"
            several = several or (name in PASSAGES and line.about.get("stage") != "*" and column.which != "cases")
            if several and column.which != "cases_late":
                assert (0 < found.total <= number) if number else found.total == 0
            else:
                assert found.total == number, (line, column)
            seen += number > 0
    assert seen > 0


def test_a_list_of_cases_is_paged_newest_first(cases: Database) -> None:
    first, second = (behind(cases, "trend", "submitted", page=page) for page in (1, 2))
    assert first.total == len(first.cases) + len(second.cases)
    assert len(first.cases) == CASES_A_PAGE
    opened = [case.opened_at for case in (*first.cases, *second.cases)]
    assert opened == sorted(opened, reverse=True)


@pytest.mark.parametrize(("name", "which"), [(name, "nonsense") for name in FIGURES] + [("nothing", "all")])
def test_cases_that_no_figure_counts_are_refused(cases: Database, name: str, which: str) -> None:
    with pytest.raises(NotFound) as refused:
        behind(cases, name, which)
    assert refused.value.code == "figure_unknown"


# --- filters and scope ------------------------------------------------------------------------------------------------


def counted(figure: Figure) -> int:
    first = next(column.key for column in figure.columns if column.kind == "count")
    return sum(line.cells[first] for line in figure.lines)


@pytest.mark.parametrize("name", FIGURES)
def test_filters_and_scope_narrow_every_figure(cases: Database, name: str) -> None:
    everything = counted(made(cases, name))
    for parts in (
        [
            made(cases, name, framework=framework)
            for framework in ("industry-credit", "coursework-credit", "non-credit")
        ],
        [made(cases, name, kind=kind) for kind in ("industry_credit", "coursework_credit", "non_credit")],
        [made(cases, name, scope=Scope(frozenset({unit}))) for unit in _units(cases)],
        [made(cases, name, unit=unit) for unit in _units(cases)],
    ):
        assert sum(map(counted, parts)) == everything > 0
    assert counted(made(cases, name, scope=Scope(frozenset()))) == 0
    assert counted(made(cases, name, scope=Scope(frozenset({"Law"})), unit="Arts")) == 0


def _units(database: Database) -> list[str]:
    return sorted({row["unit"] for row in rows(database, CaseRow)})


def test_scope_narrows_the_lists_of_cases(cases: Database) -> None:
    law = Scope(frozenset({"Law"}))
    found = behind(cases, "trend", "submitted", law)
    assert {case.unit for case in found.cases} == {"Law"}
    assert behind(cases, "workload", "answered", law, reviewer="reviewer.01@example.edu").total < found.total + 1


def test_without_days_the_period_is_the_last_twelve_months() -> None:
    found = Filter.parse({}, dt.date(2026, 11, 25))
    assert (found.first_on, found.last_on) == (dt.date(2025, 12, 1), dt.date(2026, 11, 25))
    assert Filter.parse(found.as_query(), dt.date(2027, 1, 1)) == found


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"from": "yesterday"}, "period_malformed"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "period_malformed"),
        ({"kind": "nothing"}, "credential_kind_unknown"),
    ],
)
def test_filters_that_mean_nothing_are_refused(given: dict[str, str], code: str) -> None:
    with pytest.raises(InputError) as refused:
        Filter.parse(given, dt.date(2026, 11, 25))
    assert refused.value.code == code


@pytest.mark.parametrize(
    "given", [{"from": "0001-01-01", "to": "9999-12-31"}, {"from": "9999-12-01", "to": "9999-12-31"}]
)
@pytest.mark.parametrize("name", FIGURES)
def test_the_ends_of_the_calendar_are_days_like_others(cases: Database, name: str, given: dict[str, Any]) -> None:
    assert len(made(cases, name, **given).lines) <= 150


@pytest.mark.parametrize("name", FIGURES)
def test_of_no_cases_every_figure_is_made(database: Database, name: str) -> None:
    figure = made(database, name)
    assert all(not line.cells.get("decided") and not line.cells.get("cases") for line in figure.lines)
    assert figure.as_csv().startswith(figure.columns[0].name)


def test_every_figure_has_its_title_and_says_what_is_counted(cases: Database) -> None:
    assert set(TITLES) == set(FIGURES)
    for name in FIGURES:
        figure = made(cases, name)
        assert figure.name == name
        assert figure.counted.endswith(".")
        assert len({column.key for column in figure.columns}) == len(figure.columns)


# --- how much is asked of the database --------------------------------------------------------------------------------


@contextmanager
def queries(database: Database) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_figures_and_lists_ask_as_much_of_many_cases_as_of_few(database: Database) -> None:
    furnish(database)
    fill(database, 10, NOW, months=6)
    few = _numbers_of_queries(database)
    fill(database, 60, NOW, months=6, first=10)
    assert _numbers_of_queries(database) == few
    # The transaction's beginning is one of them on SQLite.
    assert max(few.values()) <= 6, few


def _numbers_of_queries(database: Database) -> dict[str, int]:
    found = {}
    for name in FIGURES:
        made(database, name)  # frameworks are parsed once in a process
        with queries(database) as asked:
            made(database, name)
        found[name] = len(asked)
    for name, which in {"on-time": "late", "ageing": "all", "funnel": "reached", "workload": "open"}.items():
        with queries(database) as asked:
            behind(database, name, which, stage="quality", age="1", reviewer="reviewer.01@example.edu")
        found[f"cases of {name}"] = len(asked)
    return found
