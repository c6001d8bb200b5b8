"""What a change of a case's framework leaves in the database, read back as pages and verification read it."""

from pathlib import Path

import pytest

from imprimatur.history.export import as_json_document, history, sentence
from imprimatur.mail import context
from imprimatur.store import outbox
from imprimatur.store.decisions import task_place
from imprimatur.store.engine import Database
from imprimatur.store.task_page import task_page
from models.events import PassedOn
from models.vocabulary import Boundary, CaseStatus, EventType, Verdict
from tests.facts import OFFICE, START, Play, add_people, example
from tests.governed import CLAUSE, QUINN, VERA, information, mails, review, rows, show, sla, stage, submitted, told
from tests.versions import move, version_of

E = EventType
PROPOSAL, QUALITY = review("proposal"), review("quality", "proposal")
STRICT = review("quality", "proposal", voting={"quorum": 3, "threshold": 3}, sla=sla(within={"business_days": 9}))


def approved(play: Play, *stages: str) -> None:
    for name in stages:
        for _ in range(2):
            play.decide(name)


def test_a_change_is_recorded_with_both_versions_and_every_stage_s_fate(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, PROPOSAL, QUALITY, review("last", "quality"))
    approved(play, "proposal", "quality")
    before = play.framework
    new = version_of(database, before.id, PROPOSAL, STRICT, review("last", "quality"), review("ethics", "proposal"))
    move(play, new, reason="The senate decided so.", bulk="b-one")
    [change] = told(play, E.FRAMEWORK_CHANGED)
    assert change == {
        "by": OFFICE,
        "bulk": "b-one",
        "from": {"version": "1", "digest": before.digest},
        "to": {"version": "2", "digest": new.digest},
        "at": "now",
        "reason": "The senate decided so.",
        "round": 2,
        "kept": ["proposal"],
        "goes_on": ["last"],
        "repeated": ["quality"],
        "added": ["ethics"],
        "removed": [],
    }
    view = show(play)
    assert (view.framework, view.framework_digest, view.round) == (f"{new.id}@2", new.digest, 2)
    assert as_json_document(database, play.case_id, None)["framework"]["digest"] == new.digest
    told_as = [sentence(event) for event in history(database, play.case_id) if event.type is E.FRAMEWORK_CHANGED]
    assert told_as == [
        "Changed the policy from version 1 to 2 (to be decided anew: quality; new: ethics): The senate decided so."
        " (bulk b-one)"
    ]


def test_only_what_opens_anew_is_due_anew(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, PROPOSAL, QUALITY, review("beside", "proposal"))
    approved(play, "proposal")
    due = {name: stage(play, name).due_at for name in ("quality", "beside")}
    case_due = show(play).due_at
    longer = review("beside", "proposal", sla=sla(within={"business_days": 30}))
    move(play, version_of(database, play.framework.id, PROPOSAL, STRICT, longer))
    assert stage(play, "beside").due_at == due["beside"], "what was promised stays promised"
    after = stage(play, "quality").due_at
    assert due["quality"] is not None and after is not None and after > due["quality"]
    assert show(play).due_at == case_due
    assert {row["due_at"] for row in rows(play, "task", stage="quality", status="open")} == {after}


def test_whoever_is_no_longer_asked_is_told_and_whoever_is_asked_anew_too(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, PROPOSAL, QUALITY)
    approved(play, "proposal")
    asked = sorted(task.assignee for task in play.state.open_tasks("quality"))
    number = len(mails(play, "task"))
    move(play, version_of(database, play.framework.id, PROPOSAL, STRICT))
    closed = [row for row in rows(play, "task", stage="quality") if row["closure"] == "framework_changed"]
    assert sorted(row["assignee"] for row in closed) == asked
    assert {row["closed_by"] for row in closed} == {OFFICE}
    assert len(mails(play, "task")) == number + 3
    assert rows(play, "stage", stage="quality", round=1)[0]["status"] == "waiting"


def test_a_stage_that_there_is_no_more_can_still_be_looked_at(database: Database, tmp_path: Path) -> None:
    """By links in mails of long ago, and by mails that have not left yet."""
    old = review("quality", "proposal", name="Old review", sla=sla(calendar="campus"))
    play = submitted(database, tmp_path, PROPOSAL, information("notice", "proposal"), old, review("last", "quality"))
    task = play.decide("proposal")
    play.decide("proposal")
    old_task = play.decide("quality")
    play.decide("quality", comment="Fine.")
    [notice, *_] = play.state.open_tasks("notice")
    move(play, version_of(database, play.framework.id, PROPOSAL, review("last", "proposal")))
    for task_id, name in ((old_task, "Old review"), (task, "Proposal review")):
        person = rows(play, "task", task_id=task_id)[0]["assignee"]
        page = task_page(database, task_id, person)
        assert page.stage.name == name and page.time_zone
        assert {row["stage_name"] for row in page.decisions} == {"Old review", "Proposal review"}
    assert task_place(database, notice.id).stage_def.name == "Notice review"
    waiting = outbox.claim(database, 100, START.replace(year=2100))
    assert [found for found in context.load(database, waiting) if isinstance(found, context.Unready)] == []
    assert [view.stage for view in show(play).stages] == ["proposal", "last", "publication"]


def test_who_decided_in_a_stage_that_is_gone_wears_no_hat_for_it(database: Database, tmp_path: Path) -> None:
    director = review("quality", reviewers=[{"role": "academic_director"}], voting={"quorum": 1, "threshold": 1})
    play = submitted(database, tmp_path, director, review("last", "quality"))
    play.decide("quality")
    move(play, version_of(database, play.framework.id, review("last"), review("ethics", "last")))
    [task, *_] = play.state.open_tasks("last")
    dora = "dora.director@example.edu"
    add_people(database, tmp_path, f"{dora},Dora,academic_director;quality_reviewer,yes")
    play.office(PassedOn, task_id=task.id, to=dora)
    approved(play, "last")
    assert dora in {row["assignee"] for row in rows(play, "task", stage="ethics")}


@pytest.mark.parametrize("at", [Boundary.NEXT_STAGE, Boundary.NEXT_ROUND])
def test_a_change_that_waits_is_recorded_twice(database: Database, tmp_path: Path, at: Boundary) -> None:
    play = submitted(database, tmp_path, PROPOSAL, QUALITY)
    before = play.framework
    new = version_of(database, before.id, PROPOSAL, STRICT)
    move(play, new, at, bulk="b-two")
    [scheduled] = told(play, E.FRAMEWORK_CHANGE_SCHEDULED)
    assert scheduled["to"] == {"version": "2", "digest": new.digest} and scheduled["at"] == at
    assert show(play).framework_digest == before.digest
    for _ in range(2):
        play.decide("proposal", Verdict.APPROVE if at is Boundary.NEXT_STAGE else Verdict.REQUEST_CHANGES, "Unclear.")
    [change] = told(play, E.FRAMEWORK_CHANGED)
    assert (change["by"], change["bulk"], change["at"]) == (OFFICE, "b-two", at)
    assert show(play).framework_digest == new.digest
    if at is Boundary.NEXT_ROUND:
        play.revise(example("industry-credit.revised"))
        approved(play, "proposal")
    for _ in range(3):
        play.decide("quality")
    assert show(play).status is CaseStatus.PUBLISHED


def test_incidents_of_what_begins_anew_are_over_and_new_ones_are_not(database: Database, tmp_path: Path) -> None:
    nobody = review("quality", "proposal", reviewers=[{"role": "ombudsman"}], sla=sla(escalate_to="ombudsman"))
    play = submitted(database, tmp_path, PROPOSAL, nobody)
    approved(play, "proposal")
    before = {incident.incident_id for incident in show(play).incidents}
    still_nobody = nobody | {"reviewers": [{"role": "chancellor"}]}
    move(play, version_of(database, play.framework.id, PROPOSAL, still_nobody))
    after = {incident.incident_id for incident in show(play).incidents}
    assert before and after and not before & after, "nobody can review the new one either"
    move(play, version_of(database, play.framework.id, PROPOSAL, QUALITY, version="3"))
    assert show(play).incidents == []


def test_silence_decides_by_the_policy_that_is_in_force(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, PROPOSAL)
    silent = review("proposal", sla=sla(at_breach="approve", policy_clause=CLAUSE))
    move(play, version_of(database, play.framework.id, silent))
    due_at = stage(play, "proposal").due_at
    assert due_at is not None
    play.pass_time(due_at - play.now)
    assert show(play).status is CaseStatus.PUBLISHED


def test_going_back_to_the_former_version_is_a_change_like_any_other(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, PROPOSAL, QUALITY)
    first = play.framework
    second = version_of(database, first.id, PROPOSAL, QUALITY, review("ethics"))
    move(play, second)
    play.act(PassedOn(actor=QUINN, task_id=_task_of(play, QUINN), to=VERA, reason="I am away."))
    refused_while_open = [s.stage for s in show(play).stages if s.status == "open"]
    assert refused_while_open == ["proposal", "ethics"]
    approved(play, "ethics")
    move(play, first)
    assert "ethics" not in [view.stage for view in show(play).stages]
    move(play, second)
    assert {row["round"] for row in rows(play, "stage", stage="ethics")} == {2, 3}


def _task_of(play: Play, person: str) -> str:
    return next(task.id for task in play.state.open_tasks("proposal") if task.assignee == person)
