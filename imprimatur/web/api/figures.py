"""The governance office's figures, as JSON and CSV, and the cases behind each number."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from imprimatur.access.viewer import Viewer
from imprimatur.history.figures.behind import ABOUT, CASES_A_PAGE, CaseBehind, cases_behind
from imprimatur.history.figures.catalogue import FIGURES, make_figure
from imprimatur.history.figures.figure import Figure
from imprimatur.history.figures.filters import Filter, Scope
from imprimatur.history.figures.titles import TITLES
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import Page
from imprimatur.web.api.guard import Reads
from imprimatur.web.api.paging import Cursor, number_in
from imprimatur.web.api.standing import oversee

Day = Annotated[str | None, Query(max_length=10, description="A day of UTC, both included.", examples=["2026-03-02"])]
Narrowing = Annotated[str | None, Query(max_length=200)]


class FigureName(BaseModel):
    figure: str
    title: str


class ColumnDocument(BaseModel):
    """``which`` of a line's cases the column counts; empty: it counts none. Times are business hours."""

    name: str
    label: str
    kind: str
    which: str


class LineDocument(BaseModel):
    """``cells`` by the columns' names. ``about``, with a column's ``which``, leads to its cases; null: to none."""

    cells: dict[str, Any]
    about: dict[str, str] | None


class FigureDocument(BaseModel):
    figure: str
    title: str
    counted: str
    filter: dict[str, str]
    columns: list[ColumnDocument]
    lines: list[LineDocument]


class BehindPage(Page[CaseBehind]):
    """``total`` cases are behind the number."""

    total: int


def _chosen(
    first: Annotated[Day, Query(alias="from")] = None,
    to: Day = None,
    framework: Narrowing = None,
    unit: Narrowing = None,
    kind: Narrowing = None,
) -> Filter:
    given = {"from": first, "to": to, "framework": framework, "unit": unit, "kind": kind}
    # No name that is stored has the character that databases cannot compare.
    clean = {name: value.replace("\0", "").strip() if value else None for name, value in given.items()}
    return Filter.parse(clean, dt.datetime.now(dt.UTC).date())


Chosen = Annotated[Filter, Depends(_chosen)]


def router(database: Database) -> APIRouter:
    routes = APIRouter(tags=["figures"])

    @routes.get("/figures", summary="Which figures there are")
    def figures(viewer: Reads) -> Page[FigureName]:
        oversee(viewer)
        return Page(items=[FigureName(figure=name, title=TITLES[name]) for name in FIGURES])

    @routes.get(
        "/figures/{name}.csv",
        summary="A figure as CSV",
        response_class=Response,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    def table(viewer: Reads, name: str, chosen: Chosen) -> Response:
        return Response(_made(database, viewer, name, chosen).as_csv(), media_type="text/csv; charset=utf-8")

    @routes.get("/figures/{name}", summary="A figure of a period; the last twelve months unless said")
    def figure(viewer: Reads, name: str, chosen: Chosen) -> FigureDocument:
        found = _made(database, viewer, name, chosen)
        columns = [ColumnDocument(name=c.name, label=c.label, kind=c.kind, which=c.which) for c in found.columns]
        lines = [
            LineDocument(cells={c.name: c.told(line.cells.get(c.key)) for c in found.columns}, about=line.about)
            for line in found.lines
        ]
        return FigureDocument(
            figure=found.name,
            title=found.title,
            counted=found.counted,
            filter=chosen.as_query(),
            columns=columns,
            lines=lines,
        )

    @routes.get("/figures/{name}/cases", summary="The cases behind a number, the newest first")
    def behind(
        viewer: Reads,
        name: str,
        chosen: Chosen,
        which: Annotated[str, Query(max_length=50, description="A column's `which`.")] = "all",
        stage: Narrowing = None,
        reviewer: Narrowing = None,
        age: Narrowing = None,
        cursor: Cursor = None,
    ) -> BehindPage:
        """The members of a line's `about` belong into the query, beside the figure's own filter."""
        scope, number = _scope(viewer), number_in(cursor, 1)
        about = {key: value for key, value in zip(ABOUT, (stage, reviewer, age), strict=True) if value}
        with database.read() as connection:
            found = cases_behind(connection, name, about, which, chosen, scope, dt.datetime.now(dt.UTC), number)
        more = number * CASES_A_PAGE < found.total
        return BehindPage(items=found.cases, next_cursor=str(number + 1) if more else None, total=found.total)

    return routes


def _scope(viewer: Viewer) -> Scope:
    """Raises NotAllowed ``oversight_only``."""
    oversee(viewer)
    return Scope(None if viewer.scope.everything else viewer.scope.units)


def _made(database: Database, viewer: Viewer, name: str, chosen: Filter) -> Figure:
    scope = _scope(viewer)
    with database.read() as connection:
        return make_figure(connection, name, chosen, scope, dt.datetime.now(dt.UTC))
