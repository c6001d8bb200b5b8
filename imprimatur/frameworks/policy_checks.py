"""Whether what a stage says about its kind, its votes and its silence can be, and may be."""

from imprimatur.frameworks.field_checks import Found
from imprimatur.frameworks.json_lines import Place
from imprimatur.rules.voting import HANDED_OVER, IN_FAVOUR, OPTIONS
from models.framework import StageDef
from models.vocabulary import AtBreach, Carry, StageKind, Verdict

# What each kind of stage must say, and what would say nothing there.
_NEEDS: dict[StageKind, tuple[str, ...]] = {
    StageKind.REVIEW: ("voting", "sla"),
    StageKind.ENDORSEMENT: ("voting", "sla"),
    StageKind.INFORMATION: (),
    StageKind.OBJECTION: ("sla",),
    StageKind.PUBLICATION: (),
    StageKind.RECOMMENDATION: ("voting", "sla"),
    StageKind.HANDOVER: ("sla",),
}
_PEOPLE_DECIDE = ("conditions", "statement", "valid_for", "carry", "committee")
_ROOM = ("window", "authentication")
_IDLE: dict[StageKind, tuple[str, ...]] = {
    StageKind.REVIEW: (),
    StageKind.ENDORSEMENT: (),
    StageKind.INFORMATION: ("voting", "sla", "quality_gate", "criteria", "on_rejection", *_PEOPLE_DECIDE, *_ROOM),
    StageKind.OBJECTION: ("voting", "criteria", *_PEOPLE_DECIDE),
    StageKind.PUBLICATION: ("quality_gate", "on_rejection", *_PEOPLE_DECIDE, *_ROOM),
    StageKind.RECOMMENDATION: ("quality_gate", "on_rejection", "conditions", "statement", "valid_for", "carry"),
    StageKind.HANDOVER: ("voting", "quality_gate", "criteria", "on_rejection", "optional", *_PEOPLE_DECIDE, "window"),
}
_OF_PROPOSALS = frozenset(Verdict) - OPTIONS - HANDED_OVER.keys()
_FIT: dict[StageKind, frozenset[Verdict]] = {
    StageKind.REVIEW: _OF_PROPOSALS - {Verdict.ENDORSE, Verdict.OBJECT, Verdict.ACKNOWLEDGE},
    StageKind.ENDORSEMENT: _OF_PROPOSALS - {Verdict.APPROVE, Verdict.OBJECT, Verdict.ACKNOWLEDGE},
    StageKind.INFORMATION: frozenset({Verdict.ACKNOWLEDGE}),
    StageKind.OBJECTION: frozenset({Verdict.OBJECT, Verdict.ACKNOWLEDGE, Verdict.RECUSE}),
    StageKind.PUBLICATION: frozenset(),
    StageKind.RECOMMENDATION: OPTIONS | {Verdict.ABSTAIN, Verdict.RECUSE},
    StageKind.HANDOVER: frozenset({*HANDED_OVER, Verdict.RECUSE}),
}
_BY_SILENCE = frozenset({AtBreach.APPROVE, AtBreach.REJECT, AtBreach.SKIP})


def kind_problems(stage: StageDef, place: Place) -> Found:
    """What a stage of this kind lacks, and what it says in vain."""
    for key in ("voting", "sla"):
        if key in _NEEDS[stage.kind] and getattr(stage, key) is None:
            yield (*place, key), f"{key}_missing", f"a stage of kind {stage.kind} needs {key!r}", f"the key {key}"
    for key in _IDLE[stage.kind]:
        if getattr(stage, key) != StageDef.model_fields[key].default:
            problem = f"{key!r} says nothing in a stage of kind {stage.kind}"
            yield (*place, key), "stage_key_idle", problem, f"no {key} here"
    if stage.committee is not None and stage.carry is Carry.CONFIRM:
        problem = "a committee decides about a new version at its sitting, and confirms nothing by itself"
        yield (*place, "carry"), "stage_key_idle", problem, "no carry here"
    if stage.committee is not None and stage.wants_sign_in:
        problem = "what a committee decided is recorded from its minutes, without anybody's sign-in"
        yield (*place, "authentication"), "stage_key_idle", problem, "no authentication here"
    for index, rule in enumerate(stage.reviewers):
        if rule.claim and stage.kind in (StageKind.INFORMATION, StageKind.OBJECTION):
            problem = "a task that nobody waits for is not claimed: everybody is told"
            yield (*place, "reviewers", index, "claim"), "stage_key_idle", problem, "no claim here"
    fit = _FIT[stage.kind]
    for index, verdict in enumerate(stage.verdicts):
        if verdict not in fit:
            problem = f"a stage of kind {stage.kind} has no use for the verdict {verdict!r}"
            yield (*place, "verdicts", index), "verdict_unfit", problem, ", ".join(sorted(fit)) or "no verdicts here"
    if stage.kind is StageKind.RECOMMENDATION:
        if len(OPTIONS.intersection(stage.accepted())) < 2:
            problem = "with fewer than two options there is nothing to recommend"
            yield (*place, "verdicts"), "recommendation_without_choice", problem, ", ".join(sorted(OPTIONS))
    elif stage.kind is StageKind.HANDOVER:
        if not HANDED_OVER.keys() <= set(stage.accepted()):
            problem = "whoever is handed something can take it up, or send it back"
            yield (*place, "verdicts"), "handover_without_choice", problem, ", ".join(sorted(HANDED_OVER))
    elif _NEEDS[stage.kind] == ("voting", "sla") and not IN_FAVOUR.intersection(stage.accepted()):
        wanted = Verdict.ENDORSE if stage.kind is StageKind.ENDORSEMENT else Verdict.APPROVE
        problem = f"no reviewer of this stage may {wanted}"
        yield (*place, "verdicts"), "approval_impossible", problem, f"{wanted} among them"


def silence_problems(stage: StageDef, place: Place) -> Found:
    """Silence may decide only where the framework cites the clause that allows it, and never at a quality gate."""
    sla = stage.sla
    if sla is None:
        return
    window = stage.kind is StageKind.OBJECTION
    if window and sla.at_breach is not AtBreach.ESCALATE:
        problem = "when the window closes without an objection, the stage has passed: nothing else can follow"
        yield (*place, "sla", "at_breach"), "stage_key_idle", problem, "no at_breach here"
    if (window or sla.at_breach in _BY_SILENCE) and sla.policy_clause is None:
        what = "pass without an objection" if window else f"{sla.at_breach} by silence"
        problem = f"this stage would {what}, and no clause is cited that allows it"
        yield (*place, "sla", "policy_clause"), "silence_without_clause", problem, "the clause of your policy"
    if stage.quality_gate and (window or sla.at_breach in (AtBreach.APPROVE, AtBreach.SKIP)):
        problem = "silence can never pass a stage that is marked as a quality gate"
        yield (*place, "quality_gate"), "silence_at_quality_gate", problem, "reviewers who answer"
    if sla.at_breach is AtBreach.REASSIGN and sla.deputies is None:
        problem = "nobody is named to take the place of those who did not answer"
        yield (*place, "sla", "deputies"), "deputies_missing", problem, "the role of the deputies"
    if sla.at_breach is not AtBreach.REASSIGN and sla.deputies is not None:
        problem = f"'deputies' says nothing when a late stage is to {sla.at_breach}"
        yield (*place, "sla", "deputies"), "stage_key_idle", problem, "at_breach: reassign, or no deputies"


def vote_problems(stage: StageDef, place: Place) -> Found:
    """Roles that the voting rule speaks of, though nobody who is asked holds them."""
    if stage.voting is None:
        return
    rule = stage.voting
    roles = {reviewer.role for reviewer in stage.reviewers if reviewer.role}
    roles |= {"industry_partner"} if any(reviewer.partners for reviewer in stage.reviewers) else set()
    roles |= {rule.deputies} if rule.deputies else set()
    held = ", ".join(sorted(roles)) or "a role among the reviewers"
    for index, role in enumerate(rule.veto):
        if role not in roles:
            yield (*place, "voting", "veto", index), "veto_unheld", _nobody_holds(role), held
    for role in rule.weights:
        if role not in roles:
            yield (*place, "voting", "weights", role), "weight_unheld", _nobody_holds(role), held
    if rule.tie_break is not None and rule.tie_break not in roles:
        yield (*place, "voting", "tie_break"), "tie_break_unheld", _nobody_holds(rule.tie_break), held
    if rule.deputies is not None and Verdict.RECUSE not in stage.accepted():
        problem = "deputies are named for whoever stands aside, but nobody may"
        yield (*place, "voting", "deputies"), "stage_key_idle", problem, "recuse among the verdicts"


def _nobody_holds(role: str) -> str:
    return f"no reviewer of this stage holds the role {role!r}"
