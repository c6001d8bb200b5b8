"""Conditions of approvals: who may do what about them, what follows, and when they fall due. Pure."""

import datetime as dt
from collections.abc import Iterator

from imprimatur.rules.desk_admission import own_proposal
from imprimatur.rules.draft import Draft
from imprimatur.rules.refusal import Refusal, closed_case
from imprimatur.rules.standing import folded
from models.case import CaseState
from models.conditions import (
    BreachCondition,
    ConditionEvent,
    ConditionFulfilled,
    ConditionJudged,
    ConditionState,
    FulfilCondition,
    JudgeCondition,
    RemindOfCondition,
)
from models.events import Decided
from models.vocabulary import CaseStatus, ConditionAct, ConditionStatus

_JUDGED = {
    ConditionAct.ACCEPT: ConditionStatus.ACCEPTED,
    ConditionAct.REOPEN: ConditionStatus.OPEN,
    ConditionAct.WAIVE: ConditionStatus.WAIVED,
}


def propose(draft: Draft, event: Decided, stage_id: str) -> None:
    """They come into force when the stage passes; then :class:`~imprimatur.rules.draft.Draft` opens them."""
    for given in event.conditions:
        draft.conditions[given.id] = ConditionState(
            id=given.id,
            stage=stage_id,
            task=event.task_id,
            owner=given.owner or draft.proposer,
            set_by=event.actor,
            blocking=given.blocking,
        )


def fulfil(draft: Draft, event: ConditionFulfilled) -> None:
    """Its owner has done what was asked, so nobody is reminded any more."""
    draft.put_condition(event.condition_id, status=ConditionStatus.FULFILLED, remind_at=())
    draft.add(FulfilCondition(condition=event.condition_id, actor=event.actor, evidence=event.evidence))


def judge(draft: Draft, event: ConditionJudged) -> None:
    """The last blocking one that is settled lets the publication go on."""
    draft.put_condition(event.condition_id, status=_JUDGED[event.act])
    draft.add(JudgeCondition(condition=event.condition_id, actor=event.actor, act=event.act, reason=event.reason))
    if draft.status is CaseStatus.IN_REVIEW:
        draft.advance(event.actor)


def condition_deadlines(state: CaseState) -> Iterator[dt.datetime]:
    for condition in state.conditions.values():
        yield from condition.remind_at
        if _can_breach(condition) and condition.due_at is not None:
            yield condition.due_at


def tick_conditions(draft: Draft, at: dt.datetime) -> None:
    for condition in list(draft.conditions.values()):
        overdue = condition.due_at is not None and condition.due_at <= at
        if any(instant <= at for instant in condition.remind_at):
            draft.put_condition(condition.id, remind_at=tuple(i for i in condition.remind_at if i > at))
            if not overdue:
                draft.add(RemindOfCondition(condition=condition.id))
        if _can_breach(condition) and overdue:
            draft.put_condition(condition.id, breached=True)
            assert condition.due_at is not None
            draft.add(BreachCondition(condition=condition.id, due_at=condition.due_at))


def _can_breach(condition: ConditionState) -> bool:
    """Only what is waited for can be late: one that is fulfilled waits for somebody else's word."""
    return condition.status is ConditionStatus.OPEN and not condition.breached


def condition_refusal(state: CaseState, event: ConditionEvent) -> Refusal | None:
    """Why nothing can be done about a condition, or not by this person; None when it can."""
    condition = state.conditions.get(event.condition_id)
    if condition is None:
        return Refusal(
            "NotFound",
            "condition_unknown",
            f"There is no condition {event.condition_id} in this case.",
            "See `starter.py conditions CASE`.",
        )
    return _by_status(state, condition) or (
        _fulfilment_refusal(condition, event)
        if isinstance(event, ConditionFulfilled)
        else _judgement_refusal(state, condition, event)
    )


def _by_status(state: CaseState, condition: ConditionState) -> Refusal | None:
    if condition.status.is_settled:
        return closed_case(state) if state.is_over else _settled(condition)
    if state.status is CaseStatus.ON_HOLD:
        return Refusal("Refused", "case_on_hold", "The case is on hold.", "Wait until the office has resumed it.")
    if condition.status is ConditionStatus.PROPOSED:
        return Refusal(
            "Refused",
            "condition_not_in_force",
            f"The condition is not in force yet: the stage {condition.stage} is still being decided.",
            "It comes into force when the stage is approved.",
        )
    return None


def _settled(condition: ConditionState) -> Refusal:
    return Refusal(
        "Gone",
        "condition_settled",
        f"The condition is settled: it was {condition.status}.",
        "Nothing is asked for any more.",
    )


def _fulfilment_refusal(condition: ConditionState, event: ConditionFulfilled) -> Refusal | None:
    if event.actor != condition.owner:
        return Refusal(
            "NotAllowed",
            "not_your_condition",
            f"{condition.owner} is to see to this condition, not {event.actor}.",
            "Only its owner can fulfil it; whoever set it or the office can waive it.",
        )
    if condition.status is ConditionStatus.FULFILLED:
        return Refusal(
            "Refused",
            "condition_not_open",
            "The condition is reported as fulfilled already.",
            f"It waits for {condition.set_by} or the governance office to accept it.",
        )
    if not event.evidence.strip():
        return Refusal(
            "Refused",
            "evidence_required",
            "A condition is fulfilled by what shows it.",
            "Say with --evidence what was done, or where it can be seen.",
        )
    return None


def _judgement_refusal(state: CaseState, condition: ConditionState, event: ConditionJudged) -> Refusal | None:
    if event.actor == condition.owner:
        return Refusal(
            "NotAllowed",
            "own_condition",
            "Whoever is to see to a condition cannot judge it as well.",
            "Ask whoever set it, or somebody else of the governance office.",
        )
    if folded(event.actor) == folded(state.proposer):
        return own_proposal()
    if event.actor != condition.set_by and not event.by_office:
        return Refusal(
            "NotAllowed",
            "not_your_condition",
            f"{condition.set_by} set this condition, not {event.actor}.",
            "Only who set it or the governance office can do this.",
        )
    if event.act is not ConditionAct.WAIVE and condition.status is not ConditionStatus.FULFILLED:
        return Refusal(
            "Refused",
            "condition_not_fulfilled",
            f"{condition.owner} has not reported this condition as fulfilled.",
            "Wait for that, or waive it.",
        )
    if event.act is not ConditionAct.ACCEPT and not event.reason.strip():
        return Refusal(
            "Refused", "reason_required", "This act needs a reason.", "Give one with --reason; it is recorded."
        )
    return None
