"""Approvals that hold only when everybody who gave them confirms them for the new version. Pure.

Answers that confirm are votes like any other. If somebody does not confirm, or not in time, the approval lapses and the
stage goes on in the same round: whoever else the framework names is asked as well, and the votes are counted.
"""

from imprimatur.rules.draft import Draft
from imprimatur.rules.voting import IN_FAVOUR
from models.case import StageState, TaskState
from models.effects import AskAnew, AskToConfirm, LapseStage
from models.vocabulary import StageStatus, TaskClosure, TaskStatus

NOT_CONFIRMED = "the approval that it belonged to was not confirmed"


def seek(draft: Draft, stage: StageState) -> bool:
    """Asks whoever approved; False when nobody did (the office or silence decided), so that nobody can confirm."""
    approvals = tuple(task.id for task in draft.stage_tasks(stage) if task.verdict in IN_FAVOUR)
    if not approvals:
        return False
    draft.stages[stage.id] = StageState(id=stage.id, status=StageStatus.OPEN, round=draft.round, confirms=stage.round)
    promised = draft.promised(stage.id)
    draft.add_staffed_by_commit(
        AskToConfirm(stage=stage.id, round=draft.round, of_round=stage.round, tasks=approvals, **promised)
    )
    return True


def has_failed(draft: Draft, stage: StageState) -> bool:
    """Somebody did not confirm, or cannot: they are gone, or could not be asked, so that nobody was."""
    return not _live(draft, stage) or any(
        task.closure is TaskClosure.LEFT or (task.verdict is not None and task.verdict not in IN_FAVOUR)
        for task in draft.stage_tasks(stage)
    )


def is_complete(draft: Draft, stage: StageState) -> bool:
    return all(task.verdict in IN_FAVOUR for task in _live(draft, stage))


def _live(draft: Draft, stage: StageState) -> list[TaskState]:
    return [task for task in draft.stage_tasks(stage) if task.verdict is not None or task.status is TaskStatus.OPEN]


def lapse(draft: Draft, stage: StageState) -> None:
    assert stage.confirms is not None
    draft.add(LapseStage(stage=stage.id, round=stage.confirms, changed=(), confirmed=False))
    for task in draft.tasks.values():
        if (task.stage, task.round) == (stage.id, stage.confirms):
            draft.lapse_conditions(NOT_CONFIRMED, task=task.id)
    draft.put_stage(stage, confirms=None, breached=False, due_at=None, remind_at=(), retry_at=None, escalate_at=())
    draft.add_staffed_by_commit(AskAnew(stage=stage.id, round=stage.round, **draft.promised(stage.id)))
