"""Who may hold, resume, extend, skip, override, send back, pass on, nudge or annul, and when. Pure."""

from imprimatur.rules.desk_admission import decider_refusal, not_claimed, own_proposal
from imprimatur.rules.refusal import Refusal, closed_case, unknown_task
from imprimatur.rules.standing import folded
from models.case import CaseState, TaskState
from models.events import (
    ActConfirmed,
    ActProposed,
    Annulled,
    Extended,
    Nudged,
    OfficeEvent,
    PassedOn,
    Placed,
    Resumed,
    SentBack,
)
from models.plan import Plan
from models.vocabulary import CaseStatus, OfficeAct, StageOutcome, StageStatus, TaskClosure, TaskStatus


def office_refusal(state: CaseState, event: OfficeEvent, plan: Plan | None = None) -> Refusal | None:
    """Why an act of the office (or of a task's holder) is not admissible; None when it is."""
    if state.status.is_final:
        return closed_case(state)
    if isinstance(event, PassedOn):
        return _passing_on(state, event, plan)
    if not event.by_office and not _keeps_agenda(state, event):
        return Refusal(
            "NotAllowed",
            "not_the_office",
            f"{event.actor} does not belong to the governance office.",
            "Only the governance office can do this.",
        )
    if not isinstance(event, ActConfirmed | Nudged) and not event.reason.strip():
        return _reason_required()
    if isinstance(event, ActProposed | ActConfirmed | Annulled) and folded(event.actor) == folded(state.proposer):
        return own_proposal()
    return _by_status(state, event) or _by_subject(state, event, plan)


def _keeps_agenda(state: CaseState, event: OfficeEvent) -> bool:
    """Whoever records a committee's decision may put it off as well; to admit what comes late is the office's."""
    if not isinstance(event, Placed) or event.late:
        return False
    return any(task.assignee == event.actor for task in state.open_tasks(event.stage))


def _reason_required() -> Refusal:
    return Refusal("Refused", "reason_required", "This act needs a reason.", "Give one with --reason; it is recorded.")


def _by_status(state: CaseState, event: OfficeEvent) -> Refusal | None:
    if isinstance(event, Resumed):
        if state.status is CaseStatus.ON_HOLD:
            return None
        return Refusal("Refused", "case_not_on_hold", "The case is not on hold.", "See `starter.py show CASE`.")
    if state.status is CaseStatus.ON_HOLD:
        return Refusal("Refused", "case_on_hold", "The case is on hold.", "Resume it first.")
    if state.status is not CaseStatus.IN_REVIEW:
        return Refusal(
            "Refused",
            "case_not_in_review",
            f"The case is {state.status.replace('_', ' ')}: it waits for its proposer.",
            "Wait for the new version, or withdraw the case.",
        )
    return None


def _by_subject(state: CaseState, event: OfficeEvent, plan: Plan | None) -> Refusal | None:
    match event:
        case Extended() | ActProposed():
            return _stage_refusal(state, event.stage, open_only=True) or (
                _proposal_refusal(state, event, plan) if isinstance(event, ActProposed) else None
            )
        case Placed():
            return _stage_refusal(state, event.stage, open_only=True) or _placing_refusal(event, plan)
        case Nudged(stage=str(stage)):
            return _stage_refusal(state, stage, open_only=True)
        case SentBack():
            return _stage_refusal(state, event.stage, open_only=False)
        case ActConfirmed():
            return _confirmation_refusal(state, event)
        case Annulled():
            return _annulment_refusal(state, event)
    return None


def _stage_refusal(state: CaseState, stage_id: str, *, open_only: bool) -> Refusal | None:
    stage = state.stages.get(stage_id)
    if stage is None:
        known = ", ".join(state.stages)
        return Refusal("NotFound", "stage_unknown", f"There is no stage {stage_id} in this case.", f"Stages: {known}.")
    if open_only and stage.status is not StageStatus.OPEN:
        return Refusal("Refused", "stage_not_open", f"The stage {stage_id} is {stage.status}.", "Name an open stage.")
    if not open_only and stage.status is StageStatus.WAITING:
        return Refusal(
            "Refused",
            "stage_not_reached",
            f"The stage {stage_id} has not been reached yet.",
            "Send back to a stage that is open or closed.",
        )
    return None


def _proposal_refusal(state: CaseState, event: ActProposed, plan: Plan | None) -> Refusal | None:
    stage = plan.stage(event.stage) if plan is not None else None
    if stage is not None and event.act is OfficeAct.OVERRIDE and (stage.recommends or stage.hands_over):
        does = "recommends" if stage.recommends else "hands over"
        return Refusal(
            "Refused",
            "outcome_not_offered",
            f"A stage that {does} is neither approved nor rejected.",
            "Skip it, or ask those who are asked there to answer.",
        )
    allowed = {
        OfficeAct.SKIP: (StageOutcome.SKIPPED,),
        OfficeAct.OVERRIDE: (StageOutcome.APPROVED, StageOutcome.REJECTED),
    }[event.act]
    if event.outcome not in allowed:
        return Refusal(
            "Refused",
            "outcome_not_offered",
            f"The office cannot set a stage to {event.outcome}.",
            f"Choose one of: {', '.join(allowed)}.",
        )
    return None


def _placing_refusal(event: Placed, plan: Plan | None) -> Refusal | None:
    if plan is not None and plan.stage(event.stage).committee is None:
        return Refusal(
            "Refused",
            "no_committee",
            f"No committee meets on the stage {event.stage}.",
            "Only an item of an agenda can be moved to another sitting.",
        )
    return None


def _confirmation_refusal(state: CaseState, event: ActConfirmed) -> Refusal | None:
    act = state.proposed.get(event.act_id)
    if act is None:
        return Refusal(
            "NotFound", "act_unknown", f"No act {event.act_id} waits for confirmation.", "See `starter.py show CASE`."
        )
    if act.actor == event.actor:
        return Refusal(
            "NotAllowed",
            "second_person_required",
            "Whoever proposed an act cannot confirm it as well.",
            "Ask someone else of the governance office.",
        )
    stage = state.stages[act.stage]
    if stage.status is not StageStatus.OPEN or stage.round != act.round:
        return Refusal(
            "Gone", "act_overtaken", f"The stage {act.stage} has moved on since.", "Propose the act anew if need be."
        )
    return None


def _annulment_refusal(state: CaseState, event: Annulled) -> Refusal | None:
    task = state.tasks.get(event.task_id)
    if task is None:
        return unknown_task(event.task_id)
    if task.status is not TaskStatus.DECIDED:
        return Refusal(
            "Refused", "task_not_decided", "This task has no decision to annul.", "See `starter.py history`."
        )
    stage = state.stages.get(task.stage)
    if stage is None or stage.status is not StageStatus.OPEN or stage.round != task.round:
        return Refusal(
            "Refused",
            "stage_not_open",
            f"The stage {task.stage} has moved on, so its decisions stand.",
            "Send the case back to that stage instead.",
        )
    return None


def _passing_on(state: CaseState, event: PassedOn, plan: Plan | None) -> Refusal | None:
    task = state.tasks.get(event.task_id)
    if task is None:
        return unknown_task(event.task_id)
    if task.status is TaskStatus.OFFERED:
        return not_claimed()
    if task.status is not TaskStatus.OPEN:
        return Refusal("Gone", "task_closed", "This task is closed already.", "Nobody is waited for any more.")
    if event.actor != task.assignee and not event.by_office:
        return Refusal(
            "NotAllowed",
            "not_your_task",
            f"This task was assigned to someone else, not to {event.actor}.",
            "Only its assignee or the governance office can pass it on.",
        )
    if event.by_office and event.actor != task.assignee and not event.reason.strip():
        return _reason_required()
    return _recipient_refusal(state, task, event.to, plan)


def _recipient_refusal(state: CaseState, task: TaskState, person: str, plan: Plan | None) -> Refusal | None:
    for other in state.tasks.values():
        same = (other.stage, other.round, other.assignee) == (task.stage, task.round, person)
        # Whoever was offered a task that another took has not been asked for anything else.
        if same and other.closure is not TaskClosure.CLAIMED:
            return Refusal(
                "Refused", "already_asked", f"{person} has been asked in this stage already.", "Choose someone else."
            )
    return decider_refusal(state, task, person, plan, answered_only=False)
