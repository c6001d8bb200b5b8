"""The governance office's figures: an overview, a page and a table for each, and the cases behind every number."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
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
LINES_A_PAGE = 100
LAST_PAGE = 10_000

ScopeOf = Callable[[Request], Scope]


@dataclass(frozen=True)
class Cell:
    text: str
    href: str | None
    number: bool


@dataclass(frozen=True)
class Section:
    """A figure as the page shows it; ``more`` counts the lines that only the table for programs has."""

    figure: Figure
    charts: list[Chart]
    rows: list[list[Cell]]
    more: int
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
        with database.read() as connection:
            names = Names.read(connection)
            found = make_figure(connection, name, chosen, scope, at, names)
            frame = _frame(chosen, names, sums.units(connection, scope), name)
        return page(request, "sla.html", frame | {"tiles": [], "sections": [section_of(found, chosen)]})

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
        last = max(1, -(-found.total // CASES_A_PAGE))
        pages = {"before": number - 1 if number > 1 else 0, "after": number + 1 if number < last else 0}
        values = {
            "title": TITLES[name],
            "found": found,
            "names": names,
            "told": _told_of(chosen, about, which, names),
            "number": number,
            "last": last,
            "links": {way: f"?{urlencode(query | {'page': str(to)})}" if to else "" for way, to in pages.items()},
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


def section_of(figure: Figure, chosen: Filter) -> Section:
    query = urlencode(chosen.as_query())
    shown = figure.lines[:LINES_A_PAGE]
    rows = [[_cell(figure, line, column, chosen) for column in figure.columns] for line in shown]
    more = len(figure.lines) - len(shown)
    address = f"/sla/{figure.name}"
    return Section(figure, charts_of(figure), rows, more, f"{address}?{query}", f"{address}.csv?{query}")


def _cell(figure: Figure, line: Line, column: Column, chosen: Filter) -> Cell:
    value = line.cells.get(column.key)
    href = None
    if column.which and line.about is not None and value:
        query = chosen.as_query() | line.about | {"which": column.which}
        href = f"/sla/{figure.name}/cases?{urlencode(query)}"
    return Cell(_told(column, value), href, column.kind != "text")


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
