"""Reviews of what is published: the office's list, and what reviewers and the pages of cases are shown of them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from imprimatur.rules.improvement import INDICATOR_WORDS
from imprimatur.store.engine import Database
from imprimatur.store.indicators import IndicatorView
from imprimatur.store.reviews_reading import ReviewLine, ReviewSheet, review_lines
from imprimatur.web.admin.forms import may, overseer, whole_office
from imprimatur.web.charts import Bar, bars, scale_of
from imprimatur.web.documents import LOOKING
from imprimatur.web.gate import Gate
from imprimatur.web.rendering import page
from models.improvement import Threshold
from models.vocabulary import Indicator

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


def router(database: Database, gate: Gate) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/reviews", methods=LOOKING)
    def reviews(request: Request, first: Annotated[int, Query(ge=0, le=10**6)] = 0) -> Response:
        now = dt.datetime.now(dt.UTC)
        viewer = overseer(gate.viewer(request))
        lines = review_lines(database, now, viewer.scope, first=first, most=PAGE_LENGTH + 1)
        more = len(lines) > PAGE_LENGTH
        values = {"listed": listed(lines[:PAGE_LENGTH], now), "any": bool(lines), "first": first}
        values |= {"next": first + PAGE_LENGTH if more else None, "takes_figures": may(whole_office, viewer)}
        return page(request, "reviews.html", values)

    return routes
