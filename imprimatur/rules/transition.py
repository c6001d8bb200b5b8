"""The only place where a case changes course: ``transition(state, event, plan) -> (state, effects)``.

Pure: no clock, no chance, no I/O. The effects are written by one commit; what the commit finds out (who the reviewers
are, when things are due) comes back as a :class:`~models.commit.Resolution` and is folded in by :func:`settle`.
"""

import datetime as dt

from imprimatur.rules import conditions, confirming, desk, migration, office, readdressing
from imprimatur.rules.carrying import carry_over
from imprimatur.rules.clock import tick
from imprimatur.rules.draft import Draft
from imprimatur.rules.voting import Verdicts, evaluate
from models.case import CaseState, StageState, TaskState
from models.commit import Resolution, StageResolution
from models.conditions import ConditionFulfilled, ConditionJudged
from models.effects import (
    AddVersion,
    CallDeputy,
    Effect,
    PauseClock,
    RecordDecision,
    RequestRevision,
    ResumeClock,
    SelectTrack,
    StartClock,
)
from models.events import (
    ActConfirmed,
    ActProposed,
    AdviceAsked,
    AdviceGiven,
    Annulled,
    ChangeScheduled,
    Claimed,
    ConflictFound,
    Continued,
    Decided,
    Event,
    Extended,
    FrameworkChanged,
    HandedOver,
    Held,
    Nudged,
    PassedOn,
    Placed,
    ProposerReaddressed,
    Resumed,
    Revised,
    SentBack,
    Submitted,
    TaskReturned,
    Ticked,
    Withdrawn,
)
from models.handover import BeginHandover
from models.improvement import BeginReview
from models.plan import Plan
from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    HandoverOutcome,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
    Verdict,
)


def transition(state: CaseState, event: Event, plan: Plan, at: dt.datetime) -> tuple[CaseState, tuple[Effect, ...]]:
    """The state after ``event`` at the instant ``at``, and what to write. No effects: nothing happened.

    ``plan`` is the one in force for this very event (:func:`imprimatur.rules.plan.plan_in_force`). The caller has asked
    :func:`imprimatur.rules.admission.refusal` first; an event that is not admissible is a fault of the caller.
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
        case Placed():
            office.place(draft, event)
        case PassedOn():
            office.pass_on(draft, event)
        case Nudged():
            office.nudge(draft, event)
        case Annulled():
            office.annul(draft, event)
        case Claimed():
            desk.claim(draft, event)
        case TaskReturned():
            desk.give_back(draft, event)
        case AdviceAsked():
            desk.ask_advice(draft, event)
        case AdviceGiven():
            desk.attach_advice(draft, event)
        case ConflictFound():
            desk.report_conflict(draft, event)
        case HandedOver():
            desk.hand_over(draft, event)
        case ProposerReaddressed():
            readdressing.readdress(draft, event)
        case ConditionFulfilled():
            conditions.fulfil(draft, event)
        case ConditionJudged():
            conditions.judge(draft, event)
        case ChangeScheduled():
            migration.schedule(draft, event)
        case FrameworkChanged():
            migration.change_framework(draft, event)
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
                status=task.status,
                offer=task.offer,
                stands_for=task.stands_for,
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
    if found.opens_at is not None:
        return {"status": StageStatus.WAITING, "opens_at": found.opens_at}
    update: dict[str, object] = {}
    if found.expires_at is not None:
        update["expires_at"] = found.expires_at
    if found.sits_at is not None:
        update["sits_at"] = found.sits_at
    if found.retry_at is not None:
        update["retry_at"] = found.retry_at
    if found.due_at is not None:
        # A stage that goes on after a hold has some of its further escalations behind it.
        still_to_come = found.escalate_at[stage.escalated :]
        update |= {"due_at": found.due_at, "remind_at": found.remind_at, "escalate_at": still_to_come}
    return update


def following(state: CaseState, plan: Plan) -> Event | None:
    """What happens next by itself; None while the case waits for somebody, or for its clock."""
    return migration.due_change(state, plan) or (Continued() if wants_to_continue(state, plan) else None)


def wants_to_continue(state: CaseState, plan: Plan) -> bool:
    """Whether what was settled lets the case go on by itself."""
    if state.status is not CaseStatus.IN_REVIEW:
        return False
    draft = Draft(state, plan)
    return bool(draft.ready_stages()) or draft.all_passed() or any(_is_settled(draft, s) for s in draft.open_stages())


def _judged(draft: Draft, stage: StageState) -> Verdicts:
    return evaluate(draft.plan.stage(stage.id), draft.stage_tasks(stage), stage.deadlocked, stage.breached)


def _submit(draft: Draft, event: Submitted) -> None:
    draft.proposer = event.actor
    draft.version, draft.digest = 1, event.digest
    draft.stages = {stage.id: StageState(id=stage.id) for stage in draft.plan.stages}
    draft.add(AddVersion(actor=event.actor, version=1, digest=event.digest, complete=event.complete))
    if event.reviews is not None:
        draft.reviews = event.reviews
        draft.add(BeginReview(about=event.reviews))
    if event.hands_over is not None:
        draft.hands_over = event.hands_over
        draft.add(BeginHandover(about=event.hands_over))
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
        carry_over(draft, plan, event)
    draft.advance(event.actor)


def _decide(draft: Draft, event: Decided) -> None:
    task = draft.tasks[event.task_id]
    until = {"teach_out_on": event.teach_out_on} if event.teach_out_on else {}
    draft.put_task(task, status=TaskStatus.DECIDED, verdict=event.verdict, **until)
    draft.add(RecordDecision(decision=event, stage=task.stage, round=task.round, digest=draft.digest))
    conditions.propose(draft, event, task.stage)
    stage, plan = draft.stages[task.stage], draft.plan.stage(task.stage)
    if stage.status is not StageStatus.OPEN:
        # Someone acknowledged what they were only told of.
        return
    # In the place of someone to whom the stage was escalated comes the next one of that role, not a deputy.
    in_turn = plan.deputies and stage.confirms is None and task.reason is not AssignmentReason.ESCALATION
    if event.verdict is Verdict.RECUSE and in_turn:
        draft.add(CallDeputy(stage=stage.id, round=stage.round, task=task.id, cause="recused"))
    elif event.verdict is Verdict.OBJECT:
        _object(draft, stage)
    else:
        _settle_votes(draft, stage, event.actor)


def _count_again(draft: Draft) -> None:
    """A stage that was skipped, a reviewer who stood aside: what was settled may decide, or leave nobody to decide."""
    for stage in draft.staffed_stages():
        if draft.stages[stage.id].status is StageStatus.OPEN:
            _settle_votes(draft, draft.stages[stage.id], "system")
    if draft.status is CaseStatus.IN_REVIEW:
        draft.advance("system")


def _is_settled(draft: Draft, stage: StageState) -> bool:
    """Whether the votes decide by now, or leave nobody to decide."""
    if stage.confirms is not None:
        return confirming.has_failed(draft, stage)
    result = _judged(draft, stage)
    if stage.deadlocked and stage.retry_at is None and not draft.has_decider(stage):
        return True
    return result.outcome is not None or (result.deadlocked and not stage.deadlocked)


def _object(draft: Draft, stage: StageState) -> None:
    """The first objection opens its resolution, by whoever the stage escalates to; later ones are heard with it."""
    if not stage.deadlocked:
        draft.escalate(draft.put_stage(stage, deadlocked=True), "objection")


def _settle_votes(draft: Draft, stage: StageState, actor: str) -> None:
    if stage.confirms is not None:
        _settle_confirmation(draft, stage, actor)
        return
    result = _judged(draft, stage)
    if result.outcome is None:
        _resolve_deadlocks(draft)
        return
    draft.close_tasks(stage.id, TaskClosure.OUTCOME_CERTAIN, actor)
    if result.outcome is StageOutcome.REJECTED and draft.plan.stage(stage.id).refers_rejection and not stage.deadlocked:
        # Whoever is not yet asked cannot change it any more; the refusal stands until it is overridden or upheld.
        draft.escalate(draft.put_stage(stage, deadlocked=True), "refusal")
    elif result.outcome is StageOutcome.SENT_BACK:
        draft.close_stage(stage, StageOutcome.SENT_BACK, result.reason)
        draft.conclude_handover(HandoverOutcome.SENT_BACK, actor)
    elif result.outcome is StageOutcome.REJECTED:
        draft.reject_stage(stage, TaskClosure.CASE_REJECTED, actor, result.reason)
    elif result.outcome is StageOutcome.CHANGES_REQUESTED:
        _send_back(draft, stage, actor, result.reason)
    else:
        if result.recommendation is not None:
            stage = draft.put_stage(stage, recommendation=result.recommendation)
        draft.pass_stage(stage, result.reason)
        draft.advance(actor)


def _settle_confirmation(draft: Draft, stage: StageState, actor: str) -> None:
    if confirming.has_failed(draft, stage):
        confirming.lapse(draft, stage)
    elif confirming.is_complete(draft, stage):
        draft.pass_stage(stage, f"confirmed by all who approved it in round {stage.confirms}")
        draft.advance(actor)


def _send_back(draft: Draft, stage: StageState, actor: str, reason: str) -> None:
    draft.close_stage(stage, StageOutcome.CHANGES_REQUESTED, reason)
    # Reviewing on in parallel stages would judge a document that is about to change.
    draft.cancel_open_stages(TaskClosure.REVISION_REQUESTED, actor, "a revision was requested")
    draft.status = CaseStatus.REVISING
    draft.add(RequestRevision(stage=stage.id, round=stage.round))
    draft.add(PauseClock())


def _resolve_deadlocks(draft: Draft) -> None:
    """Newly deadlocked stages escalate; one whose casting votes abstained as well keeps looking."""
    for stage in draft.staffed_stages():
        if stage.confirms is not None:
            continue
        if not stage.deadlocked and _judged(draft, stage).deadlocked:
            draft.escalate(draft.put_stage(stage, deadlocked=True), "no_decision")
        elif stage.deadlocked and not draft.has_decider(stage) and stage.retry_at is None:
            draft.seek(stage)
