"""A case's clock, and where its due dates come from: counted again here, without the engine's own calendar."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from imprimatur.store.engine import Database
from imprimatur.store.reading import CaseView, StageView, show_case
from models.vocabulary import CaseStatus, EventType, MailKind, Verdict
from tests.facts import Play, event_types, everything, example, furnish

DAY = dt.timedelta(days=1)
AUCKLAND = ZoneInfo("Pacific/Auckland")
# Public holidays of New Zealand in the spring and autumn of 2026 that fall on weekdays.
HOLIDAYS = {dt.date(2026, 4, 3), dt.date(2026, 4, 6), dt.date(2026, 4, 27), dt.date(2026, 6, 1)}


@pytest.fixture
def play(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    return Play(database, tmp_path)


def show(play: Play) -> CaseView:
    return show_case(play.database, play.case_id)


def stage(play: Play, stage_id: str) -> StageView:
    return next(view for view in show(play).stages if view.stage == stage_id)


def working_time(start: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Opening and closing of the campus, day by day."""
    day = start.astimezone(AUCKLAND).date()
    while True:
        if day.weekday() < 5 and day not in HOLIDAYS:
            yield tuple(  # type: ignore[misc]
                dt.datetime.combine(day, dt.time.fromisoformat(wall), AUCKLAND).astimezone(dt.UTC)
                for wall in ("08:30", "17:00")
            )
        day += DAY


def working_seconds(start: dt.datetime, end: dt.datetime) -> int:
    total = dt.timedelta()
    for opening, closing in working_time(start):
        if opening >= end:
            return int(total.total_seconds())
        total += max(dt.timedelta(), min(closing, end) - max(opening, start))
    raise AssertionError


def later(start: dt.datetime, seconds: int) -> dt.datetime:
    left = dt.timedelta(seconds=seconds)
    for opening, closing in working_time(start):
        begin = max(opening, start)
        if begin < closing and left <= closing - begin:
            return begin + left
        left -= max(dt.timedelta(), closing - begin)
    raise AssertionError


def test_while_revising_the_clock_stands_and_what_is_left_is_kept(play: Play) -> None:
    play.submit(example("industry-credit"))
    first_due = show(play).due_at
    assert first_due is not None
    play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    view = show(play)
    assert (view.status, view.due_at, view.due_reason) == (CaseStatus.REVISING, None, None)
    assert view.clock_remaining_seconds == working_seconds(play.now, first_due)
    play.pass_time(20 * DAY)
    play.revise(example("industry-credit.revised"))
    again = show(play)
    assert again.clock_remaining_seconds is None
    assert again.due_at == later(play.now, view.clock_remaining_seconds)
    assert again.due_at > first_due
    assert again.due_reason is not None
    assert again.due_reason["amount"].endswith("business hours that were left")
    assert play.state.due_at == again.due_at


def test_an_incomplete_revision_leaves_the_clock_standing(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    left = show(play).clock_remaining_seconds
    play.revise(example("industry-credit.revised").model_copy(update={"summary": None}))
    view = show(play)
    assert (view.status, view.version, view.round) == (CaseStatus.INCOMPLETE, 2, 1)
    assert (view.due_at, view.clock_remaining_seconds) == (None, left)
    play.pass_time(3 * DAY)
    play.revise(example("industry-credit.revised"))
    assert left is not None
    assert show(play).due_at == later(play.now, left)


def test_a_clock_that_had_run_out_stays_run_out(play: Play) -> None:
    play.submit(example("industry-credit"))
    due_at = show(play).due_at
    play.pass_time(100 * DAY)
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    assert show(play).clock_remaining_seconds == 0
    play.revise(example("industry-credit.revised"))
    play.pass_time(30 * DAY)
    assert event_types(play.database, play.case_id).count(EventType.CASE_SLA_BREACHED) == 1
    assert show(play).breached_at == due_at


def test_a_case_that_is_late_is_told_to_the_director_once(play: Play) -> None:
    play.submit(example("industry-credit"))
    due_at = show(play).due_at
    play.pass_time(120 * DAY)
    assert show(play).breached_at == due_at
    late = [mail for mail in everything(play.database)["outbox"] if mail["kind"] == MailKind.BREACH]
    assert [mail["recipient"] for mail in late] == ["dora.director@example.edu"]


def test_a_due_date_explains_itself(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal")
    reason = stage(play, "quality").due_reason
    assert reason == {
        "from_at": "2026-03-02T22:02:00.123456+13:00",
        "due_at": "2026-03-17T08:30:00+13:00",
        "calendar": "campus",
        "time_zone": "Pacific/Auckland",
        "amount": "10 business days",
        "skipped": [
            {"on": "2026-03-07", "why": "Saturday"},
            {"on": "2026-03-08", "why": "Sunday"},
            {"on": "2026-03-14", "why": "Saturday"},
            {"on": "2026-03-15", "why": "Sunday"},
        ],
    }
    whole = show(play).due_reason
    assert whole is not None
    days_off = {day["on"]: day["why"] for day in whole["skipped"]}
    assert days_off["2026-04-03"] == "Good Friday" and days_off["2026-04-27"] == "Anzac Day (observed)"
    assert stage(play, "industry").due_reason["calendar"] == "partner"  # type: ignore[index]
