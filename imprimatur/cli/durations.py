"""Durations as a person writes them."""

import datetime as dt
import re

from imprimatur.errors import InputError

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_duration(text: str) -> dt.timedelta:
    """``3d``, ``36h``, ``1d12h``, ``2w`` or ISO 8601 (``P3DT12H``). Raises InputError ``duration_malformed``."""
    compact = text.strip().lower().replace(" ", "").removeprefix("p").replace("t", "")
    if not re.fullmatch(r"(\d+[wdhms])+", compact):
        raise InputError("duration_malformed", f"{text!r} is not a duration.", "Write it like 3d, 36h or 1d12h.")
    parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([wdhms])", compact)}
    try:
        span = dt.timedelta(**parts)
    except OverflowError:
        span = dt.timedelta()
    if not dt.timedelta() < span <= dt.timedelta(days=3660):
        raise InputError(
            "duration_malformed", f"{text!r} is no useful duration.", "Give between a second and ten years."
        )
    return span


def parse_day(text: str) -> dt.date:
    """Raises InputError ``date_malformed``."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError("date_malformed", f"{text!r} is not a date.", "Write it like 2026-12-21.") from error
