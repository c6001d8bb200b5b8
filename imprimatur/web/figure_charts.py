"""Which chart shows which figure. Pure."""

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from imprimatur.history.figures.figure import Figure, Line
from imprimatur.web.charts import (
    PERCENT,
    Bar,
    Range,
    Scale,
    Series,
    bars,
    lines,
    ranges,
    scale_of,
    time_scale,
    time_told,
)

# More bars than these nobody compares; the table has them all.
BARS_AT_MOST = 15


@dataclass(frozen=True)
class Chart:
    """``key`` explains the series: number of a colour and what it stands for. ``note`` says what is left out."""

    title: str
    svg: Markup
    key: tuple[tuple[int, str], ...] = ()
    note: str = ""


def charts_of(figure: Figure) -> list[Chart]:
    """None of a figure that counts nothing."""
    return [chart for chart in _CHARTS[figure.name](figure) if chart.svg]


def _most(figure: Figure, key: str) -> tuple[list[Line], str]:
    """The lines with the largest values, in the figure's own order."""
    if len(figure.lines) <= BARS_AT_MOST:
        return figure.lines, ""
    chosen = sorted(figure.lines, key=lambda line: -(line.cells[key] or 0))[:BARS_AT_MOST]
    return [line for line in figure.lines if line in chosen], f"The {BARS_AT_MOST} with most of {len(figure.lines)}."


def _rates(figure: Figure) -> list[Chart]:
    rows, note = _most(figure, "decided")
    drawn = [
        Bar(_label(line), _rate_told(line), ((line.cells["rate"] or 0, 1),), _heading(line))
        for line in rows
        if line.cells["decided"]
    ]
    title = "Asked for changes" if figure.name == "changes" else "Decided on time"
    scale = PERCENT
    if figure.name == "changes":
        scale = scale_of(max((line.cells["rate"] or 0 for line in rows), default=0), " %")
    return [Chart(title, bars(figure.name, title, drawn, scale), note=note)]


def _label(line: Line) -> str:
    return str(next(line.cells[key] for key in ("stage", "unit", "framework") if key in line.cells))


def _heading(line: Line) -> str:
    return str(line.cells["framework"]) if "stage" in line.cells else ""


def _rate_told(line: Line) -> str:
    rate, number = line.cells["rate"], line.cells["decided"]
    return f"no promise, {number:,}" if rate is None else f"{rate:g} % of {number:,}"


def _times(figure: Figure) -> list[Chart]:
    known = [line for line in figure.lines if line.cells["median"] is not None]
    drawn = [
        Range(
            _label(line),
            f"{time_told(line.cells['median'], 'd')}, 90 % in {time_told(line.cells['p90'], 'd')}",
            low=line.cells["low"],
            median=line.cells["median"],
            high=line.cells["high"],
            p90=line.cells["p90"],
            heading=_heading(line),
        )
        for line in known
    ]
    title = "Median business time, the middle half, and nine tenths"
    return [Chart(title, ranges(figure.name, title, drawn, time_scale(_top(known, ("p90",)))))]


def _top(rows: Sequence[Line], keys: Sequence[str]) -> float:
    return max((sum(line.cells[key] or 0 for key in keys) for line in rows), default=0)


# A holder has one colour wherever it is shown.
HOLDERS = {"author": 4, "reviewer": 1, "partner": 3, "office": 5, "system": 2}
AGEING = {"review": 1, "author": 4, "hold": 2}


def _stacked(figure: Figure, numbers: Mapping[str, int], scale: Scale, drawn: list[Bar], title: str) -> Chart:
    labels = {column.key: column.label for column in figure.columns}
    key = tuple((number, labels[name]) for name, number in numbers.items())
    return Chart(title, bars(figure.name, title, drawn, scale), key)


def _parts(line: Line, numbers: Mapping[str, int]) -> tuple[tuple[float, int], ...]:
    return tuple((line.cells[name], number) for name, number in numbers.items())


def _holders(figure: Figure) -> list[Chart]:
    drawn = [
        Bar(line.cells["framework"], time_told(line.cells["total"]), _parts(line, HOLDERS)) for line in figure.lines
    ]
    scale = time_scale(_top(figure.lines, tuple(HOLDERS)))
    return [_stacked(figure, HOLDERS, scale, drawn, "Mean business time of a case, by holder")]


def _ageing(figure: Figure) -> list[Chart]:
    drawn = [Bar(line.cells["age"], f"{line.cells['cases']:,}", _parts(line, AGEING)) for line in figure.lines]
    return [_stacked(figure, AGEING, scale_of(_top(figure.lines, tuple(AGEING))), drawn, "Open cases by age")]


def _workload(figure: Figure) -> list[Chart]:
    """What waits, the late part of it apart."""
    rows, note = _most(figure, "open")
    drawn = [
        Bar(
            line.cells["reviewer"],
            f"{line.cells['open']:,}, {line.cells['late']:,} late",
            ((line.cells["open"] - line.cells["late"], 1), (line.cells["late"], 5)),
        )
        for line in rows
        if line.cells["open"]
    ]
    title = "Waiting tasks"
    svg = bars(figure.name, title, drawn, scale_of(_top(rows, ("open",))))
    return [Chart(title, svg, ((1, "In time"), (5, "Late")), note)]


def _funnel(figure: Figure) -> list[Chart]:
    found = []
    frameworks = list(dict.fromkeys(line.cells["framework"] for line in figure.lines))
    for index, framework in enumerate(frameworks):
        rows = [line for line in figure.lines if line.cells["framework"] == framework]
        drawn = [
            Bar(
                line.cells["stage"],
                f"{line.cells['passed']:,} of {line.cells['reached']:,}, {line.cells['share']:g} %",
                ((line.cells["passed"], 1), (max(0, line.cells["reached"] - line.cells["passed"]), 2)),
            )
            for line in rows
        ]
        svg = bars(f"{figure.name}-{index}", framework, drawn, scale_of(_top(rows, ("reached",))))
        found.append(Chart(framework, svg, ((1, "Passed"), (2, "Reached, not passed"))))
    return found


def _rework(figure: Figure) -> list[Chart]:
    drawn = [
        Bar(
            line.cells["framework"],
            f"{line.cells['share']:g} %, {line.cells['rounds']:.2f} rounds",
            ((line.cells["share"] or 0, 1),),
        )
        for line in figure.lines
    ]
    title = "Cases that took more than one round"
    return [Chart(title, bars(figure.name, title, drawn, PERCENT))]


def _trend(figure: Figure) -> list[Chart]:
    places = [_month(line.cells["month"]) for line in figure.lines]

    def series(keys: tuple[tuple[str, str, int], ...]) -> tuple[Series, ...]:
        return tuple(Series(name, tuple(line.cells[key] for line in figure.lines), n) for key, name, n in keys)

    def drawn(name: str, title: str, keys: tuple[tuple[str, str, int], ...], scale: Scale) -> Chart:
        svg = lines(f"{figure.name}-{name}", title, places, series(keys), scale)
        return Chart(title, svg, tuple((number, told) for _, told, number in keys))

    cases = max((max(line.cells["submitted"], line.cells["decided"]) for line in figure.lines), default=0)
    return [
        drawn("cases", "Cases", (("submitted", "Submitted", 1), ("decided", "Decided", 3)), scale_of(cases)),
        drawn("rate", "Decided on time", (("rate", "On time", 1),), PERCENT),
        drawn(
            "time",
            "Business time of a case",
            (("median", "Median", 1), ("p90", "Nine tenths within", 5)),
            time_scale(_top(figure.lines, ("p90",))),
        ),
    ]


def _month(text: str) -> str:
    year, month = text.split("-")
    return f"{calendar.month_abbr[int(month)]} {year[2:]}"


_CHARTS: dict[str, Callable[[Figure], list[Chart]]] = {
    "on-time": _rates,
    "frameworks": _rates,
    "units": _rates,
    "changes": _rates,
    "times": _times,
    "holders": _holders,
    "ageing": _ageing,
    "funnel": _funnel,
    "rework": _rework,
    "workload": _workload,
    "trend": _trend,
}
