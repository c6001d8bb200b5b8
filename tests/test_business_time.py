"""Business time against tables and against an independent, minute-by-minute computation."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.errors import InputError
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.rules.business_time import (
    WorkCalendar,
    add_business_seconds,
    add_business_time,
    business_seconds_between,
    subtract_business_time,
)
from models.framework import BusinessDuration, CalendarDef

CAMPUS = work_calendar(
    CalendarDef.model_validate(
        {
            "country": "NZ",
            "time_zone": "Pacific/Auckland",
            "hours": {"start": "09:00", "end": "17:00"},
            "closures": [{"first_on": "2026-12-24", "last_on": "2027-01-05", "reason": "Summer closure"}],
        }
    ),
    "campus",
)
BERLIN = work_calendar(
    CalendarDef.model_validate(
        {
            "country": "DE",
            "subdivision": "BE",
            "time_zone": "Europe/Berlin",
            "hours": {"start": "08:00", "end": "16:00"},
        }
    ),
    "berlin",
)
DUBAI = work_calendar(
    CalendarDef.model_validate(
        {"time_zone": "Asia/Dubai", "weekend": ["fri", "sat"], "hours": {"start": "07:30", "end": "15:00"}}
    ),
    "dubai",
)
CALENDARS = [CAMPUS, BERLIN, DUBAI]


def local(calendar: WorkCalendar, text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=calendar.zone).astimezone(dt.UTC)


def days(number: int) -> BusinessDuration:
    return BusinessDuration(business_days=number)


def hours(number: float) -> BusinessDuration:
    return BusinessDuration(business_hours=number)


@pytest.mark.parametrize(
    ("calendar", "start", "span", "due"),
    [
        (CAMPUS, "2026-03-02T10:15", days(1), "2026-03-03T10:15"),
        (CAMPUS, "2026-03-06T16:00", days(1), "2026-03-09T16:00"),
        # Handed in on Saturday: it begins on Monday at nine.
        (CAMPUS, "2026-03-07T12:00", days(1), "2026-03-10T09:00"),
        (CAMPUS, "2026-03-02T20:00", hours(1), "2026-03-03T10:00"),
        (CAMPUS, "2026-03-02T05:00", hours(8), "2026-03-02T17:00"),
        (CAMPUS, "2026-03-02T16:30", hours(1), "2026-03-03T09:30"),
        # Good Friday and Easter Monday 2026 (3 and 6 April); daylight saving ends on 5 April.
        (CAMPUS, "2026-04-02T11:00", days(1), "2026-04-07T11:00"),
        (CAMPUS, "2026-04-02T16:00", hours(2), "2026-04-07T10:00"),
        (CAMPUS, "2026-12-23T10:00", days(1), "2027-01-06T10:00"),
        # Daylight saving begins in Berlin on 29 March 2026; Good Friday is 3 April.
        (BERLIN, "2026-03-27T15:00", days(1), "2026-03-30T15:00"),
        (BERLIN, "2026-03-27T15:00", hours(2), "2026-03-30T09:00"),
        (BERLIN, "2026-04-02T09:00", days(1), "2026-04-07T09:00"),
        (DUBAI, "2026-03-05T10:00", days(1), "2026-03-08T10:00"),
    ],
)
def test_deadlines(calendar: WorkCalendar, start: str, span: BusinessDuration, due: str) -> None:
    assert add_business_time(local(calendar, start), span, calendar).due_at == local(calendar, due)


def test_a_deadline_says_which_days_did_not_count() -> None:
    due = add_business_time(local(CAMPUS, "2026-04-02T11:00"), days(1), CAMPUS)
    assert [(day.on.isoformat(), day.why) for day in due.skipped] == [
        ("2026-04-03", "Good Friday"),
        ("2026-04-04", "Saturday"),
        ("2026-04-05", "Sunday"),
        ("2026-04-06", "Easter Monday"),
    ]
    assert due.explanation()["from_at"] == "2026-04-02T11:00:00+13:00"
    assert due.amount == "1 business day"


def test_reminders_lie_before_the_deadline_in_business_time() -> None:
    due_at = local(CAMPUS, "2026-04-07T11:00")
    assert subtract_business_time(due_at, days(1), CAMPUS) == local(CAMPUS, "2026-04-02T11:00")
    assert subtract_business_time(due_at, hours(3), CAMPUS) == local(CAMPUS, "2026-04-02T16:00")


@pytest.mark.parametrize(
    "change",
    [{"time_zone": "Mars/Olympus"}, {"country": "XX"}, {"country": "DE", "subdivision": "ZZ"}],
)
def test_unknown_places_are_refused(change: dict[str, str]) -> None:
    definition = {"time_zone": "Europe/Berlin", "hours": {"start": "08:00", "end": "16:00"}} | change
    with pytest.raises(InputError) as caught:
        work_calendar(CalendarDef.model_validate(definition), "campus")
    assert caught.value.code == "calendar_invalid"


def test_a_calendar_without_working_days_is_an_error_and_no_endless_loop() -> None:
    closed = WorkCalendar("closed", ZoneInfo("UTC"), dt.time(9), dt.time(17), lambda on: "always closed")
    with pytest.raises(ValueError, match="no working day"):
        add_business_time(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), days(1), closed)


# --- an independent computation, which walks the wall clock minute by minute ----------------------------------

MINUTE = dt.timedelta(minutes=1)
instants = st.datetimes(dt.datetime(2026, 1, 5), dt.datetime(2026, 12, 20)).map(
    lambda at: at.replace(second=0, microsecond=0, tzinfo=dt.UTC)
)
calendars = st.sampled_from(CALENDARS)


def is_working_minute(calendar: WorkCalendar, wall: dt.datetime) -> bool:
    return calendar.reason_off(wall.date()) is None and calendar.opens <= wall.time() < calendar.closes


def minutes_walked(calendar: WorkCalendar, start: dt.datetime, end: dt.datetime) -> int:
    wall, stop = (at.astimezone(calendar.zone).replace(tzinfo=None) for at in (start, end))
    count = 0
    while wall < stop:
        count += is_working_minute(calendar, wall)
        wall += MINUTE
    return count


@given(calendars, instants, st.integers(1, 40 * 60))
@settings(max_examples=60, deadline=None)
def test_hours_agree_with_walking_the_clock(calendar: WorkCalendar, start: dt.datetime, minutes: int) -> None:
    due = add_business_seconds(start, minutes * 60, calendar).due_at
    assert minutes_walked(calendar, start, due) == minutes
    assert is_working_minute(calendar, (due - MINUTE).astimezone(calendar.zone).replace(tzinfo=None))


@given(calendars, instants, st.integers(0, 15))
@settings(max_examples=60, deadline=None)
def test_days_agree_with_walking_the_clock(calendar: WorkCalendar, start: dt.datetime, number: int) -> None:
    due = add_business_time(start, days(number), calendar).due_at
    day = (
        dt.datetime.combine(dt.date(2026, 1, 1), calendar.closes)
        - dt.datetime.combine(dt.date(2026, 1, 1), calendar.opens)
    ) // MINUTE
    assert minutes_walked(calendar, start, due) == number * day


@given(calendars, instants, instants)
@settings(max_examples=40, deadline=None)
def test_measuring_agrees_with_walking_the_clock(calendar: WorkCalendar, one: dt.datetime, other: dt.datetime) -> None:
    start, end = sorted([one, one + (other - one) / 12])
    start, end = (at.replace(second=0, microsecond=0) for at in (start, end))
    assert business_seconds_between(start, end, calendar) == 60 * minutes_walked(calendar, start, end)


@given(calendars, instants, st.integers(0, 10**6))
def test_stopping_and_resuming_a_clock_loses_nothing(calendar: WorkCalendar, start: dt.datetime, seconds: int) -> None:
    due = add_business_seconds(start, seconds, calendar).due_at
    assert business_seconds_between(start, due, calendar) == seconds


@given(calendars, instants, st.integers(0, 60), st.integers(0, 60))
def test_more_time_is_never_due_earlier(calendar: WorkCalendar, start: dt.datetime, one: int, other: int) -> None:
    fewer, more = sorted([one, other])
    assert (
        add_business_time(start, days(fewer), calendar).due_at <= add_business_time(start, days(more), calendar).due_at
    )


@given(calendars, instants, st.integers(1, 30))
def test_a_reminder_lies_before_its_deadline(calendar: WorkCalendar, start: dt.datetime, number: int) -> None:
    due = add_business_time(start, days(number), calendar).due_at
    reminder = subtract_business_time(due, days(1), calendar)
    assert reminder < due
    assert add_business_time(reminder, days(1), calendar).due_at == due
