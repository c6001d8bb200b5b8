"""Quiet hours: they end in the future, mail never leaves inside them, and clocks that change do not matter."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.quiet import QuietHours

ZONES = ["Pacific/Auckland", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
TIMES = st.builds(dt.time, st.integers(0, 23), st.integers(0, 59))
HOURS = st.tuples(TIMES, TIMES).filter(lambda pair: pair[0] != pair[1])
QUIET = st.builds(lambda hours, weekends: QuietHours(hours[0], hours[1], weekends), HOURS, st.booleans()) | st.builds(
    QuietHours, weekends=st.booleans()
)
INSTANTS = st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 12, 31), timezones=st.just(dt.UTC))
# Around the hours in which clocks change.
CHANGES = [
    dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 8, 7, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 1, 6, tzinfo=dt.UTC),
    dt.datetime(2026, 4, 4, 15, tzinfo=dt.UTC),
    dt.datetime(2026, 10, 3, 15, 30, tzinfo=dt.UTC),
]
NEAR_A_CHANGE = st.builds(
    lambda change, minutes: change + dt.timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-3 * 24 * 60, 24 * 60),
)


@given(quiet=QUIET, instant=INSTANTS | NEAR_A_CHANGE, zone=st.sampled_from(ZONES))
def test_quiet_hours_end_in_the_future_and_never_inside_themselves(
    quiet: QuietHours, instant: dt.datetime, zone: str
) -> None:
    end = quiet.end(instant, ZoneInfo(zone))
    assert end.tzinfo is dt.UTC
    assert not quiet.cover(end, ZoneInfo(zone))
    assert end == instant if not quiet.cover(instant, ZoneInfo(zone)) else end > instant
    assert end - instant < dt.timedelta(days=4)


@given(quiet=QUIET, instant=INSTANTS | NEAR_A_CHANGE, zone=st.sampled_from(ZONES))
def test_nothing_waits_longer_than_it_has_to(quiet: QuietHours, instant: dt.datetime, zone: str) -> None:
    end = quiet.end(instant, ZoneInfo(zone))
    # Where a clock jumps over the end, the first moment after it may come up to an hour earlier.
    earlier = [end - dt.timedelta(minutes=minutes) for minutes in range(1, 24 * 60, 7)]
    free = [moment for moment in earlier if moment > instant and not quiet.cover(moment, ZoneInfo(zone))]
    assert all(end - moment <= dt.timedelta(hours=1) for moment in free)


@given(quiet=QUIET)
def test_what_is_written_is_read_again(quiet: QuietHours) -> None:
    assert QuietHours.parse(str(quiet)) == quiet


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "at", "ends"),
    [
        ("20:00-07:00", "2026-03-02 19:59", "2026-03-02 19:59"),
        ("20:00-07:00", "2026-03-02 20:00", "2026-03-03 07:00"),
        ("20:00-07:00", "2026-03-03 06:59", "2026-03-03 07:00"),
        ("20:00-07:00", "2026-03-06 22:00", "2026-03-07 07:00"),
        ("20:00-07:00 weekends", "2026-03-06 22:00", "2026-03-09 07:00"),
        ("weekends", "2026-03-07 12:00", "2026-03-09 00:00"),
        ("12:00-13:30", "2026-03-02 12:10", "2026-03-02 13:30"),
        ("none", "2026-03-07 03:00", "2026-03-07 03:00"),
        # The clock jumps from 02:00 to 03:00.
        ("22:00-02:30", "2026-03-29 01:30", "2026-03-29 03:30"),
        ("20:00-07:00", "2026-03-28 21:00", "2026-03-29 07:00"),
        # It shows the hour from 02:00 to 03:00 twice.
        ("20:00-07:00", "2026-10-24 21:00", "2026-10-25 07:00"),
    ],
)
def test_mail_waits_until_the_clock_on_the_wall_says_so(text: str, at: str, ends: str) -> None:
    instant, expected = (dt.datetime.fromisoformat(moment).replace(tzinfo=BERLIN) for moment in (at, ends))
    assert QuietHours.parse(text).end(instant.astimezone(dt.UTC), BERLIN) == expected.astimezone(dt.UTC)


def test_the_second_time_that_a_clock_shows_an_hour_is_quiet_like_the_first() -> None:
    quiet = QuietHours.parse("22:00-02:30")
    second = dt.datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=BERLIN).astimezone(dt.UTC)
    assert quiet.end(second, BERLIN) == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text", ["", "20-7", "20:00-20:00", "25:00-07:00", "20:00-07:60", "nights", "weekends weekends", "none weekends"]
)
def test_what_is_no_span_of_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        QuietHours.parse(text)
