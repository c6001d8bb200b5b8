"""Approvals under a new version: kept with their proof, or held only by those who confirm them."""

import datetime as dt
import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imprimatur.history.export import history
from imprimatur.history.sentences import sentence
from imprimatur.history.verify import verify_all
from imprimatur.mail.context import load
from imprimatur.mail.links import Links
from imprimatur.mail.rendering import Sender, render
from imprimatur.rules.clock import next_deadline
from imprimatur.store.engine import Database
from imprimatur.store.outbox import Result, claim, record
from imprimatur.store.reading import StageView, show_case
from imprimatur.store.task_page import TaskPage, task_page
from imprimatur.web.app import create_app
from models.case import TaskState
from models.conditions import Condition
from models.effects import AskAnew, AskToConfirm, KeepStage, LapseStage
from models.events import ActConfirmed, ActProposed
from models.plan import Plan, StagePlan
from models.vocabulary import (
    AssignmentReason,
    Carry,
    CaseStatus,
    ConditionStatus,
    EventType,
    MailKind,
    MailStatus,
    OfficeAct,
    StageKind,
    StageOutcome,
    StageStatus,
    Verdict,
)
from tests.deciders import PlayingDecider
from tests.facts import BASE_URL, OFFICE, Play, amended, everything, example, furnish, ledger_rows
from tests.policies import checked, policy, publication, stage
from tests.simulator import DAY, Desk, Simulator

A, R, C = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES
PLAN = Plan(
    framework="tiny@1",
    digest="f" * 64,
    stages=(
        StagePlan(id="quality", quorum=2, threshold=2, material=("title",), carry=Carry.CONFIRM),
        StagePlan(id="industry", quorum=1, threshold=1, material=()),
        StagePlan(id="publication", needs=("quality", "industry"), automatic=True, publishes=True),
    ),
)


@pytest.fixture
def case() -> Simulator:
    """Two of three have approved; another stage asks for changes."""
    desk = Desk(
        reviewers={"quality": [(f"q{n}@example.org", None) for n in range(3)], "industry": [("i@example.org", None)]},
        escalation=["director@example.org"],
    )
    found = Simulator(PLAN, desk)
    found.submit()
    for _ in range(2):
        assert found.decide("quality", A) is None
    assert found.decide("industry", C) is None
    return found


def confirming(case: Simulator) -> list[TaskState]:
    return [task for task in case.state.open_tasks("quality") if task.reason is AssignmentReason.CONFIRMATION]


def outcome(case: Simulator) -> StageOutcome | None:
    return case.state.stages["quality"].outcome


def test_whoever_approved_is_asked_to_confirm(case: Simulator) -> None:
    assert case.revise("partners") is None
    [asked] = [effect for effect in case.last if isinstance(effect, AskToConfirm)]
    assert (asked.stage, asked.of_round, asked.round) == ("quality", 1, 2)
    assert [task.assignee for task in confirming(case)] == ["q0@example.org", "q1@example.org"]
    assert case.state.stages["quality"].confirms == 1


def test_a_confirmed_approval_stands(case: Simulator) -> None:
    case.revise("partners")
    case.decide("quality", A)
    assert case.state.stages["quality"].status is StageStatus.OPEN, "each of them has to"
    case.decide("quality", A)
    assert (outcome(case), case.state.stages["quality"].confirms) == (StageOutcome.APPROVED, None)
    case.decide("industry", A)
    assert case.state.status is CaseStatus.PUBLISHED


@pytest.mark.parametrize("verdict", [R, C, Verdict.ABSTAIN, Verdict.RECUSE])
def test_without_the_word_of_one_the_approval_lapses_and_the_votes_are_counted(
    case: Simulator, verdict: Verdict
) -> None:
    case.revise("partners")
    case.decide("quality", A)
    case.decide("quality", verdict)
    assert [type(e) for e in case.last if isinstance(e, LapseStage | AskAnew)] == [LapseStage, AskAnew]
    assert [task.assignee for task in case.state.open_tasks("quality")] == ["q2@example.org"]
    case.decide("quality", A)
    assert outcome(case) is StageOutcome.APPROVED, "two approve by now, one of them in confirming"


def test_silence_lets_an_approval_lapse_and_is_no_breach(case: Simulator) -> None:
    case.revise("partners")
    case.decide("quality", A)
    due_at = case.state.stages["quality"].due_at
    case.pass_time(10 * DAY)
    stage_ = case.state.stages["quality"]
    assert stage_.confirms is None and due_at is not None and stage_.due_at == due_at + 10 * DAY
    assert "breach" not in [effect.kind for effect in case.effects if getattr(effect, "stage", "") == "quality"]
    assert {task.assignee for task in case.state.open_tasks("quality")} == {"q1@example.org", "q2@example.org"}
    case.decide("quality", A, by=1)
    assert outcome(case) is StageOutcome.APPROVED
    assert next(e.reason for e in case.last if e.kind == "close_stage").startswith("2 approved")


def test_what_is_material_is_reviewed_anew_whoever_would_confirm(case: Simulator) -> None:
    case.revise("title")
    assert [effect.confirmed for effect in case.last if isinstance(effect, LapseStage)] == [True]
    assert confirming(case) == [] and len(case.state.open_tasks("quality")) == 3


def test_an_approval_nobody_gave_cannot_be_confirmed() -> None:
    desk = Desk({"quality": [("q@example.org", None)], "industry": [("i@example.org", None)]})
    other = Simulator(PLAN, desk)
    other.submit()
    act = ActProposed(
        act_id="a", act=OfficeAct.OVERRIDE, actor=OFFICE, stage="quality", outcome=StageOutcome.APPROVED,
        reason="urgent", by_office=True,
    )  # fmt: skip
    assert other.play(act) is None
    assert other.play(ActConfirmed(act_id="a", actor="lena.office@example.edu", by_office=True)) is None
    other.decide("industry", C)
    other.revise("partners")
    assert [effect.confirmed for effect in other.last if isinstance(effect, LapseStage)] == [False]
    assert [task.reason for task in other.state.open_tasks("quality")] == [AssignmentReason.ROLE]


def test_nobody_need_confirm_for_a_version_that_is_about_to_change(case: Simulator) -> None:
    case.revise("partners")
    case.decide("quality", A)
    case.decide("industry", C)
    stage_ = case.state.stages["quality"]
    assert (stage_.outcome, stage_.round, case.state.open_tasks()) == (StageOutcome.APPROVED, 1, [])
    case.revise("partners")
    assert [task.assignee for task in confirming(case)] == ["q0@example.org", "q1@example.org"], "anew, by both"


def test_conditions_stay_while_their_approval_is_confirmed_and_lapse_with_it() -> None:
    desk = Desk({"quality": [(f"q{n}@example.org", None) for n in range(3)], "industry": [("i@example.org", None)]})
    found = Simulator(PLAN, desk)
    found.submit()
    asked = Condition(id="c1", text="Name the assessor.", blocking=True)
    task = found.state.open_tasks("quality")[0]
    found.decide_task(task.id, task.assignee, A, (asked,))
    found.decide("quality", A)
    found.decide("industry", C)
    found.revise("partners")
    before = found.state.conditions["c1"].status
    found.decide("quality", R)
    assert (before, found.state.conditions["c1"].status) == (ConditionStatus.OPEN, ConditionStatus.LAPSED)


class AnyConfirmation(RuleBasedStateMachine):
    """Random answers and revisions: a case with approvals to confirm always goes on, by people's word alone."""

    @initialize()
    def begin(self) -> None:
        desk = Desk(
            {"quality": [(f"q{n}@example.org", None) for n in range(3)], "industry": [("i@example.org", None)]},
            ["director@example.org"],
        )
        self.case = Simulator(PLAN, desk)
        self.case.submit()

    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 9), verdict=st.sampled_from([A, A, A, C, Verdict.ABSTAIN, Verdict.RECUSE]))
    def somebody_decides(self, pick: int, verdict: Verdict) -> None:
        tasks = self.case.state.open_tasks()
        task = tasks[pick % len(tasks)]
        assert self.case.decide_task(task.id, task.assignee, verdict) is None

    @precondition(lambda self: self.case.state.status is CaseStatus.REVISING)
    @rule(changed=st.sampled_from(["title", "partners"]))
    def proposer_revises(self, changed: str) -> None:
        assert self.case.revise(changed) is None

    @rule(days=st.integers(0, 15))
    def time_passes(self, days: int) -> None:
        self.case.pass_time(days * DAY)

    @invariant()
    def somebody_is_waited_for(self) -> None:
        for found in self.case.state.stages.values():
            if found.status is StageStatus.OPEN:
                assert self.case.state.open_tasks(found.id) or found.retry_at is not None

    @invariant()
    def nothing_is_overdue_for_the_clock(self) -> None:
        deadline = next_deadline(self.case.state)
        assert deadline is None or deadline > self.case.now

    @invariant()
    def a_confirmed_stage_has_the_word_of_all_who_were_asked(self) -> None:
        found = self.case.state.stages["quality"]
        if found.confirms is not None:
            asked = [t for t in self.case.state.tasks.values() if (t.stage, t.round) == ("quality", found.round)]
            assert all(task.verdict in (None, A) for task in asked)
            assert any(task.verdict is None for task in asked), "else it would be settled"


TestAnyConfirmation = AnyConfirmation.TestCase
TestAnyConfirmation.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


def test_only_what_people_vote_on_can_be_confirmed() -> None:
    window = stage("window", "check", kind=StageKind.OBJECTION, carry="confirm", voting=None, criteria=[])
    window["sla"]["policy_clause"] = "Statute 4"
    published = publication("window") | {"carry": "confirm", "conditions": "allowed"}
    problems = checked(policy(stage("check", carry="confirm"), window, published))
    assert [(problem.code, problem.where) for problem in problems] == [
        ("stage_key_idle", "stages[1].carry"),
        ("stage_key_idle", "stages[2].conditions"),
        ("stage_key_idle", "stages[2].carry"),
    ]


# --- what is written -----------------------------------------------------------------------------------------------

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
    assert [item.model_dump() for item in view(kept, "proposal").proof] == [proof]
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
    message = message_from_bytes(
        render(context, LINKS, Sender("office@example.edu", "reply.example.edu")).as_bytes(), policy=default
    )
    text, html = (part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
    assert "WHAT HAS CHANGED SINCE VERSION 1" in text and "You approved that version." in text
    assert "[+ " in text and "<ins>" in html
    assert "you approved the version before" in text, "why this person is asked"


@pytest.fixture
async def browser(confirmed: Play) -> AsyncIterator[httpx.AsyncClient]:
    async def ready() -> dict[str, str]:
        return {}

    app = create_app(database=confirmed.database, decider=PlayingDecider(confirmed), links=LINKS, ready=ready)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        yield client


async def test_one_click_confirms(confirmed: Play, browser: httpx.AsyncClient) -> None:
    task = confirmed.state.open_tasks("proposal")[0]
    link = f"/t/{LINKS.token(task.id, task.assignee)}"
    opened = (await browser.get(link)).text
    assert "What has changed since version 1" in opened and "<ins>" in opened and "<script" not in opened
    form = opened.split('<form method="post" class="note">')[1].split("</form>")[0]
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    assert hidden == {"verdict": "approve", "score.fit": "3", "score.no_duplication": "3"}
    posted = await browser.post(link, data=hidden)
    assert posted.status_code == 200 and "is recorded" in posted.text
    assert view(confirmed, "proposal").outcome == "approved"
    assert "Confirm my approval" not in (await browser.get(link)).text, "nothing is asked any more"


def test_keeping_needs_nobody(kept: Play) -> None:
    assert any(isinstance(effect, KeepStage) for effect in kept.steps[-1].effects)
    assert kept.state.open_tasks("proposal") == []
