"""Leave and delegations when people are asked: who stands in for whom, and who is asked although away."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.history.export import history, sentence
from imprimatur.history.verify import verify_case
from imprimatur.rules.standing import Interest
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest
from imprimatur.store.reading import show_case
from models.vocabulary import EventType, InterestKind, Verdict
from tests.facts import (
    OFFICE,
    PROPOSER,
    START,
    Play,
    add_people,
    example,
    furnish,
    ledger_rows,
)
from tests.leaves import (
    ADVISER,
    DAY,
    DIRECTOR,
    LENA,
    QUINN,
    ROSA,
    SAM,
    TODAY,
    asked,
    gone,
    in_quality,
    incidents,
    let,
    mail_to,
)


def why(play: Play, person: str) -> str:
    rows = ledger_rows(play.database, play.case_id)
    events = [row["data"] for row in rows if row["type"] == EventType.REVIEWERS_PASSED_OVER]
    return next(str(item["why"]) for event in events for item in event["people"] if item["person"] == person)


def test_a_deputy_is_asked_and_both_names_are_told(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER)
    play = in_quality(database, tmp_path)
    assert asked(play) == [ADVISER, ROSA, SAM]
    [event] = [
        row["data"]
        for row in ledger_rows(database, play.case_id)
        if row["type"] == EventType.TASK_ASSIGNED and row["data"]["assignee"] == ADVISER
    ]
    assert (event["on_behalf_of"], event["role"], event["reason"]) == (QUINN, "quality_reviewer", "role")
    told = [sentence(found) for found in history(database, play.case_id)]
    assert (
        f"Asked {ADVISER} to review quality (round 1), as holder of the role quality reviewer, standing in for {QUINN}"
    ) in told
    assert f"You are asked because you stand in for Quinn Abara ({QUINN})." in mail_to(database, ADVISER)
    [view] = [task for task in show_case(database, play.case_id).tasks if task.assignee == ADVISER]
    assert view.on_behalf_of == QUINN
    assert verify_case(database, play.case_id).ok


def test_a_deputys_own_deputy_is_not_asked(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER)
    let(database, ADVISER, LENA)
    assert asked(in_quality(database, tmp_path)) == [ADVISER, ROSA, SAM]


def test_a_delegation_of_another_stage_or_time_changes_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER, stage="industry")
    let(database, ROSA, ADVISER, start=TODAY + 30 * DAY)
    let(database, SAM, ADVISER, framework="non-credit")
    assert asked(in_quality(database, tmp_path)) == [QUINN, ROSA, SAM]


def test_days_are_those_of_the_stages_calendar(database: Database, tmp_path: Path) -> None:
    """Ten in the evening of the second of March in Auckland is nine in the morning in London."""
    furnish(database)
    let(database, QUINN, ADVISER, days=1, start=dt.date(2026, 3, 3))
    play = Play(database, tmp_path, at=dt.datetime(2026, 3, 2, 11, 30, tzinfo=dt.UTC))
    play.submit(example("industry-credit"))
    play.decide("proposal")
    assert ADVISER in asked(play)


@pytest.mark.parametrize("deputy", [PROPOSER, DIRECTOR, LENA], ids=["proposer", "interested", "other hat"])
def test_a_deputy_whom_something_stands_against_is_not_asked(database: Database, tmp_path: Path, deputy: str) -> None:
    """Quinn is passed over as if away, for the two others can do it."""
    furnish(database)
    add_people(database, tmp_path, f"{OFFICE},Omar,,no")
    add_interest(database, DIRECTOR, Interest(InterestKind.PERSON, PROPOSER), "", START)
    let(database, QUINN, deputy)
    play = in_quality(database, tmp_path, voting={"quorum": 2, "threshold": 2})
    assert asked(play) == [ROSA, SAM]
    assert why(play, QUINN).startswith(f"is represented by {deputy}, who ")


def test_a_deputy_who_is_asked_already_is_asked_once(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ROSA)
    play = in_quality(database, tmp_path, voting={"quorum": 2, "threshold": 2})
    assert asked(play) == [ROSA, SAM]
    assert why(play, QUINN) == f"is represented by {ROSA}, who is asked already"


def test_whoever_is_away_is_passed_over_when_others_can_do_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, QUINN)
    play = in_quality(database, tmp_path, voting={"quorum": 2, "threshold": 2})
    assert asked(play) == [ROSA, SAM]
    assert why(play, QUINN) == "is away until 2026-03-06"
    assert incidents(play) == {}


def test_whoever_is_away_is_asked_when_nobody_else_can_do_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, QUINN)
    play = in_quality(database, tmp_path, voting={"quorum": 3, "threshold": 2})
    assert asked(play) == [QUINN, ROSA, SAM]
    assert incidents(play) == {
        "reviewer_absent": f"asked all the same, for nobody else can do it: {QUINN} is away until 2026-03-06"
    }
    due = {task.due_at for task in show_case(database, play.case_id).tasks if task.stage == "quality"}
    assert due == {play.state.stages["quality"].due_at}, "and has the same time as the others"


def test_an_escalation_asks_the_absent_director_only_if_there_is_no_other(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, DIRECTOR, days=60)
    add_people(database, tmp_path, "second.director@example.edu,Second,academic_director,yes")
    play = in_quality(database, tmp_path)
    play.pass_time(play.state.stages["quality"].due_at - play.now)  # type: ignore[operator]
    assert "second.director@example.edu" in asked(play) and DIRECTOR not in asked(play)
    alone = Play(database, tmp_path, case_id="mc-alone")
    add_people(database, tmp_path, "second.director@example.edu,Second,,no")
    alone.submit(example("industry-credit"))
    alone.decide("proposal", Verdict.ABSTAIN)
    assert asked(alone, "proposal") == [DIRECTOR]
    assert "reviewer_absent" in incidents(alone)


def test_an_information_goes_to_people_on_leave_as_well(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, QUINN)
    let(database, ROSA, ADVISER)
    change: dict[str, Any] = {"kind": "information", "voting": None, "sla": None, "criteria": [], "quality_gate": False}
    play = in_quality(database, tmp_path, verdicts=[], **change)
    assert asked(play) == [ADVISER, QUINN, SAM]
