"""The part of a framework that decides a case's course."""

from typing import Any

from models.events import Event, FrameworkChanged, Revised
from models.framework import Framework, StageDef, VotingRule
from models.plan import Plan, StagePlan
from models.tracks import Selection
from models.vocabulary import OnRejection, StageKind, StageOutcome

_POSITIVE = {
    StageKind.ENDORSEMENT: StageOutcome.ENDORSED,
    StageKind.RECOMMENDATION: StageOutcome.RECOMMENDED,
    StageKind.HANDOVER: StageOutcome.TAKEN_UP,
}


def plan_of(framework: Framework, selection: Selection | None = None) -> Plan:
    """The whole framework, or what of it applies to a proposal by the selection that was made for it."""
    chosen = selection or Selection()
    # Nothing is said of what holds anyway: the plan stands in every case's history.
    stated: dict[str, Any] = {"two_hats": True} if framework.two_hats else {}
    stated |= {"within": chosen.speed_to_market} if chosen.speed_to_market else {}
    return Plan(
        framework=f"{framework.id}@{framework.version}",
        digest=framework.digest,
        stages=tuple(_stage_plan(stage, chosen) for stage in framework.stages),
        **stated,
    )


def plan_in_force(plan: Plan, event: Event) -> Plan:
    """The plan under which an event happens: a new version of the proposal, or of the framework, brings its own."""
    return event.plan if isinstance(event, Revised | FrameworkChanged) and event.plan is not None else plan


def _stage_plan(stage: StageDef, chosen: Selection) -> StagePlan:
    # Only what differs from the default is set, and only what is set is written into every case's history.
    stated: dict[str, object] = {
        "id": stage.id,
        "needs": stage.needs,
        "automatic": stage.is_automatic,
        "publishes": stage.kind is StageKind.PUBLICATION,
        "informs": stage.kind is StageKind.INFORMATION,
        "objection": stage.kind is StageKind.OBJECTION,
        "positive": _POSITIVE.get(stage.kind, StageOutcome.APPROVED),
        "recommends": stage.kind is StageKind.RECOMMENDATION,
        "hands_over": stage.kind is StageKind.HANDOVER,
        "material": stage.material,
        "committee": stage.committee,
        "carry": stage.carry,
        "skip": chosen.skipped.get(stage.id, ""),
        "within": chosen.within.get(stage.id),
        "refers_rejection": stage.on_rejection is OnRejection.REFER,
        "goes_on_rejected": stage.on_rejection is OnRejection.PROCEED,
    }
    if stage.voting is not None:
        stated |= _voting(stage.voting)
    if stage.sla is not None:
        stated |= {"at_breach": stage.sla.at_breach, "policy_clause": stage.sla.policy_clause or ""}
    return StagePlan.model_validate(
        {name: value for name, value in stated.items() if value != StagePlan.model_fields[name].default}
    )


def _voting(rule: VotingRule) -> dict[str, object]:
    copied = VotingRule.model_fields.keys() - {"quorum", "threshold", "early_close"}
    return {name: getattr(rule, name) for name in sorted(copied)} | {
        "quorum": rule.quorum or 0,
        "threshold": rule.threshold or 0,
        "waits_for_all": not rule.early_close,
    }
