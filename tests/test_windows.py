"""Review windows, as the commit writes them: waiting, opening, and an end to what is promised."""

import datetime as dt
from pathlib import Path
from typing import Any

from imprimatur.rules.due_words import why_then
from imprimatur.store.engine import Database
from models.events import Held, Resumed
from models.vocabulary import CaseStatus, EventType, StageStatus, Verdict
from tests.facts import Play, event_types, example
from tests.governed import asked, review, sla, stage, submitted, told
from tests.meetings import windows

E = EventType
DAY = dt.timedelta(days=1)
OPENS_AT = dt.datetime(2026, 4, 12, 20, 30, tzinfo=dt.UTC)
CLOSES_AT = dt.datetime(2026, 4, 24, 5, 0, tzinfo=dt.UTC)


def waiting(database: Database, folder: Path, **change: Any) -> Play:
    return submitted(database, folder, review(window="autumn", **change), windows=windows())


def test_a_stage_waits_for_its_window_and_opens_with_it(database: Database, tmp_path: Path) -> None:
    play = waiting(database, tmp_path)
    found = stage(play)
    assert (found.status, found.opens_at) == (StageStatus.WAITING, OPENS_AT)
    assert found.reason == "it waits for the autumn review window"
    assert asked(play) == [], "nobody is asked before"
    [row] = told(play, E.STAGE_AWAITED)
    assert (row["what"], row["opens_at"]) == ("the autumn review window", "2026-04-12T20:30:00.000000Z")
    play.pass_time(OPENS_AT - play.now - dt.timedelta(seconds=1))
    assert E.STAGE_OPENED not in event_types(database, play.case_id)
    play.pass_time(dt.timedelta(seconds=1))
    opened = stage(play)
    assert (opened.status, opened.opened_at, opened.opens_at) == (StageStatus.OPEN, OPENS_AT, None)
    assert len(asked(play)) == 3
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide("quality")
    assert play.state.status is CaseStatus.PUBLISHED


def test_a_stage_that_is_ready_in_its_window_opens_at_once(database: Database, tmp_path: Path) -> None:
    first = review("first", voting={"quorum": 1, "threshold": 1})
    play = submitted(database, tmp_path, first, review("quality", "first", window="autumn"), windows=windows())
    play.pass_time(OPENS_AT + DAY - play.now)
    play.decide("first")
    assert stage(play).status is StageStatus.OPEN
    assert E.STAGE_AWAITED not in event_types(database, play.case_id)


def test_what_is_promised_ends_with_the_window(database: Database, tmp_path: Path) -> None:
    play = waiting(database, tmp_path, sla=sla(within={"business_days": 20}))
    play.pass_time(OPENS_AT - play.now)
    found = stage(play)
    assert found.due_at == CLOSES_AT
    assert found.due_reason is not None
    assert "cut short by the end of the autumn review window" in why_then(found.due_reason)


def test_a_revision_that_comes_after_the_window_waits_for_the_next_one(database: Database, tmp_path: Path) -> None:
    play = waiting(database, tmp_path)
    play.pass_time(OPENS_AT - play.now)
    for _ in range(2):
        if play.state.status is CaseStatus.IN_REVIEW:
            play.decide("quality", Verdict.REQUEST_CHANGES, "Say more.")
    assert play.state.status is CaseStatus.REVISING
    play.pass_time(30 * DAY)
    play.revise(example("industry-credit.revised"))
    found = stage(play)
    assert found.status is StageStatus.WAITING
    assert found.opens_at is not None and found.opens_at.year == 2027


def test_a_hold_over_the_opening_opens_it_when_the_case_goes_on(database: Database, tmp_path: Path) -> None:
    play = waiting(database, tmp_path)
    play.office(Held)
    play.pass_time(OPENS_AT + DAY - play.now)
    assert stage(play).status is StageStatus.WAITING
    play.office(Resumed)
    play.pass_time(dt.timedelta(minutes=1))
    assert stage(play).status is StageStatus.OPEN


def test_without_a_window_to_come_the_office_knows(database: Database, tmp_path: Path) -> None:
    dates = [{"first_on": "2026-01-12", "last_on": "2026-01-23"}]
    past = windows(every_year=[], dates=dates)
    play = submitted(database, tmp_path, review(window="autumn"), windows=past)
    assert [row["kind"] for row in told(play, E.INCIDENT_OPENED)] == ["no_window"]
    play.pass_time(5 * DAY)
    assert len(told(play, E.INCIDENT_OPENED)) == 1
