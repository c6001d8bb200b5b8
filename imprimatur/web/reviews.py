"""Reviews of what is published: the office's list, and what reviewers and the pages of cases are shown of them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.errors import ImprimaturError
from imprimatur.gateway import Gateway
from imprimatur.improvement import Improvement, Sweep
from imprimatur.rules.improvement import INDICATOR_WORDS
from imprimatur.store.engine import Database
from imprimatur.store.indicators import IndicatorView
from imprimatur.store.reviews_reading import ReviewLine, ReviewSheet, review_lines
from imprimatur.web.admin.forms import Forms, may, whole_office
from imprimatur.web.charts import Bar, bars, scale_of
from imprimatur.web.documents import LOOKING
from imprimatur.web.rendering import page
from models.improvement import Threshold
from models.vocabulary import Indicator

ROUND = "reviews run"
SOON = dt.timedelta(days=60)
PAGE_LENGTH = 50
# So many of the latest periods are drawn; the table has them all.
DRAWN = 8


@dataclass(frozen=True)
class Course:
    """One indicator over its periods: drawn, and as the rows of its table; it should not fall below ``line``."""

    indicator: Indicator
    title: str
    svg: Markup
    rows: Sequence[tuple[IndicatorView, bool]]
    line: Threshold | None


def courses(sheet: ReviewSheet) -> list[Course]:
    lines = {threshold.indicator: threshold for threshold in sheet.thresholds}
    found = []
    for indicator in Indicator:
        values = [item for item in sheet.indicators if item.indicator is indicator]
        if values:
            found.append(_course(indicator, values, lines.get(indicator)))
    return found


def _course(indicator: Indicator, values: Sequence[IndicatorView], line: Threshold | None) -> Course:
    title = INDICATOR_WORDS[indicator]
    title = title[0].upper() + title[1:]
    below = [line is not None and item.value < line.below for item in values]
    drawn = [
        Bar(item.period, f"{item.value:g}" + (", below the line" if low else ""), ((item.value, 2 if low else 1),))
        for item, low in list(zip(values, below, strict=True))[-DRAWN:]
    ]
    top = max([item.value for item in values] + ([line.below] if line else []))
    svg = bars(f"indicator-{indicator}", title, drawn, scale_of(top, whole=False))
    return Course(indicator, title, svg, list(zip(values, below, strict=True)), line)


@dataclass(frozen=True)
class Listed:
    """The list in the order in which it needs the office."""

    open: Sequence[ReviewLine]
    due: Sequence[ReviewLine]
    coming: Sequence[ReviewLine]
    later: Sequence[ReviewLine]
    ending: Sequence[ReviewLine]


def listed(lines: Sequence[ReviewLine], now: dt.datetime) -> Listed:
    waiting = [line for line in lines if line.open_review is None and line.next_at is not None]
    return Listed(
        [line for line in lines if line.open_review is not None],
        [line for line in waiting if line.next_at and line.next_at <= now],
        [line for line in waiting if line.next_at and now < line.next_at <= now + SOON],
        [line for line in waiting if line.next_at and line.next_at > now + SOON],
        [line for line in lines if line.open_review is None and line.next_at is None and line.retire_on is not None],
    )


def router(database: Database, forms: Forms, gateway: Gateway | None) -> APIRouter:
    """Without a ``gateway`` reviews can be looked at, and the round of a day not be made."""
    routes = APIRouter()

    def show(request: Request, viewer: Viewer, first: int = 0, status: int = 200, **told: Any) -> Response:
        now = dt.datetime.now(dt.UTC)
        lines = review_lines(database, now, viewer.scope, first=first, most=PAGE_LENGTH + 1)
        more = len(lines) > PAGE_LENGTH
        values = {"listed": listed(lines[:PAGE_LENGTH], now), "any": bool(lines), "first": first}
        values |= {"next": first + PAGE_LENGTH if more else None, "takes_figures": may(whole_office, viewer)}
        values |= {"runs": gateway is not None and values["takes_figures"], "once": forms.once(viewer, ROUND)}
        return page(request, "reviews.html", values | {"done": None, "again": False, "error": None} | told, status)

    @routes.api_route("/reviews", methods=LOOKING)
    def reviews(request: Request, first: Annotated[int, Query(ge=0, le=10**6)] = 0) -> Response:
        return show(request, forms.viewer(request), first)

    if gateway is None:
        return routes
    improvement = Improvement(gateway, database)

    @routes.post("/reviews/run")
    async def run(request: Request) -> Response:
        """What came of it is told once: the same form again does nothing."""
        sent = await forms.sent(request, whole_office)
        done: list[Sweep] = []

        async def sweep() -> None:
            done.append(await improvement.sweep(dt.datetime.now(dt.UTC)))

        try:
            again = not await forms.first(sent, ROUND, sweep)
        except ImprimaturError as error:
            failed = error
            return await run_in_threadpool(lambda: show(request, sent.viewer, status=failed.http_status, error=failed))
        return await run_in_threadpool(lambda: show(request, sent.viewer, done=done[0] if done else None, again=again))

    return routes
