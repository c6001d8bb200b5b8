"""What is measured of what is published, from a file or a program: each line, and what is wrong with it."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from imprimatur.delimited import read_rows, repeated
from imprimatur.errors import InputError
from models.texts import NOT_PRINTABLE
from models.vocabulary import Indicator

COLUMNS = ("case", "indicator", "period", "value", "source")
NEEDED = ("case", "indicator", "period", "value")
LINES_OF_ONE_ROW = 5
TEXT_LIMIT = 200
LIMITS: Mapping[Indicator, tuple[float, float]] = {
    Indicator.ENROLMENT: (0, 10_000_000),
    Indicator.COMPLETION_RATE: (0, 100),
    Indicator.LEARNER_RATING: (0, 100),
    Indicator.EMPLOYER_RATING: (0, 100),
}
# A year, or a half, a quarter, a semester or a month of it: in order of the text as well.
_PERIOD = re.compile(r"[0-9]{4}(-(H[12]|Q[1-4]|S[1-4]|(0[1-9]|1[0-2])))?")


class RejectedLine(BaseModel):
    """``line`` counts from 1, a heading included."""

    line: int
    field: str
    problem: str


class Measured(NamedTuple):
    """``case`` is a case's id, or the address under which it was published."""

    line: int
    case: str
    indicator: Indicator
    period: str
    value: float
    source: str


def read_file(text: str, source: str) -> tuple[list[Measured], list[RejectedLine]]:
    """Good lines, and the others with what is wrong. ``source`` is where a line names none.

    Raises InputError ``indicator_columns_missing`` or ``indicator_columns_repeated``.
    """
    names, rows = read_rows(text, LINES_OF_ONE_ROW)
    if not set(NEEDED) <= set(names):
        raise InputError(
            "indicator_columns_missing",
            f"The file has no columns named {', '.join(name for name in NEEDED if name not in names)}.",
            f"Its first line must name the columns: {','.join(COLUMNS)}.",
        )
    if twice := repeated(names):
        raise InputError(
            "indicator_columns_repeated", f"The file has more than one column {', '.join(twice)}.", "Leave one of each."
        )
    lines: list[tuple[int, Mapping[str, object] | None]] = []
    for number, cells in rows:
        fits = cells is not None and len(cells) <= len(names)
        lines.append((number, dict(zip(names, cells or [], strict=False)) if fits else None))
    return read_lines(lines, source)


def read_lines(
    lines: Iterable[tuple[int, Mapping[str, object] | None]], source: str
) -> tuple[list[Measured], list[RejectedLine]]:
    """As :func:`read_file`, for lines that a program gives; None is a line that could not be read as one."""
    good: list[Measured] = []
    rejected: list[RejectedLine] = []
    seen: dict[Sequence[str], int] = {}
    for number, said in lines:
        found = _read(number, said, source)
        if isinstance(found, RejectedLine):
            rejected.append(found)
            continue
        key = (found.case, found.indicator, found.period)
        if key in seen:
            problem = f"line {seen[key]} has a value for the same indicator and period"
            rejected.append(RejectedLine(line=number, field="period", problem=problem))
            continue
        seen[key] = number
        good.append(found)
    return good, rejected


def _read(number: int, said: Mapping[str, object] | None, source: str) -> Measured | RejectedLine:
    if said is None:
        return RejectedLine(line=number, field="", problem="is not readable as a line of these columns")
    text = {name: " ".join(str(said.get(name) or "").split()) for name in (*NEEDED, "source")}
    if said.get("value") == 0:
        text["value"] = "0"
    for name, cell in text.items():
        if not cell and name != "source":
            return RejectedLine(line=number, field=name, problem="is missing")
        if len(cell) > TEXT_LIMIT or NOT_PRINTABLE.search(cell):
            problem = f"is longer than {TEXT_LIMIT} characters, or holds characters that cannot be printed"
            return RejectedLine(line=number, field=name, problem=problem)
    if text["indicator"] not in list(Indicator):
        problem = f"{text['indicator']!r} is none of {', '.join(Indicator)}"
        return RejectedLine(line=number, field="indicator", problem=problem)
    if not _PERIOD.fullmatch(text["period"]):
        problem = f"{text['period']!r} is no period such as 2026, 2026-S1, 2026-Q3 or 2026-07"
        return RejectedLine(line=number, field="period", problem=problem)
    indicator = Indicator(text["indicator"])
    value, (least, most) = _number(text["value"]), LIMITS[indicator]
    if value is None or not least <= value <= most:
        problem = f"{text['value']!r} is no number from {least:g} to {most:,.0f}"
        return RejectedLine(line=number, field="value", problem=problem)
    return Measured(number, text["case"], indicator, text["period"], value, text["source"] or source)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
