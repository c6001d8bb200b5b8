"""Times on a timeline: together they are what the figures count, whatever is left out between."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.history.figures.measuring import FrameworkCalendars
from imprimatur.history.timeline import Chosen, link_at, timeline
from imprimatur.rules.measures import held_seconds
from imprimatur.store.engine import Database
from models.vocabulary import EventType, Party
from tests.facts import Play, example, furnish, ledger_rows, whole_story

CHOICES = [
    Chosen(),
    Chosen(kind=EventType.REMINDER_SENT),
    Chosen(stage="quality"),
    Chosen(actor="system"),
    Chosen(EventType.DECISION_RECORDED, stage="quality"),
]


@pytest.fixture
def told(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    return whole_story(sqlite_database, tmp_path)


def test_the_time_between_all_events_is_what_the_figures_count(told: Play) -> None:
    line = timeline(told.database, told.case_id, Chosen(), told.now)
    with told.database.read() as connection:
        counted = held_seconds(ledger_rows(told.database, told.case_id), FrameworkCalendars(connection))
    assert sum(moment.seconds for moment in line.moments) == sum(counted.values()) > 0
    holders = {party for moment in line.moments for party in moment.parties}
    assert holders == {party for party in Party if counted[party]}
    assert line.since == (0, ())


@pytest.mark.parametrize("chosen", CHOICES, ids=repr)
def test_what_is_left_out_takes_no_time_away(told: Play, chosen: Chosen) -> None:
    whole = timeline(told.database, told.case_id, Chosen(), told.now)
    some = timeline(told.database, told.case_id, chosen, told.now)
    shown = [moment.event.position for moment in some.moments]
    assert shown == [moment.event.position for moment in whole.moments if chosen.holds(moment.event)] != []
    between = [one for one in whole.moments if shown[0] < one.event.position <= shown[-1]]
    assert sum(one.seconds for one in some.moments) == sum(one.seconds for one in between)


def test_a_case_in_motion_tells_the_time_since_its_last_event(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    later = timeline(sqlite_database, play.case_id, Chosen(), play.now + dt.timedelta(days=30))
    assert later.since[0] > 0 and later.since[1] == (Party.OFFICE,)
    earlier = timeline(sqlite_database, play.case_id, Chosen(), play.now - dt.timedelta(days=30))
    assert earlier.since == (0, ())


def test_each_event_follows_from_the_one_before_it(told: Play) -> None:
    rows = ledger_rows(told.database, told.case_id)
    links = [link_at(told.database, told.case_id, row["position"]) for row in rows]
    assert all(link.is_whole and link.last == len(rows) for link in links)
    assert [link.event.previous for link in links[1:]] == [link.event.digest for link in links[:-1]]
