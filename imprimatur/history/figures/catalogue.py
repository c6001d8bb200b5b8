"""All figures by name; each asks a constant number of questions."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Connection

from imprimatur.errors import NotFound
from imprimatur.history.figures import courses, times
from imprimatur.history.figures.asking import Asking
from imprimatur.history.figures.figure import Figure
from imprimatur.history.figures.filters import Filter, Scope
from imprimatur.history.figures.naming import Names

FIGURES: dict[str, Callable[[Asking], Figure]] = {
    "on-time": times.on_time,
    "frameworks": times.frameworks,
    "units": times.units,
    "times": times.times,
    "holders": times.holders,
    "ageing": courses.ageing,
    "funnel": courses.funnel,
    "rework": courses.rework,
    "changes": courses.changes,
    "workload": courses.workload,
    "trend": times.trend,
}


def make_figure(
    connection: Connection, name: str, chosen: Filter, scope: Scope, now: dt.datetime, names: Names | None = None
) -> Figure:
    """``names`` are read unless they are given. Raises NotFound ``figure_unknown``."""
    if name not in FIGURES:
        raise NotFound("figure_unknown", f"There is no figure {name!r}.", f"There are: {', '.join(FIGURES)}.")
    return FIGURES[name](Asking(connection, chosen, scope, names or Names.read(connection), now))
