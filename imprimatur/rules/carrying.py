"""What becomes of a stage's result under a new version of the proposal: kept, lapsed, or to be confirmed. Pure."""

from imprimatur.rules import confirming
from imprimatur.rules.draft import Draft
from models.case import StageState
from models.effects import KeepStage, LapseStage
from models.events import Revised
from models.plan import StagePlan
from models.vocabulary import Carry, StageStatus, TaskClosure


def carry_over(draft: Draft, plan: StagePlan, event: Revised) -> None:
    """An approval lapses when the new version changes what is material to it; any other result is sought anew.

    Where the framework says so, one that would stay valid has to be confirmed by those who gave it.
    """
    stage = draft.stages[plan.id]
    if stage.status is not StageStatus.CLOSED:
        return
    if stage.outcome is not None and stage.outcome.stays_valid:
        touched = tuple(field for field in event.changed if plan.material is None or _is_material(field, plan.material))
        needs_word = plan.carry is Carry.CONFIRM and not plan.skip
        if not touched and not needs_word:
            draft.add(KeepStage(stage=plan.id, round=stage.round))
            return
        if not touched and confirming.seek(draft, stage):
            return
        unconfirmed = {} if touched else {"confirmed": False}
        draft.add(LapseStage(stage=plan.id, round=stage.round, changed=touched, **unconfirmed))
        # Whoever was only informed may still have a task, about a proposal that is no more.
        draft.close_tasks(plan.id, TaskClosure.REVISION_REQUESTED, event.actor)
    draft.lapse_conditions("the approval that it belonged to lapsed", stage=plan.id)
    draft.stages[plan.id] = StageState(id=plan.id)


def _is_material(field: str, material: tuple[str, ...]) -> bool:
    return any(field == name or field.startswith(f"{name}.") or name.startswith(f"{field}.") for name in material)
