"""When committees meet and windows open: tables, and properties over rules, calendars and years."""

import datetime as dt
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from imprimatur.rules.business_time import WorkCalendar
from imprimatur.rules.sittings import next_sitting, recurrence, sitting_on, sittings, window_for, windows
from models.meetings import CommitteeDef, WindowDef
from tests.meetings import board
from tests.meetings import windows as autumn
from tests.test_business_time import BERLIN, CAMPUS, DUBAI, OFFICES, local

JANUARY = dt.date(2026, 1, 1)


def committee(**change: Any) -> CommitteeDef:
    return CommitteeDef.model_validate(board(**change))


def by_rule(rule: str, first_on: str = "2026-01-01", **change: Any) -> CommitteeDef:
    return committee(sittings={"rule": rule, "first_on": first_on, "at": "14:00"} | change)


def window(**change: Any) -> WindowDef:
    return WindowDef.model_validate(autumn(**change)["autumn"])


def days(body: CommitteeDef, calendar: WorkCalendar = CAMPUS, since: dt.date = JANUARY, number: int = 4) -> list[str]:
    return [found.on.isoformat() for found in islice(sittings(body, calendar, since), number)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=2WE", ["2026-01-14", "2026-02-11", "2026-03-11", "2026-04-08"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", ["2026-01-13", "2026-01-27", "2026-02-10", "2026-02-24"]),
        ("FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=1", ["2026-03-02", "2026-09-01", "2027-03-01", "2027-09-01"]),
        ("RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["2026-01-30", "2026-02-27"]),
        ("FREQ=MONTHLY;BYMONTHDAY=15;UNTIL=20260320T000000", ["2026-01-15", "2026-02-16", "2026-03-16"]),
    ],
)
def test_sittings_follow_the_rule_and_move_off_days_on_which_the_house_is_closed(
    rule: str, expected: list[str]
) -> None:
    assert days(by_rule(rule)) == expected


def test_a_holiday_moves_a_sitting_to_the_next_working_day() -> None:
    # 6 February is Waitangi Day, a Friday in 2026; 9 February is the next working day.
    assert days(by_rule("FREQ=MONTHLY;BYMONTHDAY=6"), since=dt.date(2026, 2, 1), number=1) == ["2026-02-09"]


def test_two_sittings_that_move_to_one_day_are_one() -> None:
    daily = by_rule("FREQ=DAILY", first_on="2026-12-20")
    assert days(daily, since=dt.date(2026, 12, 23), number=3) == ["2026-12-23", "2027-01-06", "2027-01-07"]


def test_listed_days_hold_as_they_are_listed() -> None:
    body = committee(
        sittings={"dates": ["2026-12-30", "2026-02-06", "2026-03-03"], "skip": ["2026-03-03"], "at": "9:00"}
    )
    assert days(body) == ["2026-02-06", "2026-12-30"]


def test_a_day_can_be_left_out() -> None:
    assert days(by_rule("FREQ=MONTHLY;BYDAY=2WE", skip=["2026-02-11"]), number=2) == ["2026-01-14", "2026-03-11"]


def test_an_item_reaches_the_sitting_until_its_cut_off_and_not_a_second_later() -> None:
    # Five business days before Wednesday 11 March, 14:00, is Wednesday 4 March, 14:00.
    cut_off = local(CAMPUS, "2026-03-04 14:00")
    found = next_sitting(committee(), CAMPUS, cut_off)
    assert found is not None and (found.on, found.cut_off) == (dt.date(2026, 3, 11), cut_off)
    assert found.at == local(CAMPUS, "2026-03-11 14:00")
    late = next_sitting(committee(), CAMPUS, cut_off + dt.timedelta(seconds=1))
    assert late is not None and late.on == dt.date(2026, 4, 8)


def test_the_wall_clock_of_the_house_says_when_it_begins() -> None:
    body = by_rule("FREQ=WEEKLY;BYDAY=MO")
    spring, summer = (sitting_on(body, BERLIN, dt.date(2026, month, day)) for month, day in ((3, 23), (3, 30)))
    assert spring is not None and summer is not None
    assert summer.at - spring.at == dt.timedelta(days=7) - dt.timedelta(hours=1), "the clocks went forward between"


def test_no_sitting_is_made_up() -> None:
    body = by_rule("FREQ=MONTHLY;BYDAY=2WE;COUNT=1")
    assert next_sitting(body, CAMPUS, local(CAMPUS, "2026-06-01 09:00")) is None
    assert sitting_on(body, CAMPUS, dt.date(2026, 6, 10)) is None


@pytest.mark.parametrize(
    "rule",
    [
        "every second Wednesday",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;INTERVAL=1",
        "BYDAY=2WE",
        "FREQ=MONTHLY;BYDAY=9XX",
        "DTSTART:20260101\nRRULE:FREQ=DAILY",
        "FREQ=DAILY\nFREQ=WEEKLY",
    ],
)
def test_what_is_no_rule_is_told(rule: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        recurrence(by_rule(rule))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"at": "14:00"},
        {"rule": "FREQ=DAILY", "at": "14:00"},
        {"rule": "FREQ=DAILY", "first_on": "2026-01-01", "dates": ["2026-01-02"], "at": "14:00"},
        {"dates": ["2026-01-02"], "first_on": "2026-01-01", "at": "14:00"},
    ],
)
def test_a_committee_says_once_when_it_meets(spoilt: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        committee(sittings=spoilt)


RULES = st.builds(
    "FREQ={};INTERVAL={};BYDAY={}".format,
    st.just("WEEKLY"),
    st.integers(1, 5),
    st.sampled_from(["MO", "TU,TH", "WE", "SU", "FR"]),
) | st.builds("FREQ=MONTHLY;BYDAY={}{}".format, st.sampled_from([1, 2, 3, -1]), st.sampled_from(["MO", "WE", "SA"]))


@given(RULES, st.sampled_from(OFFICES), st.dates(dt.date(2026, 1, 1), dt.date(2028, 12, 31)), st.integers(0, 20))
def test_sittings_are_in_order_on_working_days_and_found_by_their_own_day(
    rule: str, calendar: WorkCalendar, since: dt.date, cut_off: int
) -> None:
    body = by_rule(rule).model_copy(update={"cut_off": committee(cut_off={"business_days": cut_off}).cut_off})
    found = list(islice(sittings(body, calendar, since), 5))
    assert len(found) == 5
    assert all(since <= one.on < other.on for one, other in pairwise(found))
    for sitting in found:
        assert calendar.reason_off(sitting.on) is None
        assert sitting.cut_off <= sitting.at
        assert sitting_on(body, calendar, sitting.on) == sitting
        reached = next_sitting(body, calendar, sitting.cut_off)
        assert reached is not None and reached.on <= sitting.on


def test_a_window_is_found_before_in_and_after_it() -> None:
    opens, closes = local(CAMPUS, "2026-04-13 09:00"), local(CAMPUS, "2026-04-24 17:00")
    for at in (local(CAMPUS, "2026-02-01 12:00"), opens, closes - dt.timedelta(seconds=1)):
        found = window_for(window(), CAMPUS, at)
        assert found is not None and (found.opens_at, found.closes_at) == (opens, closes)
    after = window_for(window(), CAMPUS, closes)
    assert after is not None and after.first_on == dt.date(2027, 4, 13)


def test_a_window_opens_and_closes_with_the_house() -> None:
    found = window_for(
        window(every_year=[{"first": "04-11", "last": "04-26"}]), CAMPUS, local(CAMPUS, "2026-02-01 12:00")
    )
    assert found is not None
    assert found.opens_at == local(CAMPUS, "2026-04-13 09:00"), "the 11th is a Saturday"
    assert found.closes_at == local(CAMPUS, "2026-04-24 17:00"), "the 25th and 26th are a weekend"


def test_a_window_over_the_new_year_is_one() -> None:
    over = window(every_year=[{"first": "12-15", "last": "01-20"}])
    found = window_for(over, DUBAI, local(DUBAI, "2027-01-03 10:00"))
    assert found is not None and (found.first_on, found.last_on) == (dt.date(2026, 12, 15), dt.date(2027, 1, 20))


def test_a_window_without_a_working_day_is_none() -> None:
    closed = window(every_year=[], dates=[{"first_on": "2026-12-26", "last_on": "2027-01-03"}])
    assert list(windows(closed, CAMPUS, JANUARY)) == []


def test_the_last_of_the_listed_windows_is_the_last() -> None:
    listed = window(every_year=[], dates=[{"first_on": "2026-04-13", "last_on": "2026-04-24"}])
    assert window_for(listed, CAMPUS, local(CAMPUS, "2026-05-01 10:00")) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        {"every_year": []},
        {"every_year": [{"first": "02-29", "last": "03-10"}]},
        {"every_year": [{"first": "13-01", "last": "03-10"}]},
        {"dates": [{"first_on": "2026-04-13", "last_on": "2026-04-24"}]},
        {"every_year": [], "dates": [{"first_on": "2026-04-25", "last_on": "2026-04-24"}]},
    ],
)
def test_a_window_says_once_when_it_opens(spoilt: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        window(**spoilt)
