"""What falls due in a case, and what happens then. Pure."""

import datetime as dt

from imprimatur.rules import confirming
from imprimatur.rules.conditions import condition_deadlines, tick_conditions
from imprimatur.rules.draft import Draft
from models.case import CaseState, StageState
from models.effects import Breach, BreachCase, CallDeputy, Escalate, Remind, SeekReviewers
from models.plan import StagePlan
from models.vocabulary import (
    AssignmentReason,
    AtBreach,
    CaseStatus,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
)

SYSTEM = "system"


def next_deadline(state: CaseState) -> dt.datetime | None:
    """The earliest instant at which :class:`~models.events.Ticked` has something to do; None when nothing is timed."""
    if state.status is CaseStatus.ON_HOLD:
        return None
    instants = list(condition_deadlines(state))
    if state.status is CaseStatus.IN_REVIEW:
        instants += [instant for stage in state.stages.values() for instant in _stage_deadlines(stage)]
        if state.due_at is not None and not state.breached:
            instants.append(state.due_at)
    return min(instants, default=None)


def _stage_deadlines(stage: StageState) -> list[dt.datetime]:
    if stage.status is not StageStatus.OPEN:
        return []
    instants = [*stage.remind_at, *stage.escalate_at]
    if stage.due_at is not None and not stage.breached:
        instants.append(stage.due_at)
    if stage.retry_at is not None:
        instants.append(stage.retry_at)
    return instants


def tick(draft: Draft, at: dt.datetime) -> None:
    """Reminders, breaches, further escalations and new attempts to find someone, as far as they are due ``at``."""
    # A timer that was set before can go off while nothing is counted.
    if draft.status is CaseStatus.IN_REVIEW:
        _tick_review(draft, at)
    if draft.status is not CaseStatus.ON_HOLD:
        tick_conditions(draft, at)


def _tick_review(draft: Draft, at: dt.datetime) -> None:
    for stage in draft.open_stages():
        # What one stage's silence decides may have closed the others.
        if draft.stages[stage.id].status is StageStatus.OPEN:
            _tick_stage(draft, draft.stages[stage.id], at)
    if draft.due_at is not None and draft.due_at <= at and not draft.breached:
        draft.breached = True
        draft.add(BreachCase(due_at=draft.due_at))


def _tick_stage(draft: Draft, stage: StageState, at: dt.datetime) -> None:
    waiting = _waiting(draft, stage)
    if any(instant <= at for instant in stage.remind_at):
        stage = draft.put_stage(stage, remind_at=tuple(i for i in stage.remind_at if i > at))
        overdue = stage.due_at is not None and stage.due_at <= at
        if waiting and not overdue:
            draft.add(Remind(stage=stage.id, round=stage.round, tasks=waiting))
    missed = _missed(stage, at)
    if missed is not None:
        stage = _run_out(draft, stage, missed, waiting)
        if stage.status is not StageStatus.OPEN:
            return
    for _ in [instant for instant in stage.escalate_at if instant <= at]:
        stage = draft.put_stage(stage, escalate_at=stage.escalate_at[1:], escalated=stage.escalated + 1)
        draft.add(Escalate(stage=stage.id, round=stage.round, cause="breach", step=stage.escalated))
    if stage.retry_at is not None and stage.retry_at <= at:
        stage = draft.put_stage(stage, retry_at=None)
        # What ran out in this very step looks for someone already; nobody must be found twice.
        if missed is not None:
            return
        if not waiting:
            draft.add(SeekReviewers(stage=stage.id, round=stage.round))
        elif draft.plan.stage(stage.id).at_breach is AtBreach.REMIND:
            draft.add(Remind(stage=stage.id, round=stage.round, tasks=waiting, again=True))


def _missed(stage: StageState, at: dt.datetime) -> dt.datetime | None:
    """The due time that has passed and was not recorded as a breach yet."""
    return stage.due_at if stage.due_at is not None and stage.due_at <= at and not stage.breached else None


def _run_out(draft: Draft, stage: StageState, due_at: dt.datetime, waiting: tuple[str, ...]) -> StageState:
    """The promised time has passed: the stage's policy says what follows."""
    plan = draft.plan.stage(stage.id)
    if stage.confirms is not None:
        confirming.lapse(draft, stage)
        return draft.stages[stage.id]
    stage = draft.put_stage(stage, breached=True)
    if plan.objection:
        return _close_window(draft, stage)
    draft.add(Breach(stage=stage.id, round=stage.round, due_at=due_at, tasks=waiting))
    match plan.at_breach:
        case AtBreach.SKIP | AtBreach.APPROVE | AtBreach.REJECT:
            _decide_by_silence(draft, stage, plan)
        case AtBreach.REASSIGN if waiting:
            for task_id in waiting:
                task = draft.tasks[task_id]
                draft.put_task(task, status=TaskStatus.CLOSED, closure=TaskClosure.TIME_RAN_OUT, closed_by=SYSTEM)
                draft.add(CallDeputy(stage=stage.id, round=stage.round, task=task_id, cause="silent"))
        case AtBreach.REMIND if waiting:
            draft.add(Remind(stage=stage.id, round=stage.round, tasks=waiting, again=True))
        case _:
            draft.add(Escalate(stage=stage.id, round=stage.round, cause="breach"))
    return draft.stages[stage.id]


def _decide_by_silence(draft: Draft, stage: StageState, plan: StagePlan) -> None:
    outcome = {AtBreach.SKIP: StageOutcome.SKIPPED, AtBreach.REJECT: StageOutcome.REJECTED}.get(
        plan.at_breach, plan.positive
    )
    reason = f"nobody decided in time; the policy says: {plan.policy_clause}"
    draft.close_tasks(stage.id, TaskClosure.TIME_RAN_OUT, SYSTEM)
    if outcome is StageOutcome.REJECTED:
        draft.reject_stage(stage, TaskClosure.CASE_REJECTED, SYSTEM, reason)
    else:
        draft.close_stage(stage, outcome, reason)
        draft.advance(SYSTEM)


def _close_window(draft: Draft, stage: StageState) -> StageState:
    """Without an objection the stage has passed; with one it stays open until that is resolved."""
    for task in draft.stage_tasks(stage):
        if task.status is TaskStatus.OPEN and task.reason is not AssignmentReason.ESCALATION:
            draft.close_task(task, TaskClosure.TIME_RAN_OUT, SYSTEM)
    if not stage.deadlocked:
        draft.close_stage(stage, StageOutcome.APPROVED, "nobody objected in time")
        draft.advance(SYSTEM)
    return draft.stages[stage.id]


def _waiting(draft: Draft, stage: StageState) -> tuple[str, ...]:
    return tuple(task.id for task in draft.stage_tasks(stage) if task.status is TaskStatus.OPEN)
