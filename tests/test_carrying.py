"""Approvals under a new version: kept with their proof, or held only by those who confirm them."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imprimatur.rules.clock import next_deadline
from models.case import TaskState
from models.conditions import Condition
from models.effects import AskAnew, AskToConfirm, LapseStage
from models.events import ActConfirmed, ActProposed, HandedOver
from models.plan import Plan, StagePlan
from models.vocabulary import (
    AssignmentReason,
    Carry,
    CaseStatus,
    ConditionStatus,
    OfficeAct,
    StageKind,
    StageOutcome,
    StageStatus,
    Verdict,
)
from tests.facts import OFFICE
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


def test_nobody_is_asked_to_confirm_where_somebody_who_approved_is_gone(case: Simulator) -> None:
    case.desk.gone.add("q1@example.org")
    assert case.revise("partners") is None
    assert [kind for kind in case.kinds() if kind in ("ask_to_confirm", "lapse_stage", "ask_anew")] == [
        "ask_to_confirm",
        "lapse_stage",
        "ask_anew",
    ]
    assert [task.assignee for task in case.state.open_tasks("quality")] == ["q0@example.org", "q2@example.org"]
    assert case.state.stages["quality"].confirms is None


def test_nobody_confirms_in_the_name_of_a_leaver(case: Simulator) -> None:
    case.revise("partners")
    case.decide("quality", A)
    left = confirming(case)[0]
    case.desk.gone.add(left.assignee)
    assert case.play(HandedOver(actor="system", task_id=left.id, reason="no longer active")) is None
    assert case.kinds() == ["close_task", "lapse_stage", "ask_anew"]
    case.decide("quality", A)
    assert outcome(case) is StageOutcome.APPROVED


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

    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 9))
    def somebody_leaves(self, pick: int) -> None:
        tasks = self.case.state.open_tasks()
        task = tasks[pick % len(tasks)]
        self.case.desk.gone.add(task.assignee)
        assert self.case.play(HandedOver(actor="system", task_id=task.id, reason="no longer active")) is None

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
