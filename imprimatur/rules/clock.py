"""What falls due in a case, and what happens then. Pure."""

import datetime as dt

from imprimatur.rules import confirming
from imprimatur.rules.conditions import condition_deadlines, tick_conditions
from imprimatur.rules.draft import Draft
from imprimatur.rules.offers import counted
from imprimatur.rules.voting import AGAINST, IN_FAVOUR, evaluate
from models.case import CaseState, StageState
from models.effects import BeginSitting, Breach, BreachCase, CallDeputy, Cause, ExpireApproval, LapseStage, Remind
from models.plan import StagePlan
from models.vocabulary import (
    AssignmentReason,
    AtBreach,
    CaseStatus,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
    Verdict,
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
    if _holds(stage) and stage.expires_at is not None:
        return [stage.expires_at]
    if stage.status is StageStatus.WAITING and stage.opens_at is not None:
        return [stage.opens_at]
    if stage.status is not StageStatus.OPEN:
        return []
    instants = [*stage.remind_at, *stage.escalate_at]
    if stage.sits_at is not None:
        instants.append(stage.sits_at)
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
    if draft.due_at is not None and draft.due_at <= at and not draft.breached:
        draft.breached = True
        draft.add(BreachCase(due_at=draft.due_at))
    for stage in draft.open_stages():
        # What one stage's silence decides may have closed the others.
        if draft.stages[stage.id].status is StageStatus.OPEN:
            _tick_stage(draft, draft.stages[stage.id], at)
    for stage in [stage for stage in draft.stages.values() if _holds(stage)]:
        if draft.status is CaseStatus.IN_REVIEW and stage.expires_at is not None and stage.expires_at <= at:
            _expire(draft, stage, stage.expires_at)
    late = [stage for stage in draft.stages.values() if stage.opens_at is not None and stage.opens_at <= at]
    for stage in late:
        draft.put_stage(stage, opens_at=None)
    if late and draft.status is CaseStatus.IN_REVIEW:
        draft.advance(SYSTEM)


def _holds(stage: StageState) -> bool:
    return stage.status is StageStatus.CLOSED and stage.outcome is not None and stage.outcome.stays_valid


def _expire(draft: Draft, stage: StageState, expired_at: dt.datetime) -> None:
    """Whoever gave the approval confirms it, in a new round; where nobody did, the stage is decided anew."""
    draft.round += 1
    draft.add(ExpireApproval(stage=stage.id, round=stage.round, expired_at=expired_at))
    if not confirming.seek(draft, stage):
        draft.add(LapseStage(stage=stage.id, round=stage.round, changed=(), confirmed=False))
        draft.stages[stage.id] = StageState(id=stage.id)
        draft.advance(SYSTEM)


def _tick_stage(draft: Draft, stage: StageState, at: dt.datetime) -> None:
    waiting = tuple(task.id for task in draft.waiting(stage))
    if stage.sits_at is not None and stage.sits_at <= at:
        draft.add(BeginSitting(stage=stage.id, round=stage.round, sits_at=stage.sits_at))
        stage = draft.put_stage(stage, sits_at=None)
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
        stage = draft.escalate(stage, _cause(draft, stage), stage.escalated)
    if stage.retry_at is not None and stage.retry_at <= at:
        look_again(draft, stage)


def look_again(draft: Draft, stage: StageState) -> None:
    """Goes on looking for someone to decide, or reminding those who are late."""
    stage = draft.put_stage(stage, retry_at=None)
    plan, waiting = draft.plan.stage(stage.id), tuple(task.id for task in draft.waiting(stage))
    reminded = any(isinstance(effect, Remind) and effect.stage == stage.id for effect in draft.effects)
    if not draft.has_decider(stage) and (stage.deadlocked or not plan.objection):
        draft.seek(stage)
    elif stage.breached and waiting and plan.at_breach is AtBreach.REMIND and not reminded:
        draft.add(Remind(stage=stage.id, round=stage.round, tasks=waiting, again=True))


def _cause(draft: Draft, stage: StageState) -> Cause:
    """Whoever comes to a stage that votes can no longer decide must know that the decision is theirs."""
    if not stage.deadlocked:
        return "breach"
    return "objection" if draft.plan.stage(stage.id).objection else "no_decision"


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
    if plan.waits_for_all and evaluate(plan, draft.stage_tasks(stage), stage.deadlocked, late=True).outcome is not None:
        # It waited only for answers that could change nothing; the votes are counted next.
        return stage
    match plan.at_breach:
        case AtBreach.SKIP | AtBreach.APPROVE | AtBreach.REJECT if not _contradicted(draft, stage, plan):
            _decide_by_silence(draft, stage, plan)
        case AtBreach.REASSIGN if waiting:
            _call_deputies(draft, stage, waiting)
        case AtBreach.REMIND if waiting:
            draft.add(Remind(stage=stage.id, round=stage.round, tasks=waiting, again=True))
        case _:
            draft.escalate(stage, _cause(draft, stage))
    return draft.stages[stage.id]


def _call_deputies(draft: Draft, stage: StageState, waiting: tuple[str, ...]) -> None:
    """One for each vote that is missing; of a task on offer that nobody took, the other offers only close."""
    missing = {task.id for task in counted(draft.stage_tasks(stage))}
    for task_id in waiting:
        task = draft.tasks[task_id]
        if task_id in missing:
            draft.put_task(task, status=TaskStatus.CLOSED, closure=TaskClosure.TIME_RAN_OUT, closed_by=SYSTEM)
            draft.add(CallDeputy(stage=stage.id, round=stage.round, task=task_id, cause="silent"))
        else:
            draft.close_task(task, TaskClosure.TIME_RAN_OUT, SYSTEM)


def _contradicted(draft: Draft, stage: StageState, plan: StagePlan) -> bool:
    """Silence never outweighs what somebody said: an answer that speaks for something else calls people in."""
    said = {task.verdict for task in draft.stage_tasks(stage)} - {None}
    others = IN_FAVOUR | {Verdict.REQUEST_CHANGES} if plan.at_breach is AtBreach.REJECT else AGAINST
    return bool(said & others)


def _decide_by_silence(draft: Draft, stage: StageState, plan: StagePlan) -> None:
    outcome = {AtBreach.SKIP: StageOutcome.SKIPPED, AtBreach.REJECT: StageOutcome.REJECTED}.get(
        plan.at_breach, plan.positive
    )
    reason = f"nobody decided in time; {_clause(plan)}"
    draft.close_tasks(stage.id, TaskClosure.TIME_RAN_OUT, SYSTEM)
    if outcome is StageOutcome.REJECTED:
        draft.reject_stage(stage, TaskClosure.CASE_REJECTED, SYSTEM, reason)
    else:
        draft.close_stage(stage, outcome, reason)
        draft.advance(SYSTEM)


def _close_window(draft: Draft, stage: StageState) -> StageState:
    """Without an objection the stage has passed; with one it stays open until that is resolved."""
    for task in draft.waiting(stage):
        if task.reason is not AssignmentReason.ESCALATION:
            draft.close_task(task, TaskClosure.TIME_RAN_OUT, SYSTEM)
    if not stage.deadlocked:
        plan = draft.plan.stage(stage.id)
        draft.close_stage(stage, plan.positive, f"nobody objected in time; {_clause(plan)}")
        draft.advance(SYSTEM)
    return draft.stages[stage.id]


def _clause(plan: StagePlan) -> str:
    return f"the policy says: {plan.policy_clause.rstrip('.')}"
