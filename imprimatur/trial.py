"""A dry run: what a proposal would go through under a version of a framework. Nothing is started and nothing kept."""

from dataclasses import dataclass

from imprimatur.frameworks.tracks import course_of
from imprimatur.rules.completeness import FieldProblem
from imprimatur.rules.wording import passes_by
from imprimatur.store.engine import Database
from imprimatur.store.pathways import required_problems
from imprimatur.store.people import role_counts
from models.calendars import BusinessDuration
from models.framework import Framework, StageDef
from models.proposal import Proposal


@dataclass(frozen=True)
class TrialStage:
    """``left_out`` says why the stage would not apply; ``asked`` who would be asked, in words."""

    stage: StageDef
    left_out: str
    passes_by: str
    asked: tuple[str, ...]
    within: BusinessDuration | None


@dataclass(frozen=True)
class Trial:
    """``lacking`` is what would return the proposal to its proposer."""

    framework: Framework
    proposal: Proposal
    track: str
    why: str
    stages: tuple[TrialStage, ...]
    within: BusinessDuration
    lacking: tuple[FieldProblem, ...]


def try_out(database: Database, policy: Framework, proposal: Proposal) -> Trial:
    with database.read() as connection:
        held = role_counts(connection)
        lacking = required_problems(connection, proposal, policy)
    plan, selection = course_of(policy, proposal)
    planned = {stage.id: stage for stage in plan.stages}
    stages = [
        TrialStage(
            stage,
            planned[stage.id].skip,
            passes_by(stage),
            tuple(_asked(stage, proposal, held)),
            planned[stage.id].within or (stage.sla.within if stage.sla else None),
        )
        for stage in policy.stages
    ]
    return Trial(
        policy,
        proposal,
        (selection.track or "") if selection else "",
        selection.why if selection else "",
        tuple(stages),
        plan.within or policy.speed_to_market.within,
        tuple(lacking),
    )


def _asked(stage: StageDef, proposal: Proposal, held: dict[str, int]) -> list[str]:
    found = []
    for rule in stage.reviewers:
        most = f"{rule.most} of " if rule.most else ""
        unit = f" of {rule.unit}" if rule.unit else ""
        if rule.role is not None:
            holders = held.get(rule.role, 0)
            who = (
                "nobody holds it"
                if not holders
                else f"{holders} {'person holds' if holders == 1 else 'people hold'} it"
            )
            found.append(f"{most}the role {rule.role.replace('_', ' ')}{unit} ({who} now)")
        elif rule.partners is not None:
            names = [partner.organisation for partner in proposal.partners]
            found.append(f"{rule.partners} partners: {', '.join(names) or 'the proposal names none'}")
        elif rule.addresses:
            found.append(f"{most}{', '.join(rule.addresses)}")
        else:
            found.append(f"{most}members{unit}")
    return found
