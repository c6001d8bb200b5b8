"""Who may do what now. Authority is checked when an act arrives, never when its link was made."""

from dataclasses import dataclass

from models.case import CaseState, Decided, Event, Revised, Submitted, TaskState, Withdrawn
from models.vocabulary import CaseStatus, TaskClosure, TaskStatus


@dataclass(frozen=True)
class Refusal:
    """``kind`` names the error class of :mod:`imprimatur.errors` that carries it to the user."""

    kind: str
    code: str
    message: str
    hint: str = ""


def refusal(state: CaseState, event: Event) -> Refusal | None:
    """Why ``event`` is not admissible in ``state``; None when it is. Pure."""
    match event:
        case Submitted() if state.version:
            return Refusal(
                "Refused",
                "already_submitted",
                "This case was submitted already, with another proposal.",
                "Submit the proposal as a case of its own.",
            )
        case Decided():
            return decision_refusal(state.tasks.get(event.task_id), event)
        case Revised():
            return _revision_refusal(state, event)
        case Withdrawn():
            return _withdrawal_refusal(state, event)
    return None


def decision_refusal(task: TaskState | None, event: Decided) -> Refusal | None:
    """Why the task does not take the decision; None is a task that the case does not have."""
    if task is None:
        return Refusal(
            "NotFound", "task_unknown", f"There is no task {event.task_id} in this case.", "See `starter.py tasks`."
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
    reasons = {
        TaskClosure.OUTCOME_CERTAIN: "the stage was decided before your answer arrived, by the decision of",
        TaskClosure.REVISION_REQUESTED: "changes were requested and a new version is awaited, after the decision of",
        TaskClosure.CASE_REJECTED: "the proposal was rejected by the decision of",
        TaskClosure.CASE_WITHDRAWN: "the proposal was withdrawn by",
    }
    reason = reasons[task.closure or TaskClosure.OUTCOME_CERTAIN]
    return f"This task closed: {reason} {task.closed_by}."


def _revision_refusal(state: CaseState, event: Revised) -> Refusal | None:
    if state.status.is_final:
        return _closed_case(state)
    if not state.status.waits_for_proposer:
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
        return _closed_case(state)
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


def _closed_case(state: CaseState) -> Refusal:
    words = {
        CaseStatus.PUBLISHED: "published",
        CaseStatus.REJECTED: "rejected",
        CaseStatus.WITHDRAWN: "withdrawn",
    }
    return Refusal(
        "Gone", "case_closed", f"The case is closed: it was {words[state.status]}.", "Submit a new proposal instead."
    )
