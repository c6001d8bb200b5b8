"""The only place where a case changes course: ``transition(state, event, plan) -> (state, effects)``.

Pure: no clock, no chance, no I/O. The effects are written by one commit; what the commit finds out (who the reviewers
are, when things are due) comes back as a :class:`~models.commit.Resolution` and is folded in by :func:`settle`.
"""

import datetime as dt

from imprimatur.rules import conditions, confirming, office
from imprimatur.rules.clock import tick
from imprimatur.rules.draft import Draft
from imprimatur.rules.voting import evaluate
from models.case import CaseState, StageState, TaskState
from models.commit import Resolution, StageResolution
from models.conditions import ConditionFulfilled, ConditionJudged
from models.effects import (
    AddVersion,
    CallDeputy,
    Effect,
    Escalate,
    KeepStage,
    LapseStage,
    PauseClock,
    RecordDecision,
    RequestRevision,
    ResumeClock,
    SeekReviewers,
    SelectTrack,
    StartClock,
)
from models.events import (
    ActConfirmed,
    ActProposed,
    Annulled,
    Continued,
    Decided,
    Event,
    Extended,
    Held,
    Nudged,
    PassedOn,
    Resumed,
    Revised,
    SentBack,
    Submitted,
    Ticked,
    Withdrawn,
)
from models.plan import Plan, StagePlan
from models.vocabulary import Carry, CaseStatus, StageOutcome, StageStatus, TaskClosure, TaskStatus, Verdict


def transition(state: CaseState, event: Event, plan: Plan, at: dt.datetime) -> tuple[CaseState, tuple[Effect, ...]]:
    """The state after ``event`` at the instant ``at``, and what to write. No effects: nothing happened.

    ``plan`` is the one in force for the event: see :func:`imprimatur.rules.plan.plan_in_force`.
    The caller has asked :func:`imprimatur.rules.admission.refusal` first; an event that is not admissible is a fault
    of the caller.
    """
    draft = Draft(state, plan)
    match event:
        case Submitted():
            _submit(draft, event)
        case Decided():
            _decide(draft, event)
        case Revised():
            _revise(draft, event)
        case Withdrawn():
            draft.end(CaseStatus.WITHDRAWN, TaskClosure.CASE_WITHDRAWN, event.actor, event.reason)
        case Held():
            office.hold(draft, event)
        case Resumed():
            office.resume(draft, event)
        case Extended():
            office.extend(draft, event)
        case ActProposed():
            office.propose(draft, event)
        case ActConfirmed():
            office.confirm(draft, event)
        case SentBack():
            office.send_back(draft, event)
        case PassedOn():
            office.pass_on(draft, event)
        case Nudged():
            office.nudge(draft, event)
        case Annulled():
            office.annul(draft, event)
        case ConditionFulfilled():
            conditions.fulfil(draft, event)
        case ConditionJudged():
            conditions.judge(draft, event)
        case Ticked():
            tick(draft, at)
        case Continued():
            _count_again(draft)
    return draft.finish()


def settle(state: CaseState, resolution: Resolution) -> CaseState:
    """Folds the answer of a commit into the state."""
    stages, tasks = dict(state.stages), dict(state.tasks)
    for found in resolution.stages:
        stage = stages[found.stage]
        if found.skipped is not None:
            stages[stage.id] = stage.model_copy(update={"status": StageStatus.CLOSED, "outcome": StageOutcome.SKIPPED})
            continue
        stages[stage.id] = stage.model_copy(update=_resolved(stage, found))
        for task in found.tasks:
            tasks[task.id] = TaskState(
                id=task.id,
                stage=stage.id,
                round=stage.round,
                assignee=task.assignee,
                reason=task.reason,
                role=task.role,
            )
    update: dict[str, object] = {"stages": stages, "tasks": tasks}
    if resolution.conditions:
        update["conditions"] = state.conditions | {
            found.condition: state.conditions[found.condition].model_copy(
                update={"due_at": found.due_at, "remind_at": found.remind_at}
            )
            for found in resolution.conditions
        }
    if resolution.due_at is not None:
        update["due_at"] = resolution.due_at
    return state.model_copy(update=update)


def _resolved(stage: StageState, found: StageResolution) -> dict[str, object]:
    update: dict[str, object] = {"retry_at": found.retry_at}
    if found.due_at is not None:
        update |= {"due_at": found.due_at, "remind_at": found.remind_at, "escalate_at": found.escalate_at}
    return update


def wants_to_continue(state: CaseState, plan: Plan) -> bool:
    """Whether what was settled lets the case go on by itself."""
    if state.status is not CaseStatus.IN_REVIEW:
        return False
    draft = Draft(state, plan)
    return bool(draft.ready_stages()) or draft.all_passed() or any(_is_settled(draft, s) for s in draft.open_stages())


def _submit(draft: Draft, event: Submitted) -> None:
    draft.proposer = event.actor
    draft.version, draft.digest = 1, event.digest
    draft.stages = {stage.id: StageState(id=stage.id) for stage in draft.plan.stages}
    draft.add(AddVersion(actor=event.actor, version=1, digest=event.digest, complete=event.complete))
    if event.complete:
        _start(draft, event)


def _start(draft: Draft, event: Submitted | Revised) -> None:
    draft.status, draft.round = CaseStatus.IN_REVIEW, 1
    _select(draft, event)
    draft.add(StartClock(within=draft.plan.within) if draft.plan.within else StartClock())
    draft.advance(event.actor)


def _select(draft: Draft, event: Submitted | Revised) -> None:
    if event.selection is not None:
        draft.add(SelectTrack(selection=event.selection))


def _revise(draft: Draft, event: Revised) -> None:
    """A new version that was asked for, or one by which the proposer meets the conditions of an approval."""
    runs = draft.status is CaseStatus.IN_REVIEW
    draft.version, draft.digest = draft.version + 1, event.digest
    draft.add(
        AddVersion(
            actor=event.actor,
            version=draft.version,
            digest=event.digest,
            complete=event.complete,
            changed=event.changed,
        )
    )
    if not event.complete:
        draft.status = CaseStatus.INCOMPLETE
        if runs:
            draft.add(PauseClock())
        return
    if draft.round == 0:
        _start(draft, event)
        return
    draft.status, draft.round = CaseStatus.IN_REVIEW, draft.round + 1
    _select(draft, event)
    if not runs:
        draft.add(ResumeClock())
    for plan in draft.plan.stages:
        _carry_over(draft, plan, event.changed)
    draft.advance(event.actor)


def _carry_over(draft: Draft, plan: StagePlan, changed: tuple[str, ...]) -> None:
    """An approval lapses when the new version changes what is material to it; any other result is sought anew.

    Where the framework says so, one that would stay valid has to be confirmed by those who gave it.
    """
    stage = draft.stages[plan.id]
    if stage.status is not StageStatus.CLOSED:
        return
    if stage.outcome is not None and stage.outcome.stays_valid:
        touched = tuple(field for field in changed if plan.material is None or _is_material(field, plan.material))
        needs_word = plan.carry is Carry.CONFIRM and not plan.skip
        if not touched and not needs_word:
            draft.add(KeepStage(stage=plan.id, round=stage.round))
            return
        if not touched and confirming.seek(draft, stage):
            return
        draft.add(LapseStage(stage=plan.id, round=stage.round, changed=touched, confirmed=bool(touched)))
    draft.lapse_conditions("the approval that it belonged to lapsed", stage=plan.id)
    draft.stages[plan.id] = StageState(id=plan.id)


def _is_material(field: str, material: tuple[str, ...]) -> bool:
    return any(field == name or field.startswith(f"{name}.") or name.startswith(f"{field}.") for name in material)


def _decide(draft: Draft, event: Decided) -> None:
    task = draft.tasks[event.task_id]
    draft.put_task(task, status=TaskStatus.DECIDED, verdict=event.verdict)
    draft.add(RecordDecision(decision=event, stage=task.stage, round=task.round, digest=draft.digest))
    conditions.propose(draft, event, task.stage)
    stage, plan = draft.stages[task.stage], draft.plan.stage(task.stage)
    if stage.status is not StageStatus.OPEN:
        # Someone acknowledged what they were only told of.
        return
    if stage.confirms is None and event.verdict is Verdict.RECUSE and plan.deputies:
        draft.add(CallDeputy(stage=stage.id, round=stage.round, task=task.id, cause="recused"))
    elif event.verdict is Verdict.OBJECT:
        _object(draft, stage)
    else:
        _settle_votes(draft, stage, event.actor)


def _count_again(draft: Draft) -> None:
    """A stage that was skipped, a reviewer who stood aside: what was settled may decide, or leave nobody to decide."""
    for stage in draft.open_stages():
        if draft.stages[stage.id].status is StageStatus.OPEN:
            _settle_votes(draft, draft.stages[stage.id], "system")
    if draft.status is CaseStatus.IN_REVIEW:
        draft.advance("system")


def _is_settled(draft: Draft, stage: StageState) -> bool:
    if stage.confirms is not None:
        # A confirmation is settled by answers and by time, never by what a commit finds out.
        return False
    result = evaluate(draft.plan.stage(stage.id), draft.stage_tasks(stage), stage.deadlocked)
    return result.outcome is not None or (result.deadlocked and not stage.deadlocked)


def _object(draft: Draft, stage: StageState) -> None:
    """The first objection opens its resolution, by whoever the stage escalates to; later ones are heard with it."""
    if not stage.deadlocked:
        draft.put_stage(stage, deadlocked=True)
        draft.add(Escalate(stage=stage.id, round=stage.round, cause="objection"))


def _settle_votes(draft: Draft, stage: StageState, actor: str) -> None:
    if stage.confirms is not None:
        if confirming.settle(draft, stage):
            draft.pass_stage(stage, f"confirmed by all who approved it in round {stage.confirms}")
            draft.advance(actor)
        return
    result = evaluate(draft.plan.stage(stage.id), draft.stage_tasks(stage), stage.deadlocked)
    if result.outcome is None:
        _resolve_deadlocks(draft)
        return
    draft.close_tasks(stage.id, TaskClosure.OUTCOME_CERTAIN, actor)
    if result.outcome is StageOutcome.REJECTED:
        draft.reject_stage(stage, TaskClosure.CASE_REJECTED, actor, result.reason)
    elif result.outcome is StageOutcome.CHANGES_REQUESTED:
        _send_back(draft, stage, actor, result.reason)
    else:
        draft.pass_stage(stage, result.reason)
        draft.advance(actor)


def _send_back(draft: Draft, stage: StageState, actor: str, reason: str) -> None:
    draft.close_stage(stage, StageOutcome.CHANGES_REQUESTED, reason)
    # Reviewing on in parallel stages would judge a document that is about to change.
    draft.cancel_open_stages(TaskClosure.REVISION_REQUESTED, actor, "a revision was requested")
    draft.status = CaseStatus.REVISING
    draft.add(RequestRevision(stage=stage.id, round=stage.round))
    draft.add(PauseClock())


def _deadlocked(draft: Draft) -> list[StageState]:
    return [
        stage
        for stage in draft.open_stages()
        if not stage.deadlocked
        and stage.confirms is None
        and evaluate(draft.plan.stage(stage.id), draft.stage_tasks(stage)).deadlocked
    ]


def _resolve_deadlocks(draft: Draft) -> None:
    """Newly deadlocked stages escalate; one whose casting votes abstained as well keeps looking."""
    for stage in _deadlocked(draft):
        draft.put_stage(stage, deadlocked=True)
        draft.add(Escalate(stage=stage.id, round=stage.round, cause="no_decision"))
    for stage in draft.open_stages():
        already = any(isinstance(effect, Escalate) and effect.stage == stage.id for effect in draft.effects)
        if stage.deadlocked and not already and not draft.has_decider(stage) and stage.retry_at is None:
            draft.add(SeekReviewers(stage=stage.id, round=stage.round))
