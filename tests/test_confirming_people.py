"""Who confirms an approval, and who is asked instead: found as all reviewers are, and nobody in another's name."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from imprimatur.rules.standing import Interest
from imprimatur.rules.turns import turns_of
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest
from models.case import TaskState
from models.events import Claimed, Decided, HandedOver, Held, Resumed, SentBack
from models.vocabulary import AssignmentReason, EventType, IncidentKind, InterestKind, Party, StageOutcome, Verdict
from tests.facts import PROPOSER, Play, add_people, example, ledger_rows
from tests.governed import QUINN, ROSA, SAM, VERA, asked, confirmed, review, rows, show, stage, submitted, told

A, C = Verdict.APPROVE, Verdict.REQUEST_CHANGES
CONFIRMED: dict[str, Any] = {"carry": "confirm", "material": []}


def send_back(play: Play) -> None:
    while play.state.status == "in_review":
        play.decide("industry", C, "Unclear.")


def approved(database: Database, folder: Path, **change: Any) -> Play:
    """Quinn and Rosa have approved the first version; another stage wants changes."""
    stages = review(**CONFIRMED | change), review("industry", "quality", reviewers=[{"addresses": ["ivo@example.org"]}])
    stages[1]["voting"] = {"quorum": 1, "threshold": 1}
    play = submitted(database, folder, *stages)
    for person in (QUINN, ROSA):
        decide(play, person)
    send_back(play)
    return play


def task_of(play: Play, person: str) -> TaskState:
    return next(task for task in play.state.open_tasks("quality") if task.assignee == person)


def decide(play: Play, person: str, verdict: Verdict = A) -> None:
    task = task_of(play, person)
    play.act(Decided(decision_id=f"d-{task.id}", task_id=task.id, actor=person, verdict=verdict))


def revise(play: Play) -> None:
    play.revise(example("industry-credit.revised"))


def reasons(play: Play) -> dict[str, AssignmentReason]:
    return {task.assignee: task.reason for task in play.state.open_tasks("quality")}


def declare(play: Play, person: str) -> None:
    interest = Interest(InterestKind.PERSON, PROPOSER)
    add_interest(play.database, person, interest, "a cousin", dt.datetime.now(dt.UTC))


def dismiss(play: Play, person: str) -> None:
    leave.leave(play.database, person, dt.datetime.now(dt.UTC))


def away(play: Play, person: str) -> None:
    leave.add_absence(play.database, person, play.now.date(), play.now.date() + dt.timedelta(days=30), "ill")


def represented(play: Play, person: str, by: str) -> None:
    days = play.now.date(), play.now.date() + dt.timedelta(days=30)
    leave.add_delegation(play.database, person, by, *days, leave.Scope(), dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(("bar", "why"), [(declare, "has declared an interest"), (dismiss, "is no longer active")])
def test_nobody_is_asked_to_confirm_what_somebody_cannot(
    database: Database, tmp_path: Path, bar: Any, why: str
) -> None:
    play = approved(database, tmp_path)
    bar(play, ROSA)
    revise(play)
    assert reasons(play) == {QUINN: AssignmentReason.ROLE, SAM: AssignmentReason.ROLE}
    assert told(play, EventType.STAGE_LAPSED)[-1]["confirmed"] is False
    passed_over = [found for event in told(play, EventType.REVIEWERS_PASSED_OVER) for found in event["people"]]
    assert {(found["person"], found["why"].startswith(why)) for found in passed_over} == {(ROSA, True)}
    for person in (QUINN, SAM):
        decide(play, person)
    assert stage(play).outcome == "approved" and stage(play).reason.startswith("2 approved")


def test_a_deputy_confirms_in_the_place_of_whoever_is_away(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    away(play, ROSA)
    represented(play, ROSA, VERA)
    revise(play)
    assert reasons(play) == dict.fromkeys((QUINN, VERA), AssignmentReason.CONFIRMATION)
    [task] = rows(play, "task", assignee=VERA)
    assert (task["on_behalf_of"], task["role"]) == (ROSA, "quality_reviewer")
    for person in (QUINN, VERA):
        decide(play, person)
    assert stage(play).reason == "confirmed by all who approved it in round 1"


def test_whoever_is_away_without_a_deputy_is_asked_all_the_same(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    away(play, ROSA)
    revise(play)
    assert reasons(play) == dict.fromkeys((QUINN, ROSA), AssignmentReason.CONFIRMATION)
    [incident] = rows(play, "incident", stage="quality")
    assert incident["kind"] == IncidentKind.REVIEWER_ABSENT and ROSA in incident["detail"]


def test_whoever_stands_in_for_another_confirms_for_themselves_alone(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    represented(play, ROSA, QUINN)
    revise(play)
    assert reasons(play) == dict.fromkeys((QUINN, ROSA), AssignmentReason.CONFIRMATION)
    assert {task["on_behalf_of"] for task in rows(play, "task", round=2)} == {None}


def test_whoever_leaves_confirms_nothing_and_nobody_does_in_their_name(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    revise(play)
    dismiss(play, ROSA)
    play.act(HandedOver(actor="system", task_id=task_of(play, ROSA).id, reason="no longer active"))
    assert reasons(play) == {QUINN: AssignmentReason.CONFIRMATION, SAM: AssignmentReason.ROLE}
    for person in (QUINN, SAM):
        decide(play, person)
    assert stage(play).outcome == "approved" and stage(play).reason.startswith("2 approved")
    assert show(play).proposed == []


def test_on_hold_the_approval_of_a_leaver_waits_until_the_case_goes_on(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    revise(play)
    play.office(Held)
    play.act(HandedOver(actor="system", task_id=task_of(play, ROSA).id, reason="no longer active"))
    assert asked(play) == [QUINN]
    play.office(Resumed)
    due_at = stage(play).due_at
    assert asked(play) == [QUINN, SAM] and due_at == play.state.stages["quality"].due_at and due_at is not None
    assert show(play).running == [Party.REVIEWER]


def test_a_recused_confirmer_is_replaced_by_somebody_else(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path, reviewers=[{"role": "quality_reviewer", "count": 2}])
    revise(play)
    decide(play, ROSA, Verdict.RECUSE)
    assert reasons(play) == {QUINN: AssignmentReason.CONFIRMATION, SAM: AssignmentReason.ROLE}


def test_a_deputy_is_asked_anew_in_the_place_of_whoever_is_away(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    represented(play, SAM, VERA)
    revise(play)
    decide(play, ROSA, Verdict.ABSTAIN)
    assert asked(play) == [QUINN, VERA]
    assert rows(play, "task", assignee=VERA)[0]["on_behalf_of"] == SAM


def test_the_proposer_and_whoever_has_an_interest_are_not_asked_anew(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    add_people(database, tmp_path, f"{PROPOSER},Ana,quality_reviewer;proposer,yes")
    declare(play, SAM)
    revise(play)
    decide(play, ROSA, Verdict.ABSTAIN)
    assert asked(play) == [QUINN]
    assert IncidentKind.QUORUM_OUT_OF_REACH not in {row["kind"] for row in rows(play, "incident")}, "two were asked"


def test_an_offer_that_is_made_anew_is_of_its_own_rule(database: Database, tmp_path: Path) -> None:
    """The first rule's people have confirmed already; what is offered belongs to the second."""
    claim = [{"addresses": [QUINN]}, {"role": "quality_reviewer", "claim": True, "count": 2}]
    stages = review(**CONFIRMED, reviewers=claim), review("industry", "quality", reviewers=[{"addresses": ["i@x.org"]}])
    stages[1]["voting"] = {"quorum": 1, "threshold": 1}
    play = submitted(database, tmp_path, *stages)
    offered = next(task for task in play.state.tasks.values() if task.assignee == ROSA)
    play.act(Claimed(actor=ROSA, task_id=offered.id))
    for person in (QUINN, ROSA):
        decide(play, person)
    send_back(play)
    revise(play)
    decide(play, QUINN, Verdict.ABSTAIN)
    [anew] = [t for t in play.state.tasks.values() if (t.stage, t.round, t.assignee) == ("quality", 2, SAM)]
    assert anew.offer is not None and (anew.offer.rule, anew.offer.seats) == (1, 1)
    play.act(Claimed(actor=SAM, task_id=anew.id))
    for person in (ROSA, SAM):
        decide(play, person)
    assert stage(play).outcome == StageOutcome.APPROVED


def test_time_runs_for_those_who_confirm(database: Database, tmp_path: Path) -> None:
    play = approved(database, tmp_path)
    revise(play)
    assert show(play).running == [Party.REVIEWER]
    decide(play, ROSA, Verdict.ABSTAIN)
    turns = turns_of(ledger_rows(play.database, play.case_id))
    assert turns.running == (Party.REVIEWER,), "for Quinn, who is asked still, and for Sam"
    play.withdraw("enough")
    assert show(play).running == []


def test_what_was_confirmed_and_sent_back_assures_nothing_any_more(database: Database, tmp_path: Path) -> None:
    """The office skips the stage that was approved twice: its approvals are not told with the publication."""
    play = approved(database, tmp_path)
    revise(play)
    for person in (QUINN, ROSA):
        decide(play, person)
    play.office(SentBack, stage="quality", reason="The wrong file was judged.")
    confirmed(play)
    play.decide("industry")
    assert play.state.status == "published"
    [publication] = rows(play, "publication")
    assert [assurance["stage"] for assurance in publication["page"]["assurances"]] == ["Industry review"]
