"""A case state being changed: shallow copies of what changes, effects in order."""

from imprimatur.rules.recommending import conclusion
from imprimatur.rules.wording import HANDOVER_WORDS
from models.calendars import BusinessDuration
from models.case import CaseState, StageState, TaskState
from models.conditions import LapseCondition, OpenCondition
from models.effects import (
    AskAnew,
    AskToConfirm,
    CallDeputy,
    Cause,
    CloseCase,
    CloseStage,
    CloseTask,
    Effect,
    Escalate,
    OpenStage,
    Publish,
    SeekReviewers,
    SkipStage,
)
from models.handover import ConcludeHandover
from models.improvement import ConcludeReview
from models.plan import Plan, StagePlan
from models.vocabulary import (
    AssignmentReason,
    AtBreach,
    Boundary,
    CaseStatus,
    ConditionStatus,
    HandoverOutcome,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
)

# What a stage no longer waits for once it is closed.
AT_REST: dict[str, object] = {
    "remind_at": (),
    "retry_at": None,
    "escalate_at": (),
    "sits_at": None,
    "confirms": None,
}

_SELDOM = ("change", "reviews", "hands_over")


class Draft:
    def __init__(self, state: CaseState, plan: Plan) -> None:
        self._before = state
        self.plan = plan
        self.status = state.status
        self.proposer = state.proposer
        self.round = state.round
        self.version = state.version
        self.digest = state.digest
        self.stages = dict(state.stages)
        self.tasks = dict(state.tasks)
        self.due_at = state.due_at
        self.breached = state.breached
        self.proposed = dict(state.proposed)
        self.conditions = dict(state.conditions)
        self.change = state.change
        self.reviews = state.reviews
        self.hands_over = state.hands_over
        self.effects: list[Effect] = []
        self._opened: set[str] = set()

    def add(self, effect: Effect) -> None:
        self.effects.append(effect)

    def finish(self) -> tuple[CaseState, tuple[Effect, ...]]:
        # Most cases never change their framework and propose something, and their histories need not say so.
        changed = {name: getattr(self, name) for name in _SELDOM if getattr(self, name) != getattr(self._before, name)}
        state = self._before.model_copy(
            update=changed
            | {
                "status": self.status,
                "proposer": self.proposer,
                "round": self.round,
                "version": self.version,
                "digest": self.digest,
                "stages": self.stages,
                "tasks": self.tasks,
                "breached": self.breached,
                "proposed": self.proposed,
                "conditions": self.conditions,
                "seq": self._before.seq + (1 if self.effects else 0),
            }
        )
        return state, tuple(self.effects)

    def put_stage(self, stage: StageState, **update: object) -> StageState:
        changed = stage.model_copy(update=update)
        self.stages[stage.id] = changed
        return changed

    def put_task(self, task: TaskState, **update: object) -> None:
        self.tasks[task.id] = task.model_copy(update=update)

    def put_condition(self, condition_id: str, **update: object) -> None:
        self.conditions[condition_id] = self.conditions[condition_id].model_copy(update=update)

    def lapse_conditions(self, reason: str, *, stage: str | None = None, task: str | None = None) -> None:
        """Those of a stage, of a task, or all that are not settled: the approval that they belong to is gone."""
        for condition in list(self.conditions.values()):
            if (
                condition.status.is_settled
                or stage not in (None, condition.stage)
                or task not in (None, condition.task)
            ):
                continue
            self.put_condition(condition.id, status=ConditionStatus.LAPSED, remind_at=())
            self.add(LapseCondition(condition=condition.id, reason=reason))

    def _open_conditions(self, stage_id: str) -> None:
        for condition in list(self.conditions.values()):
            if condition.stage == stage_id and condition.status is ConditionStatus.PROPOSED:
                self.put_condition(condition.id, status=ConditionStatus.OPEN)
                self.add(OpenCondition(condition=condition.id))

    def open_stages(self) -> list[StageState]:
        return [stage for stage in self.stages.values() if stage.status is StageStatus.OPEN]

    def staffed_stages(self) -> list[StageState]:
        """Open ones whose reviewers are known: those who are asked by this very step are found by its commit."""
        return [stage for stage in self.open_stages() if stage.id not in self._opened]

    def stage_tasks(self, stage: StageState) -> list[TaskState]:
        return [task for task in self.tasks.values() if task.stage == stage.id and task.round == stage.round]

    def has_decider(self, stage: StageState) -> bool:
        """Someone is asked who can decide: in an objection window only those who resolve the objection can."""
        everyone = not self.plan.stage(stage.id).objection
        return any(everyone or task.reason is AssignmentReason.ESCALATION for task in self.waiting(stage))

    def waiting(self, stage: StageState) -> list[TaskState]:
        """The tasks of the stage's round that are still to be answered."""
        return [task for task in self.stage_tasks(stage) if task.status.is_pending]

    def escalate(self, stage: StageState, cause: Cause, step: int = 0) -> StageState:
        """Whoever was looked for before is looked for by this; daily reminders go on beside it."""
        if self.plan.stage(stage.id).at_breach is not AtBreach.REMIND:
            stage = self.put_stage(stage, retry_at=None)
        effect = Escalate(stage=stage.id, round=stage.round, cause=cause)
        # Left unsaid at the first escalation, as in the steps of cases that began before there were further ones.
        self.add(effect.model_copy(update={"step": step}) if step else effect)
        return stage

    def seek(self, stage: StageState) -> None:
        """Looks for someone to decide, unless this very step does already: nobody must be found twice."""
        looking = (Escalate, SeekReviewers, CallDeputy)
        if not any(isinstance(effect, looking) and effect.stage == stage.id for effect in self.effects):
            self.add(SeekReviewers(stage=stage.id, round=stage.round))

    def ready_stages(self) -> list[StageState]:
        return [
            self.stages[plan.id]
            for plan in self.plan.stages
            if self.stages[plan.id].status is StageStatus.WAITING
            and self.stages[plan.id].opens_at is None
            and all(map(self._passed, plan.needs))
            and not self._is_held_up(plan)
        ]

    def _is_held_up(self, plan: StagePlan) -> bool:
        """Nothing is published before what was made a condition of it is settled."""
        return plan.publishes and any(
            condition.blocking and not condition.status.is_settled for condition in self.conditions.values()
        )

    def _passed(self, stage_id: str) -> bool:
        outcome = self.stages[stage_id].outcome
        return outcome is not None and outcome.lets_pass

    def dependents_of(self, stage_id: str) -> tuple[str, ...]:
        """The stage and all that need it, directly or through others, in the plan's order."""
        found = {stage_id}
        while more := {plan.id for plan in self.plan.stages if found.intersection(plan.needs)} - found:
            found |= more
        return tuple(plan.id for plan in self.plan.stages if plan.id in found)

    def all_passed(self) -> bool:
        return all(map(self._passed, self.stages))

    def advance(self, actor: str) -> None:
        """Opens every stage whose needs have passed; automatic ones pass at once, which may make others ready.

        What does not apply to this proposal is passed over first. Where a change of the framework waits for no stage to
        be open, they open under the version to come.
        """
        if self.change is not None and self.change.at is Boundary.NEXT_STAGE and not self.open_stages():
            return
        for plan in self.plan.stages:
            if plan.skip and self.stages[plan.id].status is StageStatus.WAITING:
                self._skip(self.stages[plan.id], plan.skip)
        while ready := self.ready_stages():
            for stage in ready:
                self._open(stage)
        if self.status is CaseStatus.IN_REVIEW and self.all_passed():
            self._succeed(actor)

    def _succeed(self, actor: str) -> None:
        if self.reviews is not None:
            self.status = CaseStatus.CONCLUDED
            self._close_remaining_tasks(TaskClosure.CASE_CONCLUDED, actor)
            concluded = conclusion(self.reviews, self.plan, self.stages, self.tasks)
            self.add(concluded)
            self.add(CloseCase(status=CaseStatus.CONCLUDED, actor=actor, reason=concluded.reason))
            return
        if self.hands_over is not None:
            # Where the office skipped every stage, nobody has taken it up.
            taken_up = any(stage.outcome is StageOutcome.TAKEN_UP for stage in self.stages.values())
            self.conclude_handover(HandoverOutcome.TAKEN_UP if taken_up else None, actor)
            return
        self.status = CaseStatus.PUBLISHED
        self._close_remaining_tasks(TaskClosure.CASE_PUBLISHED, actor)
        self.add(CloseCase(status=CaseStatus.PUBLISHED, actor=actor, reason="every stage passed"))

    def conclude_handover(self, outcome: HandoverOutcome | None, actor: str) -> None:
        """Whoever was asked beside whoever answered need not answer any more."""
        assert self.hands_over is not None, "asked only of a hand-over"
        told = HANDOVER_WORDS[outcome]
        self.cancel_open_stages(TaskClosure.OUTCOME_CERTAIN, actor, told)
        self._close_remaining_tasks(TaskClosure.OUTCOME_CERTAIN, actor)
        self.status = CaseStatus.CONCLUDED
        self.add(ConcludeHandover(about=self.hands_over, outcome=outcome, actor=actor, reason=told))
        self.add(CloseCase(status=CaseStatus.CONCLUDED, actor=actor, reason=told))

    def _skip(self, stage: StageState, reason: str) -> None:
        self.put_stage(stage, status=StageStatus.CLOSED, outcome=StageOutcome.SKIPPED, round=self.round)
        self.add(SkipStage(stage=stage.id, round=self.round, reason=reason))

    def promised(self, stage_id: str) -> dict[str, BusinessDuration]:
        """What the track promises for a stage, where it does; nothing is said of what the framework says."""
        within = self.plan.stage(stage_id).within
        return {"within": within} if within else {}

    def add_staffed_by_commit(self, effect: OpenStage | AskToConfirm | AskAnew) -> None:
        self._opened.add(effect.stage)
        self.add(effect)

    def _open(self, stage: StageState) -> None:
        plan = self.plan.stage(stage.id)
        if plan.automatic:
            self.pass_stage(stage.model_copy(update={"round": self.round}), "nobody's review is needed")
            return
        stage = self.put_stage(stage, status=StageStatus.OPEN, round=self.round)
        self.add_staffed_by_commit(OpenStage(stage=stage.id, round=self.round, **self.promised(stage.id)))
        if plan.informs:
            # Its tasks stay open for whoever wants to acknowledge; nothing waits for them.
            self.close_stage(stage, StageOutcome.INFORMED, "for information")

    def pass_stage(self, stage: StageState, reason: str) -> None:
        if self.plan.stage(stage.id).publishes:
            self.add(Publish(stage=stage.id))
            self.close_stage(stage, StageOutcome.PUBLISHED, reason)
        else:
            self.close_stage(stage, self.plan.stage(stage.id).positive, reason)

    def reject_stage(self, stage: StageState, closure: TaskClosure, actor: str, reason: str) -> None:
        """Ends the case, unless the framework lets it go on with the refusal on record."""
        if self.plan.stage(stage.id).goes_on_rejected:
            self.close_stage(stage, StageOutcome.REFUSED, reason)
            self.advance(actor)
        else:
            self.close_stage(stage, StageOutcome.REJECTED, reason)
            self.end(CaseStatus.REJECTED, closure, actor, reason)

    def close_stage(self, stage: StageState, outcome: StageOutcome, reason: str) -> None:
        self.put_stage(stage, status=StageStatus.CLOSED, outcome=outcome, **AT_REST)
        self.add(CloseStage(stage=stage.id, round=stage.round, outcome=outcome, reason=reason))
        if outcome.stays_valid:
            self._open_conditions(stage.id)
        else:
            self.lapse_conditions("the stage that it was asked for in was not approved", stage=stage.id)

    def close_tasks(self, stage_id: str, closure: TaskClosure, actor: str) -> None:
        for task in self.waiting(self.stages[stage_id]):
            self.close_task(task, closure, actor)

    def close_task(self, task: TaskState, closure: TaskClosure, actor: str) -> None:
        self.put_task(task, status=TaskStatus.CLOSED, closure=closure, closed_by=actor)
        self.add(CloseTask(task=task.id, closure=closure, closed_by=actor))

    def _close_remaining_tasks(self, closure: TaskClosure, actor: str) -> None:
        for task in list(self.tasks.values()):
            if task.status.is_pending:
                self.close_task(task, closure, actor)

    def cancel_open_stages(self, closure: TaskClosure, actor: str, reason: str) -> None:
        for stage in self.open_stages():
            self.close_tasks(stage.id, closure, actor)
            if stage.confirms is None:
                self.close_stage(stage, StageOutcome.CANCELLED, reason)
            else:
                self._stop_confirming(stage, stage.confirms, reason)

    def _stop_confirming(self, stage: StageState, of_round: int, reason: str) -> None:
        """Nobody need confirm for a version that is about to change; the approval stands as it did before."""
        self.add(CloseStage(stage=stage.id, round=stage.round, outcome=StageOutcome.CANCELLED, reason=reason))
        for task in self.stage_tasks(stage):
            self.lapse_conditions(reason, task=task.id)
        positive = self.plan.stage(stage.id).positive
        self.stages[stage.id] = StageState(id=stage.id, status=StageStatus.CLOSED, outcome=positive, round=of_round)

    def end(self, status: CaseStatus, closure: TaskClosure, actor: str, reason: str) -> None:
        self.cancel_open_stages(closure, actor, reason)
        self._close_remaining_tasks(closure, actor)
        self.status = status
        self.lapse_conditions(f"the case was {status}")
        if self.reviews is not None:
            self.add(ConcludeReview(about=self.reviews, reason=reason))
        if self.hands_over is not None:
            self.add(ConcludeHandover(about=self.hands_over, actor=actor, reason=reason))
        self.add(CloseCase(status=status, actor=actor, reason=reason))
