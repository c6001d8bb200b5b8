"""The part of a framework that decides a case's course."""

from models.case import Plan, StagePlan
from models.framework import Framework, StageDef
from models.vocabulary import StageKind


def plan_of(framework: Framework) -> Plan:
    return Plan(
        framework=f"{framework.id}@{framework.version}",
        digest=framework.digest,
        stages=tuple(_stage_plan(stage) for stage in framework.stages),
    )


def _stage_plan(stage: StageDef) -> StagePlan:
    # Only what differs from the default is set, and only what is set is written into every case's history.
    facts: dict[str, object] = {"id": stage.id}
    if stage.needs:
        facts["needs"] = stage.needs
    if stage.is_automatic:
        facts["automatic"] = True
    if stage.kind is StageKind.PUBLICATION:
        facts["publishes"] = True
    if stage.voting is not None:
        facts |= {"quorum": stage.voting.quorum, "threshold": stage.voting.threshold}
        if stage.voting.veto:
            facts["veto"] = stage.voting.veto
    if stage.material is not None:
        facts["material"] = stage.material
    return StagePlan.model_validate(facts)
