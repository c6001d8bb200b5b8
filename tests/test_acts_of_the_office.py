"""What acts of the office on cases and stages leave: dates counted again here, rows, ledger, mail; always whole."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from imprimatur.store.reading import list_cases
from models.calendars import BusinessDuration
from models.events import ActConfirmed, Extended, Held, Resumed, SentBack
from models.vocabulary import CaseStatus, EventType, OfficeAct, TaskClosure, Verdict
from tests.facts import OFFICE, SECOND, Play, example
from tests.governed import (
    HOURS,
    QUINN,
    ROSA,
    SAM,
    confirmed,
    endorsement,
    mails,
    proposed,
    review,
    rows,
    show,
    sla,
    stage,
    submitted,
    told,
)
from tests.test_case_clock import later, working_seconds

DAY = dt.timedelta(days=1)
A, C = Verdict.APPROVE, Verdict.REQUEST_CHANGES
SIX_HOURS = BusinessDuration(business_hours=6)
Begin = Callable[..., Play]


@pytest.fixture
def begin(database: Database, tmp_path: Path) -> Begin:
    return lambda *stages: submitted(database, tmp_path, *(stages or (review(),)))


# --- hold and resume ----------------------------------------------------------------------------------------------


def test_a_hold_keeps_the_working_time_that_is_left(begin: Begin) -> None:
    play = begin(review(), review("second"))
    play.pass_time(2 * DAY)
    before = show(play)
    play.office(Held, reason="The partner is being sold.")
    held_at = play.now
    on_hold = show(play)
    assert (on_hold.status, on_hold.due_at) == (CaseStatus.ON_HOLD, None)
    assert {view.due_at for view in on_hold.stages} == {None} == {task.due_at for task in on_hold.tasks}
    assert on_hold.held is not None
    assert (on_hold.held.actor, on_hold.held.reason, on_hold.held.at) == (OFFICE, "The partner is being sold.", held_at)
    play.pass_time(20 * DAY)
    play.office(Resumed)
    after = show(play)
    for old, new in zip(before.stages, after.stages, strict=True):
        if old.due_at is not None:
            assert new.due_at == later(play.now, working_seconds(held_at, old.due_at)) > old.due_at
    assert before.due_at is not None
    assert after.due_at == later(play.now, working_seconds(held_at, before.due_at))
    assert {task.due_at for task in after.tasks} == {stage(play).due_at}
    assert (after.held, rows(play, "stage", stage="quality")[0]["clock_remaining_seconds"]) == (None, None)
    assert play.state.stages["quality"].due_at == stage(play).due_at


@pytest.mark.parametrize("times", [1, 2])
def test_a_stage_that_was_late_has_nothing_left_and_is_late_once(begin: Begin, times: int) -> None:
    play = begin()
    play.pass_time(10 * DAY)
    before = {task.task_id: task.due_at for task in show(play).tasks}
    due_at = stage(play).breached_at
    for _ in range(times):
        play.office(Held)
        assert {task.due_at for task in show(play).tasks} == {None}
        play.pass_time(10 * DAY)
        play.office(Resumed)
    assert stage(play).due_at == stage(play).breached_at == due_at
    assert {task.task_id: task.due_at for task in show(play).tasks} == before
    assert set(before.values()) == {due_at, None}, "whoever was asked after the breach was promised nothing"
    play.pass_time(60 * DAY)
    assert len(told(play, EventType.SLA_BREACHED)) == 1
    assert show(play).stages[0].status == "open"


def test_a_held_case_that_is_withdrawn_is_whole(begin: Begin) -> None:
    play = begin()
    play.office(Held)
    play.withdraw("The partner was sold.")
    view = show(play)
    assert (view.status, view.held, view.tasks, view.running) == (CaseStatus.WITHDRAWN, None, [], [])


# --- more time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_more_time_is_counted_from_the_due_time_or_from_now(begin: Begin, late: bool) -> None:
    play = begin(review(sla=sla(then=[{"after": {HOURS: 4}, "to": "governance_office"}])))
    due_at = stage(play).due_at
    assert due_at is not None
    if late:
        play.pass_time(20 * DAY)
    play.office(Extended, stage="quality", by=SIX_HOURS, reason="She is ill.")
    new = later(max(due_at, play.now), 6 * 3600)
    found = stage(play)
    assert (found.due_at, play.state.stages["quality"].due_at) == (new, new)
    assert {task.due_at for task in show(play).tasks} == {new}
    [note] = found.extensions
    assert (note.actor, note.reason, note.due_at) == (OFFICE, "She is ill.", new)
    assert found.due_reason is not None and found.due_reason["amount"] == "6 business hours"
    assert bool(list_cases(play.database, overdue_at=play.now)) is False, "who got more time is late no more"
    play.pass_time(30 * DAY)
    assert len(told(play, EventType.SLA_BREACHED)) == (2 if late else 1)
    assert stage(play).breached_at == new
    assert list_cases(play.database, overdue_at=play.now) != []


def test_a_further_escalation_that_finds_nobody_names_the_role_it_looked_for(begin: Begin) -> None:
    play = begin(review(sla=sla(then=[{"after": {HOURS: 4}, "to": "vice_chancellor"}])))
    play.pass_time(20 * DAY)
    [incident] = rows(play, "incident")
    assert incident["detail"] == "nobody else holds the role vice chancellor to decide this stage"
    assert show(play).stages[0].status == "open"


# --- two people ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "outcome", "status"),
    [
        (OfficeAct.SKIP, "skipped", CaseStatus.PUBLISHED),
        (OfficeAct.OVERRIDE, "approved", CaseStatus.PUBLISHED),
        (OfficeAct.OVERRIDE, "rejected", CaseStatus.REJECTED),
    ],
)
def test_a_decision_in_the_reviewers_place_leaves_two_names(
    begin: Begin, act: OfficeAct, outcome: str, status: CaseStatus
) -> None:
    play = begin()
    act_id = proposed(play, act, outcome)
    [waiting] = show(play).proposed
    assert (waiting.act_id, waiting.act, waiting.stage, waiting.outcome) == (act_id, act, "quality", outcome)
    assert mails(play, "confirmation") == [SECOND], "whoever proposed it need not be told"
    play.office(ActConfirmed, actor=SECOND, act_id=act_id)
    view = show(play)
    assert (view.status, view.proposed, view.tasks) == (status, [], [])
    [row] = rows(play, "proposed_act")
    assert (row["actor"], row["confirmed_by"], row["confirmed_at"]) == (OFFICE, SECOND, play.now)
    [event] = told(play, EventType.STAGE_OVERRIDDEN)
    assert (event["proposed_by"], event["by"], event["reason"]) == (OFFICE, SECOND, "The board met and said so.")
    assert stage(play).outcome == outcome
    assert mails(play, "task_closed") == [QUINN, ROSA, SAM]
    assert view.status is not CaseStatus.PUBLISHED or view.slug is not None


def test_an_act_proposed_twice_is_written_once(begin: Begin) -> None:
    play = begin()
    proposed(play)
    proposed(play)
    assert len(rows(play, "proposed_act")) == 1
    assert len(show(play).proposed) == 1


def test_an_act_that_was_overtaken_is_no_longer_shown(begin: Begin) -> None:
    play = begin()
    proposed(play)
    play.office(SentBack, stage="quality")
    assert show(play).proposed == []


# --- sent back ----------------------------------------------------------------------------------------------------


def test_sent_back_nothing_that_was_reopened_still_stands(begin: Begin) -> None:
    play = begin(review(), review("beside"), endorsement("faculty", "quality"), review("last", "faculty"))
    play.decide("quality")
    play.decide("quality")
    play.decide("faculty", Verdict.ENDORSE)
    play.office(SentBack, stage="quality", reason="The wrong file was judged")
    shown = {view.stage: (str(view.status), view.outcome, view.round) for view in show(play).stages}
    assert shown == {
        "quality": ("open", None, 2),
        "beside": ("open", None, 1),
        "faculty": ("waiting", None, 0),
        "last": ("waiting", None, 0),
        "publication": ("waiting", None, 0),
    }
    assert stage(play, "faculty").reason == "it was sent back: The wrong file was judged"
    assert show(play).round == 2
    assert {row["closure"] for row in rows(play, "task", stage="last")} == {str(TaskClosure.SENT_BACK)}
    [event] = told(play, EventType.STAGE_SENT_BACK)
    assert event["reopened"] == ["quality", "faculty", "last", "publication"]
    while play.state.open_tasks():
        task = play.state.open_tasks()[0]
        play.decide(task.stage, Verdict.ENDORSE if task.stage == "faculty" else A)
    assert show(play).status is CaseStatus.PUBLISHED
    [page] = [row["page"] for row in rows(play, "publication")]
    assert {item["stage"]: item["approvals"] for item in page["assurances"]} == {
        "Quality review": 2, "Beside review": 2, "Faculty review": 1, "Last review": 2,
    }  # fmt: skip


def test_a_stage_sent_back_to_nobody_is_an_incident_again(begin: Begin) -> None:
    nobody = [{"role": "ombudsman"}]
    play = begin(review(reviewers=nobody, sla=sla(escalate_to="ombudsman")))
    before = {(incident.kind, incident.incident_id) for incident in show(play).incidents}
    play.office(SentBack, stage="quality")
    after = {(incident.kind, incident.incident_id) for incident in show(play).incidents}
    assert {kind for kind, _ in after} == {kind for kind, _ in before}
    assert not after & before


def test_what_was_skipped_and_not_sent_back_is_still_skipped(begin: Begin) -> None:
    play = begin(review(), review("beside"))
    confirmed(play, stage="beside")
    play.office(SentBack, stage="quality")
    assert (stage(play, "beside").outcome, str(play.state.stages["beside"].outcome)) == ("skipped", "skipped")
    play.decide("quality", C, "unclear")
    play.decide("quality", C, "unclear")
    assert show(play).status is CaseStatus.REVISING


def test_an_endorsement_lapses_like_an_approval(begin: Begin) -> None:
    play = begin(endorsement(), review("quality", "faculty"))
    play.decide("faculty", Verdict.ENDORSE)
    while play.state.open_tasks():
        play.decide("quality", C, "unclear")
    play.revise(example("industry-credit.revised"))
    assert (stage(play, "faculty").status, stage(play, "faculty").round) == ("open", 2)
    first, second = sorted(rows(play, "stage", stage="faculty"), key=lambda row: row["round"])
    assert (first["status"], first["outcome"], second["status"]) == ("waiting", None, "open")
