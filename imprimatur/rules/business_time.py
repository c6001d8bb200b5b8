"""Business time: working days and working hours of a calendar, in its own time zone. Pure.

Semantics:

* Work that begins outside working time begins at the next opening.
* ``n`` business days later is the same wall-clock time on the n-th working day after, inside its working hours.
* ``n`` business hours are the time that passes while the office is open; a deadline at closing time stays there.
* A day with shorter hours is a working day like any other: what would be due after it closes is due at its closing,
  what would be due before it opens at its opening.
* Offices open and close by the wall clock, also on the day the clocks change; an hour that the wall clock skips
  or repeats during working hours is not, or is twice, worked.
* Deadlines fall on whole seconds, never before the work began.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from models.calendars import BusinessDuration

ONE_DAY = dt.timedelta(days=1)
ONE_SECOND = dt.timedelta(seconds=1)
NOTHING = dt.timedelta(0)
# Longer than any closure: a calendar without a working day in this span is a mistake, not a holiday.
HORIZON_DAYS = 3 * 366


@dataclass(frozen=True)
class SkippedDay:
    """A day that did not count, and why."""

    on: dt.date
    why: str


@dataclass(frozen=True)
class Hours:
    """When a day's work begins and ends by the clock on the wall; ``why`` says what is special about a single day."""

    opens: dt.time
    closes: dt.time
    why: str = ""


@dataclass(frozen=True)
class WorkCalendar:
    """Working time: ``reason_off`` says why a date is no working day (None: it is one), ``hours_on`` its hours."""

    name: str
    zone: ZoneInfo
    hours_on: Callable[[dt.date], Hours]
    reason_off: Callable[[dt.date], str | None]

    def instant(self, on: dt.date, wall: dt.time) -> dt.datetime:
        """The instant (UTC) at which the clock on the wall shows ``wall``; the first of two, the next after a gap."""
        return dt.datetime.combine(on, wall, self.zone).astimezone(dt.UTC)

    def opening(self, on: dt.date) -> dt.datetime:
        return self.instant(on, self.hours_on(on).opens)

    def closing(self, on: dt.date) -> dt.datetime:
        return self.instant(on, self.hours_on(on).closes)

    def date(self, at: dt.datetime) -> dt.date:
        return at.astimezone(self.zone).date()


@dataclass(frozen=True)
class DueTime:
    """A deadline with its derivation: from when, by which calendar, which days did not count.

    ``shortened`` has single days in its course that had shorter hours. ``since`` names what it counts from, where
    that is not the opening; ``cut_short_by`` what ended it earlier.
    """

    due_at: dt.datetime
    from_at: dt.datetime
    calendar: str
    zone: str
    amount: str
    skipped: tuple[SkippedDay, ...]
    shortened: tuple[SkippedDay, ...] = ()
    since: str = ""
    cut_short_by: str = ""

    def explanation(self) -> dict[str, Any]:
        """JSON for the read model; instants are local to the calendar."""
        zone = ZoneInfo(self.zone)
        told: dict[str, Any] = {"since": self.since} if self.since else {}
        told |= (
            {"shortened": [{"on": day.on.isoformat(), "why": day.why} for day in self.shortened]}
            if self.shortened
            else {}
        )
        told |= {"cut_short_by": self.cut_short_by} if self.cut_short_by else {}
        return told | {
            "from_at": self.from_at.astimezone(zone).isoformat(),
            "due_at": self.due_at.astimezone(zone).isoformat(),
            "calendar": self.calendar,
            "time_zone": self.zone,
            "amount": self.amount,
            "skipped": [{"on": day.on.isoformat(), "why": day.why} for day in self.skipped],
        }


def add_business_time(at: dt.datetime, span: BusinessDuration, calendar: WorkCalendar) -> DueTime:
    """The instant by which work handed in ``at`` is due. Raises ValueError for a calendar without working days."""
    if span.business_days is not None:
        amount = f"{span.business_days} business day{'s' * (span.business_days != 1)}"
        return _days_later(at, span.business_days, calendar, amount)
    hours = span.business_hours or 0.0
    return _open_time_later(at, round(hours * 3600), calendar, f"{hours:g} business hour{'s' * (hours != 1)}")


def add_business_seconds(at: dt.datetime, seconds: int, calendar: WorkCalendar) -> DueTime:
    """Like :func:`add_business_time`, with working time that was left over: ``seconds``, not negative."""
    return _open_time_later(at, seconds, calendar, f"{seconds / 3600:.1f} business hours that were left")


def _days_later(at: dt.datetime, number: int, calendar: WorkCalendar, amount: str) -> DueTime:
    skipped: list[SkippedDay] = []
    begin = _whole_second(at)
    days = _working_days(calendar.date(begin), calendar, skipped)
    on = next(days)
    if begin >= calendar.closing(on):
        on = next(days)
    begin = max(begin, calendar.opening(on))
    for _ in range(number):
        on = next(days)
    due_at = begin if number == 0 else _same_wall_time(begin, on, calendar)
    return _derived(due_at, at, calendar, amount, skipped)


def _derived(
    due_at: dt.datetime, at: dt.datetime, calendar: WorkCalendar, amount: str, skipped: list[SkippedDay]
) -> DueTime:
    first, last = calendar.date(at), calendar.date(due_at)
    course = (first + ONE_DAY * number for number in range((last - first).days + 1))
    special = ((on, calendar.hours_on(on).why) for on in course if calendar.reason_off(on) is None)
    shortened = tuple(SkippedDay(on, why) for on, why in special if why)
    return DueTime(due_at, at, calendar.name, calendar.zone.key, amount, tuple(skipped), shortened)


def _open_time_later(at: dt.datetime, seconds: int, calendar: WorkCalendar, amount: str) -> DueTime:
    skipped: list[SkippedDay] = []
    begin, left = _whole_second(at), dt.timedelta(seconds=seconds)
    days = _working_days(calendar.date(begin), calendar, skipped)
    while True:
        on = next(days)
        opening, closing = calendar.opening(on), calendar.closing(on)
        begin = max(begin, opening)
        if begin < closing:
            if left <= closing - begin:
                break
            left -= closing - begin
    return _derived(begin + left, at, calendar, amount, skipped)


def _whole_second(at: dt.datetime) -> dt.datetime:
    """Rounded up, so that a deadline never precedes what it counts from."""
    whole = at.astimezone(dt.UTC).replace(microsecond=0)
    return whole if whole == at else whole + ONE_SECOND


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


def _same_wall_time(at: dt.datetime, on: dt.date, calendar: WorkCalendar) -> dt.datetime:
    wall = at.astimezone(calendar.zone).time().replace(fold=0)
    return max(calendar.opening(on), min(calendar.instant(on, wall), calendar.closing(on)))


def subtract_business_time(at: dt.datetime, span: BusinessDuration, calendar: WorkCalendar) -> dt.datetime:
    """The instant that lies ``span`` before ``at``: for reminders before a deadline."""
    on = calendar.date(at)
    if calendar.reason_off(on) is not None or at < calendar.opening(on):
        on = _previous_working_day(on, calendar)
    end = min(at, calendar.closing(on))
    if span.business_days is not None:
        for _ in range(span.business_days):
            on = _previous_working_day(on, calendar)
        return end if span.business_days == 0 else _same_wall_time(end, on, calendar)
    left = dt.timedelta(seconds=round((span.business_hours or 0.0) * 3600))
    while left > (open_time := max(NOTHING, end - calendar.opening(on))):
        left -= open_time
        on = _previous_working_day(on, calendar)
        end = calendar.closing(on)
    return end - left


def _previous_working_day(on: dt.date, calendar: WorkCalendar) -> dt.date:
    for _ in range(HORIZON_DAYS):
        on -= ONE_DAY
        if calendar.reason_off(on) is None:
            return on
    raise ValueError(f"calendar {calendar.name} has no working day within {HORIZON_DAYS} days before {on}")


def business_seconds_between(start: dt.datetime, end: dt.datetime, calendar: WorkCalendar) -> int:
    """Working seconds from ``start`` to ``end``, whole ones; 0 when ``end`` is not after ``start``."""
    if end <= start:
        return 0
    total, on, last_on = NOTHING, calendar.date(start), calendar.date(end)
    while on <= last_on:
        if calendar.reason_off(on) is None:
            total += max(NOTHING, min(end, calendar.closing(on)) - max(start, calendar.opening(on)))
        on += ONE_DAY
    return total // ONE_SECOND


def due_after_hold(asked_at: dt.datetime, stage_due_at: dt.datetime) -> dt.datetime | None:
    """When a task of a stage that was late before it was held is due once it goes on.

    What is late stays due when it was, like its stage; whoever was asked after the promise was broken has none.
    """
    return stage_due_at if asked_at < stage_due_at else None
