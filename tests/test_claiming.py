"""A task on offer: the first to claim it has it, its holder can give it back, and offers count as votes to come."""

from pathlib import Path
from typing import Any

import pytest

from imprimatur.history.export import history, sentence
from imprimatur.history.verify import verify_case
from imprimatur.rules.admission import refusal
from imprimatur.store.engine import Database
from imprimatur.store.reading import open_tasks, show_case
from models.events import Annulled, Claimed, Decided, Nudged, PassedOn, TaskReturned
from models.vocabulary import CaseStatus, EventType, StageOutcome, TaskClosure, TaskStatus, Verdict
from tests.facts import OFFICE, Play, add_people, amended, event_types, everything, example, furnish

QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
DIRECTOR = "dora.director@example.edu"
ONE = {"quorum": 1, "threshold": 1}


def on_offer(
    database: Database,
    folder: Path,
    voting: dict[str, Any] | None = None,
    case_id: str = "mc-abcdefghijkl",
    **rule: Any,
) -> Play:
    furnish(database)
    reviewers = [{"role": "quality_reviewer", "claim": True} | rule]
    change = {"reviewers": reviewers, "voting": voting or ONE}
    play = Play(database, folder, amended(database, "industry-credit", "proposal", **change))
    play.submit(example("industry-credit"))
    return play


def offered(play: Play) -> list[str]:
    tasks = play.state.tasks.values()
    return sorted(task.assignee for task in tasks if task.status is TaskStatus.OFFERED)


def held(play: Play) -> list[str]:
    return sorted(task.assignee for task in play.state.open_tasks("proposal"))


def task_of(play: Play, person: str) -> str:
    """Their newest task."""
    return [task.id for task in play.state.tasks.values() if task.assignee == person][-1]


def claim(play: Play, person: str) -> None:
    play.act(Claimed(actor=person, task_id=task_of(play, person)))


def give_back(play: Play, person: str, reason: str = "no time") -> None:
    play.act(TaskReturned(actor=person, task_id=task_of(play, person), reason=reason))


def code(play: Play, event: Any) -> str | None:
    refused = refusal(play.state, event, play.plan)
    return refused.code if refused else None


def decided(play: Play, person: str, verdict: Verdict = Verdict.APPROVE) -> Decided:
    return Decided(decision_id="d", task_id=task_of(play, person), actor=person, verdict=verdict)


def test_everybody_is_offered_the_task_and_nobody_is_loaded_with_it(database: Database, tmp_path: Path) -> None:
    play = on_offer(database, tmp_path)
    assert (offered(play), held(play)) == ([QUINN, ROSA, SAM], [])
    assert {task.status for task in open_tasks(database)} == {TaskStatus.OFFERED}
    assert [task.assignee for task in open_tasks(database, person=ROSA)] == [ROSA]
    assert {task.assignee for task in show_case(database, play.case_id).tasks} == {QUINN, ROSA, SAM}
    assert event_types(database, play.case_id).count(EventType.TASK_OFFERED) == 3
    assert not show_case(database, play.case_id).incidents


def test_the_first_to_claim_has_it_and_the_other_offers_close(database: Database, tmp_path: Path) -> None:
    play = on_offer(database, tmp_path)
    claim(play, ROSA)
    assert (offered(play), held(play)) == ([], [ROSA])
    rows = {row["assignee"]: row for row in everything(database)["task"]}
    assert (rows[SAM]["status"], rows[SAM]["closure"], rows[SAM]["closed_by"]) == ("closed", "claimed", ROSA)
    told = {mail["recipient"] for mail in everything(database)["outbox"] if mail["kind"] == "task_closed"}
    assert told == {QUINN, SAM}
    assert code(play, Claimed(actor=SAM, task_id=task_of(play, SAM))) == "task_closed"
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED
    assert verify_case(database, play.case_id).ok


def test_nothing_is_decided_passed_on_or_returned_before_it_is_claimed(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = on_offer(sqlite_database, tmp_path)
    task = task_of(play, ROSA)
    assert code(play, decided(play, ROSA)) == "task_not_claimed"
    assert code(play, PassedOn(actor=ROSA, task_id=task, to=DIRECTOR, reason="")) == "task_not_claimed"
    assert code(play, TaskReturned(actor=ROSA, task_id=task)) == "task_not_claimed"
    assert code(play, Claimed(actor=SAM, task_id=task)) == "not_your_task"
    assert code(play, Claimed(actor=SAM, task_id="t-nope")) == "task_unknown"
    claim(play, ROSA)
    assert code(play, Claimed(actor=ROSA, task_id=task)) == "already_claimed"
    assert code(play, decided(play, ROSA)) is None


def test_a_task_that_was_never_on_offer_is_not_given_back(sqlite_database: Database, tmp_path: Path) -> None:
    play = on_offer(sqlite_database, tmp_path, claim=False)
    assert code(play, TaskReturned(actor=ROSA, task_id=task_of(play, ROSA))) == "task_not_from_pool"


def test_what_is_given_back_is_offered_again_but_not_to_whoever_had_it(database: Database, tmp_path: Path) -> None:
    play = on_offer(database, tmp_path)
    claim(play, ROSA)
    give_back(play, ROSA, "ill")
    assert (offered(play), held(play)) == ([QUINN, SAM], [])
    due = {task.due_at for task in open_tasks(database)}
    assert due == {play.state.stages["proposal"].due_at}
    claim(play, SAM)
    give_back(play, SAM)
    assert offered(play) == [QUINN]
    claim(play, QUINN)
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED
    assert verify_case(database, play.case_id).ok


def test_what_everybody_gave_back_goes_to_the_director(database: Database, tmp_path: Path) -> None:
    play = on_offer(database, tmp_path)
    for person in (QUINN, ROSA, SAM):
        claim(play, person)
        give_back(play, person)
    assert held(play) == [DIRECTOR]
    kinds = [row["kind"] for row in everything(database)["incident"]]
    assert kinds == ["no_successor"]
    assert show_case(database, play.case_id).incidents == [], "the director was found"
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED


def test_as_many_as_are_wanted_can_claim(database: Database, tmp_path: Path) -> None:
    play = on_offer(database, tmp_path, count=2, voting={"quorum": 2, "threshold": 2})
    claim(play, SAM)
    assert (offered(play), held(play)) == ([QUINN, ROSA], [SAM])
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is None, "one more is to come"
    claim(play, QUINN)
    assert (offered(play), held(play)) == ([], [QUINN])
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED


def test_offers_close_when_the_stage_is_decided_without_them(sqlite_database: Database, tmp_path: Path) -> None:
    play = on_offer(sqlite_database, tmp_path, count=2, voting={"quorum": 1, "threshold": 1})
    claim(play, SAM)
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED
    offers = [task for task in play.state.tasks.values() if task.stage == "proposal" and task.assignee != SAM]
    closures = {task.closure for task in offers}
    assert closures == {TaskClosure.OUTCOME_CERTAIN}


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ((Verdict.REJECT,), None),
        ((Verdict.REJECT, Verdict.REJECT), StageOutcome.REJECTED),
        ((Verdict.APPROVE, Verdict.REJECT), StageOutcome.REJECTED),
    ],
)
def test_of_many_offers_only_as_many_count_as_can_be_claimed(
    sqlite_database: Database, tmp_path: Path, verdicts: tuple[Verdict, ...], outcome: StageOutcome | None
) -> None:
    """Two of two must approve: with a third offer in the count, one rejection could never decide."""
    play = on_offer(sqlite_database, tmp_path, count=2, voting={"quorum": 2, "threshold": 2})
    for person, verdict in zip((SAM, QUINN), verdicts, strict=False):
        claim(play, person)
        play.decide("proposal", verdict, "because")
    assert play.state.stages["proposal"].outcome is outcome


def test_whoever_claimed_can_pass_it_on_to_another_who_had_the_offer(database: Database, tmp_path: Path) -> None:
    play = on_offer(database, tmp_path)
    claim(play, ROSA)
    play.act(PassedOn(actor=ROSA, task_id=task_of(play, ROSA), to=SAM, reason=""))
    assert (offered(play), held(play)) == ([], [SAM])
    give_back(play, SAM)
    assert offered(play) == [QUINN]
    assert verify_case(database, play.case_id).ok


def test_everybody_who_has_the_offer_is_reminded(sqlite_database: Database, tmp_path: Path) -> None:
    play = on_offer(sqlite_database, tmp_path)
    play.act(Nudged(actor=OFFICE, by_office=True))
    mails = [mail["recipient"] for mail in everything(sqlite_database)["outbox"] if mail["kind"] == "reminder"]
    assert sorted(mails) == [QUINN, ROSA, SAM]


def test_of_silent_offers_one_deputy_is_called_for_each_vote_that_is_missing(
    database: Database, tmp_path: Path
) -> None:
    furnish(database)
    add_people(database, tmp_path, *(f"deputy{n}@example.edu,Deputy,deputy,yes" for n in range(3)))
    change = {
        "reviewers": [{"role": "quality_reviewer", "claim": True, "count": 2}],
        "voting": {"quorum": 2, "threshold": 2},
        "sla": {
            "within": {"business_days": 2},
            "calendar": "campus",
            "at_breach": "reassign",
            "deputies": "deputy",
            "escalate_to": "academic_director",
        },
    }
    play = Play(database, tmp_path, amended(database, "industry-credit", "proposal", **change))
    play.submit(example("industry-credit"))
    play.pass_time(play.state.stages["proposal"].due_at - play.now)  # type: ignore[operator]
    assert (offered(play), held(play)) == ([], ["deputy0@example.edu", "deputy1@example.edu"])


def test_a_withdrawn_case_closes_its_offers(sqlite_database: Database, tmp_path: Path) -> None:
    play = on_offer(sqlite_database, tmp_path)
    play.withdraw("no longer needed")
    assert play.state.status is CaseStatus.WITHDRAWN
    assert offered(play) == []
    assert open_tasks(sqlite_database) == []


def test_a_claim_and_a_return_are_told(sqlite_database: Database, tmp_path: Path) -> None:
    play = on_offer(sqlite_database, tmp_path)
    claim(play, ROSA)
    give_back(play, ROSA, "ill")
    told = [sentence(event) for event in history(sqlite_database, play.case_id)]
    assert f"Offered the review of proposal (round 1) to {SAM}, as holder of the role quality reviewer" in told
    assert "Claimed the review of proposal (round 1)" in told
    assert "Gave the review of proposal (round 1) back to the pool: ill" in told
    assert f"Closed the task of {SAM} in proposal: someone else claimed the task, namely {ROSA}" in told


def test_fewer_people_than_seats_are_an_incident(sqlite_database: Database, tmp_path: Path) -> None:
    play = on_offer(sqlite_database, tmp_path, role="industry_adviser", count=2, voting={"quorum": 2, "threshold": 2})
    [incident, *_] = everything(sqlite_database)["incident"]
    assert (incident["kind"], incident["detail"]) == ("quorum_out_of_reach", "1 can review this stage, 2 are needed")
    assert DIRECTOR in held(play)


def test_an_annulled_answer_is_given_again_by_whoever_claimed(database: Database, tmp_path: Path) -> None:
    play = on_offer(database, tmp_path, count=2, voting={"quorum": 2, "threshold": 2})
    claim(play, SAM)
    task = task_of(play, SAM)
    play.decide("proposal")
    play.act(Annulled(actor=OFFICE, task_id=task, reason="a slip", by_office=True))
    assert (offered(play), held(play)) == ([QUINN, ROSA], [SAM])
    claim(play, ROSA)
    assert offered(play) == [], "Sam has one of the two seats"
    play.decide("proposal")
    play.decide("proposal")
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED
