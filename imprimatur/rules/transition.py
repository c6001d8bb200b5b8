"""The only place where a case changes course: ``transition(state, event, plan) -> (state, effects)``.

Pure: no clock, no chance, no I/O. The effects are written by one commit; what the commit finds out (who the reviewers
are, when things are due) comes back as a :class:`~models.case.Resolution` and is folded in by :func:`settle`.
"""

import datetime as dt

from imprimatur.rules.draft import Draft
from imprimatur.rules.voting import evaluate
from models.case import (
    AddVersion,
    Breach,
    BreachCase,
    CaseState,
    Continued,
    Decided,
    Effect,
    Escalate,
    Event,
    KeepStage,
    LapseStage,
    PauseClock,
    Plan,
    RecordDecision,
    Remind,
    RequestRevision,
    Resolution,
    ResumeClock,
    Revised,
    SeekReviewers,
    StageResolution,
    StageState,
    StartClock,
    Submitted,
    TaskState,
    Ticked,
    Withdrawn,
)
from models.vocabulary import CaseStatus, StageOutcome, StageStatus, TaskClosure, TaskStatus


def transition(state: CaseState, event: Event, plan: Plan, at: dt.datetime) -> tuple[CaseState, tuple[Effect, ...]]:
    """The state after ``event`` at the instant ``at``, and what to write. No effects: nothing happened.

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
        case Ticked() if _is_due(state, at):
            _tick(draft, at)
        case Continued():
            _resolve_deadlocks(draft)
            draft.advance("system")
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
    if resolution.due_at is not None:
        update["due_at"] = resolution.due_at
    return state.model_copy(update=update)


def _resolved(stage: StageState, found: StageResolution) -> dict[str, object]:
    update: dict[str, object] = {"retry_at": found.retry_at}
    if found.due_at is not None:
        update |= {"due_at": found.due_at, "remind_at": found.remind_at}
    return update


def wants_to_continue(state: CaseState, plan: Plan) -> bool:
    """Whether what was settled lets the case go on by itself."""
    if state.status is not CaseStatus.IN_REVIEW:
        return False
    draft = Draft(state, plan)
    return bool(draft.ready_stages()) or draft.all_passed() or bool(_deadlocked(draft))


def next_deadline(state: CaseState) -> dt.datetime | None:
    """The earliest instant at which :class:`~models.case.Ticked` has something to do; None when nothing is timed."""
    if state.status is not CaseStatus.IN_REVIEW:
        return None
    instants = [instant for stage in state.stages.values() for instant in _stage_deadlines(state, stage)]
    if state.due_at is not None and not state.breached:
        instants.append(state.due_at)
    return min(instants, default=None)


def _is_due(state: CaseState, at: dt.datetime) -> bool:
    """A timer may ring for a deadline that has moved since, or that stands still with the case's clock."""
    deadline = next_deadline(state)
    return deadline is not None and deadline <= at


def _stage_deadlines(state: CaseState, stage: StageState) -> list[dt.datetime]:
    if stage.status is not StageStatus.OPEN:
        return []
    instants = list(stage.remind_at)
    if stage.due_at is not None and not stage.breached:
        instants.append(stage.due_at)
    if stage.retry_at is not None:
        instants.append(stage.retry_at)
    return instants


def _submit(draft: Draft, event: Submitted) -> None:
    draft.proposer = event.actor
    draft.version, draft.digest = 1, event.digest
    draft.stages = {stage.id: StageState(id=stage.id) for stage in draft.plan.stages}
    draft.add(AddVersion(actor=event.actor, version=1, digest=event.digest, complete=event.complete))
    if event.complete:
        _start(draft, event.actor)


def _start(draft: Draft, actor: str) -> None:
    draft.status, draft.round = CaseStatus.IN_REVIEW, 1
    draft.add(StartClock())
    draft.advance(actor)


def _revise(draft: Draft, event: Revised) -> None:
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
        return
    if draft.round == 0:
        _start(draft, event.actor)
        return
    draft.status, draft.round = CaseStatus.IN_REVIEW, draft.round + 1
    draft.add(ResumeClock())
    for plan in draft.plan.stages:
        _carry_over(draft, plan.id, plan.material, event.changed)
    draft.advance(event.actor)


def _carry_over(draft: Draft, stage_id: str, material: tuple[str, ...] | None, changed: tuple[str, ...]) -> None:
    """An approval lapses when the new version changes what is material to it; any other result is sought anew."""
    stage = draft.stages[stage_id]
    if stage.status is not StageStatus.CLOSED:
        return
    if stage.outcome is StageOutcome.APPROVED:
        touched = tuple(field for field in changed if material is None or _is_material(field, material))
        if not touched:
            draft.add(KeepStage(stage=stage_id))
            return
        draft.add(LapseStage(stage=stage_id, changed=touched))
    draft.stages[stage_id] = StageState(id=stage_id)


def _is_material(field: str, material: tuple[str, ...]) -> bool:
    return any(field == name or field.startswith(f"{name}.") or name.startswith(f"{field}.") for name in material)


def _decide(draft: Draft, event: Decided) -> None:
    task = draft.tasks[event.task_id]
    draft.put_task(task, status=TaskStatus.DECIDED, verdict=event.verdict)
    draft.add(RecordDecision(decision=event, stage=task.stage, round=task.round, digest=draft.digest))
    stage = draft.stages[task.stage]
    result = evaluate(draft.plan.stage(stage.id), draft.stage_tasks(stage), stage.deadlocked)
    if result.outcome is StageOutcome.APPROVED:
        draft.close_tasks(stage.id, TaskClosure.OUTCOME_CERTAIN, event.actor)
        draft.pass_stage(stage, result.reason)
        draft.advance(event.actor)
    elif result.outcome is StageOutcome.REJECTED:
        draft.close_tasks(stage.id, TaskClosure.OUTCOME_CERTAIN, event.actor)
        draft.close_stage(stage, StageOutcome.REJECTED, result.reason)
        draft.end(CaseStatus.REJECTED, TaskClosure.CASE_REJECTED, event.actor, result.reason)
    elif result.outcome is StageOutcome.CHANGES_REQUESTED:
        _send_back(draft, stage, event, result.reason)
    else:
        _resolve_deadlocks(draft)


def _send_back(draft: Draft, stage: StageState, event: Decided, reason: str) -> None:
    draft.close_tasks(stage.id, TaskClosure.OUTCOME_CERTAIN, event.actor)
    draft.close_stage(stage, StageOutcome.CHANGES_REQUESTED, reason)
    # Reviewing on in parallel stages would judge a document that is about to change.
    draft.cancel_open_stages(TaskClosure.REVISION_REQUESTED, event.actor, "a revision was requested")
    draft.status = CaseStatus.REVISING
    draft.add(RequestRevision(stage=stage.id, round=stage.round))
    draft.add(PauseClock())


def _deadlocked(draft: Draft) -> list[StageState]:
    return [
        stage
        for stage in draft.open_stages()
        if not stage.deadlocked and evaluate(draft.plan.stage(stage.id), draft.stage_tasks(stage)).deadlocked
    ]


def _resolve_deadlocks(draft: Draft) -> None:
    """Newly deadlocked stages escalate; one whose casting votes abstained as well keeps looking."""
    for stage in _deadlocked(draft):
        draft.put_stage(stage, deadlocked=True)
        draft.add(Escalate(stage=stage.id, round=stage.round, cause="no_decision"))
    for stage in draft.open_stages():
        already = any(isinstance(effect, Escalate) and effect.stage == stage.id for effect in draft.effects)
        if stage.deadlocked and not already and not draft.has_open_task(stage) and stage.retry_at is None:
            draft.add(SeekReviewers(stage=stage.id, round=stage.round))


def _tick(draft: Draft, at: dt.datetime) -> None:
    for stage in draft.open_stages():
        waiting = tuple(task.id for task in draft.stage_tasks(stage) if task.status is TaskStatus.OPEN)
        if any(instant <= at for instant in stage.remind_at):
            stage = draft.put_stage(stage, remind_at=tuple(i for i in stage.remind_at if i > at))
            overdue = stage.due_at is not None and stage.due_at <= at
            if waiting and not overdue:
                draft.add(Remind(stage=stage.id, round=stage.round, tasks=waiting))
        missed = _missed(stage, at)
        if missed is not None:
            stage = draft.put_stage(stage, breached=True)
            draft.add(Breach(stage=stage.id, round=stage.round, due_at=missed, tasks=waiting))
            draft.add(Escalate(stage=stage.id, round=stage.round, cause="breach"))
        if stage.retry_at is not None and stage.retry_at <= at:
            stage = draft.put_stage(stage, retry_at=None)
            # An escalation in this very step looks for someone already; nobody must be found twice.
            if not waiting and missed is None:
                draft.add(SeekReviewers(stage=stage.id, round=stage.round))
    if draft.due_at is not None and draft.due_at <= at and not draft.breached:
        draft.breached = True
        draft.add(BreachCase(due_at=draft.due_at))


def _missed(stage: StageState, at: dt.datetime) -> dt.datetime | None:
    """The due time that has passed and was not recorded as a breach yet."""
    return stage.due_at if stage.due_at is not None and stage.due_at <= at and not stage.breached else None
