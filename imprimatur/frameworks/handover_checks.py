"""Whether what a framework says about handing over what is published can be."""

from imprimatur.frameworks.field_checks import Found
from imprimatur.frameworks.json_lines import Place
from models.framework import Framework, StageDef
from models.vocabulary import AtBreach, StageKind

IN_HANDOVERS = (StageKind.HANDOVER, StageKind.INFORMATION)
_DECIDED_BY_PEOPLE = (AtBreach.ESCALATE, AtBreach.REMIND, AtBreach.REASSIGN)


def handover_problems(framework: Framework) -> Found:
    """Of a framework whose cases are hand-overs, and of one whose micro-credentials are to be handed over."""
    if framework.hands_over:
        yield from _own_stages(framework)
    for index, stage in enumerate(framework.stages):
        if stage.kind is StageKind.HANDOVER:
            yield from _stage(framework, stage, ("stages", index))
    if framework.handover is not None and framework.handover.framework == framework.id:
        problem = "a framework cannot be the one by which it hands over"
        yield ("handover", "framework"), "handover_framework_itself", problem, "a framework of the kind handover"
    targets = framework.handover.targets if framework.handover else ()
    for index, target in enumerate(targets):
        if targets.index(target) != index:
            yield ("handover", "targets", index), "target_repeated", f"{target!r} is named twice", "each target once"


def _own_stages(framework: Framework) -> Found:
    for index, stage in enumerate(framework.stages):
        if stage.kind not in IN_HANDOVERS:
            problem = f"a hand-over has no use for a stage of kind {stage.kind}"
            yield ("stages", index, "kind"), "stage_unfit_for_handover", problem, " or ".join(IN_HANDOVERS)
    if not any(stage.kind is StageKind.HANDOVER for stage in framework.stages):
        problem = "no stage asks anybody to take the micro-credential up"
        yield ("stages",), "handover_stage_missing", problem, "a stage of kind handover"
    for key in ("review", "handover"):
        if getattr(framework, key) is not None:
            problem = f"{key!r} says nothing in a framework whose cases are hand-overs themselves"
            yield (key,), "handover_key_idle", problem, f"no {key} here"


def _stage(framework: Framework, stage: StageDef, place: Place) -> Found:
    if not framework.hands_over:
        problem = "only a hand-over asks anybody to take up what is published"
        yield (*place, "kind"), "handover_outside_handover", problem, "credential_kind: handover, or another kind"
    if stage.sla is not None and stage.sla.at_breach not in _DECIDED_BY_PEOPLE:
        problem = f"nothing is taken up, or sent back, by silence: this stage cannot {stage.sla.at_breach}"
        yield (*place, "sla", "at_breach"), "silence_takes_nothing_up", problem, ", ".join(_DECIDED_BY_PEOPLE)
