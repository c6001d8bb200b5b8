"""Charts as SVG, from numbers alone. Pure.

Places along a chart are per cent of its width and heights are pixels, so a chart fills any width while its text keeps
its size. Colours are classes of the stylesheet (``s1`` to ``s5`` for series): the pages' policy allows no style in
place, and light and dark differ. Every chart has a title and a description for those who hear it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

HOUR, DAY = 3600, 8 * 3600
# From here on, times are told in days.
DAYS_FROM = 2 * DAY
TICKS_AT_MOST = 6
LABEL_Y, BAR_Y, BAR_HEIGHT, ROW_HEIGHT, HEADING_HEIGHT, AXIS_HEIGHT = 14, 21, 14, 48, 28, 22
PLOT_HEIGHT, PLOT_TOP = 180, 18
# Left of the first place stands what the lines of the grid mean.
INSET_LEFT, INSET_RIGHT = 9.0, 4.0
# Characters of a label and its value that a narrow screen has room for.
ROW_LENGTH, SHORTEST_LABEL = 43, 12
PLACES_NAMED = 5


@dataclass(frozen=True)
class Scale:
    """From 0 to ``top``; ``ticks`` are values with what they are called."""

    top: float
    ticks: tuple[tuple[float, str], ...]

    def percent(self, value: float) -> float:
        return min(max(value / self.top, 0), 1) * 100 if self.top else 0.0


@dataclass(frozen=True)
class Bar:
    """``parts`` follow each other, each with the number of its series; ``told`` stands at the end of its label."""

    label: str
    told: str
    parts: tuple[tuple[float, int], ...]
    heading: str = ""


@dataclass(frozen=True)
class Range:
    """The middle half with the median in it, and a line to the ninetieth percentile."""

    label: str
    told: str
    low: float
    median: float
    high: float
    p90: float
    heading: str = ""


@dataclass(frozen=True)
class Series:
    """A value for each place; None breaks the line."""

    name: str
    values: tuple[float | None, ...]
    number: int


def scale_of(top: float, unit: str = "", whole: bool = True) -> Scale:
    """Round ticks that reach ``top``; of nothing a scale without ticks. ``whole``: none between whole numbers."""
    if not math.isfinite(top) or top <= 0:
        return Scale(0.0, ())
    step = _step(top)
    step = max(step, 1.0) if whole else step
    number = max(1, math.ceil(top / step - 1e-9))
    return Scale(step * number, tuple((step * n, f"{step * n:,.10g}{unit}") for n in range(number + 1)))


def _step(top: float) -> float:
    rough = top / (TICKS_AT_MOST - 1)
    size: float = 10.0 ** math.floor(math.log10(rough))
    return next((size * factor for factor in (1, 2, 5) if size * factor >= rough * (1 - 1e-9)), size * 10)


def time_scale(top: float) -> Scale:
    """Of business seconds: in hours, or in days of 8 hours."""
    unit, name = (DAY, " d") if top >= DAYS_FROM else (HOUR, " h")
    found = scale_of(top / unit, name, whole=False)
    return Scale(found.top * unit, tuple((value * unit, told) for value, told in found.ticks))


PERCENT = Scale(100.0, tuple((float(value), f"{value} %") for value in (0, 20, 40, 60, 80, 100)))


def time_told(seconds: float | None, days: str = "days") -> str:
    """Such as 3.5 days, 2.3 h or 12 min of business time; a dash for none."""
    if seconds is None:
        return "\N{EN DASH}"
    if seconds >= DAYS_FROM:
        return f"{seconds / DAY:,.1f} {days}"
    return f"{seconds / HOUR:.1f} h" if seconds >= HOUR else f"{seconds / 60:.0f} min"


def bars(name: str, title: str, rows: Sequence[Bar], scale: Scale) -> Markup:
    """Lying bars, of one part or stacked; empty when there is nothing to draw."""
    if not rows or not scale.top:
        return Markup("")
    drawn = [(row.label, row.told, row.heading, _stack(row, scale)) for row in rows]
    return _rows(name, title, drawn, scale)


def _stack(bar: Bar, scale: Scale) -> list[str]:
    shapes, at = [_rect(0, 100, BAR_Y, BAR_HEIGHT, "rail")], 0.0
    for value, number in bar.parts:
        width = min(scale.percent(value), 100 - at)
        if width > 0:
            shapes.append(_rect(at, width, BAR_Y, BAR_HEIGHT, f"s{number}"))
            at += width
    return shapes


def ranges(name: str, title: str, rows: Sequence[Range], scale: Scale) -> Markup:
    """Boxes from the lower to the upper quarter, with a stroke at the median and a whisker to the ninetieth."""
    if not rows or not scale.top:
        return Markup("")
    return _rows(name, title, [(row.label, row.told, row.heading, _box(row, scale)) for row in rows], scale)


def _box(row: Range, scale: Scale) -> list[str]:
    low, median, high, p90 = (scale.percent(value) for value in (row.low, row.median, row.high, row.p90))
    middle = BAR_Y + BAR_HEIGHT / 2
    return [
        _rect(0, 100, BAR_Y, BAR_HEIGHT, "rail"),
        _line(low, middle, p90, middle, "whisker"),
        _line(p90, BAR_Y + 2, p90, BAR_Y + BAR_HEIGHT - 2, "whisker"),
        _rect(low, max(high - low, 0.3), BAR_Y, BAR_HEIGHT, "s1"),
        _line(median, BAR_Y - 2, median, BAR_Y + BAR_HEIGHT + 2, "median"),
    ]


def _rows(name: str, title: str, drawn: Sequence[tuple[str, str, str, list[str]]], scale: Scale) -> Markup:
    """Each row is a label with its value, and its shapes below; a heading parts rows that differ in it."""
    pieces: list[str] = []
    y, last = 0.0, ""
    for label, told, heading, shapes in drawn:
        if heading and heading != last:
            pieces.append(_text(0, y + 18, _short(heading, ROW_LENGTH), "start", "group"))
            y, last = y + HEADING_HEIGHT, heading
        inside = [
            _text(0, LABEL_Y, _short(label, ROW_LENGTH - len(told)), "start", ""),
            _text(100, LABEL_Y, told, "end", "value"),
            *shapes,
        ]
        # A group cannot be placed by per cent, but a picture within the picture can be placed by pixels.
        pieces.append(f'<svg y="{y:g}" height="{ROW_HEIGHT}" overflow="visible">{"".join(inside)}</svg>')
        y += ROW_HEIGHT
    axis = [_text(scale.percent(value), y + 12, told, _anchor(scale, value), "tick") for value, told in scale.ticks]
    said = "; ".join(f"{heading + ', ' if heading else ''}{label}: {told}" for label, told, heading, _ in drawn)
    return _svg(name, title, said, y + AXIS_HEIGHT, [*pieces, *axis])


def _anchor(scale: Scale, value: float) -> str:
    """Text at an edge stays inside."""
    return "start" if value == 0 else "end" if value >= scale.top else "middle"


def lines(name: str, title: str, places: Sequence[str], series: Sequence[Series], scale: Scale) -> Markup:
    """One line a series over the places, which are labelled as far as there is room; empty without any value."""
    if not places or not scale.top or all(value is None for one in series for value in one.values):
        return Markup("")
    pieces = []
    for value, told in scale.ticks:
        y = _height(scale, value)
        pieces += [_line(0, y, 100, y, "grid"), _text(0, y - 4, told, "start", "tick")]
    for one in series:
        pieces += _course(one, len(places), scale)
    bottom = PLOT_TOP + PLOT_HEIGHT
    for index in range(0, len(places), math.ceil(len(places) / PLACES_NAMED)):
        pieces.append(_text(_place(index, len(places)), bottom + 17, places[index], "middle", "tick"))
    said = "; ".join(
        f"{one.name}: {', '.join(f'{place} {_plain(v)}' for place, v in zip(places, one.values, strict=True))}"
        for one in series
    )
    return _svg(name, title, said, bottom + AXIS_HEIGHT, pieces)


def _course(one: Series, number: int, scale: Scale) -> list[str]:
    points = [
        (_place(index, number), _height(scale, value)) if value is not None else None
        for index, value in enumerate(one.values)
    ]
    strokes = [
        _line(*before, *after, f"stroke s{one.number}")
        for before, after in pairwise(points)
        if before is not None and after is not None
    ]
    dots = [
        f'<circle cx="{point[0]:.2f}%" cy="{point[1]:.1f}" r="3.5" class="s{one.number}"/>' for point in points if point
    ]
    return [*strokes, *dots]


def _place(index: int, number: int) -> float:
    share = index / (number - 1) if number > 1 else 0.5
    return INSET_LEFT + (100 - INSET_LEFT - INSET_RIGHT) * share


def _height(scale: Scale, value: float) -> float:
    return PLOT_TOP + PLOT_HEIGHT * (1 - scale.percent(value) / 100)


def _plain(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4g}"


def _short(label: str, room: int) -> str:
    length = max(room, SHORTEST_LABEL)
    return label if len(label) <= length else label[: length - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _svg(name: str, title: str, said: str, height: float, pieces: Sequence[str]) -> Markup:
    title_id, said_id = escape(f"{name}-t"), escape(f"{name}-d")
    return Markup(  # noqa: S704  (every text in the pieces is escaped where it is put in)
        f'<svg class="chart" role="img" width="100%" height="{height:g}" aria-labelledby="{title_id} {said_id}">'
        f'<title id="{title_id}">{escape(title)}</title><desc id="{said_id}">{escape(said)}</desc>'
        f"{''.join(pieces)}</svg>"
    )


def _rect(x: float, width: float, y: float, height: float, class_: str) -> str:
    return f'<rect x="{x:.2f}%" y="{y:g}" width="{width:.2f}%" height="{height:g}" class="{class_}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    return f'<line x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}" class="{class_}"/>'


def _text(x: float, y: float, text: str, anchor: str, class_: str) -> str:
    kind = f' class="{class_}"' if class_ else ""
    return f'<text x="{x:.2f}%" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(text)}</text>'
