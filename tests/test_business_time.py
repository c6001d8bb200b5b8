"""Business time against tables and against an independent, minute-by-minute computation."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.errors import InputError
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.rules.business_time import (
    Hours,
    WorkCalendar,
    add_business_seconds,
    add_business_time,
    business_seconds_between,
    subtract_business_time,
)
from imprimatur.rules.due_words import why_then
from models.calendars import BusinessDuration, CalendarDef

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
# Open every night, so that the clocks change during working hours.
NIGHT = work_calendar(
    CalendarDef.model_validate(
        {"time_zone": "Europe/Berlin", "weekend": [], "hours": {"start": "00:30", "end": "05:00"}}
    ),
    "night",
)
# Open in the mornings only on Fridays, and on Christmas Eve; late on the day of a meeting.
SHORT = work_calendar(
    CalendarDef.model_validate(
        {
            "country": "DE",
            "time_zone": "Europe/Berlin",
            "hours": {"start": "09:00", "end": "17:00"},
            "weekday_hours": {"fri": {"start": "09:00", "end": "12:00"}},
            "short_days": [
                {"on": "2026-12-24", "hours": {"start": "09:00", "end": "13:00"}, "reason": "Christmas Eve"},
                {"on": "2026-03-04", "hours": {"start": "13:00", "end": "17:00"}, "reason": "Staff meeting"},
            ],
        }
    ),
    "short",
)
OFFICES = [CAMPUS, BERLIN, DUBAI]


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
        (BERLIN, "2026-10-23T15:00", hours(2), "2026-10-26T09:00"),
        (DUBAI, "2026-03-05T10:00", days(1), "2026-03-08T10:00"),
        # Friday closes at noon: what would be due in its afternoon is due at its closing.
        (SHORT, "2026-03-05T15:00", days(1), "2026-03-06T12:00"),
        (SHORT, "2026-03-05T15:00", hours(5), "2026-03-06T12:00"),
        (SHORT, "2026-03-05T15:00", hours(6), "2026-03-09T10:00"),
        (SHORT, "2026-03-06T12:00", days(0), "2026-03-09T09:00"),
        (SHORT, "2026-12-23T16:00", hours(5), "2026-12-24T13:00"),
        (SHORT, "2026-12-23T16:00", days(1), "2026-12-24T13:00"),
        # A day that opens late: what would be due before is due at its opening.
        (SHORT, "2026-03-03T10:00", days(1), "2026-03-04T13:00"),
        (SHORT, "2026-03-03T16:00", hours(3), "2026-03-04T15:00"),
        # At closing time nothing is left of the day; a deadline at closing time stays there.
        (BERLIN, "2026-03-02T16:00", days(0), "2026-03-03T08:00"),
        (BERLIN, "2026-03-02T16:00", hours(0), "2026-03-03T08:00"),
        (BERLIN, "2026-03-02T10:00", hours(6), "2026-03-02T16:00"),
        (BERLIN, "2026-03-02T10:00", hours(14), "2026-03-03T16:00"),
        # Clocks go forward in the night of 29 March and back in the night of 25 October: 3.5 and 5.5 hours are open.
        (NIGHT, "2026-03-29T00:30", hours(3.5), "2026-03-29T05:00"),
        (NIGHT, "2026-03-28T02:30", days(1), "2026-03-29T03:30"),
        (NIGHT, "2026-10-25T00:30", hours(5.5), "2026-10-25T05:00"),
        (NIGHT, "2026-10-24T02:30", days(1), "2026-10-25T02:30"),
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


def test_a_deadline_says_which_days_were_shorter() -> None:
    due = add_business_time(local(SHORT, "2026-12-23T16:00"), hours(5), SHORT)
    assert [(day.on.isoformat(), day.why) for day in due.shortened] == [("2026-12-24", "Christmas Eve")]
    assert due.explanation()["shortened"] == [{"on": "2026-12-24", "why": "Christmas Eve"}]
    words = "5 business hours from 23 December 2026, 16:00 in calendar short; shorter: Christmas Eve (24 December 2026)"
    assert why_then(due.explanation()) == words
    assert "shortened" not in add_business_time(local(SHORT, "2026-03-05T15:00"), days(1), SHORT).explanation()


def test_reminders_know_short_days() -> None:
    assert subtract_business_time(local(SHORT, "2026-03-09T10:00"), hours(5), SHORT) == local(SHORT, "2026-03-05T16:00")
    assert subtract_business_time(local(SHORT, "2026-03-09T15:00"), days(1), SHORT) == local(SHORT, "2026-03-06T12:00")


def test_a_deadline_falls_on_a_whole_second_and_never_before_it_counts_from() -> None:
    at = local(CAMPUS, "2026-03-02T10:15:00.250000")
    assert add_business_time(at, days(0), CAMPUS).due_at == local(CAMPUS, "2026-03-02T10:15:01")
    assert add_business_time(at, hours(1), CAMPUS).due_at == local(CAMPUS, "2026-03-02T11:15:01")


def test_reminders_lie_before_the_deadline_in_business_time() -> None:
    due_at = local(CAMPUS, "2026-04-07T11:00")
    assert subtract_business_time(due_at, days(1), CAMPUS) == local(CAMPUS, "2026-04-02T11:00")
    assert subtract_business_time(due_at, hours(3), CAMPUS) == local(CAMPUS, "2026-04-02T16:00")
    closed = local(CAMPUS, "2026-04-05T12:00")
    assert subtract_business_time(closed, days(0), CAMPUS) == local(CAMPUS, "2026-04-02T17:00")
    assert subtract_business_time(closed, hours(9), CAMPUS) == local(CAMPUS, "2026-04-01T16:00")


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
    closed = WorkCalendar(
        "closed", ZoneInfo("UTC"), lambda on: Hours(dt.time(9), dt.time(17)), lambda on: "always closed"
    )
    with pytest.raises(ValueError, match="no working day"):
        add_business_time(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), days(1), closed)


def test_a_calendar_may_have_no_country() -> None:
    assert DUBAI.reason_off(dt.date(2026, 12, 2)) is None, "National Day of the Emirates, which it does not follow"
    assert DUBAI.reason_off(dt.date(2026, 12, 4)) == "Friday"


def test_holidays_are_named_in_english_where_that_is_known() -> None:
    tallinn = {"country": "EE", "time_zone": "Europe/Tallinn", "hours": {"start": "09:00", "end": "17:00"}}
    calendar = work_calendar(CalendarDef.model_validate(tallinn), "tallinn")
    assert calendar.reason_off(dt.date(2027, 2, 24)) == "Independence Day"
    assert work_calendar(CalendarDef.model_validate(tallinn), "tallinn") is calendar


# --- an independent computation, which walks the clock minute by minute ----------------------------------------

MINUTE = dt.timedelta(minutes=1)
instants = st.datetimes(dt.datetime(2026, 1, 5), dt.datetime(2026, 12, 20)).map(
    lambda at: at.replace(second=0, microsecond=0, tzinfo=dt.UTC)
)
nights_when_clocks_change = st.sampled_from([dt.date(2026, 3, 26), dt.date(2026, 10, 22)]).flatmap(
    lambda on: st.integers(0, 5 * 1440).map(lambda minute: dt.datetime.combine(on, dt.time(), dt.UTC) + minute * MINUTE)
)
offices = st.sampled_from(OFFICES)
cases = st.tuples(offices | st.just(SHORT), instants) | st.tuples(st.just(NIGHT), nights_when_clocks_change)


def _open_at(calendar: WorkCalendar, wall: dt.datetime) -> bool:
    hours_then = calendar.hours_on(wall.date())
    return hours_then.opens <= wall.time() < hours_then.closes


def is_working_minute(calendar: WorkCalendar, at: dt.datetime) -> bool:
    wall = at.astimezone(calendar.zone)
    return calendar.reason_off(wall.date()) is None and _open_at(calendar, wall)


def minutes_walked(calendar: WorkCalendar, start: dt.datetime, end: dt.datetime) -> int:
    return sum(is_working_minute(calendar, start + n * MINUTE) for n in range((end - start) // MINUTE))


@given(cases, st.integers(1, 40 * 60))
@settings(max_examples=60, deadline=None)
def test_hours_agree_with_walking_the_clock(case: tuple[WorkCalendar, dt.datetime], minutes: int) -> None:
    calendar, start = case
    due = add_business_time(start, hours(minutes / 60), calendar).due_at
    assert minutes_walked(calendar, start, due) == minutes
    assert is_working_minute(calendar, due - MINUTE)


@given(cases, st.integers(1, 30 * 60))
@settings(max_examples=60, deadline=None)
def test_hours_before_agree_with_walking_the_clock(case: tuple[WorkCalendar, dt.datetime], minutes: int) -> None:
    calendar, end = case
    begin = subtract_business_time(end, hours(minutes / 60), calendar)
    assert minutes_walked(calendar, begin, end) == minutes
    assert is_working_minute(calendar, begin)


@given(offices, instants, st.integers(0, 15))
@settings(max_examples=60, deadline=None)
def test_days_agree_with_walking_the_clock(calendar: WorkCalendar, start: dt.datetime, number: int) -> None:
    due = add_business_time(start, days(number), calendar).due_at
    usual = calendar.hours_on(dt.date(2026, 1, 1))
    day = (
        dt.datetime.combine(dt.date(2026, 1, 1), usual.closes) - dt.datetime.combine(dt.date(2026, 1, 1), usual.opens)
    ) // MINUTE
    assert minutes_walked(calendar, start, due) == number * day
    assert is_working_minute(calendar, due)


@given(cases, st.integers(0, 20 * 1440))
@settings(max_examples=40, deadline=None)
def test_measuring_agrees_with_walking_the_clock(case: tuple[WorkCalendar, dt.datetime], minutes: int) -> None:
    calendar, start = case
    end = start + minutes * MINUTE
    assert business_seconds_between(start, end, calendar) == 60 * minutes_walked(calendar, start, end)
    assert business_seconds_between(end, start, calendar) == 0


@given(cases, st.integers(0, 10**6))
@settings(deadline=None)
def test_stopping_and_resuming_a_clock_loses_nothing(case: tuple[WorkCalendar, dt.datetime], seconds: int) -> None:
    calendar, start = case
    due = add_business_seconds(start, seconds, calendar).due_at
    assert business_seconds_between(start, due, calendar) == seconds


@given(cases, st.integers(0, 60), st.integers(0, 60))
@settings(deadline=None)
def test_more_time_is_never_due_earlier(case: tuple[WorkCalendar, dt.datetime], one: int, other: int) -> None:
    calendar, start = case
    fewer, more = sorted([one, other])
    assert (
        add_business_time(start, days(fewer), calendar).due_at <= add_business_time(start, days(more), calendar).due_at
    )


@given(offices, instants, st.integers(1, 30))
@settings(deadline=None)
def test_a_reminder_lies_before_its_deadline(calendar: WorkCalendar, start: dt.datetime, number: int) -> None:
    due = add_business_time(start, days(number), calendar).due_at
    reminder = subtract_business_time(due, days(1), calendar)
    assert reminder < due
    assert add_business_time(reminder, days(1), calendar).due_at == due
