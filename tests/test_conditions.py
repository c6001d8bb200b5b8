"""Conditions of an approval: in force once the stage has passed, tracked to their end, and nothing published before."""

import datetime as dt

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imprimatur.rules.clock import next_deadline
from imprimatur.rules.refusal import Refusal
from models.conditions import Condition, ConditionFulfilled, ConditionJudged
from models.effects import Publish
from models.events import Annulled, Held, Resumed, SentBack
from models.plan import Plan, StagePlan
from models.vocabulary import CaseStatus, ConditionAct, ConditionStatus, StageStatus, Verdict
from tests.simulator import DAY, PROPOSER, Desk, Simulator

A, R, C = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES
OFFICE, REVIEWER = "office@example.org", "q0@example.org"
PLAN = Plan(
    framework="tiny@1",
    digest="f" * 64,
    stages=(
        StagePlan(id="quality", quorum=1, threshold=2, material=("title",)),
        StagePlan(id="industry", quorum=1, threshold=1, material=()),
        StagePlan(id="publication", needs=("quality", "industry"), automatic=True, publishes=True),
    ),
)


def asked(number: int = 1, *, blocking: bool = False, owner: str = "") -> Condition:
    return Condition(id=f"c{number}", text="Name the assessor.", owner=owner, blocking=blocking)


def reviewed() -> Simulator:
    desk = Desk(
        reviewers={"quality": [(f"q{n}@example.org", None) for n in range(3)], "industry": [("i@example.org", None)]},
        escalation=["director@example.org"],
    )
    case = Simulator(PLAN, desk)
    case.submit()
    return case


def approve(case: Simulator, stage: str, *conditions: Condition) -> None:
    task = case.state.open_tasks(stage)[0]
    assert case.decide_task(task.id, task.assignee, A, conditions) is None


def fulfil(case: Simulator, number: int = 1, by: str = PROPOSER, evidence: str = "See page 3.") -> Refusal | None:
    return case.play(ConditionFulfilled(actor=by, condition_id=f"c{number}", evidence=evidence))


def judge(
    case: Simulator,
    act: ConditionAct,
    number: int = 1,
    by: str = REVIEWER,
    reason: str = "because",
    office: bool = False,
) -> Refusal | None:
    return case.play(
        ConditionJudged(actor=by, condition_id=f"c{number}", act=act, reason=reason, by_office=office or by == OFFICE)
    )


def status(case: Simulator, number: int = 1) -> ConditionStatus:
    return case.state.conditions[f"c{number}"].status


@pytest.fixture
def case() -> Simulator:
    return reviewed()


def passed(case: Simulator, *conditions: Condition) -> Simulator:
    approve(case, "quality", *conditions)
    approve(case, "quality")
    approve(case, "industry")
    return case


def test_a_condition_comes_into_force_when_its_stage_has_passed(case: Simulator) -> None:
    approve(case, "quality", asked())
    assert status(case) is ConditionStatus.PROPOSED
    assert next_deadline(case.state) is not None and case.state.conditions["c1"].due_at is None
    approve(case, "quality")
    assert (status(case), case.kinds()) == (
        ConditionStatus.OPEN,
        ["record_decision", "close_task", "close_stage", "open_condition"],
    )
    assert case.state.conditions["c1"].due_at == case.now + 5 * DAY


def test_the_proposer_is_to_see_to_what_names_nobody(case: Simulator) -> None:
    passed(case, asked(1), asked(2, owner="dean@example.org"))
    assert [c.owner for c in case.state.conditions.values()] == [PROPOSER, "dean@example.org"]


def test_nothing_is_published_before_what_blocks_is_accepted(case: Simulator) -> None:
    passed(case, asked(1, blocking=True), asked(2, blocking=True))
    assert (case.state.status, case.state.open_tasks()) == (CaseStatus.IN_REVIEW, [])
    assert case.state.stages["publication"].status is StageStatus.WAITING
    assert fulfil(case) is None
    assert not case.state.is_over, "the owner's word alone does not settle it"
    assert judge(case, ConditionAct.ACCEPT, reason="") is None
    assert not case.state.is_over, "another one is left"
    assert judge(case, ConditionAct.WAIVE, 2, by=OFFICE) is None
    assert case.state.status is CaseStatus.PUBLISHED and case.state.is_over
    assert case.kinds() == ["judge_condition", "publish", "close_stage", "close_case"]


def test_what_does_not_block_stays_with_the_case_after_publication(case: Simulator) -> None:
    passed(case, asked())
    assert case.state.status is CaseStatus.PUBLISHED
    assert (status(case), case.state.is_over) == (ConditionStatus.OPEN, False)
    assert next_deadline(case.state) == case.now + 4 * DAY
    case.pass_time(30 * DAY)
    assert [kind for kind in (e.kind for e in case.effects) if kind.endswith("_condition")] == [
        "open_condition",
        "remind_of_condition",
        "breach_condition",
    ]
    assert "breach_case" not in [e.kind for e in case.effects], "a published case has no clock"
    case.pass_time(200 * DAY)
    assert fulfil(case) is None
    assert judge(case, ConditionAct.REOPEN) is None
    assert fulfil(case) is None
    assert judge(case, ConditionAct.ACCEPT) is None
    assert case.state.is_over
    assert [e.kind for e in case.effects].count("breach_condition") == 1


def test_what_is_fulfilled_in_time_is_not_late(case: Simulator) -> None:
    passed(case, asked())
    case.pass_time(2 * DAY)
    assert fulfil(case) is None
    case.pass_time(30 * DAY)
    assert "breach_condition" not in [e.kind for e in case.effects]
    assert judge(case, ConditionAct.REOPEN) is None
    assert next_deadline(case.state) is not None, "what is asked for again is late by now"


def test_an_approval_that_lapses_takes_its_conditions_along(case: Simulator) -> None:
    approve(case, "quality", asked(1))
    approve(case, "quality", asked(2, blocking=True))
    task = case.state.open_tasks("industry")[0]
    assert case.decide_task(task.id, task.assignee, C) is None
    assert [status(case, n) for n in (1, 2)] == [ConditionStatus.OPEN] * 2, "until then both stand"
    assert case.revise("title") is None
    assert [status(case, n) for n in (1, 2)] == [ConditionStatus.LAPSED] * 2
    assert case.state.conditions["c1"].remind_at == ()


def test_an_approval_that_is_kept_keeps_its_conditions(case: Simulator) -> None:
    approve(case, "quality", asked())
    approve(case, "quality")
    case.decide("industry", C)
    assert case.revise("partners") is None
    assert (status(case), case.state.stages["quality"].status) == (ConditionStatus.OPEN, StageStatus.CLOSED)


def test_the_proposer_may_change_the_text_to_meet_what_holds_up_the_publication(case: Simulator) -> None:
    passed(case, asked(blocking=True))
    assert case.revise("partners") is None
    assert "resume_clock" not in case.kinds(), "it never stopped"
    assert (status(case), case.state.open_tasks()) == (ConditionStatus.OPEN, []), "nothing material to the approval"
    assert case.revise("title") is None
    assert status(case) is ConditionStatus.LAPSED, "the approval is sought anew, with conditions or without"
    assert len(case.state.open_tasks("quality")) == 3


def test_an_incomplete_change_stops_the_clock_until_it_is_complete(case: Simulator) -> None:
    passed(case, asked(blocking=True))
    assert case.revise("partners", complete=False) is None
    assert (case.state.status, case.kinds()) == (CaseStatus.INCOMPLETE, ["add_version", "pause_clock"])
    assert case.revise("partners") is None
    assert case.kinds()[1] == "resume_clock"


def test_while_people_review_nothing_is_changed_for_a_condition(case: Simulator) -> None:
    passed_quality(case)
    refused = case.revise("partners")
    assert refused is not None and refused.code == "revision_not_requested"


def lapse_by_rejection(case: Simulator) -> None:
    case.decide("industry", R)


def lapse_by_withdrawal(case: Simulator) -> None:
    case.withdraw()


def lapse_by_cancellation(case: Simulator) -> None:
    case.decide("industry", C)


def lapse_by_sending_back(case: Simulator) -> None:
    case.play(SentBack(actor=OFFICE, stage="quality", reason="anew", by_office=True))


def lapse_by_annulment(case: Simulator) -> None:
    [task] = [task for task in case.state.tasks.values() if task.verdict is A]
    case.play(Annulled(actor=OFFICE, task_id=task.id, reason="by mistake", by_office=True))


@pytest.mark.parametrize(
    "lapse",
    [lapse_by_rejection, lapse_by_withdrawal, lapse_by_cancellation, lapse_by_sending_back, lapse_by_annulment],
)
def test_without_its_approval_there_is_no_condition(case: Simulator, lapse: object) -> None:
    approve(case, "quality", asked())
    lapse(case)  # type: ignore[operator]
    assert status(case) is ConditionStatus.LAPSED
    assert "open_condition" not in [e.kind for e in case.effects]
    assert case.state.is_over == case.state.status.is_final


def test_on_hold_nobody_is_reminded_and_nothing_is_settled(case: Simulator) -> None:
    passed_quality(case)
    case.play(Held(actor=OFFICE, reason="a complaint", by_office=True))
    case.pass_time(30 * DAY)
    assert "breach_condition" not in [e.kind for e in case.effects]
    refused = fulfil(case)
    assert refused is not None and refused.code == "case_on_hold"
    case.play(Resumed(actor=OFFICE, reason="settled", by_office=True))
    case.pass_time(DAY)
    assert "breach_condition" in [e.kind for e in case.effects]


def passed_quality(case: Simulator) -> None:
    approve(case, "quality", asked(blocking=True))
    approve(case, "quality")


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda c: fulfil(c, 9), "condition_unknown"),
        (lambda c: fulfil(c, by=REVIEWER), "not_your_condition"),
        (lambda c: fulfil(c, evidence=" "), "evidence_required"),
        (lambda c: judge(c, ConditionAct.ACCEPT), "condition_not_fulfilled"),
        (lambda c: judge(c, ConditionAct.REOPEN), "condition_not_fulfilled"),
        (lambda c: judge(c, ConditionAct.WAIVE, reason=""), "reason_required"),
        (lambda c: judge(c, ConditionAct.WAIVE, by="i@example.org"), "not_your_condition"),
        (lambda c: judge(c, ConditionAct.WAIVE, by=PROPOSER, office=True), "own_condition"),
        (lambda c: (fulfil(c), fulfil(c))[1], "condition_not_open"),
        (lambda c: (fulfil(c), judge(c, ConditionAct.REOPEN, reason=""))[1], "reason_required"),
        (lambda c: (judge(c, ConditionAct.WAIVE), fulfil(c))[1], "condition_settled"),
    ],
)
def test_refusals_change_nothing(case: Simulator, act: object, code: str) -> None:
    passed_quality(case)
    refused = act(case)  # type: ignore[operator]
    assert refused is not None and refused.code == code
    before = case.state
    assert act(case) is not None  # type: ignore[operator]
    assert case.state == before


@pytest.mark.parametrize("act", ConditionAct)
def test_nobody_judges_a_condition_of_their_own_proposal(case: Simulator, act: ConditionAct) -> None:
    """Not even of the office, nor where somebody else has to see to it."""
    approve(case, "quality", asked(owner="partner@example.org", blocking=True))
    approve(case, "quality")
    fulfil(case, by="partner@example.org")
    refused = judge(case, act, by=PROPOSER, office=True)
    assert refused is not None and refused.code == "own_proposal"


def test_before_the_stage_has_passed_nothing_can_be_done(case: Simulator) -> None:
    approve(case, "quality", asked())
    refused = fulfil(case)
    assert refused is not None and refused.code == "condition_not_in_force"


def test_in_a_case_that_is_over_nothing_is_asked_for(case: Simulator) -> None:
    approve(case, "quality", asked())
    case.withdraw()
    refused = fulfil(case)
    assert refused is not None and refused.code == "case_closed"


def test_the_clock_that_stands_still_is_not_missed(case: Simulator) -> None:
    """A timer that was armed before a revision was requested still goes off."""
    passed_quality(case)
    case.decide("industry", C)
    assert case.state.status is CaseStatus.REVISING
    case.pass_time(100 * DAY)
    kinds = [e.kind for e in case.effects]
    assert "breach_condition" in kinds and "breach_case" not in kinds


# --- whatever happens ------------------------------------------------------------------------------------------------


class AnyConditions(RuleBasedStateMachine):
    """Random approvals with conditions, and everything that can become of them."""

    @initialize()
    def begin(self) -> None:
        self.case = reviewed()
        self.number = 0

    def _drawn(self, flags: list[bool]) -> tuple[Condition, ...]:
        found = []
        for blocking in flags:
            self.number += 1
            found.append(asked(self.number, blocking=blocking))
        return tuple(found)

    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 9), flags=st.lists(st.booleans(), max_size=2), verdict=st.sampled_from([A, A, A, C]))
    def somebody_decides(self, pick: int, flags: list[bool], verdict: Verdict) -> None:
        tasks = self.case.state.open_tasks()
        task = tasks[pick % len(tasks)]
        assert (
            self.case.decide_task(task.id, task.assignee, verdict, self._drawn(flags) if verdict is A else ()) is None
        )

    @precondition(lambda self: self.case.state.conditions)
    @rule(pick=st.integers(0, 9), act=st.sampled_from([None, *ConditionAct]))
    def somebody_sees_to_one(self, pick: int, act: ConditionAct | None) -> None:
        found = list(self.case.state.conditions.values())[pick % len(self.case.state.conditions)]
        event = (
            ConditionFulfilled(actor=found.owner, condition_id=found.id, evidence="done")
            if act is None
            else ConditionJudged(actor=found.set_by, condition_id=found.id, act=act, reason="because")
        )
        refused = self.case.play(event)
        # What is asked for again may be late by now: the clock goes off at once.
        self.case.pass_time(dt.timedelta())
        assert refused is None or not (found.status is ConditionStatus.OPEN and act in (None, ConditionAct.WAIVE))

    @precondition(lambda self: self.case.state.status is CaseStatus.REVISING or self.case.state.waits_for_conditions)
    @rule(changed=st.sampled_from(["title", "partners"]))
    def proposer_revises(self, changed: str) -> None:
        assert self.case.revise(changed) is None

    @rule(days=st.integers(0, 20))
    def time_passes(self, days: int) -> None:
        self.case.pass_time(days * DAY)

    @invariant()
    def nothing_that_blocks_is_open_when_published(self) -> None:
        if any(isinstance(effect, Publish) for effect in self.case.effects):
            assert all(c.status.is_settled for c in self.case.state.conditions.values() if c.blocking)

    @invariant()
    def a_condition_is_in_force_only_under_a_standing_approval(self) -> None:
        for found in self.case.state.conditions.values():
            stage = self.case.state.stages[found.stage]
            if found.status in (ConditionStatus.OPEN, ConditionStatus.FULFILLED):
                assert stage.outcome is not None and stage.outcome.stays_valid
            elif found.status is ConditionStatus.PROPOSED:
                assert stage.status is StageStatus.OPEN

    @invariant()
    def nothing_is_overdue_for_the_clock(self) -> None:
        deadline = next_deadline(self.case.state)
        assert deadline is None or deadline > self.case.now

    @invariant()
    def the_case_goes_on_as_soon_as_it_can(self) -> None:
        state = self.case.state
        waits = any(c.blocking and not c.status.is_settled for c in state.conditions.values())
        if state.status is CaseStatus.IN_REVIEW and not waits:
            assert any(stage.status is StageStatus.OPEN for stage in state.stages.values())

    @invariant()
    def each_is_late_at_most_once(self) -> None:
        late = [e.condition for e in self.case.effects if e.kind == "breach_condition"]
        assert len(late) == len(set(late))


TestAnyConditions = AnyConditions.TestCase
TestAnyConditions.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
