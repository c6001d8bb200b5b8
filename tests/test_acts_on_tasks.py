"""What acts on single tasks leave: passed on, deputised, annulled, nudged, only informed; the ledger always whole."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imprimatur.store.engine import Database
from models.events import Annulled, Held, Nudged, PassedOn, Resumed
from models.vocabulary import CaseStatus, EventType, Verdict
from tests.facts import OFFICE, Play
from tests.governed import (
    DIRECTOR,
    QUINN,
    ROSA,
    SAM,
    VERA,
    VITO,
    asked,
    information,
    mails,
    review,
    rows,
    show,
    sla,
    stage,
    submitted,
    told,
)
from tests.tamperer import Tamperer

DAY = dt.timedelta(days=1)
A, R, N, X = Verdict.APPROVE, Verdict.REJECT, Verdict.ABSTAIN, Verdict.RECUSE
Begin = Callable[..., Play]


@pytest.fixture
def begin(database: Database, tmp_path: Path) -> Begin:
    return lambda *stages: submitted(database, tmp_path, *(stages or (review(),)))


# --- passed on ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_office", [False, True])
def test_a_task_passed_on_leaves_who_had_it_and_who_has_it(begin: Begin, by_office: bool) -> None:
    play = begin()
    task = play.state.open_tasks("quality")[0]
    actor = OFFICE if by_office else task.assignee
    event = PassedOn(actor=actor, task_id=task.id, to=VERA, reason="away" if by_office else "", by_office=by_office)
    play.act(event)
    [old], [new] = rows(play, "task", task_id=task.id), rows(play, "task", assignee=VERA)
    assert (old["status"], old["closure"], old["closed_by"]) == (
        "closed",
        "reassigned" if by_office else "delegated",
        actor,
    )
    assert (new["status"], new["due_at"], new["role"]) == ("open", old["due_at"], old["role"])
    [fact] = told(play, EventType.TASK_PASSED_ON)
    assert (fact["from"], fact["to"], fact["by"], fact["stage"]) == (task.assignee, VERA, actor, "quality")
    assert mails(play, "task_closed") == ([task.assignee] if by_office else [])
    assert VERA in mails(play, "task" if by_office else "delegation")
    assert mails(play, "passed_on") == ([] if by_office else [task.assignee]), "whoever passed it on has it in writing"
    assert asked(play) == [ROSA, SAM, VERA]
    show(play)


def test_while_the_case_is_on_hold_a_task_can_be_passed_on_and_is_dated_afterwards(begin: Begin) -> None:
    play = begin()
    play.office(Held)
    play.act(PassedOn(actor=QUINN, task_id=play.state.open_tasks()[0].id, to=VERA, reason=""))
    assert {task.due_at for task in show(play).tasks} == {None}
    play.office(Resumed)
    assert {task.due_at for task in show(play).tasks} == {stage(play).due_at}


def test_an_escalation_that_is_passed_on_keeps_its_casting_vote(begin: Begin) -> None:
    play = begin()
    for _ in range(3):
        play.decide("quality", N)
    assert asked(play) == [DIRECTOR]
    play.act(PassedOn(actor=DIRECTOR, task_id=play.state.open_tasks()[0].id, to=VERA, reason="I taught there"))
    [row] = rows(play, "task", assignee=VERA)
    assert (row["reason"], row["due_at"]) == ("escalation", stage(play).due_at)
    play.decide("quality", A)
    assert show(play).status is CaseStatus.PUBLISHED


# --- deputies -----------------------------------------------------------------------------------------------------

DEPUTISED: dict[str, Any] = {"voting": {"quorum": 3, "method": "unanimity", "deputies": "deputy"}}


def test_a_deputy_is_asked_in_place_of_whoever_stood_aside(begin: Begin) -> None:
    play = begin(review(**DEPUTISED))
    play.decide("quality", X)
    assert asked(play) == [ROSA, SAM, VERA]
    [row] = rows(play, "task", assignee=VERA)
    assert (row["reason"], row["role"], row["due_at"]) == ("deputy", "deputy", stage(play).due_at)
    for _ in range(3):
        play.decide("quality")
    assert show(play).status is CaseStatus.PUBLISHED


def test_where_no_deputy_is_left_the_office_hears_of_it_once(begin: Begin) -> None:
    play = begin(review(**DEPUTISED))
    for _ in range(4):
        play.decide("quality", X)
    incidents = [row["kind"] for row in rows(play, "incident")]
    assert incidents.count("no_deputy") == 1
    assert asked(play)[-1] == DIRECTOR, "the quorum is out of reach"
    show(play)


REASSIGNED: dict[str, Any] = {"sla": sla(at_breach="reassign", deputies="deputy")}


def test_deputies_take_over_from_those_who_were_silent(begin: Begin) -> None:
    play = begin(review(**REASSIGNED))
    play.decide("quality")
    play.pass_time(10 * DAY)
    assert asked(play) == [VERA, VITO]
    assert {row["closure"] for row in rows(play, "task", status="closed")} == {"time_ran_out"}
    assert mails(play, "task_closed") == [ROSA, SAM]
    [breach] = told(play, EventType.SLA_BREACHED)
    assert breach["waiting_for"] == [ROSA, SAM]
    play.decide("quality")
    assert show(play).status is CaseStatus.PUBLISHED


def test_more_silent_reviewers_than_deputies_call_the_escalation_once(begin: Begin, tmp_path: Path) -> None:
    play = begin(review(**REASSIGNED, reviewers=[{"role": "quality_reviewer"}, {"role": "governance_office"}]))
    play.pass_time(10 * DAY)
    assert asked(play) == [VERA, VITO, DIRECTOR]
    assert len(told(play, EventType.STAGE_ESCALATED)) == 1
    assert [row["kind"] for row in rows(play, "incident")] == ["no_deputy"]
    show(play)


# --- mistakes and nudges ------------------------------------------------------------------------------------------


def test_an_annulled_decision_stays_where_it_is_and_is_asked_again(begin: Begin) -> None:
    play = begin()
    task_id = play.decide("quality", R, "Wrong window, I meant the other one")
    play.office(Annulled, task_id=task_id, reason="He clicked in the wrong window")
    [decision] = rows(play, "decision")
    assert (decision["task_id"], decision["verdict"], decision["annulled_at"]) == (task_id, "reject", play.now)
    [old] = rows(play, "task", task_id=task_id)
    assert (old["status"], old["closure"], old["closed_by"]) == ("closed", "annulled", OFFICE)
    again = play.state.open_tasks()[-1]
    [row] = rows(play, "task", task_id=again.id)
    assert (row["assignee"], row["reason"], row["due_at"]) == (QUINN, "repetition", stage(play).due_at)
    play.decide("quality")
    assert stage(play).status == "open"
    play.decide("quality")
    assert show(play).status is CaseStatus.PUBLISHED
    [page] = [row["page"] for row in rows(play, "publication")]
    assert [item["approvals"] for item in page["assurances"]] == [2], "what was annulled assures nothing"


@pytest.mark.parametrize("made", ["unannulled", "annulled", "later"])
def test_tampering_with_an_annulment_is_found(begin: Begin, made: str) -> None:
    play = begin()
    annulled = play.decide("quality")
    play.office(Annulled, task_id=annulled)
    play.decide("quality")
    show(play)
    tamperer = Tamperer(play.database, play.case_id)
    chosen = [row for row in tamperer.rows("decision") if (row["task_id"] == annulled) == (made != "annulled")]
    value = {"unannulled": None, "annulled": play.now, "later": play.now + DAY}[made]
    with tamperer.altered("decision", chosen[0], annulled_at=value):
        [(where, problem)] = tamperer.problems()
    assert where == f"{play.case_id} decision {chosen[0]['decision_id']}"
    assert problem == "it differs from the ledger in annulled_at"


def test_a_nudge_is_recorded_with_who_nudged(begin: Begin) -> None:
    play = begin(review(), review("beside"))
    play.office(Nudged, stage="beside")
    reminders = told(play, EventType.REMINDER_SENT)
    assert [(fact["by"], fact["stage"]) for fact in reminders] == [(OFFICE, "beside")] * 3
    assert mails(play, "reminder") == [QUINN, ROSA, SAM]
    play.pass_time(4 * DAY)
    assert {fact["by"] for fact in told(play, EventType.REMINDER_SENT)} == {OFFICE, "system"}
    show(play)


# --- information --------------------------------------------------------------------------------------------------


def test_information_is_closed_when_it_opens_and_can_be_acknowledged(begin: Begin) -> None:
    play = begin(information(), review("quality", "notice"))
    assert (stage(play, "notice").status, stage(play, "notice").outcome) == ("closed", "informed")
    assert asked(play, "notice") == [QUINN, ROSA, SAM] == asked(play)
    play.decide("notice", Verdict.ACKNOWLEDGE)
    assert stage(play, "notice").outcome == "informed"
    play.decide("quality")
    play.decide("quality")
    assert show(play).status is CaseStatus.PUBLISHED
    assert {row["closure"] for row in rows(play, "task", stage="notice")} == {None, "case_published"}


@pytest.mark.parametrize("optional", [True, False])
def test_nobody_to_inform_is_recorded_and_holds_nothing_up(begin: Begin, optional: bool) -> None:
    play = begin(information(reviewers=[{"unit": "Nobody's"}], optional=optional), review("quality", "notice"))
    outcome = "skipped" if optional else "informed"
    assert (stage(play, "notice").outcome, str(play.state.stages["notice"].outcome)) == (outcome, outcome)
    assert [row["kind"] for row in rows(play, "incident")] == ([] if optional else ["no_reviewer"])
    assert len(told(play, EventType.STAGE_CLOSED)) == (0 if optional else 1)
    assert asked(play) == [QUINN, ROSA, SAM]
    show(play)
