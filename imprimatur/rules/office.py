"""Acts of the governance office, and of those who pass a task on. Pure."""

from imprimatur.rules.clock import look_again
from imprimatur.rules.draft import Draft
from models.case import ProposedAct, StageState
from models.effects import (
    AskAgain,
    ExtendStage,
    HoldCase,
    OverrideStage,
    PassOn,
    PauseClock,
    PauseStage,
    PlaceItem,
    ProposeAct,
    Remind,
    ResumeCase,
    ResumeClock,
    ResumeStage,
    SendBack,
)
from models.events import (
    ActConfirmed,
    ActProposed,
    Annulled,
    Extended,
    Held,
    Nudged,
    PassedOn,
    Placed,
    Resumed,
    SentBack,
)
from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    OfficeAct,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
)


def hold(draft: Draft, event: Held) -> None:
    """Every clock stands still until the case is resumed; nobody can decide meanwhile."""
    draft.status = CaseStatus.ON_HOLD
    draft.add(HoldCase(actor=event.actor, reason=event.reason))
    draft.add(PauseClock())
    for stage in draft.open_stages():
        draft.put_stage(stage, due_at=None, remind_at=(), escalate_at=())
        draft.add(PauseStage(stage=stage.id, round=stage.round))


def resume(draft: Draft, event: Resumed) -> None:
    draft.status = CaseStatus.IN_REVIEW
    draft.add(ResumeCase(actor=event.actor, reason=event.reason))
    draft.add(ResumeClock())
    for stage in draft.open_stages():
        promised = _promised(draft, stage) if stage.sits_at is not None else {}
        draft.add(ResumeStage.model_validate({"stage": stage.id, "round": stage.round} | promised))
        if stage.retry_at is not None:
            look_again(draft, stage)


def _promised(draft: Draft, stage: StageState) -> dict[str, object]:
    """What the track of the case promises for the stage; nothing is said of what its framework says anyway."""
    within = draft.plan.stage(stage.id).within
    return {"within": within} if within is not None else {}


def extend(draft: Draft, event: Extended) -> None:
    """A breach that was recorded stays recorded; the new due time can be missed anew, with all that follows."""
    fresh: dict[str, object] = {"breached": False, "remind_at": (), "escalate_at": (), "escalated": 0}
    stage = draft.put_stage(draft.stages[event.stage], **fresh)
    draft.add(ExtendStage(stage=stage.id, round=stage.round, by=event.by, actor=event.actor, reason=event.reason))


def place(draft: Draft, event: Placed) -> None:
    """All that was timed by the old sitting is timed anew by the other one."""
    fresh: dict[str, object] = {"breached": False, "remind_at": (), "escalate_at": (), "escalated": 0}
    stage = draft.put_stage(draft.stages[event.stage], **fresh)
    told: dict[str, object] = {"on": event.on, "actor": event.actor, "reason": event.reason}
    told |= {"late": True} if event.late else {}
    draft.add(PlaceItem.model_validate({"stage": stage.id, "round": stage.round} | told | _promised(draft, stage)))


def propose(draft: Draft, event: ActProposed) -> None:
    """The same act proposed again waits already: nothing happens."""
    if event.act_id in draft.proposed:
        return
    approves = event.outcome is StageOutcome.APPROVED
    act = ProposedAct(
        id=event.act_id,
        act=event.act,
        stage=event.stage,
        round=draft.stages[event.stage].round,
        outcome=draft.plan.stage(event.stage).positive if approves else event.outcome,
        actor=event.actor,
        reason=event.reason,
    )
    draft.proposed[act.id] = act
    draft.add(ProposeAct(act=act))


def confirm(draft: Draft, event: ActConfirmed) -> None:
    act = draft.proposed.pop(event.act_id)
    stage = draft.stages[act.stage]
    draft.add(OverrideStage(act=act, confirmed_by=event.actor))
    skipped = act.act is OfficeAct.SKIP
    closure = TaskClosure.STAGE_SKIPPED if skipped else TaskClosure.STAGE_OVERRIDDEN
    draft.close_tasks(stage.id, closure, event.actor)
    reason = f"{'skipped' if skipped else 'decided'} by the office: {act.reason}"
    if act.outcome is StageOutcome.REJECTED:
        draft.reject_stage(stage, TaskClosure.CASE_REJECTED, event.actor, reason)
    else:
        draft.close_stage(stage, act.outcome, reason)
        draft.advance(event.actor)


def send_back(draft: Draft, event: SentBack) -> None:
    """The stage and all that needs it, directly or through others, are decided anew in the next round."""
    reopened = draft.dependents_of(event.stage)
    for stage_id in reopened:
        stage = draft.stages[stage_id]
        # Whoever was only informed may have a task though the stage is closed.
        draft.close_tasks(stage_id, TaskClosure.SENT_BACK, event.actor)
        if stage.status is StageStatus.OPEN:
            draft.close_stage(stage, StageOutcome.CANCELLED, "the case was sent back")
        draft.lapse_conditions("the approval that it belonged to was given up", stage=stage_id)
        draft.stages[stage_id] = StageState(id=stage_id)
    draft.round += 1
    draft.add(SendBack(stage=event.stage, actor=event.actor, reason=event.reason, reopened=reopened))
    draft.advance(event.actor)


def pass_on(draft: Draft, event: PassedOn) -> None:
    task = draft.tasks[event.task_id]
    delegated = event.actor == task.assignee
    why = AssignmentReason.DELEGATION if delegated else AssignmentReason.REASSIGNMENT
    closure = TaskClosure.DELEGATED if delegated else TaskClosure.REASSIGNED
    draft.put_task(task, status=TaskStatus.CLOSED, closure=closure, closed_by=event.actor)
    draft.add(
        PassOn(
            stage=task.stage,
            round=task.round,
            task=task.id,
            to=event.to,
            actor=event.actor,
            why=why.value,  # type: ignore[arg-type]
            reason=event.reason,
        )
    )


def nudge(draft: Draft, event: Nudged) -> None:
    for stage in draft.open_stages():
        waiting = tuple(task.id for task in draft.waiting(stage))
        if waiting and event.stage in (None, stage.id):
            draft.add(Remind(stage=stage.id, round=stage.round, tasks=waiting, actor=event.actor))


def annul(draft: Draft, event: Annulled) -> None:
    """The decision stays in the ledger; it no longer counts, and its reviewer is asked once more."""
    task = draft.tasks[event.task_id]
    draft.put_task(task, status=TaskStatus.CLOSED, verdict=None, closure=TaskClosure.ANNULLED, closed_by=event.actor)
    draft.add(AskAgain(stage=task.stage, round=task.round, task=task.id, actor=event.actor, reason=event.reason))
    draft.lapse_conditions("the answer that it belonged to was annulled", task=task.id)
