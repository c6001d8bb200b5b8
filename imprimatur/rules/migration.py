"""How a case moves to another version of its framework: what may move, what stands, what is done again. Pure.

A stage is the same one in both versions where it bears the same id. Its result stands, and it stays open, as long as
its rule is the same: all that its definition says, but for what no vote depends on (see :data:`NOT_THE_RULE`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from imprimatur.rules.draft import Draft
from imprimatur.rules.refusal import Refusal, closed_case
from models.case import CaseState, ScheduledChange, StageState
from models.effects import ChangeFramework, ScheduleChange, SelectTrack
from models.events import ChangeScheduled, FrameworkChanged
from models.framework import Framework, StageDef
from models.plan import Plan
from models.vocabulary import Boundary, CaseStatus, StageFate, StageStatus, TaskClosure

# Words, the order of stages, what a revision touches, and times that are promised: no vote is another for them.
NOT_THE_RULE = frozenset({"name", "asks", "needs", "material", "carry", "window", "statement", "source"})
NOT_THE_RULE_OF_TIME = frozenset({"within", "calendar", "remind_before"})


def rule_of(stage: StageDef) -> dict[str, Any]:
    """What a vote in a stage depends on, as JSON. A key that the language gets later belongs to it."""
    rule = stage.model_dump(mode="json", exclude=set(NOT_THE_RULE))
    if stage.sla is not None:
        rule["sla"] = stage.sla.model_dump(mode="json", exclude=set(NOT_THE_RULE_OF_TIME))
    return rule


def altered_stages(old: Framework, new: Framework) -> tuple[str, ...]:
    """Stages of both versions whose rule is not the same, in the new version's order.

    Where one person could decide under two roles and no longer can, no stage that people decide keeps its rule.
    """
    before = {stage.id: stage for stage in old.stages}
    stricter = old.two_hats and not new.two_hats
    return tuple(
        stage.id
        for stage in new.stages
        if stage.id in before and (rule_of(stage) != rule_of(before[stage.id]) or (stricter and not stage.is_automatic))
    )


def fates(stages: Mapping[str, StageState], stage_ids: Iterable[str], altered: Iterable[str]) -> dict[str, StageFate]:
    """What becomes of each stage if the case moves now: those of the version to come in its order, then the others."""
    changed = frozenset(altered)
    known = {stage_id: _fate(stages.get(stage_id), stage_id in changed) for stage_id in stage_ids}
    return known | {stage_id: StageFate.REMOVED for stage_id in stages if stage_id not in known}


def _fate(stage: StageState | None, altered: bool) -> StageFate:
    if stage is None:
        return StageFate.ADDED
    if stage.status is StageStatus.OPEN:
        return StageFate.REPEATED if altered else StageFate.GOES_ON
    if stage.outcome is None or not stage.outcome.lets_pass:
        return StageFate.WAITS
    return StageFate.REPEATED if altered else StageFate.KEPT


def migration_refusal(
    state: CaseState, event: ChangeScheduled | FrameworkChanged, plan: Plan | None = None
) -> Refusal | None:
    """Why a case cannot move to another version, or not at this boundary; ``plan`` is the one in force."""
    if state.status.is_final:
        return closed_case(state)
    if not event.by_office:
        return Refusal(
            "NotAllowed",
            "not_the_office",
            f"{event.actor} does not belong to the governance office.",
            "Only the governance office can do this.",
        )
    if not event.reason.strip():
        return Refusal(
            "Refused", "reason_required", "This act needs a reason.", "Give one with --reason; it is recorded."
        )
    if plan is not None and event.base != plan.digest:
        return Refusal(
            "Gone",
            "framework_moved_on",
            f"The case goes by {plan.framework} by now, which this change was not drawn up for.",
            "Repeat the command.",
        )
    if event.plan.digest == event.base and (state.change is None or isinstance(event, FrameworkChanged)):
        return Refusal(
            "Refused",
            "framework_unchanged",
            f"The case goes by {event.plan.framework} already.",
            "Name another version with --to.",
        )
    return _not_now(state, event) if isinstance(event, FrameworkChanged) else None


def _not_now(state: CaseState, event: FrameworkChanged) -> Refusal | None:
    if state.status is CaseStatus.ON_HOLD:
        return Refusal("Refused", "case_on_hold", "The case is on hold.", "Resume it first, or choose a boundary.")
    to_come = {stage.id for stage in event.plan.stages}
    gone = [stage.id for stage in state.stages.values() if stage.status is StageStatus.OPEN and stage.id not in to_come]
    if gone:
        return Refusal(
            "Refused",
            "open_stage_removed",
            f"{event.plan.framework} has no stage {gone[0]}, which is open.",
            "Move the case --at next_stage, or let the stage come to its end first.",
        )
    return None


def schedule(draft: Draft, event: ChangeScheduled) -> None:
    """One that was scheduled before gives way; the same waits already; the version that the case has takes it back."""
    if draft.change is not None and (draft.change.plan.digest, draft.change.at) == (event.plan.digest, event.at):
        return
    change = ScheduledChange(
        plan=event.plan,
        altered=event.altered,
        actor=event.actor,
        reason=event.reason,
        at=event.at,
        bulk=event.bulk,
        selection=event.selection,
    )
    draft.change = None if event.plan.digest == event.base else change
    draft.add(
        ScheduleChange(
            actor=event.actor,
            reason=event.reason,
            at=event.at,
            version=event.plan.framework.partition("@")[2],
            digest=event.plan.digest,
        )
    )


def due_change(state: CaseState, plan: Plan) -> FrameworkChanged | None:
    """The change whose boundary the case stands at.

    No stage is open there. ``next_round`` is when a new version of the proposal is waited for.
    """
    change = state.change
    if change is None or state.status.is_final or state.status is CaseStatus.ON_HOLD:
        return None
    if any(stage.status is StageStatus.OPEN for stage in state.stages.values()):
        return None
    if change.at is Boundary.NEXT_ROUND and not state.status.waits_for_proposer:
        return None
    return FrameworkChanged(
        actor=change.actor,
        plan=change.plan,
        base=plan.digest,
        altered=change.altered,
        reason=change.reason,
        at=change.at,
        by_office=True,
        bulk=change.bulk,
        # What is not said is not written into the history.
        **({"selection": change.selection} if change.selection is not None else {}),
    )


def change_framework(draft: Draft, event: FrameworkChanged) -> None:
    """The draft goes by the new plan already. What is done again is done in a new round."""
    before = dict(draft.stages)
    found = fates(before, (stage.id for stage in draft.plan.stages), event.altered)
    told = {fate: tuple(stage_id for stage_id, its in found.items() if its is fate) for fate in StageFate}
    draft.change = None
    draft.add(
        ChangeFramework(
            actor=event.actor,
            reason=event.reason,
            at=event.at,
            kept=told[StageFate.KEPT],
            goes_on=told[StageFate.GOES_ON],
            repeated=told[StageFate.REPEATED],
            added=told[StageFate.ADDED],
            removed=told[StageFate.REMOVED],
        )
    )
    if event.selection is not None:
        draft.add(SelectTrack(selection=event.selection))
    dropped = (*told[StageFate.REPEATED], *told[StageFate.REMOVED])
    for stage_id in dropped:
        # Whoever was only informed may have a task though the stage is closed.
        draft.close_tasks(stage_id, TaskClosure.FRAMEWORK_CHANGED, event.actor)
        draft.lapse_conditions("the policy changed for this case", stage=stage_id)
    draft.proposed = {act_id: act for act_id, act in draft.proposed.items() if act.stage not in dropped}
    anew = {stage_id: StageState(id=stage_id) for stage_id in found if found[stage_id] is not StageFate.REMOVED}
    stands = {stage_id: stage for stage_id, stage in before.items() if stage_id in anew and stage_id not in dropped}
    # What a stage waited for may have another date now.
    awaited = [stage_id for stage_id, stage in stands.items() if stage.opens_at is not None]
    draft.stages = anew | stands | {stage_id: StageState(id=stage_id) for stage_id in awaited}
    if draft.status is CaseStatus.IN_REVIEW:
        # A stage may have been in an earlier version as well, and its rounds are told apart by number.
        draft.round += 1 if told[StageFate.REPEATED] or told[StageFate.ADDED] or awaited else 0
        draft.advance(event.actor)
