"""Any sequence of events, with changes of the framework among them: the same invariants hold, and those of changes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from models.effects import ChangeFramework
from models.events import ChangeScheduled, FrameworkChanged
from models.plan import Plan, StagePlan
from models.vocabulary import Boundary, StageStatus, Verdict
from tests.test_any_case import AnyCase, seldom

FREE = ("notice", "quality", "window", "industry", "faculty")
EXTRA = StagePlan(id="ethics", needs=("proposal",), quorum=1, threshold=1, material=("title",))


def next_version(plan: Plan, dropped: set[str], extra: bool, altered: set[str]) -> tuple[Plan, tuple[str, ...]]:
    """The plan without some stages, perhaps with one more, and with another rule in those altered; and which are."""
    kept = [stage for stage in plan.stages if stage.id not in dropped | {"ethics", "publication"}]
    stages = [*kept, EXTRA] if extra else kept
    ids = {stage.id for stage in stages}
    stages.append(plan.stage("publication").model_copy(update={"needs": tuple(sorted(ids))}))
    changed = tuple(
        stage.model_copy(update={"needs": tuple(need for need in stage.needs if need in ids)} | _other(stage, altered))
        for stage in stages
    )
    number = int(plan.framework.partition("@")[2]) + 1
    known = {stage.id for stage in plan.stages} & altered
    digest = f"f{number} {sorted(dropped)} {extra} {sorted(altered)}"
    new = plan.model_copy(update={"framework": f"bench@{number}", "digest": digest, "stages": changed})
    return new, tuple(stage.id for stage in changed if stage.id in known)


def _other(stage: StagePlan, altered: set[str]) -> dict[str, object]:
    return {"quorum": stage.quorum + 1} if stage.id in altered and not (stage.automatic or stage.informs) else {}


class AnyMigratedCase(AnyCase):
    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 20))
    def everybody_in_a_stage_approves(self, pick: int) -> None:
        tasks = self.case.state.open_tasks()
        stage = tasks[pick % len(tasks)].stage
        for task in self.case.state.open_tasks(stage):
            # The stage may be gone by now, or begun anew: the change came when it was decided.
            if stage in self.case.state.stages:
                self.case.decide_task(task.id, task.assignee, self._fitting(task, Verdict.APPROVE))

    @precondition(lambda self: not self.case.state.status.is_final)
    @rule(
        dropped=st.one_of(st.just(set()), st.sets(st.sampled_from(FREE), max_size=2)),
        extra=st.booleans(),
        altered=st.one_of(st.just({"proposal", "quality"}), st.sets(st.sampled_from(("proposal", *FREE)), max_size=3)),
        at=st.sampled_from(list(Boundary)),
    )
    def the_framework_changes(self, dropped: set[str], extra: bool, altered: set[str], at: Boundary) -> None:
        before, plan = self.case.state, self.case.plan
        new, changed = next_version(plan, dropped, extra, altered)
        facts = {"plan": new, "base": plan.digest, "altered": changed, "at": at}
        refused = self._tried(FrameworkChanged if at is Boundary.NOW else ChangeScheduled, **facts)
        if refused is not None:
            assert refused.code in ("case_on_hold", "open_stage_removed"), refused
            return
        if self.case.plan != new:
            assert self.case.state.change is not None and self.case.state.change.plan == new
            return
        assert self.case.state.change is None
        for stage_id in changed:
            stage, was = self.case.state.stages[stage_id], before.stages[stage_id]
            if was.outcome is not None and was.outcome.lets_pass:
                assert stage.status is StageStatus.WAITING or stage.round > was.round, "carried over another rule"

    @precondition(lambda self: self.case.state.change is not None)
    @rule(sure=seldom)
    def what_was_scheduled_is_taken_back(self, sure: bool) -> None:
        plan = self.case.plan
        facts = {"plan": plan, "base": plan.digest, "at": Boundary.NEXT_ROUND}
        if sure and self._tried(ChangeScheduled, **facts) is None:
            assert self.case.state.change is None and self.case.plan is plan

    def _no_close_against_the_rule(self) -> None:
        # Where a change follows a close, the rule that it was closed by is no longer at hand.
        if not any(isinstance(effect, ChangeFramework) for effect in self.case.last):
            super()._no_close_against_the_rule()

    @invariant()
    def the_case_has_the_stages_of_its_plan(self) -> None:
        ids = [stage.id for stage in self.case.plan.stages]
        assert list(self.case.state.stages) == ids
        assert {task.stage for task in self.case.state.tasks.values() if task.status.is_pending} <= set(ids)
        assert {act.stage for act in self.case.state.proposed.values()} <= set(ids)

    @invariant()
    def nothing_waits_at_its_boundary(self) -> None:
        change, stages = self.case.state.change, self.case.state.stages.values()
        waits = self.case.state.status.waits_for_proposer
        if change is not None and not self.case.state.status.is_final:
            assert not waits
            assert change.at is not Boundary.NEXT_STAGE or any(stage.status is StageStatus.OPEN for stage in stages)


TestAnyMigratedCase = AnyMigratedCase.TestCase
TestAnyMigratedCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
