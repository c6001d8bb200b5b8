"""Whether a framework's tracks and conditions can be, and leave people to decide."""

from imprimatur.frameworks.expressions import problem_of
from imprimatur.frameworks.field_checks import Found
from imprimatur.frameworks.json_lines import Place
from imprimatur.frameworks.situation import Known, known_scores
from imprimatur.frameworks.tracks import stages_left_out
from models.framework import Framework, StageDef, TrackDef
from models.vocabulary import StageKind

_DECIDED_BY_PEOPLE = (StageKind.REVIEW, StageKind.ENDORSEMENT)


def track_problems(framework: Framework) -> Found:
    for index, stage in enumerate(framework.stages):
        if stage.when is not None:
            yield from _stage_problems(framework, stage, ("stages", index))
    ids = [track.id for track in framework.tracks]
    always = next((i for i, track in enumerate(framework.tracks) if track.when is None), len(ids))
    for index, track in enumerate(framework.tracks):
        place: Place = ("tracks", index)
        if ids.index(track.id) != index:
            yield (*place, "id"), "track_repeated", f"two tracks are called {track.id!r}", "one id a track"
        if track.when is not None:
            yield from _expression_problems(track.when, (), (*place, "when"))
        if index > always:
            problem = f"the track {ids[always]!r} before it is always taken"
            yield place, "track_unreachable", problem, "a track without a condition at the end"
        yield from _choice_problems(framework, track, place)
    yield from _nobody_decides(framework)


def _stage_problems(framework: Framework, stage: StageDef, place: Place) -> Found:
    if stage.kind is StageKind.PUBLICATION:
        problem = "the publication always takes place"
        yield (*place, "when"), "stage_key_idle", problem, "no condition here"
    elif stage.quality_gate:
        problem = "a stage that is marked as a quality gate always applies"
        yield (*place, "when"), "gate_left_out", problem, "no condition, or no quality gate"
    known = known_scores(framework.before(stage.id))
    yield from _expression_problems(str(stage.when), known, (*place, "when"))


def _expression_problems(expression: str, known: Known, place: Place) -> Found:
    found = problem_of(expression, known)
    if found is not None:
        yield place, found.code, found.problem, found.expected


def _choice_problems(framework: Framework, track: TrackDef, place: Place) -> Found:
    stages = {stage.id: stage for stage in framework.stages}
    named: list[tuple[Place, str]] = [
        *((("stages", number), stage_id) for number, stage_id in enumerate(track.stages)),
        *((("without", number), stage_id) for number, stage_id in enumerate(track.without)),
        *((("sla", stage_id), stage_id) for stage_id in track.sla),
    ]
    for where, stage_id in named:
        if stage_id not in stages:
            problem = f"there is no stage {stage_id!r} in this framework"
            yield (*place, *where), "stage_unknown", problem, ", ".join(stages)
    left_out = {stage.id for stage in stages_left_out(framework, track)}
    for number, stage_id in enumerate(track.without):
        if stage_id in stages and stages[stage_id].kind is StageKind.PUBLICATION:
            problem = "the publication always takes place"
            yield (*place, "without", number), "publication_left_out", problem, "other stages"
    for stage_id in sorted(left_out):
        if stages[stage_id].quality_gate:
            problem = f"the stage {stage_id!r} is marked as a quality gate, so every track goes through it"
            yield place, "gate_left_out", problem, f"{stage_id} among its stages"
    for stage_id in track.sla:
        if stage_id in left_out or (stage_id in stages and stages[stage_id].sla is None):
            problem = f"the stage {stage_id!r} promises no time in this track"
            yield (
                (*place, "sla", stage_id),
                "track_key_idle",
                problem,
                "stages with a promise that the track goes through",
            )


def _nobody_decides(framework: Framework) -> Found:
    """Conditions may never come to a publication that no person has decided on."""
    sure = {stage.id for stage in framework.stages if stage.kind in _DECIDED_BY_PEOPLE and stage.when is None}
    if not sure and any(stage.when for stage in framework.stages):
        problem = "every stage in which people decide depends on a condition"
        yield ("stages",), "nobody_decides", problem, "at least one review without a condition"
        return
    for index, track in enumerate(framework.tracks):
        if sure and not sure.difference(stage.id for stage in stages_left_out(framework, track)):
            problem = f"in the track {track.id!r} it is not certain that anybody decides"
            yield ("tracks", index), "nobody_decides", problem, "at least one review without a condition"
