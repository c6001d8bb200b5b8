"""What becomes of approvals under a new version: as it is written, shown and sent, over both kinds of database."""

import datetime as dt
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from imprimatur.history.export import history
from imprimatur.history.sentences import sentence
from imprimatur.history.verify import verify_all
from imprimatur.mail.context import MailContext, load
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.store.outbox import Result, claim, record
from imprimatur.store.reading import StageView, show_case
from imprimatur.store.task_page import TaskPage, task_page
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from models.case import TaskState
from models.effects import KeepStage
from models.vocabulary import (
    CaseStatus,
    EventType,
    MailKind,
    MailStatus,
    StageStatus,
    Verdict,
)
from tests.facts import BASE_URL, Play, amended, everything, example, furnish, ledger_rows
from tests.mails import rendered
from tests.web import Decider

A, C = Verdict.APPROVE, Verdict.REQUEST_CHANGES
LINKS = Links(["k" * 40], BASE_URL)


def answer(play: Play, stage_id: str, verdict: Verdict = A, comment: str = "") -> TaskState:
    task = play.state.open_tasks(stage_id)[0]
    scores: dict[str, Any] = {criterion.id: 3 for criterion in play.framework.stage(stage_id).criteria}
    play.decide(stage_id, verdict, comment or ("" if verdict is A else "because"), **scores)
    return task


def revised_after(play: Play, *approved: str, by: str) -> Play:
    play.submit(example("industry-credit"))
    for stage_id in approved:
        answer(play, stage_id)
    while play.state.status is CaseStatus.IN_REVIEW:
        answer(play, by, C)
    play.revise(example("industry-credit.revised"))
    return play


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Play:
    furnish(database)
    return revised_after(Play(database, tmp_path), "proposal", by="quality")


@pytest.fixture
def confirmed(database: Database, tmp_path: Path) -> Play:
    """The first stage has to be confirmed before the others go on."""
    furnish(database)
    return revised_after(
        Play(database, tmp_path, amended(database, "industry-credit", "proposal", carry="confirm")),
        "proposal",
        by="quality",
    )


def view(play: Play, stage_id: str) -> StageView:
    return next(found for found in show_case(play.database, play.case_id).stages if found.stage == stage_id)


def data_of(play: Play, type_: EventType) -> list[dict[str, Any]]:
    return [row["data"] for row in ledger_rows(play.database, play.case_id) if row["type"] == type_]


def finish(play: Play) -> None:
    while play.state.open_tasks():
        answer(play, play.state.open_tasks()[0].stage)
    assert play.state.status is CaseStatus.PUBLISHED
    assert verify_all(play.database).ok


def test_a_kept_approval_carries_its_proof(kept: Play) -> None:
    decision = next(r for r in ledger_rows(kept.database, kept.case_id) if r["type"] == EventType.DECISION_RECORDED)
    proof = {"position": decision["position"], "digest": decision["digest"], "actor": decision["actor"]}
    assert data_of(kept, EventType.STAGE_KEPT) == [{"stage": "proposal", "round": 1, "decisions": [proof]}]
    assert [item.model_dump() for item in view(kept, "proposal").proof] == [proof | {"strength": None}]
    assert (view(kept, "quality").proof, view(kept, "quality").status) == ([], StageStatus.OPEN)
    [story] = [sentence(event) for event in history(kept.database, kept.case_id) if event.type == "stage_kept"]
    assert story.endswith(f"nothing material to it changed (event {decision['position']})")
    finish(kept)


def test_an_approval_that_is_kept_twice_keeps_its_first_proof(kept: Play) -> None:
    while kept.state.status is CaseStatus.IN_REVIEW:
        answer(kept, "quality", C)
    kept.revise(example("industry-credit"))
    first, second = data_of(kept, EventType.STAGE_KEPT)
    assert first == second
    finish(kept)


def test_an_endorsement_that_lapses_says_so(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path, amended(database, "industry-credit", "industry", kind="endorsement"))
    play.submit(example("industry-credit"))
    answer(play, "proposal")
    play.decide("industry", Verdict.ENDORSE, need=3)
    while play.state.status is CaseStatus.IN_REVIEW:
        answer(play, "quality", C)
    play.revise(example("industry-credit.revised").model_copy(update={"title": "Prototyping with AI"}))
    assert (view(play, "industry").status, view(play, "industry").reason[:19]) == (
        StageStatus.WAITING,
        "its approval lapsed",
    )


def test_confirmation_is_sought_shown_and_given(confirmed: Play) -> None:
    found = view(confirmed, "proposal")
    assert (found.status, found.round, found.due_at is not None) == (StageStatus.OPEN, 2, True)
    [sought] = data_of(confirmed, EventType.CONFIRMATION_SOUGHT)
    assert (sought["of_round"], len(sought["decisions"])) == (1, 1)
    assert view(confirmed, "quality").status is StageStatus.WAITING, "what needs it waits for the confirmation"
    answer(confirmed, "proposal")
    found = view(confirmed, "proposal")
    assert (found.outcome, found.reason) == ("approved", "confirmed by all who approved it in round 1")
    assert len(found.proof) == 1
    stories = [sentence(event) for event in history(confirmed.database, confirmed.case_id)]
    assert any(
        story.startswith("Asked whoever approved proposal in round 1 to confirm it (event ") for story in stories
    )
    assert any(story.endswith("to confirm an earlier approval") for story in stories)
    finish(confirmed)


def test_an_approval_that_is_not_confirmed_is_decided_anew(confirmed: Play) -> None:
    answer(confirmed, "proposal", Verdict.ABSTAIN)
    found = view(confirmed, "proposal")
    assert (found.status, found.outcome) == (StageStatus.OPEN, None)
    assert data_of(confirmed, EventType.STAGE_LAPSED)[-1] == {"stage": "proposal", "changed": [], "confirmed": False}
    assert confirmed.state.open_tasks("proposal"), "somebody else is asked"
    stories = [sentence(event) for event in history(confirmed.database, confirmed.case_id)]
    assert "The approval of proposal lapsed: not everyone who gave it confirmed it" in stories
    finish(confirmed)


def test_silence_is_no_confirmation(confirmed: Play) -> None:
    due_at = view(confirmed, "proposal").due_at
    assert due_at is not None
    confirmed.pass_time(due_at - confirmed.now + dt.timedelta(seconds=1))
    found = view(confirmed, "proposal")
    assert found.due_at is not None and found.due_at > due_at and found.breached_at is None
    assert {task.due_at for task in show_case(confirmed.database, confirmed.case_id).tasks} == {found.due_at}
    finish(confirmed)


def test_no_more_people_are_asked_anew_than_the_stage_wants(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path, amended(database, "industry-credit", "quality", carry="confirm", material=[]))
    revised_after(play, "proposal", "quality", "quality", by="industry")
    assert len(play.state.open_tasks("quality")) == 2
    answer(play, "quality", Verdict.ABSTAIN)
    people = {t.assignee for t in play.state.tasks.values() if (t.stage, t.round) == ("quality", 2)}
    assert len(people) == 3, "three reviewers, of whom two have been asked already"
    finish(play)


def test_steps_written_again_change_nothing(confirmed: Play) -> None:
    answer(confirmed, "proposal", Verdict.ABSTAIN)
    before = everything(confirmed.database)
    for step in confirmed.steps:
        confirmed.committer.write_step(step)
    assert everything(confirmed.database) == before


# --- what reviewers see --------------------------------------------------------------------------------------------


def page_of(play: Play, stage_id: str) -> TaskPage:
    task = play.state.open_tasks(stage_id)[0]
    return task_page(play.database, task.id, task.assignee)


def test_a_reviewer_sees_what_changed_since_the_version_that_was_decided_on(kept: Play) -> None:
    baseline = page_of(kept, "quality").baseline
    assert baseline is not None and baseline.version == 1 and baseline.approval is None
    assert [change.field for change in baseline.changes] == ["learning_outcomes", "assessment.description"]


def test_whoever_approved_before_sees_the_own_approval(confirmed: Play) -> None:
    baseline = page_of(confirmed, "proposal").baseline
    assert baseline is not None and baseline.approval is not None
    assert (baseline.approval["verdict"], baseline.approval["scores"]) == ("approve", {"fit": 3, "no_duplication": 3})


def test_in_the_first_round_there_is_nothing_to_compare(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    assert page_of(play, "proposal").baseline is None


def test_the_task_mail_tells_what_changed(confirmed: Play) -> None:
    waiting = claim(confirmed.database, 500, dt.datetime.now(dt.UTC))
    record(confirmed.database, [Result(mail, MailStatus.SENT) for mail in waiting], dt.datetime.now(dt.UTC))
    task = confirmed.state.open_tasks("proposal")[0]
    [mail] = [mail for mail in waiting if mail.kind is MailKind.TASK and mail.task_id == task.id]
    [context] = load(confirmed.database, [mail])
    assert isinstance(context, MailContext)
    found = rendered(context)
    text, html = found.text, found.html
    assert "WHAT HAS CHANGED SINCE VERSION 1" in text and "You approved that version." in text
    assert "[+ " in text and "<ins>" in html
    assert "you approved the version before" in text, "why this person is asked"


@pytest.fixture
async def browser(confirmed: Play) -> AsyncIterator[httpx.AsyncClient]:
    async def ready() -> dict[str, str]:
        return {}

    app = create_app(House(confirmed.database, LINKS, decider=Decider(confirmed)), ready=ready)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        yield client


async def test_one_click_confirms(confirmed: Play, browser: httpx.AsyncClient) -> None:
    task = confirmed.state.open_tasks("proposal")[0]
    link = f"/t/{LINKS.token(task.id, task.assignee)}"
    opened = (await browser.get(link)).text
    assert "What has changed since version 1" in opened and "<ins>" in opened
    form = opened.split('<form method="post" class="note">')[1].split("</form>")[0]
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    assert {name: value for name, value in hidden.items() if name not in ("once", "wants_tick", "tick")} == {
        "verdict": "approve",
        "score.fit": "3",
        "score.no_duplication": "3",
    }
    posted = await browser.post(link, data=hidden)
    assert posted.status_code == 200 and "is recorded" in posted.text
    assert view(confirmed, "proposal").outcome == "approved"
    assert "Confirm my approval" not in (await browser.get(link)).text, "nothing is asked any more"


def test_keeping_needs_nobody(kept: Play) -> None:
    assert any(isinstance(effect, KeepStage) for effect in kept.steps[-1].effects)
    assert kept.state.open_tasks("proposal") == []
