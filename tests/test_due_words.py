"""Why something is due when it is, in words that people can check against a calendar."""

import calendar
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.loader import shipped
from imprimatur.rules.business_time import add_business_time
from imprimatur.rules.due_words import why_then
from models.calendars import BusinessDuration

CAMPUS = work_calendar(shipped()["industry-credit"].calendars["campus"], "campus")
BEGAN = "2026-12-16T15:46:00+13:00"


def reason(*skipped: tuple[str, str]) -> dict[str, object]:
    days = [{"on": on, "why": why} for on, why in skipped]
    return {"amount": "3 business days", "from_at": BEGAN, "calendar": "campus", "skipped": days}


@pytest.mark.parametrize(
    ("skipped", "told"),
    [
        ([], ""),
        ([("2026-12-19", "Saturday")], "1 day of weekends"),
        ([("2026-12-19", "Saturday"), ("2026-12-20", "Sunday")], "2 days of weekends"),
        ([("2026-12-25", "Christmas Day")], "Christmas Day (25 December 2026)"),
        (
            [("2026-12-24", "Closed"), ("2026-12-25", "Closed"), ("2026-12-28", "Closed"), ("2026-12-29", "Feast")],
            "Closed (24 December 2026 to 25 December 2026), Closed (28 December 2026), Feast (29 December 2026)",
        ),
        (
            [("2026-12-31", "Closed"), ("2027-01-01", "Closed"), ("2027-01-02", "Saturday")],
            "1 day of weekends, Closed (31 December 2026 to 1 January 2027)",
        ),
    ],
)
def test_days_that_do_not_count_are_told_once(skipped: list[tuple[str, str]], told: str) -> None:
    began = "3 business days from 16 December 2026, 15:46 in calendar campus"
    assert why_then(reason(*skipped)) == (f"{began}; not counted: {told}" if told else began)


@settings(deadline=None)
@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2029, 1, 1), timezones=st.just(dt.UTC)), st.integers(1, 60))
def test_every_day_that_was_skipped_is_in_what_is_told(at: dt.datetime, days: int) -> None:
    policy = shipped()["industry-credit"]
    due = add_business_time(
        at, BusinessDuration(business_days=days), work_calendar(policy.calendars["campus"], "campus")
    )
    told = why_then(due.explanation())
    for day in due.skipped:
        assert day.why in calendar.day_name or day.why in told
    weekend = sum(day.why in calendar.day_name for day in due.skipped)
    assert (f"{weekend} day" in told) is (weekend > 0)
