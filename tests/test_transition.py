"""How a case changes course: the tables, and the invariants under any sequence of events."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imprimatur.rules.transition import next_deadline
from imprimatur.rules.voting import evaluate
from models.case import CaseState, CloseStage, CloseTask, KeepStage, LapseStage, Plan, StagePlan, Ticked
from models.vocabulary import CaseStatus, StageOutcome, StageStatus, TaskClosure, TaskStatus, Verdict
from tests.simulator import DAY, PROPOSER, Desk, Simulator

A, R, C, N = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN

PLAN = Plan(
    framework="bench@1",
    digest="f",
    stages=(
        StagePlan(id="proposal", quorum=1, threshold=1),
        StagePlan(id="quality", needs=("proposal",), quorum=2, threshold=2, material=("learning_outcomes",)),
        StagePlan(id="industry", needs=("proposal",), quorum=1, threshold=1, material=("partners",)),
        StagePlan(id="publication", needs=("quality", "industry"), automatic=True, publishes=True),
    ),
)


def desk(**change: object) -> Desk:
    reviewers: dict[str, list[tuple[str, str | None]]] = {
        "proposal": [("office@example.org", "governance_office")],
        "quality": [(f"q{n}@example.org", "quality_reviewer") for n in range(3)],
        "industry": [("partner@example.org", "industry_partner")],
    }
    return Desk(**({"reviewers": reviewers, "escalation": ["director@example.org"]} | change))  # type: ignore[arg-type]


@pytest.fixture
def case() -> Simulator:
    simulator = Simulator(PLAN, desk())
    simulator.submit()
    return simulator


def stage_status(case: Simulator) -> dict[str, tuple[str, str | None]]:
    return {name: (str(s.status), s.outcome and str(s.outcome)) for name, s in case.state.stages.items()}


def test_the_whole_way(case: Simulator) -> None:
    assert [t.stage for t in case.state.open_tasks()] == ["proposal"]
    case.decide("proposal", A)
    assert {t.stage for t in case.state.open_tasks()} == {"quality", "industry"}, "independent stages run in parallel"
    case.decide("quality", A)
    case.decide("quality", A)
    assert CloseTask in {type(e) for e in case.last}, "the third reviewer is no longer needed"
    case.decide("industry", A)
    assert case.state.status is CaseStatus.PUBLISHED
    assert case.kinds() == ["record_decision", "close_stage", "publish", "close_stage", "close_case"]
    assert case.state.seq == 5, "one commit a step"


def test_remaining_tasks_close_with_the_reason_and_by_whom(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("quality", A)
    last = case.state.open_tasks("quality")[1]
    case.decide("quality", A)
    closed = case.state.tasks[last.id]
    assert (closed.status, closed.closure, closed.closed_by) == (
        TaskStatus.CLOSED,
        TaskClosure.OUTCOME_CERTAIN,
        "q1@example.org",
    )
    refused = case.decide_task(last.id, last.assignee, A)
    assert refused is not None
    assert refused.code == "task_closed"
    assert "q1@example.org" in refused.message


def test_a_rejection_ends_the_case(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("industry", R)
    assert case.state.status is CaseStatus.REJECTED
    assert case.state.open_tasks() == []
    assert stage_status(case)["quality"] == ("closed", "cancelled")


def test_requested_changes_stop_every_open_stage_and_the_clock(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("quality", A)
    case.decide("industry", C)
    assert case.state.status is CaseStatus.REVISING
    assert case.state.open_tasks() == []
    assert next_deadline(case.state) is None, "the clock stands still while the proposer revises"
    assert case.kinds()[-2:] == ["request_revision", "pause_clock"]


def test_a_revision_keeps_what_it_does_not_touch(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("industry", A)
    case.decide("quality", C)
    case.decide("quality", C)
    assert case.revise("learning_outcomes") is None
    kept = [e.stage for e in case.last if isinstance(e, KeepStage)]
    lapsed = [e.stage for e in case.last if isinstance(e, LapseStage)]
    assert kept == ["industry"], "partners are material to industry, outcomes are not"
    assert lapsed == ["proposal"], "everything is material to a stage that does not say"
    assert case.state.round == 2
    case.decide("proposal", A)
    assert {t.stage for t in case.state.open_tasks()} == {"quality"}


def test_an_incomplete_proposal_waits_for_its_proposer() -> None:
    case = Simulator(PLAN, desk())
    case.submit(complete=False)
    assert case.state.status is CaseStatus.INCOMPLETE
    assert next_deadline(case.state) is None
    case.revise("title", complete=False)
    assert (case.state.status, case.state.version, case.state.round) == (CaseStatus.INCOMPLETE, 2, 0)
    case.revise("title")
    assert (case.state.status, case.state.version, case.state.round) == (CaseStatus.IN_REVIEW, 3, 1)


def test_a_breach_is_recorded_once_and_escalates(case: Simulator) -> None:
    case.pass_time(9 * DAY)
    assert case.kinds() == ["remind"]
    case.pass_time(30 * DAY)
    kinds = [e.kind for e in case.effects]
    assert (kinds.count("breach"), kinds.count("escalate"), kinds.count("remind")) == (1, 1, 1)
    assert "director@example.org" in {t.assignee for t in case.state.open_tasks()}
    case.pass_time(60 * DAY)
    assert [e.kind for e in case.effects].count("breach_case") == 1


def test_a_timer_that_rings_while_the_clock_stands_still_changes_nothing(case: Simulator) -> None:
    case.decide("proposal", C)
    case.now += 90 * DAY
    before = case.state
    assert case.play(Ticked()) is None
    assert (case.state, case.last) == (before, ())


def test_an_empty_stage_escalates_at_once_and_never_hangs() -> None:
    case = Simulator(PLAN, desk(reviewers={}))
    case.submit()
    assert case.kinds() == ["add_version", "start_clock", "open_stage", "escalate"]
    case.decide("proposal", A)
    assert stage_status(case)["proposal"] == ("closed", "approved")


def test_without_anyone_the_case_looks_again_every_day() -> None:
    case = Simulator(PLAN, desk(reviewers={}, escalation=[]))
    case.submit()
    assert case.state.open_tasks() == []
    case.desk.escalation.append("newcomer@example.org")
    case.pass_time(DAY)
    assert [t.assignee for t in case.state.open_tasks()] == ["newcomer@example.org"]


def test_an_optional_stage_is_skipped_when_there_is_nobody_to_ask() -> None:
    case = Simulator(PLAN, desk(optional={"industry"}))
    case.desk.reviewers.pop("industry")
    case.submit()
    case.decide("proposal", A)
    assert stage_status(case)["industry"] == ("closed", "skipped")
    case.decide("quality", A)
    case.decide("quality", A)
    assert case.state.status is CaseStatus.PUBLISHED


def test_abstentions_alone_hand_the_decision_to_the_escalation(case: Simulator) -> None:
    case.decide("proposal", A)
    for _ in range(3):
        case.decide("quality", N)
    assert [t.assignee for t in case.state.open_tasks("quality")] == ["director@example.org"]
    case.decide("quality", A)
    assert stage_status(case)["quality"] == ("closed", "approved")


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda c: c.decide_task("t-none", "office@example.org", A), "task_unknown"),
        (lambda c: c.decide_task(c.state.open_tasks()[0].id, "stranger@example.org", A), "not_your_task"),
        (lambda c: c.revise("title"), "revision_not_requested"),
    ],
)
def test_refusals(case: Simulator, act: object, code: str) -> None:
    before = case.state
    refused = act(case)  # type: ignore[operator]
    assert refused.code == code
    assert case.state == before, "a refusal changes nothing"


def test_nobody_decides_twice(case: Simulator) -> None:
    task = case.state.open_tasks()[0]
    case.decide("proposal", A)
    refused = case.decide_task(task.id, task.assignee, R)
    assert refused is not None
    assert refused.code == "already_decided"


def test_a_closed_case_takes_nothing_more(case: Simulator) -> None:
    case.withdraw()
    assert case.state.status is CaseStatus.WITHDRAWN
    for refused in (case.withdraw(), case.revise("title")):
        assert refused is not None
        assert refused.code == "case_closed"


def test_the_same_words_are_no_revision(case: Simulator) -> None:
    case.decide("proposal", C)
    digest = case.state.digest
    from imprimatur.rules.admission import refusal
    from models.case import Revised

    refused = refusal(case.state, Revised(actor=PROPOSER, digest=digest, complete=True, changed=()))
    assert refused is not None
    assert refused.code == "proposal_unchanged"


def test_state_survives_its_own_json(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("quality", A)
    text = case.state.model_dump_json(exclude_unset=True)
    assert CaseState.model_validate_json(text) == case.state


class AnyCase(RuleBasedStateMachine):
    """Random people, decisions, revisions and clock moves; the invariants hold after every event."""

    @initialize(
        escalation=st.lists(st.sampled_from(["d1@example.org", "d2@example.org"]), unique=True),
        quality=st.integers(0, 4),
        partner=st.booleans(),
        optional=st.booleans(),
        complete=st.booleans(),
        veto=st.booleans(),
    )
    def begin(
        self, escalation: list[str], quality: int, partner: bool, optional: bool, complete: bool, veto: bool
    ) -> None:
        people = desk(escalation=escalation, optional={"industry"} if optional else set())
        people.reviewers["quality"] = [(f"q{n}@example.org", "chair" if n == 0 else None) for n in range(quality)]
        if not partner:
            people.reviewers.pop("industry")
        stages = tuple(
            stage.model_copy(update={"veto": ("chair",)}) if veto and stage.id == "quality" else stage
            for stage in PLAN.stages
        )
        self.case = Simulator(PLAN.model_copy(update={"stages": stages}), people)
        self.case.submit(complete)

    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 20), verdict=st.sampled_from([A, A, A, R, C, N, Verdict.RECUSE]))
    def somebody_decides(self, pick: int, verdict: Verdict) -> None:
        tasks = self.case.state.open_tasks()
        task = tasks[pick % len(tasks)]
        assert self.case.decide_task(task.id, task.assignee, verdict) is None
        self._no_close_against_the_rule()

    @precondition(lambda self: self.case.state.status.waits_for_proposer)
    @rule(changed=st.sampled_from(["title", "learning_outcomes", "partners.contact_email"]), complete=st.booleans())
    def proposer_revises(self, changed: str, complete: bool) -> None:
        assert self.case.revise(changed, complete=complete) is None

    @rule(days=st.integers(0, 40))
    def time_passes(self, days: int) -> None:
        self.case.pass_time(days * DAY)

    @rule()
    def a_timer_rings_for_what_is_no_longer_due(self) -> None:
        before = self.case.state
        assert self.case.play(Ticked()) is None
        assert (self.case.state, self.case.last) == (before, ())

    @rule(person=st.sampled_from(["d3@example.org", "d4@example.org"]))
    def somebody_takes_the_escalation_role(self, person: str) -> None:
        if person not in self.case.desk.escalation:
            self.case.desk.escalation.append(person)

    @precondition(lambda self: not self.case.state.status.is_final)
    @rule(sure=st.integers(0, 9))
    def proposer_withdraws(self, sure: int) -> None:
        if sure == 0:
            assert self.case.withdraw() is None

    def _no_close_against_the_rule(self) -> None:
        for effect in self.case.last:
            if not isinstance(effect, CloseStage) or effect.outcome is not StageOutcome.APPROVED:
                continue
            stage = self.case.state.stages[effect.stage]
            tasks = [t for t in self.case.state.tasks.values() if (t.stage, t.round) == (effect.stage, effect.round)]
            plan = self.case.plan.stage(effect.stage)
            assert evaluate(plan, tasks, stage.deadlocked).outcome is StageOutcome.APPROVED

    @invariant()
    def never_stuck(self) -> None:
        state = self.case.state
        if state.status.is_final or state.status.waits_for_proposer:
            assert state.open_tasks() == []
            return
        for stage in state.stages.values():
            if stage.status is StageStatus.OPEN:
                assert state.open_tasks(stage.id) or stage.retry_at is not None, "an open stage waits for someone"
        assert any(stage.status is StageStatus.OPEN for stage in state.stages.values())

    @invariant()
    def nothing_is_overdue_for_the_clock(self) -> None:
        deadline = next_deadline(self.case.state)
        assert deadline is None or deadline > self.case.now

    @invariant()
    def published_means_every_stage_passed(self) -> None:
        if self.case.state.status is CaseStatus.PUBLISHED:
            for stage in self.case.state.stages.values():
                assert stage.outcome is not None
                assert stage.outcome.lets_pass

    @invariant()
    def nobody_answers_twice_in_one_round(self) -> None:
        seen = [(t.stage, t.round, t.assignee) for t in self.case.state.tasks.values()]
        assert len(seen) == len(set(seen))


TestAnyCase = AnyCase.TestCase
TestAnyCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
