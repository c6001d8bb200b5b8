"""Business time: working days and working hours of a calendar, in its own time zone. Pure.

Semantics:

* Work that begins outside working time begins at the next opening.
* ``n`` business days later is the same wall-clock time on the n-th working day after.
* ``n`` business hours are counted inside working hours only; a deadline that falls on closing time stays there.
* Working hours are wall-clock hours: on the day the clocks change an office that opens at nine opens at nine.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from models.framework import BusinessDuration

ONE_DAY = dt.timedelta(days=1)
# Longer than any closure: a calendar without a working day in this span is a mistake, not a holiday.
HORIZON_DAYS = 3 * 366


@dataclass(frozen=True)
class SkippedDay:
    """A day that did not count, and why."""

    on: dt.date
    why: str


@dataclass(frozen=True)
class WorkCalendar:
    """Working time: ``reason_off`` says why a date is no working day (None: it is one)."""

    name: str
    zone: ZoneInfo
    opens: dt.time
    closes: dt.time
    reason_off: Callable[[dt.date], str | None]

    @cached_property
    def day_seconds(self) -> int:
        """Length of a working day in wall-clock seconds."""
        return _seconds(self.closes) - _seconds(self.opens)

    def instant(self, on: dt.date, seconds: int) -> dt.datetime:
        """The instant (UTC) of a wall-clock second of a date."""
        wall = dt.datetime.combine(on, dt.time()) + dt.timedelta(seconds=seconds)
        return wall.replace(tzinfo=self.zone).astimezone(dt.UTC)

    def position(self, at: dt.datetime) -> tuple[dt.date, int]:
        """Date and wall-clock second of an instant."""
        local = at.astimezone(self.zone)
        return local.date(), _seconds(local.time())


def _seconds(time: dt.time) -> int:
    return time.hour * 3600 + time.minute * 60 + time.second


@dataclass(frozen=True)
class DueTime:
    """A deadline with its derivation: from when, by which calendar, which days did not count."""

    due_at: dt.datetime
    from_at: dt.datetime
    calendar: str
    zone: str
    amount: str
    skipped: tuple[SkippedDay, ...]

    def explanation(self) -> dict[str, Any]:
        """JSON for the read model; instants are local to the calendar."""
        zone = ZoneInfo(self.zone)
        return {
            "from_at": self.from_at.astimezone(zone).isoformat(),
            "due_at": self.due_at.astimezone(zone).isoformat(),
            "calendar": self.calendar,
            "time_zone": self.zone,
            "amount": self.amount,
            "skipped": [{"on": day.on.isoformat(), "why": day.why} for day in self.skipped],
        }


def _working_days(first: dt.date, calendar: WorkCalendar, skipped: list[SkippedDay]) -> Iterator[dt.date]:
    """Working days from ``first`` on; days passed over are noted once reached."""
    on, idle = first, 0
    while idle < HORIZON_DAYS:
        why = calendar.reason_off(on)
        if why is None:
            idle = 0
            yield on
        else:
            idle += 1
            skipped.append(SkippedDay(on, why))
        on += ONE_DAY
    raise ValueError(f"calendar {calendar.name} has no working day within {HORIZON_DAYS} days after {first}")


def _beginning(
    at: dt.datetime, calendar: WorkCalendar, skipped: list[SkippedDay]
) -> tuple[Iterator[dt.date], dt.date, int]:
    """The working day and second at which work begins that is handed in ``at``, and the days after it."""
    on, second = calendar.position(at)
    opens, closes = _seconds(calendar.opens), _seconds(calendar.closes)
    if second >= closes:
        on, second = on + ONE_DAY, opens
    days = _working_days(on, calendar, skipped)
    first = next(days)
    return days, first, max(second, opens) if first == on else opens


def add_business_time(at: dt.datetime, span: BusinessDuration, calendar: WorkCalendar) -> DueTime:
    """The instant by which work handed in ``at`` is due. Raises ValueError for a calendar without working days."""
    if span.business_days is not None:
        number = span.business_days
        skipped: list[SkippedDay] = []
        days, on, second = _beginning(at, calendar, skipped)
        for _ in range(number):
            on = next(days)
        amount = f"{number} business day{'s' * (number != 1)}"
        return _due(at, calendar.instant(on, second), calendar, amount, skipped)
    hours = span.business_hours or 0.0
    due = add_business_seconds(at, round(hours * 3600), calendar)
    return _due(at, due.due_at, calendar, f"{hours:g} business hours", list(due.skipped))


def add_business_seconds(at: dt.datetime, seconds: int, calendar: WorkCalendar) -> DueTime:
    """Like :func:`add_business_time` with a remainder of working time in seconds."""
    skipped: list[SkippedDay] = []
    days, on, second = _beginning(at, calendar, skipped)
    closes, left = _seconds(calendar.closes), seconds
    while left > closes - second:
        left -= closes - second
        on, second = next(days), _seconds(calendar.opens)
    amount = f"{seconds / 3600:.1f} business hours that were left"
    return _due(at, calendar.instant(on, second + left), calendar, amount, skipped)


def _due(
    from_at: dt.datetime, due_at: dt.datetime, calendar: WorkCalendar, amount: str, skipped: list[SkippedDay]
) -> DueTime:
    return DueTime(due_at, from_at, calendar.name, calendar.zone.key, amount, tuple(skipped))


def subtract_business_time(at: dt.datetime, span: BusinessDuration, calendar: WorkCalendar) -> dt.datetime:
    """The instant that lies ``span`` before ``at``: for reminders before a deadline."""
    on, second = calendar.position(at)
    opens, closes = _seconds(calendar.opens), _seconds(calendar.closes)
    second = min(second, closes)
    if calendar.reason_off(on) is not None or second < opens:
        on, second = _previous_working_day(on, calendar), closes
    if span.business_days is not None:
        for _ in range(span.business_days):
            on = _previous_working_day(on, calendar)
        return calendar.instant(on, second)
    left = round((span.business_hours or 0.0) * 3600)
    while left > second - opens:
        left -= second - opens
        on, second = _previous_working_day(on, calendar), closes
    return calendar.instant(on, second - left)


def _previous_working_day(on: dt.date, calendar: WorkCalendar) -> dt.date:
    for _ in range(HORIZON_DAYS):
        on -= ONE_DAY
        if calendar.reason_off(on) is None:
            return on
    raise ValueError(f"calendar {calendar.name} has no working day within {HORIZON_DAYS} days before {on}")


def business_seconds_between(start: dt.datetime, end: dt.datetime, calendar: WorkCalendar) -> int:
    """Wall-clock working seconds from ``start`` to ``end``; 0 when ``end`` is not after ``start``."""
    if end <= start:
        return 0
    first_on, first_second = calendar.position(start)
    last_on, last_second = calendar.position(end)
    opens, closes = _seconds(calendar.opens), _seconds(calendar.closes)
    total, on = 0, first_on
    while on <= last_on:
        if calendar.reason_off(on) is None:
            begin = max(opens, first_second) if on == first_on else opens
            finish = min(closes, last_second) if on == last_on else closes
            total += max(0, finish - begin)
        on += ONE_DAY
    return total
