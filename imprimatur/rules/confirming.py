"""Approvals that hold only when everybody who gave them confirms them for the new version. Pure.

Answers that confirm are votes like any other. If somebody does not confirm, or not in time, the approval lapses and the
stage goes on in the same round: whoever else the framework names is asked as well, and the votes are counted.
"""

from imprimatur.rules.draft import Draft
from imprimatur.rules.voting import IN_FAVOUR
from models.case import StageState
from models.effects import AskAnew, AskToConfirm, LapseStage
from models.vocabulary import StageStatus, TaskStatus

NOT_CONFIRMED = "the approval that it belonged to was not confirmed"


def seek(draft: Draft, stage: StageState) -> bool:
    """Asks whoever approved; False when nobody did (the office or silence decided), so that nobody can confirm."""
    approvals = tuple(task.id for task in draft.stage_tasks(stage) if task.verdict in IN_FAVOUR)
    if not approvals:
        return False
    plan = draft.plan.stage(stage.id)
    draft.stages[stage.id] = StageState(id=stage.id, status=StageStatus.OPEN, round=draft.round, confirms=stage.round)
    promised = {"within": plan.within} if plan.within else {}
    draft.add(AskToConfirm(stage=stage.id, round=draft.round, of_round=stage.round, tasks=approvals, **promised))
    return True


def settle(draft: Draft, stage: StageState) -> bool:
    """Whether all have confirmed; what cannot be confirmed any more lapses."""
    tasks = [task for task in draft.stage_tasks(stage) if task.verdict is not None or task.status is TaskStatus.OPEN]
    if not tasks or any(task.verdict is not None and task.verdict not in IN_FAVOUR for task in tasks):
        lapse(draft, stage)
        return False
    return all(task.verdict in IN_FAVOUR for task in tasks)


def lapse(draft: Draft, stage: StageState) -> None:
    assert stage.confirms is not None
    draft.add(LapseStage(stage=stage.id, round=stage.confirms, changed=(), confirmed=False))
    for task in draft.tasks.values():
        if (task.stage, task.round) == (stage.id, stage.confirms):
            draft.lapse_conditions(NOT_CONFIRMED, task=task.id)
    draft.put_stage(stage, confirms=None, breached=False, due_at=None, remind_at=(), retry_at=None, escalate_at=())
    within = draft.plan.stage(stage.id).within
    draft.add(AskAnew(stage=stage.id, round=stage.round, **({"within": within} if within else {})))
