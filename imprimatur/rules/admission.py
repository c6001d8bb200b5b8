"""Who may do what now. Authority is checked when an act arrives, never when its link was made."""

from imprimatur.rules.conditions import condition_refusal
from imprimatur.rules.office_admission import office_refusal
from imprimatur.rules.refusal import Refusal, closed_case, unknown_task
from imprimatur.rules.wording import closed_by
from models.case import CaseState, TaskState
from models.conditions import ConditionFulfilled, ConditionJudged
from models.events import Continued, Decided, Event, Revised, Submitted, Ticked, Withdrawn
from models.vocabulary import CaseStatus, TaskClosure, TaskStatus


def refusal(state: CaseState, event: Event) -> Refusal | None:
    """Why ``event`` is not admissible in ``state``; None when it is. Pure."""
    match event:
        case Decided():
            return _decision_refusal(state, event)
        case Revised():
            return _revision_refusal(state, event)
        case Withdrawn():
            return _withdrawal_refusal(state, event)
        case ConditionFulfilled() | ConditionJudged():
            return condition_refusal(state, event)
        case Submitted() | Ticked() | Continued():
            return None
    return office_refusal(state, event)


def _decision_refusal(state: CaseState, event: Decided) -> Refusal | None:
    task = state.tasks.get(event.task_id)
    if task is None:
        return unknown_task(event.task_id)
    if state.status is CaseStatus.ON_HOLD:
        return Refusal(
            "Refused",
            "case_on_hold",
            "The case is on hold, so nothing is decided now.",
            "Your task stays yours; answer it when the governance office has resumed the case.",
        )
    if task.assignee != event.actor:
        return Refusal(
            "NotAllowed",
            "not_your_task",
            f"This task was assigned to someone else, not to {event.actor}.",
            "Only its assignee can answer it; ask the governance office to reassign it.",
        )
    if task.status is TaskStatus.DECIDED:
        return Refusal(
            "Gone",
            "already_decided",
            f"You have answered this task already: {task.verdict}.",
            "The first answer stands; ask the governance office if it was a mistake.",
        )
    if task.status is TaskStatus.CLOSED:
        return Refusal("Gone", "task_closed", _closed_message(task), "Nothing is asked of you any more.")
    return None


def _closed_message(task: TaskState) -> str:
    closure = task.closure or TaskClosure.OUTCOME_CERTAIN
    return f"This task closed: {closed_by(closure, task.closed_by or 'system')}."


def _revision_refusal(state: CaseState, event: Revised) -> Refusal | None:
    if state.status.is_final:
        return closed_case(state)
    if not state.status.waits_for_proposer and not state.waits_for_conditions:
        return Refusal(
            "Refused",
            "revision_not_requested",
            "The proposal is being reviewed, so it cannot be changed now.",
            "Wait until a reviewer requests changes, or withdraw the case and submit anew.",
        )
    if event.actor != state.proposer:
        return _not_the_proposer(event.actor)
    if event.digest == state.digest:
        return Refusal(
            "Refused",
            "proposal_unchanged",
            "The new version says exactly what the last one said.",
            "Change what the reviewers asked for, then revise again.",
        )
    return None


def _withdrawal_refusal(state: CaseState, event: Withdrawn) -> Refusal | None:
    if state.status.is_final:
        return closed_case(state)
    if event.actor != state.proposer and not event.by_office:
        return _not_the_proposer(event.actor)
    if not event.reason.strip():
        return Refusal(
            "Refused", "reason_required", "A withdrawal needs a reason.", "Give one with --reason; it is recorded."
        )
    return None


def _not_the_proposer(actor: str) -> Refusal:
    return Refusal(
        "NotAllowed",
        "not_the_proposer",
        f"{actor} did not propose this case.",
        "Its proposer or the governance office can do this.",
    )
