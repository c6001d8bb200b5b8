"""What lists and pages show after each sort of event, the same from both databases."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.errors import InputError, NotFound
from imprimatur.store.engine import Database
from imprimatur.store.reading import CaseView, StageView, list_cases, open_tasks, show_case
from imprimatur.store.task_page import publication, publications, task_page
from models.vocabulary import CaseStatus, Verdict
from tests.facts import (
    MINUTE,
    OFFICE,
    PROPOSER,
    START,
    Play,
    add_people,
    everything,
    example,
    furnish,
    whole_story,
)

DAY = dt.timedelta(days=1)


@pytest.fixture
def play(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    return Play(database, tmp_path)


def show(play: Play) -> CaseView:
    return show_case(play.database, play.case_id)


def stages(play: Play) -> dict[str, tuple[str, str | None]]:
    return {view.stage: (str(view.status), view.outcome) for view in show(play).stages}


def stage(play: Play, stage_id: str) -> StageView:
    return next(view for view in show(play).stages if view.stage == stage_id)


def approve_all(play: Play) -> None:
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)


def test_an_incomplete_proposal_waits_for_its_proposer(play: Play) -> None:
    play.submit(example("industry-credit").model_copy(update={"summary": None}))
    view = show(play)
    assert (view.status, view.version, view.round, view.due_at) == (CaseStatus.INCOMPLETE, 1, 0, None)
    assert set(stages(play).values()) == {("waiting", None)}
    assert (view.tasks, view.incidents, view.closed_at, view.slug) == ([], [], None, None)
    [mail] = everything(play.database)["outbox"]
    assert (mail["kind"], mail["recipient"]) == ("returned", PROPOSER)
    assert [lack["field"] for lack in mail["data"]["missing"]] == ["summary"]


def test_a_complete_proposal_opens_its_first_stage(play: Play) -> None:
    play.submit(example("industry-credit"))
    view = show(play)
    assert (view.status, view.title) == (CaseStatus.IN_REVIEW, "Product Discovery and Prototyping with AI")
    assert stages(play)["proposal"] == ("open", None)
    assert {name for name, state in stages(play).items() if state == ("waiting", None)} == {
        "quality", "industry", "publication",
    }  # fmt: skip
    [task] = view.tasks
    assert (task.stage, task.status, task.due_at) == ("proposal", "open", stage(play, "proposal").due_at)


def test_stages_run_side_by_side_and_close_by_themselves(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal")
    assert stages(play) == {
        "proposal": ("closed", "approved"),
        "quality": ("open", None),
        "industry": ("open", None),
        "publication": ("waiting", None),
    }
    [summary] = list_cases(play.database)
    assert summary.open_stages == ["industry", "quality"]
    approve_all(play)
    view = show(play)
    assert (view.status, view.closing_reason) == (CaseStatus.PUBLISHED, "every stage passed")
    assert {outcome for _, outcome in stages(play).values()} == {"approved", "published"}
    assert view.tasks == [] and view.closed_at == play.now
    assert view.slug is not None and publication(play.database, view.slug).title == view.title


def test_a_rejection_ends_the_case(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.REJECT, "repeats a course")
    view = show(play)
    assert (view.status, stages(play)["proposal"]) == (CaseStatus.REJECTED, ("closed", "rejected"))
    assert view.closing_reason == "0 approved (1 needed), 1 rejected, 0 requested changes"
    assert stages(play)["quality"] == ("waiting", None)


def test_a_withdrawal_ends_the_case_and_its_tasks(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal")
    play.withdraw("the partner has left")
    view = show(play)
    assert (view.status, view.closing_reason, view.tasks) == (CaseStatus.WITHDRAWN, "the partner has left", [])
    assert stages(play)["quality"] == stages(play)["industry"] == ("closed", "cancelled")
    assert list_cases(play.database)[0].open_stages == []


def test_a_new_round_shows_only_what_still_stands(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal")
    play.decide("industry")
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide("quality", Verdict.REQUEST_CHANGES, "unclear")
    assert stages(play)["quality"] == ("closed", "changes_requested")
    # A new title is material to the first stage and to industry; quality did not approve anything.
    play.revise(example("industry-credit.revised").model_copy(update={"title": "Prototyping with AI"}))
    assert stages(play) == {
        "proposal": ("open", None),
        "quality": ("waiting", None),
        "industry": ("waiting", None),
        "publication": ("waiting", None),
    }
    assert (stage(play, "industry").round, stage(play, "industry").reason) == (
        0,
        "its approval lapsed with the change of title, learning_outcomes, assessment.description",
    )
    assert stage(play, "quality").reason == ""
    assert {name: str(state.status) for name, state in play.state.stages.items()} == {
        name: status for name, (status, _) in stages(play).items()
    }
    approve_all(play)
    assert show(play).status is CaseStatus.PUBLISHED


def test_an_approval_that_stays_valid_is_shown_from_its_own_round(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal")
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide("quality", Verdict.REQUEST_CHANGES, "unclear")
    play.revise(example("industry-credit.revised"))
    kept = stage(play, "proposal")
    assert (kept.outcome, kept.round) == ("approved", 1)
    assert (stage(play, "quality").status, stage(play, "quality").round) == ("open", 2)


def test_cases_are_listed_newest_first_and_by_status(database: Database, tmp_path: Path) -> None:
    furnish(database)
    plays = {name: Play(database, tmp_path, case_id=f"mc-{name}", at=START + n * DAY) for n, name in enumerate("abc")}
    for case in plays.values():
        case.submit(example("industry-credit"))
    plays["b"].decide("proposal", Verdict.REJECT, "no")
    assert [case.case_id for case in list_cases(database)] == ["mc-c", "mc-b", "mc-a"]
    assert [case.case_id for case in list_cases(database, status="rejected")] == ["mc-b"]
    assert [case.case_id for case in list_cases(database, status="in_review")] == ["mc-c", "mc-a"]
    assert list_cases(database, status="published") == []
    with pytest.raises(InputError) as refused:
        list_cases(database, status="finished")
    assert refused.value.code == "status_unknown" and "in_review" in refused.value.hint


def test_cases_are_listed_by_the_stage_that_is_open(database: Database, tmp_path: Path) -> None:
    furnish(database)
    first, second = (Play(database, tmp_path, case_id=f"mc-{name}") for name in "ab")
    for case in (first, second):
        case.submit(example("industry-credit"))
    second.decide("proposal")
    assert [case.case_id for case in list_cases(database, stage="proposal")] == ["mc-a"]
    assert [case.case_id for case in list_cases(database, stage="quality", status="in_review")] == ["mc-b"]
    assert list_cases(database, stage="publication") == []


def test_only_open_cases_that_are_late_are_overdue(database: Database, tmp_path: Path) -> None:
    furnish(database)
    late, early, done = (Play(database, tmp_path, case_id=f"mc-{name}") for name in ("late", "early", "done"))
    for case in (late, done):
        case.submit(example("industry-credit"))
        case.pass_time(5 * DAY)
    early.now = late.now
    early.submit(example("industry-credit"))
    while done.state.open_tasks():
        done.decide("proposal", Verdict.REJECT, "no")
    assert [case.case_id for case in list_cases(database, overdue_at=late.now)] == ["mc-late"]
    late.decide("proposal")
    assert list_cases(database, overdue_at=late.now) == [], "the stage that was late is done"
    assert {case.case_id for case in list_cases(database, overdue_at=late.now + 365 * DAY)} == {"mc-late", "mc-early"}


def test_a_task_is_late_a_moment_after_it_is_due(play: Play) -> None:
    play.submit(example("industry-credit"))
    due_at = stage(play, "proposal").due_at
    assert due_at is not None
    assert list_cases(play.database, overdue_at=due_at) == []
    assert len(list_cases(play.database, overdue_at=due_at + dt.timedelta(microseconds=1))) == 1


def test_tasks_come_earliest_due_first_and_those_without_a_date_last(play: Play) -> None:
    play.submit(example("industry-credit"))
    play.decide("proposal")
    play.pass_time(20 * DAY)
    due = [task.due_at for task in open_tasks(play.database)]
    assert due[-1] is None and None not in due[:-1]
    assert due[:-1] == sorted(instant for instant in due if instant is not None)


def test_tasks_are_found_by_person_and_by_case(database: Database, tmp_path: Path) -> None:
    furnish(database)
    for name in "ab":
        Play(database, tmp_path, case_id=f"mc-{name}").submit(example("industry-credit"))
    assert [task.case_id for task in open_tasks(database, person=f" {OFFICE.upper()} ")] == ["mc-b"]
    assert [task.case_id for task in open_tasks(database, case_id="mc-a")] == ["mc-a"]
    assert open_tasks(database, person="nobody@example.edu") == []
    with pytest.raises(NotFound) as refused:
        open_tasks(database, case_id="mc-x")
    assert refused.value.code == "case_unknown"


def test_an_unknown_case_is_told_with_one_that_is_like_it(play: Play) -> None:
    play.submit(example("industry-credit"))
    with pytest.raises(NotFound) as refused:
        show_case(play.database, "mc-abcdefghijk")
    assert (refused.value.code, refused.value.hint) == ("case_unknown", "Did you mean mc-abcdefghijkl?")


def test_a_reviewer_sees_the_task_its_proposal_and_what_was_decided(play: Play) -> None:
    play.submit(example("industry-credit"))
    first = play.decide("proposal", comment="A good fit.")
    task = play.state.open_tasks("quality")[0]
    page = task_page(play.database, task.id, task.assignee)
    assert page.is_open and page.own is None
    assert page.proposal == example("industry-credit")
    assert [(d["stage_name"], d["verdict"], d["comment"]) for d in page.decisions] == [
        ("Proposal check", "approve", "A good fit.")
    ]
    assert page.due_reason is not None and page.due_reason["calendar"] == "campus"
    done = task_page(play.database, first, page.decisions[0]["actor"])
    assert not done.is_open and done.own is not None and done.own["comment"] == "A good fit."


@pytest.mark.parametrize("person", ["someone.else@example.edu", PROPOSER, ""])
def test_a_task_page_is_for_its_assignee_alone(play: Play, person: str) -> None:
    play.submit(example("industry-credit"))
    task = play.state.open_tasks("proposal")[0]
    with pytest.raises(NotFound) as refused:
        task_page(play.database, task.id, person)
    assert refused.value.code == "task_unknown"


def test_what_the_framework_recommends_and_a_proposal_does_not_state_is_shown(play: Play) -> None:
    play.submit(example("industry-credit").model_copy(update={"price": None, "prerequisites": None}))
    task = play.state.open_tasks("proposal")[0]
    unstated = task_page(play.database, task.id, task.assignee).unstated
    assert [problem.field for problem in unstated] == ["prerequisites", "price"]


def test_the_catalogue_lists_the_newest_first(database: Database, tmp_path: Path) -> None:
    furnish(database)
    for name in "ba":
        whole_story(database, tmp_path, case_id=f"mc-{name}")
    later_one = Play(database, tmp_path, "non-credit", case_id="mc-c", at=START + 100 * DAY)
    later_one.submit(example("non-credit"))
    approve_all(later_one)
    assert [found.achievement["humanCode"] for found in publications(database)] == ["mc-c", "mc-a", "mc-b"]
    with pytest.raises(NotFound) as refused:
        publication(database, "no-such-slug")
    assert refused.value.code == "publication_unknown"


def test_someone_who_left_keeps_the_tasks_they_were_given(play: Play, tmp_path: Path) -> None:
    play.submit(example("industry-credit"))
    [task] = open_tasks(play.database)
    add_people(play.database, tmp_path, f"{task.assignee},Gone,,no")
    play.pass_time(MINUTE)
    assert [t.task_id for t in open_tasks(play.database, person=task.assignee)] == [task.task_id]
