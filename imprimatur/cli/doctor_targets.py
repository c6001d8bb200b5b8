"""Whether everything that frameworks name outside themselves is there: targets, and frameworks of hand-overs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imprimatur.cli.context import Environment, open_database
from imprimatur.publication.targets.configured import read_targets
from imprimatur.store.frameworks import newest_frameworks
from models.framework import Framework
from models.targets import TargetDef
from models.vocabulary import TargetKind


@dataclass(frozen=True)
class Named:
    """``lacking`` has a clause for everything that is not there; ``unused`` are targets that nobody names."""

    configured: int
    named: int
    lacking: list[str]
    unused: list[str]


def named_targets(environment: Environment) -> Named:
    """By the newest version of every framework."""
    found = read_targets(environment.settings.publication_targets)
    with open_database(environment) as database:
        policies = newest_frameworks(database)
    named = {name for policy in policies.values() for name in policy.targets}
    unused = [name for name in found if name not in named]
    return Named(len(found), len(named), list(_lacking(policies, found)), unused)


def _lacking(policies: Mapping[str, Framework], found: Mapping[str, TargetDef]) -> Iterator[str]:
    for policy in policies.values():
        named = f"{policy.id}@{policy.version}"
        for target in policy.targets:
            if target not in found:
                yield f"{named} names the target {target}, which is not configured"
        if policy.handover is None:
            continue
        for target in policy.handover.targets:
            if target in found and found[target].kind is not TargetKind.WEBHOOK:
                yield f"{named} hands over to {target}, which is no webhook"
        other = policies.get(policy.handover.framework)
        if other is None or not other.hands_over:
            yield f"{named} hands over by {policy.handover.framework}, which is no stored framework of hand-overs"
