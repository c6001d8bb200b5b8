"""Whose time is running in a case, and how long each was waited for: counted here by hand, and shown."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.rules.turns import Turns, party_of, turns_of
from imprimatur.store.engine import Database
from imprimatur.store.reading import show_case
from models.calendars import BusinessDuration
from models.events import Extended, Held, Resumed, SentBack
from models.vocabulary import Boundary, CaseStatus, EventType, Party, Verdict
from tests.facts import OFFICE, Play, add_people, example, furnish, ledger_rows
from tests.governed import confirmed, information, proposed, review, submitted, window
from tests.tamperer import Tamperer

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
E = EventType


def told(*events: tuple[int, EventType, dict[str, Any]]) -> Turns:
    """Events by the hour at which they happened."""
    return turns_of(
        {"at": START + hour * HOUR, "type": str(type_), "actor": OFFICE, "data": data} for hour, type_, data in events
    )


def asked(task: str, stage: str = "quality", reason: str = "role", role: str | None = None) -> dict[str, Any]:
    return {"task_id": task, "stage": stage, "round": 1, "reason": reason, "role": role}


VERSION = (0, E.PROPOSAL_VERSION_ADDED, {"version": 1})
OPENED = (0, E.STAGE_OPENED, {"stage": "quality", "round": 1})
REVIEWER = (0, E.TASK_ASSIGNED, asked("t-1"))
SOUGHT = (0, E.CONFIRMATION_SOUGHT, {"stage": "quality", "round": 2, "of_round": 1})
CONDITION = {"condition_id": "c-1", "stage": "quality"}
AGREED = (0, E.CONDITION_SET, CONDITION | {"blocking": True})
CLOSED = {"stage": "quality", "round": 1, "outcome": "approved"}


@pytest.mark.parametrize(
    ("events", "running"),
    [
        ((), (Party.AUTHOR,)),
        ((VERSION, (0, E.CASE_RETURNED, {})), (Party.AUTHOR,)),
        ((VERSION, OPENED), (Party.SYSTEM,)),
        ((VERSION, OPENED, REVIEWER), (Party.REVIEWER,)),
        ((VERSION, OPENED, (0, E.TASK_ASSIGNED, asked("t-1", role="governance_office"))), (Party.OFFICE,)),
        ((VERSION, OPENED, (0, E.TASK_ASSIGNED, asked("t-1", reason="partner"))), (Party.PARTNER,)),
        (
            (VERSION, OPENED, (0, E.TASK_ASSIGNED, asked("t-1", reason="delegation", role="industry_partner"))),
            (Party.PARTNER,),
        ),
        (
            (VERSION, OPENED, (0, E.TASK_ASSIGNED, asked("t-2", reason="partner")), REVIEWER),
            (Party.REVIEWER, Party.PARTNER),
        ),
        ((VERSION, OPENED, REVIEWER, (1, E.DECISION_RECORDED, asked("t-1"))), (Party.SYSTEM,)),
        ((VERSION, OPENED, REVIEWER, (1, E.TASK_CLOSED, asked("t-1"))), (Party.SYSTEM,)),
        ((VERSION, OPENED, REVIEWER, (1, E.CASE_HELD, {"reason": "why"})), (Party.OFFICE,)),
        ((VERSION, SOUGHT, REVIEWER), (Party.REVIEWER,)),
        ((VERSION, SOUGHT, REVIEWER, OPENED), (Party.REVIEWER,)),
        ((VERSION, AGREED), (Party.AUTHOR,)),
        ((VERSION, AGREED, OPENED, REVIEWER), (Party.REVIEWER,)),
        ((VERSION, AGREED, (1, E.CONDITION_FULFILLED, CONDITION)), (Party.REVIEWER,)),
        (
            (VERSION, AGREED, (1, E.CONDITION_FULFILLED, CONDITION), (2, E.CONDITION_REOPENED, CONDITION)),
            (Party.AUTHOR,),
        ),
        ((VERSION, AGREED, (1, E.CONDITION_WAIVED, CONDITION)), (Party.SYSTEM,)),
        ((VERSION, (0, E.CONDITION_SET, CONDITION | {"blocking": False})), (Party.SYSTEM,)),
        (
            (VERSION, OPENED, REVIEWER, (1, E.CASE_HELD, {"reason": "why"}), (2, E.CASE_RESUMED, {"reason": "why"})),
            (Party.REVIEWER,),
        ),
        ((VERSION, OPENED, REVIEWER, (1, E.STAGE_CLOSED, CLOSED), (1, E.REVISION_REQUESTED, {})), (Party.AUTHOR,)),
        # Nobody waits for an acknowledgement.
        ((VERSION, OPENED, REVIEWER, (0, E.STAGE_CLOSED, CLOSED)), (Party.SYSTEM,)),
        ((VERSION, OPENED, REVIEWER, (1, E.CASE_CLOSED, {"status": "published"})), ()),
    ],
)
def test_whose_time_it_is(
    events: tuple[tuple[int, EventType, dict[str, Any]], ...], running: tuple[Party, ...]
) -> None:
    assert told(*events).running == running


def test_time_runs_for_everyone_who_is_waited_for() -> None:
    found = told(
        VERSION,
        OPENED,
        REVIEWER,
        (2, E.TASK_ASSIGNED, asked("t-2", reason="partner")),
        (5, E.DECISION_RECORDED, asked("t-1")),
        (6, E.CASE_HELD, {"reason": "why"}),
        (16, E.CASE_RESUMED, {"reason": "why"}),
        (17, E.STAGE_CLOSED, CLOSED),
        (17, E.REVISION_REQUESTED, {}),
        (20, E.PROPOSAL_VERSION_ADDED, {"version": 2}),
        (20, E.CASE_RETURNED, {}),
        (24, E.PROPOSAL_VERSION_ADDED, {"version": 3}),
        (24, E.STAGE_OPENED, {"stage": "quality", "round": 2}),
        (25, E.CASE_CLOSED, {"status": "withdrawn"}),
    )
    hours = {party: seconds / 3600 for party, seconds in found.used.items()}
    assert hours == {Party.REVIEWER: 5, Party.PARTNER: 5, Party.OFFICE: 10, Party.AUTHOR: 7, Party.SYSTEM: 1}
    assert (found.status, found.round, found.revised_round) == (CaseStatus.WITHDRAWN, 2, 2)


def test_rows_that_somebody_has_damaged_tell_nothing_and_end_nothing() -> None:
    found = told(
        VERSION,
        (1, E.STAGE_OPENED, {}),
        (1, E.CASE_CLOSED, {"status": "nonsense"}),
        (1, E.CASE_HELD, None),  # type: ignore[arg-type]
        (2, E.STAGE_OPENED, {"stage": "quality", "round": 1}),
        (2, E.TASK_ASSIGNED, asked("t-1")),
        (3, E.REMINDER_SENT, {"stage": "quality"}),
    )
    assert found.running == (Party.REVIEWER,)


@pytest.mark.parametrize(
    ("reason", "role", "party"),
    [
        ("role", "quality_reviewer", Party.REVIEWER),
        ("unit", None, Party.REVIEWER),
        ("escalation", "academic_director", Party.REVIEWER),
        ("escalation", "governance_office", Party.OFFICE),
        ("role", "admin", Party.OFFICE),
        ("partner", "industry_partner", Party.PARTNER),
        ("reassignment", "industry_partner", Party.PARTNER),
    ],
)
def test_as_what_somebody_is_asked(reason: str, role: str | None, party: Party) -> None:
    assert party_of(reason, role) is party


# --- as it is shown -----------------------------------------------------------------------------------------------


def test_a_case_shows_whose_time_is_running_from_end_to_end(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)

    def running() -> list[Party]:
        return show_case(sqlite_database, play.case_id).running

    play.submit(example("industry-credit"))
    assert running() == [Party.OFFICE], "the office checks proposals in this framework"
    play.decide("proposal")
    assert running() == [Party.REVIEWER, Party.PARTNER]
    play.decide("industry")
    assert running() == [Party.REVIEWER]
    play.pass_time(DAY)
    play.office(Held)
    assert running() == [Party.OFFICE]
    play.pass_time(2 * DAY)
    play.office(Resumed)
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide("quality", Verdict.REQUEST_CHANGES, "unclear")
    assert running() == [Party.AUTHOR]
    play.pass_time(3 * DAY)
    play.revise(example("industry-credit.revised"))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    view = show_case(sqlite_database, play.case_id)
    assert view.running == []
    days = {party: round(seconds / 86400) for party, seconds in view.used_seconds.items()}
    assert days == {Party.OFFICE: 2, Party.REVIEWER: 1, Party.PARTNER: 0, Party.AUTHOR: 3}


def test_while_nobody_is_found_the_system_looks(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    people = ("lena.office@example.edu", "omar.office@example.edu", "dora.director@example.edu")
    add_people(sqlite_database, tmp_path, *(f"{person},Gone,,no" for person in people))
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    assert show_case(sqlite_database, play.case_id).running == [Party.SYSTEM]


def test_the_story_and_the_state_agree_on_where_a_case_stands(sqlite_database: Database, tmp_path: Path) -> None:
    play = submitted(sqlite_database, tmp_path, information(), review(), window("board"))
    play.office(Extended, stage="quality", by=BusinessDuration(business_days=1))
    play.office(SentBack, stage="quality")
    confirmed(play)
    proposed(play, stage="board")
    turns = turns_of(ledger_rows(sqlite_database, play.case_id))
    assert (turns.status, turns.round) == (play.state.status, play.state.round)
    assert (turns.revised_round, turns.extensions) == (1, {}), "a new round takes the extension away"
    assert turns.running == (Party.REVIEWER,)


def test_a_damaged_ledger_still_lets_the_case_be_shown(sqlite_database: Database, tmp_path: Path) -> None:
    play = submitted(sqlite_database, tmp_path, review())
    tamperer = Tamperer(sqlite_database, play.case_id)
    row = tamperer.rows("ledger")[0]
    sqlite_database.engine.dispose()
    with sqlite_database.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET data = 'no json' WHERE position = ?", (row["position"],))
    view = show_case(sqlite_database, play.case_id)
    assert (view.running, view.used_seconds) == ([], {})
    assert [stage.status for stage in view.stages] == ["open", "waiting"]


CHANGE = {"from": {"version": "1"}, "to": {"version": "2"}, "at": "next_round", "reason": "so"}
CHANGED = CHANGE | {"round": 1, "repeated": [], "removed": ["quality"]}


def test_a_change_of_the_policy_waits_until_it_is_made_or_taken_back_or_too_late() -> None:
    scheduled = (1, E.FRAMEWORK_CHANGE_SCHEDULED, CHANGE)
    found = told(VERSION, OPENED, scheduled).change
    assert found is not None and (found.version, found.at, found.actor) == ("2", Boundary.NEXT_ROUND, OFFICE)
    back = (2, E.FRAMEWORK_CHANGE_SCHEDULED, CHANGE | {"to": {"version": "1"}})
    closed = (2, E.CASE_CLOSED, {"status": "published", "reason": "so"})
    for event in (back, closed, (2, E.FRAMEWORK_CHANGED, CHANGED)):
        assert told(VERSION, OPENED, scheduled, event).change is None
    damaged = (1, E.FRAMEWORK_CHANGE_SCHEDULED, CHANGE | {"at": "some day"})
    assert told(VERSION, OPENED, damaged).change is None


def test_nobody_is_waited_for_in_a_stage_that_is_no_longer_asked_for() -> None:
    beside = [(0, E.STAGE_OPENED, {"stage": "last"}), (0, E.TASK_ASSIGNED, asked("t-9", "last", "partner"))]
    assert told(VERSION, OPENED, *beside, (1, E.FRAMEWORK_CHANGED, CHANGED)).running == (Party.PARTNER,)
