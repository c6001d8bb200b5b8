"""Which of a framework's stages apply to a proposal: its decision table, and the conditions of single stages.

In doubt the fuller review is held: where a proposal does not state what a condition asks about, a track is not taken
and a stage applies.
"""

from imprimatur.frameworks.expressions import Judgement, asks_for_scores, judge
from imprimatur.frameworks.situation import Situation
from imprimatur.rules.plan import plan_of
from models.framework import Framework, StageDef, TrackDef
from models.plan import Plan
from models.proposal import Proposal
from models.tracks import RuleSeen, Selection
from models.vocabulary import StageKind


def course_of(framework: Framework, proposal: Proposal) -> tuple[Plan, Selection | None]:
    """The plan for a proposal, and how it came about; None where the framework is the same for all."""
    selection = select_track(framework, proposal)
    return plan_of(framework, selection), selection


def select_track(framework: Framework, proposal: Proposal) -> Selection | None:
    """None where neither tracks nor stages depend on the proposal."""
    if not framework.tracks and not any(map(asks_for_the_proposal, framework.stages)):
        return None
    situation = Situation(proposal)
    seen: list[RuleSeen] = []
    track = _first(framework, situation, seen)
    skipped = dict(_left_out(framework, track)) if track else {}
    for stage in framework.stages:
        if stage.id not in skipped and asks_for_the_proposal(stage):
            judged = _judged(f"stage {stage.id}", str(stage.when), situation, seen)
            if judged.holds is False:
                skipped[stage.id] = f"it applies only when {stage.when}"
    stated = {
        "track": track.id if track else None,
        "why": track.why if track else "",
        "skipped": skipped,
        "within": {stage: span for stage, span in track.sla.items() if stage not in skipped} if track else {},
        "speed_to_market": track.speed_to_market if track else None,
        "rules": tuple(seen),
    }
    return Selection.model_validate({name: value for name, value in stated.items() if value})


def asks_for_the_proposal(stage: StageDef) -> bool:
    """Its condition can be judged when the proposal comes in; one about scores only when they have been given."""
    return stage.when is not None and not asks_for_scores(stage.when)


def _first(framework: Framework, situation: Situation, seen: list[RuleSeen]) -> TrackDef | None:
    for track in framework.tracks:
        if track.when is None or _judged(f"track {track.id}", track.when, situation, seen).holds:
            return track
    return None


def _judged(rule: str, expression: str, situation: Situation, seen: list[RuleSeen]) -> Judgement:
    found = judge(expression, situation)
    seen.append(RuleSeen(rule=rule, when=expression, holds=found.holds, values=found.values))
    return found


def _left_out(framework: Framework, track: TrackDef) -> list[tuple[str, str]]:
    reason = f"the track {track.id} does without it: {track.why}"
    return [(stage.id, reason) for stage in stages_left_out(framework, track)]


def stages_left_out(framework: Framework, track: TrackDef) -> list[StageDef]:
    """The stages that a track does without; never the publication."""
    return [
        stage
        for stage in framework.stages
        if stage.kind is not StageKind.PUBLICATION
        and (stage.id in track.without or (track.stages and stage.id not in track.stages))
    ]
