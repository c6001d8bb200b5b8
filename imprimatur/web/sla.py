"""The governance office's figures: an overview, a page and a table for each, and the cases behind every number."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from imprimatur.errors import InputError
from imprimatur.history.figures import sums
from imprimatur.history.figures.ageing import LABELS
from imprimatur.history.figures.behind import ABOUT, AGES, CASES_A_PAGE, cases_behind
from imprimatur.history.figures.catalogue import FIGURES, make_figure
from imprimatur.history.figures.figure import Column, Figure, Line
from imprimatur.history.figures.filters import NAMES, Filter, Scope
from imprimatur.history.figures.naming import Names
from imprimatur.history.figures.quantiles import rate
from imprimatur.history.figures.titles import TITLES
from imprimatur.store.engine import Database
from imprimatur.web.charts import time_told
from imprimatur.web.figure_charts import Chart, charts_of
from imprimatur.web.rendering import page
from models.vocabulary import CredentialKind

LOOKING = ["GET", "HEAD"]
ON_THE_OVERVIEW = ("trend", "ageing", "holders")
# A page is for reading; the table for programs has all lines.
LINES_A_PAGE = 50
LAST_PAGE = 10_000

ScopeOf = Callable[[Request], Scope]


@dataclass(frozen=True)
class Cell:
    text: str
    href: str | None
    number: bool


@dataclass(frozen=True)
class Turning:
    """One of several pages, and where the ones before and after it are; empty where there is none."""

    number: int
    last: int
    before: str
    after: str


@dataclass(frozen=True)
class Section:
    """A figure as a page shows it: its charts, and as many lines of its table as one page has."""

    figure: Figure
    charts: list[Chart]
    rows: list[list[Cell]]
    turning: Turning
    href: str
    csv: str


def router(database: Database, scope_of: ScopeOf, now: Callable[[], dt.datetime] | None = None) -> APIRouter:
    """``scope_of`` says whose cases the asker may see, or raises; ``now`` is there for tests."""
    routes = APIRouter()
    clock = now or (lambda: dt.datetime.now(dt.UTC))

    @routes.api_route("/sla", methods=LOOKING)
    def overview(request: Request) -> Response:
        scope, at = scope_of(request), clock()
        chosen = Filter.parse(_given(request, NAMES), at.date())
        with database.read() as connection:
            names = Names.read(connection)
            figures = [make_figure(connection, name, chosen, scope, at, names) for name in ON_THE_OVERVIEW]
            frame = _frame(chosen, names, sums.units(connection, scope), "")
        values = frame | {"tiles": _tiles(figures[0], figures[1])}
        return page(request, "sla.html", values | {"sections": [section_of(figure, chosen) for figure in figures]})

    @routes.api_route("/sla/{name}.csv", methods=LOOKING)
    def table(request: Request, name: str) -> Response:
        scope, at = scope_of(request), clock()
        chosen = Filter.parse(_given(request, NAMES), at.date())
        with database.read() as connection:
            found = make_figure(connection, name, chosen, scope, at)
        named = f"{found.name}-{chosen.first_on}-{chosen.last_on}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{named}"'}
        return Response(found.as_csv(), media_type="text/csv; charset=utf-8", headers=headers)

    @routes.api_route("/sla/{name}", methods=LOOKING)
    def figure(request: Request, name: str) -> Response:
        scope, at = scope_of(request), clock()
        chosen = Filter.parse(_given(request, NAMES), at.date())
        number = _page_number(request.query_params.get("page", "1"))
        with database.read() as connection:
            names = Names.read(connection)
            found = make_figure(connection, name, chosen, scope, at, names)
            frame = _frame(chosen, names, sums.units(connection, scope), name)
        return page(request, "sla.html", frame | {"tiles": [], "sections": [section_of(found, chosen, number)]})

    @routes.api_route("/sla/{name}/cases", methods=LOOKING)
    def behind(request: Request, name: str) -> Response:
        scope, at = scope_of(request), clock()
        chosen = Filter.parse(_given(request, NAMES), at.date())
        about, which = _given(request, ABOUT), request.query_params.get("which", "all")
        number = _page_number(request.query_params.get("page", "1"))
        with database.read() as connection:
            found = cases_behind(connection, name, about, which, chosen, scope, at, number)
            names = Names.read(connection)
        query = chosen.as_query() | about | {"which": which}
        values = {
            "title": TITLES[name],
            "found": found,
            "names": names,
            "told": _told_of(chosen, about, which, names),
            "turning": _turning(query, number, found.total, CASES_A_PAGE),
            "back": f"/sla/{name}?{urlencode(chosen.as_query())}",
        }
        return page(request, "sla_cases.html", values)

    return routes


def _given(request: Request, names: Sequence[str]) -> dict[str, str]:
    # No name that is stored has the character that databases cannot compare.
    given = {name: request.query_params.get(name, "").replace("\0", "").strip() for name in names}
    return {name: value for name, value in given.items() if value}


def _page_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= LAST_PAGE):
        raise InputError("page_malformed", f"{text!r} is no number of a page.", f"Give one from 1 to {LAST_PAGE}.")
    return int(text[:6])


def _turning(query: Mapping[str, str], number: int, total: int, length: int) -> Turning:
    last = max(1, -(-total // length))
    before, after = (f"?{urlencode({**query, 'page': str(to)})}" for to in (min(number - 1, last), number + 1))
    return Turning(number, last, before if number > 1 else "", after if number < last else "")


def _frame(chosen: Filter, names: Names, units: Sequence[str], current: str) -> dict[str, Any]:
    query = urlencode(chosen.as_query())
    return {
        "chosen": chosen,
        "frameworks": [(id_, policy.name) for id_, policy in names.policies.items()],
        "units": units,
        "kinds": list(CredentialKind),
        "pages": [("", "Overview", f"/sla?{query}"), *((n, TITLES[n], f"/sla/{n}?{query}") for n in FIGURES)],
        "current": current,
    }


def section_of(figure: Figure, chosen: Filter, number: int = 1) -> Section:
    query, address = chosen.as_query(), f"/sla/{figure.name}"
    shown = figure.lines[(number - 1) * LINES_A_PAGE : number * LINES_A_PAGE]
    rows = [list(_cells(figure, line, query)) for line in shown]
    turning, narrowed = _turning(query, number, len(figure.lines), LINES_A_PAGE), urlencode(query)
    return Section(figure, charts_of(figure), rows, turning, f"{address}?{narrowed}", f"{address}.csv?{narrowed}")


def _cells(figure: Figure, line: Line, query: Mapping[str, str]) -> Iterator[Cell]:
    behind = f"/sla/{figure.name}/cases?{urlencode({**query, **(line.about or {})})}&which="
    for column in figure.columns:
        value = line.cells.get(column.key)
        leads = column.which and line.about is not None and value
        yield Cell(_told(column, value), behind + column.which if leads else None, column.kind != "text")


def _told(column: Column, value: Any) -> str:
    if column.kind == "time":
        return time_told(value)
    if value is None:
        return "\N{EN DASH}"
    if column.kind == "percent":
        return f"{value:g} %"
    return f"{value:,}" if column.kind in ("count", "ratio") else str(value)


def _tiles(trend: Figure, ageing: Figure) -> list[tuple[str, str]]:
    def total(figure: Figure, key: str) -> int:
        return sum(line.cells[key] for line in figure.lines)

    kept, late = total(trend, "kept"), total(trend, "late")
    share = rate(kept, kept + late)
    return [
        ("Submitted", f"{total(trend, 'submitted'):,}"),
        ("Decided", f"{total(trend, 'decided'):,}"),
        ("On time", "\N{EN DASH}" if share is None else f"{share:g} %"),
        ("Open now", f"{total(ageing, 'cases'):,}"),
        ("Late as a whole", f"{total(ageing, 'late'):,}"),
    ]


def _told_of(chosen: Filter, about: dict[str, str], which: str, names: Names) -> Iterator[tuple[str, str]]:
    """What the listed cases have in common."""
    yield "Period", f"{chosen.first_on} to {chosen.last_on}"
    if chosen.framework:
        yield "Framework", names.framework(chosen.framework)
    if chosen.kind:
        yield "Kind", chosen.kind.replace("_", " ")
    if chosen.unit:
        yield "Unit", chosen.unit
    if stage := about.get("stage"):
        yield "Stage", names.stage(chosen.framework or "", stage)
    if reviewer := about.get("reviewer"):
        yield "Reviewer", reviewer
    if (place := about.get("age", "")) in AGES:
        yield "Age", LABELS[AGES.index(place)]
    yield "Which", which.replace("_", " ")
