"""Whether what a proposal counts towards adds up: no circle, credits within limits, levels that fit. Pure.

The checks follow what institutions ask of stackable credentials: a credential brings no more credits than it has, into
a pathway that counts them in the same system, at a level that the pathway takes, and never towards itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imprimatur.rules.completeness import FieldProblem
from models.proposal import Level, Proposal, StackingClaim
from models.stacking import Pathway

CLAIMS, BUILDS_ON = "stackability.claims", "stackability.builds_on"


@dataclass(frozen=True)
class Known:
    """``pathways`` by id; ``builds_on`` tells of each known case on which cases its credential builds.

    ``builds_on`` has to hold every case that can be reached from those that the proposal names.
    """

    pathways: Mapping[str, Pathway]
    builds_on: Mapping[str, Sequence[str]]


def claim_problems(proposal: Proposal, known: Known, case_id: str | None = None) -> tuple[FieldProblem, ...]:
    """Everything wrong with what the proposal counts towards and builds on; ``case_id`` is the proposal's own."""
    stacking = proposal.stackability
    if stacking is None:
        return ()
    found = [FieldProblem(CLAIMS, problem) for problem in _claims(proposal, stacking.claims, known.pathways)]
    found += [FieldProblem(BUILDS_ON, problem) for problem in _foundations(stacking.builds_on, known, case_id)]
    return tuple(found)


def _claims(proposal: Proposal, claims: Sequence[StackingClaim], pathways: Mapping[str, Pathway]) -> Iterator[str]:
    if claims and proposal.stackability is not None and not proposal.stackability.stackable:
        yield "are made though the proposal says that it stands alone"
    named = [claim.pathway for claim in claims]
    for number, claim in enumerate(claims, 1):
        if claim.pathway in named[: number - 1]:
            yield f"name the pathway {claim.pathway} twice"
        elif (pathway := pathways.get(claim.pathway)) is None:
            yield f"name the pathway {claim.pathway}, which is not known, in entry {number}"
        else:
            yield from (f"{problem}, in entry {number}" for problem in _claim(proposal, claim, pathway))


def _claim(proposal: Proposal, claim: StackingClaim, pathway: Pathway) -> Iterator[str]:
    workload = proposal.workload
    own, system = (workload.credits, workload.credit_system) if workload is not None else (None, None)
    counted = claim.credits or own
    if counted is None or own is None or system is None:
        yield f"count towards {pathway.id} without a workload in credits and their system"
        return
    if system != pathway.credit_system:
        yield f"count {system} credits towards {pathway.id}, which counts {pathway.credit_system} credits"
        return
    if counted > own:
        yield f"count {counted:g} credits towards {pathway.id}, more than the {own:g} that it has"
    if counted > pathway.limit:
        yield f"count {counted:g} credits towards {pathway.id}, which takes at most {pathway.limit:g}"
    yield from _level(proposal.level, pathway)


def _level(level: Level | None, pathway: Pathway) -> Iterator[str]:
    if pathway.lowest_level is None or pathway.level is None:
        return
    framework, lowest = pathway.level.framework, pathway.lowest_level
    if level is None or level.framework.casefold() != framework.casefold():
        yield f"count towards {pathway.id}, which asks for a level of {framework}, and none is stated"
    elif not is_at_least(level.value, lowest):
        yield f"count towards {pathway.id}, which takes {framework} level {lowest} and above, not {level.value}"


def is_at_least(level: str, lowest: str) -> bool:
    """Levels are numbers as a rule; of others only the same one is known to do."""
    if level.isdecimal() and lowest.isdecimal():
        return int(level) >= int(lowest)
    return level.casefold() == lowest.casefold()


def _foundations(builds_on: Sequence[str], known: Known, case_id: str | None) -> Iterator[str]:
    for number, case in enumerate(builds_on, 1):
        if case in builds_on[: number - 1]:
            yield f"names {case} twice"
        elif case == case_id:
            yield f"names the proposal itself, in entry {number}"
        elif case not in known.builds_on:
            yield f"names {case}, of which no case is known, in entry {number}"
        elif case_id is not None and case_id in reached(case, known.builds_on):
            yield f"names {case}, which itself builds on this one, in entry {number}"


def reached(start: str, edges: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Everything that can be reached from ``start``, itself left out unless a circle leads back to it."""
    found: set[str] = set()
    waiting = list(edges.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += edges.get(name, ())
    return frozenset(found)


def pathway_problems(pathway: Pathway, others: Mapping[str, Pathway]) -> list[str]:
    """What keeps a pathway from being kept beside ``others``: links to nowhere, circles, credits beyond limits."""
    problems: list[str] = []
    if pathway.lowest_level is not None and pathway.level is None:
        problems.append("lowest_level needs the level, whose framework it is counted in")
    if pathway.most_stacked is not None and pathway.most_stacked > pathway.credits:
        problems.append(f"most_stacked is {pathway.most_stacked:g}, more than its {pathway.credits:g} credits")
    edges = {name: [link.pathway for link in other.counts_towards] for name, other in others.items()}
    for link in pathway.counts_towards:
        target = others.get(link.pathway)
        worth = link.credits or pathway.credits
        if link.pathway == pathway.id or pathway.id in reached(link.pathway, edges):
            problems.append(f"it counts towards {link.pathway}, which counts towards it")
        elif target is None:
            problems.append(f"it counts towards {link.pathway}, which is not known")
        elif target.credit_system != pathway.credit_system:
            problems.append(f"{link.pathway} counts {target.credit_system} credits, not {pathway.credit_system}")
        elif worth > min(pathway.credits, target.credits):
            most = min(pathway.credits, target.credits)
            problems.append(f"{worth:g} credits towards {link.pathway} are more than {most:g}")
    return problems
