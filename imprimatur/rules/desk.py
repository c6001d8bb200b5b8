"""Acts at a reviewer's desk: taking and giving back what is on offer, advice, and work that its holder leaves. Pure."""

from imprimatur.rules.draft import Draft
from imprimatur.rules.offers import free_seats
from models.case import Offer, StageState, TaskState
from models.effects import AskAdvice, AttachAdvice, ClaimTask, OfferAgain, Replace, ReportConflict
from models.events import AdviceAsked, AdviceGiven, Claimed, ConflictFound, HandedOver, TaskReturned
from models.vocabulary import StageStatus, TaskClosure, TaskStatus


def claim(draft: Draft, event: Claimed) -> None:
    """The first to claim has it; the offers of all others close with the last seat."""
    task = draft.tasks[event.task_id]
    draft.put_task(task, status=TaskStatus.OPEN)
    draft.add(ClaimTask(stage=task.stage, round=task.round, task=task.id, actor=event.actor))
    stage = draft.stages[task.stage]
    assert task.offer is not None
    if free_seats(task.offer, draft.stage_tasks(stage)) == 0:
        for other in _on_offer(draft, stage, task.offer):
            draft.close_task(other, TaskClosure.CLAIMED, event.actor)


def give_back(draft: Draft, event: TaskReturned) -> None:
    task = draft.tasks[event.task_id]
    draft.put_task(task, status=TaskStatus.CLOSED, closure=TaskClosure.RETURNED, closed_by=event.actor)
    _offer_again(draft, task, event.actor, event.reason, returned=True)


def hand_over(draft: Draft, event: HandedOver) -> None:
    """Somebody else is asked, unless nobody need be: others have the same offer, or the stage has moved on."""
    task, stage = draft.tasks[event.task_id], draft.stages[draft.tasks[event.task_id].stage]
    draft.close_task(task, TaskClosure.LEFT, event.actor)
    if stage.status is not StageStatus.OPEN or stage.round != task.round:
        return
    if stage.confirms is not None:
        # Nobody can confirm in their place; the approval lapses, and the stage's rules say who is asked instead.
        return
    if task.offer is None:
        replace = Replace(stage=task.stage, round=task.round, task=task.id, actor=event.actor, reason=event.reason)
        draft.add(replace)
    elif free_seats(task.offer, draft.stage_tasks(stage)) > len(_on_offer(draft, stage, task.offer)):
        _offer_again(draft, task, event.actor, event.reason, returned=False)


def _offer_again(draft: Draft, task: TaskState, actor: str, reason: str, *, returned: bool) -> None:
    draft.add(
        OfferAgain(stage=task.stage, round=task.round, task=task.id, actor=actor, reason=reason, returned=returned)
    )


def _on_offer(draft: Draft, stage: StageState, offer: Offer) -> list[TaskState]:
    return [
        task
        for task in draft.stage_tasks(stage)
        if task.status is TaskStatus.OFFERED and task.offer is not None and task.offer.rule == offer.rule
    ]


def ask_advice(draft: Draft, event: AdviceAsked) -> None:
    task = draft.tasks[event.task_id]
    draft.put_task(task, advisers=(*task.advisers, event.adviser))
    draft.add(
        AskAdvice(
            stage=task.stage,
            round=task.round,
            task=task.id,
            actor=event.actor,
            adviser=event.adviser,
            question=event.question,
        )
    )


def attach_advice(draft: Draft, event: AdviceGiven) -> None:
    task = draft.tasks[event.task_id]
    draft.put_task(task, advisers=tuple(adviser for adviser in task.advisers if adviser != event.actor))
    draft.add(AttachAdvice(stage=task.stage, round=task.round, task=task.id, adviser=event.actor, text=event.text))


def report_conflict(draft: Draft, event: ConflictFound) -> None:
    """Told to the office once for each task."""
    task = draft.tasks[event.task_id]
    if not task.conflicted:
        draft.put_task(task, conflicted=True)
        draft.add(ReportConflict(stage=task.stage, round=task.round, task=task.id, reason=event.reason))
