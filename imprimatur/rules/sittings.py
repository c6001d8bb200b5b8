"""When committees meet, and when review windows stand open. Pure.

A sitting takes what was handed in by its cut-off, a span of business time before it begins. Recurrence rules are those
of iCalendar (RFC 5545, 3.3.10), read by python-dateutil.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from dateutil.rrule import rrule, rruleset, rrulestr

from imprimatur.rules.business_time import HORIZON_DAYS, ONE_DAY, WorkCalendar, subtract_business_time
from models.meetings import CommitteeDef, WindowDef

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
HORIZON = dt.timedelta(days=HORIZON_DAYS)


@dataclass(frozen=True)
class Sitting:
    """``at`` and ``cut_off`` are instants (UTC); ``on`` is the day where the committee meets."""

    on: dt.date
    at: dt.datetime
    cut_off: dt.datetime


@dataclass(frozen=True)
class Window:
    """``opens_at`` is the first opening of the office in it, ``closes_at`` the last closing; instants (UTC)."""

    first_on: dt.date
    last_on: dt.date
    opens_at: dt.datetime
    closes_at: dt.datetime


def recurrence(committee: CommitteeDef) -> rrule:
    """Raises ValueError for what is no recurrence rule, or one that states its own beginning."""
    told = re.search(r"FREQ=(\w+)", text := committee.sittings.rule or "", re.IGNORECASE)
    if told is None or told[1].upper() not in FREQUENCIES:
        raise ValueError(f"a committee meets {', '.join(FREQUENCIES).lower()}: FREQ says which")
    first_on = committee.sittings.first_on
    if "\n" in text or "DTSTART" in text.upper():
        raise ValueError("a rule is one line, and begins on first_on")
    try:
        found = rrulestr(text, dtstart=dt.datetime.combine(first_on or dt.date.min, dt.time()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{text!r} is no recurrence rule of RFC 5545") from error
    if isinstance(found, rruleset):
        raise ValueError("give one rule only")
    return found


def sittings(committee: CommitteeDef, calendar: WorkCalendar, since: dt.date) -> Iterator[Sitting]:
    """Sittings on ``since`` and later, in order, as far as three years on."""
    for on in _days(committee, calendar, since):
        at = calendar.instant(on, committee.sittings.at)
        taken_until = subtract_business_time(at, committee.cut_off, calendar) if committee.cut_off else at
        yield Sitting(on, at, taken_until)


def _days(committee: CommitteeDef, calendar: WorkCalendar, since: dt.date) -> Iterator[dt.date]:
    told = committee.sittings
    if told.rule is None:
        yield from sorted(day for day in set(told.dates) - set(told.skip) if since <= day <= since + HORIZON)
        return
    # A sitting that moved over a long closure to ``since`` was due before it.
    begin, until = dt.datetime.combine(since - HORIZON, dt.time()), since + HORIZON
    before: dt.date | None = None
    for moment in takewhile(lambda found: found.date() <= until, recurrence(committee).xafter(begin, inc=True)):
        on = _moved(moment.date(), calendar)
        if moment.date() not in told.skip and on >= since and on != before:
            before = on
            yield on


def _moved(on: dt.date, calendar: WorkCalendar) -> dt.date:
    """A day on which the house is closed moves to the next working day."""
    for _ in range(HORIZON_DAYS):
        if calendar.reason_off(on) is None:
            return on
        on += ONE_DAY
    raise ValueError(f"calendar {calendar.name} has no working day within {HORIZON_DAYS} days before {on}")


def next_sitting(committee: CommitteeDef, calendar: WorkCalendar, at: dt.datetime) -> Sitting | None:
    """The first sitting that still takes an item handed in ``at``; None when none is announced."""
    known = sittings(committee, calendar, calendar.date(at))
    return next((sitting for sitting in known if at <= sitting.cut_off), None)


def sitting_on(committee: CommitteeDef, calendar: WorkCalendar, on: dt.date) -> Sitting | None:
    found = next(sittings(committee, calendar, on), None)
    return found if found is not None and found.on == on else None


def windows(window: WindowDef, calendar: WorkCalendar, since: dt.date) -> Iterator[Window]:
    """Windows that end on ``since`` or later, in order, as far as three years on; one without a working day is none."""
    for first_on, last_on in sorted(_spans(window, since)):
        if last_on < since or first_on > since + HORIZON:
            continue
        span = (first_on + ONE_DAY * number for number in range((last_on - first_on).days + 1))
        if days := [day for day in span if calendar.reason_off(day) is None]:
            yield Window(first_on, last_on, calendar.opening(days[0]), calendar.closing(days[-1]))


def _spans(window: WindowDef, since: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    yield from ((span.first_on, span.last_on) for span in window.dates)
    for year in range(since.year - 1, since.year + 4):
        for span in window.every_year:
            first_on = dt.date.fromisoformat(f"{year}-{span.first}")
            over_new_year = span.last < span.first
            yield first_on, dt.date.fromisoformat(f"{year + over_new_year}-{span.last}")


def window_for(window: WindowDef, calendar: WorkCalendar, at: dt.datetime) -> Window | None:
    """The window that is open ``at``, else the next one; None when none is announced."""
    known = windows(window, calendar, calendar.date(at))
    return next((found for found in known if at < found.closes_at), None)
