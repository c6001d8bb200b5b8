"""Any people, any policy, any sequence of events: the invariants hold after each of them."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imprimatur.rules.clock import next_deadline
from imprimatur.rules.draft import Draft
from imprimatur.rules.refusal import Refusal
from imprimatur.rules.voting import evaluate
from models.calendars import BusinessDuration
from models.case import CaseState, StageState, TaskState
from models.effects import CloseStage, OverrideStage, SendBack
from models.events import (
    ActConfirmed,
    ActProposed,
    Annulled,
    Extended,
    Held,
    Nudged,
    PassedOn,
    Resumed,
    SentBack,
    Ticked,
)
from models.plan import Plan, StagePlan
from models.vocabulary import (
    AssignmentReason,
    AtBreach,
    CaseStatus,
    CountedOf,
    OfficeAct,
    Recusal,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
    Verdict,
    VotingMethod,
)
from tests.simulator import DAY, OFFICE, PROPOSER, SECOND, Desk, Simulator

A, R, C, N, X = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN, Verdict.RECUSE
MEMBER, CHAIR = "member", "chair"
STAGES = ("proposal", "notice", "quality", "window", "industry", "faculty", "publication")
TAKERS = ("o1@example.org", "o2@example.org", "o3@example.org", PROPOSER)

quality_rules = st.fixed_dictionaries(
    {
        "quorum": st.integers(1, 3),
        "recusal": st.sampled_from(list(Recusal)),
        "deputies": st.sampled_from([None, "deputy"]),
        "veto": st.sampled_from([(), (CHAIR,)]),
        "weights": st.sampled_from([{}, {CHAIR: 2}, {"deputy": 3}]),
        "waits_for_all": st.booleans(),
        "at_breach": st.sampled_from(list(AtBreach)),
        "policy_clause": st.just("Senate regulation 14"),
        "goes_on_rejected": st.booleans(),
    }
)
methods = st.one_of(
    st.fixed_dictionaries({"threshold": st.integers(1, 3)}),
    st.fixed_dictionaries(
        {
            "method": st.just(VotingMethod.MAJORITY),
            "counted_of": st.sampled_from(list(CountedOf)),
            "tie_break": st.sampled_from([None, CHAIR]),
        }
    ),
    st.fixed_dictionaries({"method": st.just(VotingMethod.UNANIMITY), "counted_of": st.sampled_from(list(CountedOf))}),
)


verdicts = st.sampled_from([A] * 8 + [R, C, N, N, X, X])
# Whoever could end or stop a case does so now and then only: most of what can happen happens on the way.
seldom = st.sampled_from([True] + [False] * 7)


class AnyCase(RuleBasedStateMachine):
    @initialize(
        escalation=st.lists(st.sampled_from(["d1@example.org", "d2@example.org"]), unique=True),
        deputies=st.lists(st.sampled_from(["v1@example.org", "v2@example.org"]), unique=True),
        quality=st.integers(0, 4),
        asked=st.dictionaries(st.sampled_from(["window", "notice", "industry"]), st.integers(0, 2)),
        optional=st.booleans(),
        steps=st.sampled_from([(), (3,), (2, 5)]),
        complete=st.sampled_from([True] * 9 + [False]),
        voting=quality_rules,
        method=methods,
        late=st.sampled_from(list(AtBreach)),
    )
    def begin(
        self,
        escalation: list[str],
        deputies: list[str],
        quality: int,
        asked: dict[str, int],
        optional: bool,
        steps: tuple[int, ...],
        complete: bool,
        voting: dict[str, Any],
        method: dict[str, Any],
        late: AtBreach,
    ) -> None:
        people: dict[str, list[tuple[str, str | None]]] = {
            name: [(f"{name}{n}@example.org", MEMBER) for n in range(number)] for name, number in asked.items()
        }
        people |= {
            "proposal": [(OFFICE, None)],
            "quality": [(f"q{n}@example.org", CHAIR if n == 0 else MEMBER) for n in range(quality)],
            "faculty": [("dean@example.org", None)],
        }
        desk = Desk(people, escalation, deputies, {"industry", "notice"} if optional else set(), steps)
        plan = Plan(
            framework="bench@1",
            digest="f",
            stages=(
                StagePlan(id="proposal", quorum=1, threshold=1, at_breach=late),
                StagePlan(id="notice", needs=("proposal",), informs=True, material=("title",)),
                StagePlan.model_validate({"id": "quality", "needs": ("proposal",)} | voting | method),
                StagePlan(id="window", needs=("proposal",), objection=True, material=("title",)),
                StagePlan(id="industry", needs=("proposal",), quorum=1, threshold=1, material=("partners",)),
                StagePlan(id="faculty", needs=("quality",), quorum=1, threshold=1, positive=StageOutcome.ENDORSED),
                StagePlan(id="publication", needs=STAGES[1:6], automatic=True, publishes=True),
            ),
        )
        self.case = Simulator(plan, desk)
        self.case.submit(complete)

    # --- events ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 20), verdict=verdicts)
    def somebody_decides(self, pick: int, verdict: Verdict) -> None:
        task = self._one_of(self.case.state.open_tasks(), pick)
        refused = self.case.decide_task(task.id, task.assignee, self._fitting(task, verdict))
        held = self.case.state.status is CaseStatus.ON_HOLD
        assert (refused.code if refused else None) == ("case_on_hold" if held else None)
        self._no_close_against_the_rule()

    @rule(picks=st.lists(st.integers(0, 20), min_size=1, max_size=6), verdict=verdicts)
    def several_decide(self, picks: list[int], verdict: Verdict) -> None:
        for pick in picks:
            if self.case.state.open_tasks():
                self.somebody_decides(pick, verdict)

    def _fitting(self, task: TaskState, verdict: Verdict) -> Verdict:
        """What the stage offers in place of a verdict that it does not."""
        plan = self.case.plan.stage(task.stage)
        if plan.informs:
            return Verdict.ACKNOWLEDGE
        if plan.objection and task.reason is not AssignmentReason.ESCALATION:
            return {R: Verdict.OBJECT, C: Verdict.OBJECT, X: X}.get(verdict, Verdict.ACKNOWLEDGE)
        return Verdict.ENDORSE if verdict is A and plan.positive is StageOutcome.ENDORSED else verdict

    @precondition(lambda self: self.case.state.status.waits_for_proposer)
    @rule(changed=st.sampled_from(["title", "learning_outcomes", "partners.contact_email"]), complete=st.booleans())
    def proposer_revises(self, changed: str, complete: bool) -> None:
        assert self.case.revise(changed, complete=complete) is None

    @rule(days=st.integers(0, 40))
    def time_passes(self, days: int) -> None:
        self.case.pass_time(days * DAY)

    @rule(days=st.integers(0, 40))
    def nobody_worked_for_a_while(self, days: int) -> None:
        """All that fell due meanwhile is dealt with at once."""
        self.case.now += days * DAY
        while (deadline := next_deadline(self.case.state)) is not None and deadline <= self.case.now:
            self.case.play(Ticked())

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
    @rule(sure=seldom)
    def proposer_withdraws(self, sure: bool) -> None:
        if sure and len(self.case.effects) > 20:
            assert self.case.withdraw() is None

    # --- acts of the office ---------------------------------------------------------------------------------------

    @rule(sure=seldom)
    def office_holds(self, sure: bool) -> None:
        if sure:
            self._tried(Held)

    @precondition(lambda self: self.case.state.status is CaseStatus.ON_HOLD)
    @rule()
    def office_resumes(self) -> None:
        assert self._tried(Resumed) is None

    @rule(pick=st.integers(0, 20), days=st.integers(1, 20))
    def office_extends(self, pick: int, days: int) -> None:
        self._tried(Extended, stage=self._a_stage(pick), by=BusinessDuration(business_days=days))

    def _a_stage(self, pick: int) -> str:
        """An open one, if there is one."""
        opened = [stage.id for stage in self.case.state.stages.values() if stage.status is StageStatus.OPEN]
        return str(self._one_of(opened or list(STAGES), pick))

    @rule(pick=st.integers(0, 20), act=st.sampled_from(list(OfficeAct)), rejects=seldom)
    def office_proposes(self, pick: int, act: OfficeAct, rejects: bool) -> None:
        stage, override = self._a_stage(pick), StageOutcome.REJECTED if rejects else StageOutcome.APPROVED
        outcome = StageOutcome.SKIPPED if act is OfficeAct.SKIP else override
        act_id = f"a-{stage}-{act}-{outcome}-{self.case.state.round}"
        self._tried(ActProposed, act_id=act_id, act=act, stage=stage, outcome=outcome)

    @precondition(lambda self: self.case.state.proposed)
    @rule(pick=st.integers(0, 20), actor=st.sampled_from([OFFICE, SECOND]))
    def office_confirms(self, pick: int, actor: str) -> None:
        act = self._one_of(list(self.case.state.proposed.values()), pick)
        self._tried(ActConfirmed, actor=actor, act_id=act.id)

    @rule(stage=st.sampled_from(STAGES), sure=seldom)
    def office_sends_back(self, stage: str, sure: bool) -> None:
        if sure:
            self._tried(SentBack, stage=stage)

    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 20), to=st.sampled_from(TAKERS), by_office=st.booleans())
    def a_task_is_passed_on(self, pick: int, to: str, by_office: bool) -> None:
        task = self._one_of(self.case.state.open_tasks(), pick)
        self._tried(PassedOn, actor=OFFICE if by_office else task.assignee, task_id=task.id, to=to)

    @rule(stage=st.sampled_from([None, *STAGES]))
    def office_nudges(self, stage: str | None) -> None:
        self._tried(Nudged, stage=stage)

    @precondition(lambda self: self.case.state.tasks)
    @rule(pick=st.integers(0, 40))
    def office_annuls(self, pick: int) -> None:
        tasks = list(self.case.state.tasks.values())
        decided = [task for task in tasks if task.status is TaskStatus.DECIDED]
        self._tried(Annulled, task_id=self._one_of(decided or tasks, pick).id)

    def _tried(self, kind: type[Any], **facts: Any) -> Refusal | None:
        before = self.case.state
        refused = self.case.office(kind, **facts)
        if refused is not None:
            assert self.case.state == before, "a refusal changes nothing"
        return refused

    @staticmethod
    def _one_of(things: list[Any], pick: int) -> Any:
        return things[pick % len(things)]

    # --- what holds -----------------------------------------------------------------------------------------------

    def _no_close_against_the_rule(self) -> None:
        for effect in self.case.last:
            plan = self.case.plan.stage(effect.stage) if isinstance(effect, CloseStage) else None
            if not isinstance(effect, CloseStage) or plan is None or effect.outcome is not plan.positive:
                continue
            stage = self.case.state.stages[effect.stage]
            tasks = [t for t in self.case.state.tasks.values() if (t.stage, t.round) == (effect.stage, effect.round)]
            if not plan.automatic:
                assert evaluate(plan, tasks, stage.deadlocked, late=True).outcome is plan.positive

    @invariant()
    def never_stuck(self) -> None:
        state = self.case.state
        if state.status.is_final or state.status.waits_for_proposer:
            told_only = [] if state.status.is_final else ["notice"]
            assert {task.stage for task in state.open_tasks()} <= set(told_only)
        elif state.status is CaseStatus.ON_HOLD:
            assert next_deadline(state) is None
        else:
            assert any(stage.status is StageStatus.OPEN for stage in state.stages.values())
            for stage in state.stages.values():
                if stage.status is StageStatus.OPEN:
                    assert self._goes_on(stage), f"{stage.id} waits for nobody and nothing"

    def _goes_on(self, stage: StageState) -> bool:
        """Somebody is asked who can decide, or looked for, or time itself will decide."""
        if Draft(self.case.state, self.case.plan).has_decider(stage) or stage.retry_at is not None:
            return True
        runs = stage.due_at is not None and not stage.breached
        return self.case.plan.stage(stage.id).objection and not stage.deadlocked and runs

    @invariant()
    def what_is_decided_is_closed(self) -> None:
        state = self.case.state
        for stage in state.stages.values():
            if stage.status is StageStatus.OPEN and state.status is CaseStatus.IN_REVIEW:
                tasks = Draft(state, self.case.plan).stage_tasks(stage)
                found = evaluate(self.case.plan.stage(stage.id), tasks, stage.deadlocked, stage.breached)
                assert found.outcome is None
                assert stage.deadlocked or not found.deadlocked

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
        tasks = [t for t in self.case.state.tasks.values() if t.closure is not TaskClosure.ANNULLED]
        seen = [(t.stage, t.round, t.assignee) for t in tasks]
        assert len(seen) == len(set(seen))

    @invariant()
    def who_must_not_review_does_not(self) -> None:
        assert all(task.assignee != PROPOSER for task in self.case.state.tasks.values())

    @invariant()
    def a_closed_task_says_why(self) -> None:
        for task in self.case.state.tasks.values():
            assert (task.status is TaskStatus.CLOSED) == (task.closure is not None)
            assert (task.status is TaskStatus.DECIDED) == (task.verdict is not None)

    @invariant()
    def two_people_decide_in_the_reviewers_place(self) -> None:
        for effect in self.case.last:
            assert not isinstance(effect, OverrideStage) or effect.confirmed_by != effect.act.actor
            assert not isinstance(effect, SendBack) or effect.stage in effect.reopened

    def teardown(self) -> None:
        text = self.case.state.model_dump_json(exclude_unset=True)
        assert CaseState.model_validate_json(text) == self.case.state


TestAnyCase = AnyCase.TestCase
TestAnyCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
