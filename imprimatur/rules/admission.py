"""Who may do what now. Authority is checked when an act arrives, never when its link was made."""

from imprimatur.rules.conditions import condition_refusal
from imprimatur.rules.desk_admission import (
    DECIDES_NOTHING,
    closed_task,
    decided_already,
    decider_refusal,
    desk_refusal,
    not_claimed,
    not_your_task,
)
from imprimatur.rules.migration import migration_refusal
from imprimatur.rules.office_admission import office_refusal
from imprimatur.rules.readdressing import readdressing_refusal
from imprimatur.rules.refusal import Refusal, closed_case, unknown_task
from models.case import CaseState, TaskState
from models.conditions import ConditionFulfilled, ConditionJudged
from models.events import (
    ChangeScheduled,
    Continued,
    Decided,
    DeskAct,
    Event,
    FrameworkChanged,
    ProposerReaddressed,
    Revised,
    Submitted,
    Ticked,
    Withdrawn,
)
from models.plan import Plan
from models.vocabulary import CaseStatus, TaskStatus


def refusal(state: CaseState, event: Event, plan: Plan | None = None) -> Refusal | None:
    """Why ``event`` is not admissible in ``state``; None when it is. Pure.

    Without the ``plan`` nothing of what a framework may relax counts as relaxed.
    """
    match event:
        case Submitted() if state.version:
            return Refusal(
                "Refused",
                "already_submitted",
                "This case was submitted already, with another proposal.",
                "Submit the proposal as a case of its own.",
            )
        case Decided():
            task = state.tasks.get(event.task_id)
            return (
                task_refusal(task, event.task_id, event.actor) or _not_now(state, event) or _duties(state, event, plan)
            )
        case Revised():
            return _revision_refusal(state, event)
        case Withdrawn():
            return _withdrawal_refusal(state, event)
        case ConditionFulfilled() | ConditionJudged():
            return condition_refusal(state, event)
        case ProposerReaddressed():
            return readdressing_refusal(state, event)
        case ChangeScheduled() | FrameworkChanged():
            return migration_refusal(state, event, plan)
        case Submitted() | Ticked() | Continued():
            return None
    if isinstance(event, DeskAct):
        return desk_refusal(state, event, plan)
    return office_refusal(state, event, plan)


def task_refusal(task: TaskState | None, task_id: str, actor: str) -> Refusal | None:
    """Why a task takes no decision of somebody's; None is a task that the case does not have."""
    if task is None:
        return unknown_task(task_id)
    if task.assignee != actor:
        return not_your_task(actor, "Only its assignee can answer it; ask the governance office to reassign it.")
    if task.status is TaskStatus.DECIDED:
        return decided_already(task)
    if task.status is TaskStatus.CLOSED:
        return closed_task(task)
    if task.status is TaskStatus.OFFERED:
        return not_claimed()
    return None


def _not_now(state: CaseState, event: Decided) -> Refusal | None:
    return _on_hold(state) or _before_sitting(state, event)


def _on_hold(state: CaseState) -> Refusal | None:
    if state.status is CaseStatus.ON_HOLD:
        return Refusal(
            "Refused",
            "case_on_hold",
            "The case is on hold, so nothing is decided now.",
            "Your task stays yours; answer it when the governance office has resumed the case.",
        )
    return None


def _before_sitting(state: CaseState, event: Decided) -> Refusal | None:
    stage = state.stages.get(state.tasks[event.task_id].stage)
    sits_at = stage.sits_at if stage is not None else None
    if sits_at is None or event.verdict in DECIDES_NOTHING:
        return None
    return Refusal(
        "Refused",
        "sitting_to_come",
        f"The committee meets on this at {sits_at:%Y-%m-%d %H:%M} UTC, and has decided nothing before.",
        "Record its decision after the sitting.",
    )


def _duties(state: CaseState, event: Decided, plan: Plan | None) -> Refusal | None:
    if event.verdict in DECIDES_NOTHING:
        return None
    return decider_refusal(state, state.tasks[event.task_id], event.actor, plan, answered_only=True)


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
