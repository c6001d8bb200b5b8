"""What becomes of a leaver's work, of their delegations, and of decisions in somebody's place."""

from pathlib import Path
from typing import Any

import pytest

from imprimatur.history.verify import verify_case
from imprimatur.rules.standing import Interest
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest
from models.events import Annulled, Claimed, Decided, HandedOver, PassedOn, Resumed
from models.events import Held as OnHold
from models.vocabulary import AssignmentReason, InterestKind, StageOutcome, TaskClosure, TaskStatus, Verdict
from tests.facts import (
    OFFICE,
    PROPOSER,
    START,
    Play,
    add_people,
    everything,
    example,
    furnish,
)
from tests.leaves import (
    ADVISER,
    DAY,
    DIRECTOR,
    QUINN,
    ROSA,
    SAM,
    asked,
    code_of,
    in_quality,
    incidents,
    let,
    mail_to,
)


def task_of(play: Play, person: str) -> str:
    return next(task.id for task in play.state.open_tasks() if task.assignee == person)


def depart(play: Play, person: str, actor: str = "system") -> None:
    event = HandedOver(actor=actor, task_id=task_of(play, person), reason="gone", by_office=actor != "system")
    leave.leave(play.database, person, START)
    play.act(event)


def test_leaving_ends_delegations_and_finds_all_work(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER, stage="elsewhere")
    let(database, SAM, QUINN, stage="elsewhere")
    play = in_quality(database, tmp_path)
    assert [work.task_id for work in leave.work_of(database, QUINN)] == [task_of(play, QUINN)]
    assert leave.abandoned_work(database) == []
    assert leave.leave(database, QUINN.title(), START) == QUINN
    assert leave.list_delegations(database) == []
    [work] = leave.abandoned_work(database)
    assert (work.assignee, work.stage, work.round, work.on_offer) == (QUINN, "quality", 1, False)
    assert leave.open_proposals(database, PROPOSER) == [play.case_id]
    assert code_of(lambda: leave.leave(database, "nobody@example.edu", START)) == "person_unknown"


def test_work_goes_to_whom_the_stages_rules_name(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path, reviewers=[{"role": "quality_reviewer", "count": 2}])
    first, second, third = QUINN, ROSA, SAM
    assert asked(play) == [first, second]
    depart(play, first)
    assert asked(play) == sorted([second, third])
    [task] = [task for task in play.state.open_tasks("quality") if task.assignee == third]
    assert (task.reason, task.role) == (AssignmentReason.SUCCESSION, "quality_reviewer")
    rows = {row["assignee"]: row for row in everything(database)["task"] if row["stage"] == "quality"}
    assert rows[third]["on_behalf_of"] == first
    assert rows[third]["due_at"] == rows[second]["due_at"]
    assert (rows[first]["closure"], rows[first]["closed_by"]) == ("left", "system")
    assert first not in [m["recipient"] for m in everything(database)["outbox"] if m["kind"] == "task_closed"]
    assert f"you take the place of Quinn Abara ({first})" in mail_to(database, third)
    assert verify_case(database, play.case_id).ok


def test_work_that_nobody_else_can_do_is_an_incident(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_interest(database, SAM, Interest(InterestKind.PERSON, PROPOSER), "", START)
    play = in_quality(database, tmp_path, voting={"quorum": 1, "threshold": 1})
    depart(play, QUINN)
    assert asked(play) == [ROSA]
    assert incidents(play) == {
        "no_successor": f"nobody can take over the task of {QUINN} "
        f"({SAM} has declared an interest in the person {PROPOSER})"
    }


def test_the_last_reviewer_who_leaves_takes_the_stage_to_the_director(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    for person in (QUINN, ROSA, SAM):
        depart(play, person)
    assert asked(play) == [DIRECTOR]
    depart(play, DIRECTOR)
    assert asked(play) == []
    assert play.state.stages["quality"].retry_at is not None, "the search goes on"
    add_people(database, tmp_path, "new.director@example.edu,New Director,academic_director,yes")
    play.pass_time(4 * DAY)
    assert asked(play) == ["new.director@example.edu"]
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


def undecided(database: Database, folder: Path) -> Play:
    """All reviewers abstain: one approval does not suffice, unless it is the casting vote."""
    play = in_quality(database, folder)
    for _ in range(3):
        play.decide("quality", Verdict.ABSTAIN)
    assert asked(play) == [DIRECTOR]
    return play


def test_a_director_who_is_asked_once_more_has_the_casting_vote_again(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = undecided(database, tmp_path)
    task = task_of(play, DIRECTOR)
    play.decide("quality", Verdict.ABSTAIN)
    play.act(Annulled(actor=OFFICE, task_id=task, reason="a slip", by_office=True))
    assert asked(play) == [DIRECTOR]
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


def test_whoever_succeeds_an_escalated_director_has_the_casting_vote(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = undecided(database, tmp_path)
    add_people(database, tmp_path, "new.director@example.edu,New Director,academic_director,yes")
    depart(play, DIRECTOR, OFFICE)
    [task] = play.state.open_tasks("quality")
    assert (task.assignee, task.reason) == ("new.director@example.edu", AssignmentReason.ESCALATION)
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


@pytest.mark.parametrize("by_office", [True, False])
def test_whoever_takes_over_an_escalated_task_has_the_casting_vote(
    database: Database, tmp_path: Path, by_office: bool
) -> None:
    furnish(database)
    play = undecided(database, tmp_path)
    actor = OFFICE if by_office else DIRECTOR
    play.act(PassedOn(actor=actor, task_id=task_of(play, DIRECTOR), to=ADVISER, reason="x", by_office=by_office))
    assert "Dora Keller" in mail_to(database, ADVISER)
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


def test_an_offer_of_someone_who_leaves_stays_with_the_others(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(
        database,
        tmp_path,
        reviewers=[{"role": "quality_reviewer", "claim": True}],
        voting={"quorum": 1, "threshold": 1},
    )

    def offers() -> list[str]:
        return sorted(t.assignee for t in play.state.tasks.values() if t.status is TaskStatus.OFFERED)

    def left(person: str) -> None:
        task = next(t.id for t in play.state.tasks.values() if t.assignee == person and t.status.is_pending)
        leave.leave(database, person, START)
        play.act(HandedOver(actor="system", task_id=task, reason="gone"))

    left(QUINN)
    assert offers() == [ROSA, SAM]
    play.act(Claimed(actor=ROSA, task_id=[t.id for t in play.state.tasks.values() if t.assignee == ROSA][-1]))
    left(ROSA)
    assert offers() == [SAM], "what had been claimed is on offer again"
    closed = [t.closure for t in play.state.tasks.values() if t.assignee == ROSA and t.stage == "quality"]
    assert closed == [TaskClosure.LEFT]
    left(SAM)
    assert asked(play) == [DIRECTOR], "nobody is left, so the stage is escalated"
    assert verify_case(database, play.case_id).ok


def test_whoever_was_only_told_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    furnish(database)
    change: dict[str, Any] = {"kind": "information", "voting": None, "sla": None, "criteria": [], "quality_gate": False}
    play = in_quality(database, tmp_path, verdicts=[], **change)
    depart(play, QUINN)
    assert asked(play) == [ROSA, SAM]
    assert incidents(play) == {}


def test_a_case_that_is_resumed_goes_on_looking_for_somebody(database: Database, tmp_path: Path) -> None:
    """Holding stops every clock, also that of the search; resuming must start it again."""
    furnish(database)
    add_people(database, tmp_path, f"{DIRECTOR},Dora,,no")
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.ABSTAIN)
    assert play.state.stages["proposal"].retry_at is not None
    play.act(OnHold(actor=OFFICE, reason="x", by_office=True))
    play.act(Resumed(actor=OFFICE, reason="x", by_office=True))
    assert play.state.stages["proposal"].retry_at is not None
    add_people(database, tmp_path, f"{DIRECTOR},Dora,academic_director,yes")
    play.pass_time(4 * DAY)
    assert asked(play, "proposal") == [DIRECTOR]


def test_a_decision_of_a_deputy_is_the_deputys(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER)
    play = in_quality(database, tmp_path)
    task = task_of(play, ADVISER)
    play.act(Decided(decision_id="d", task_id=task, actor=ADVISER, verdict=Verdict.APPROVE))
    [row] = [row for row in everything(database)["decision"] if row["task_id"] == task]
    assert row["actor"] == ADVISER
