"""Whether everything that frameworks name outside themselves is there: targets, and frameworks of hand-overs."""

from collections.abc import Iterator, Mapping

from imprimatur.cli.context import Environment, open_database
from imprimatur.errors import ImprimaturError
from imprimatur.publication.targets.configured import read_targets
from imprimatur.store.frameworks import newest_frameworks
from models.framework import Framework
from models.targets import TargetDef
from models.vocabulary import TargetKind


def targets(environment: Environment) -> str:
    """Of the newest version of every framework. Raises ImprimaturError ``targets_missing`` with all that lacks."""
    found = read_targets(environment.settings.publication_targets)
    with open_database(environment) as database:
        policies = newest_frameworks(database)
    if lacking := list(_lacking(policies, found)):
        raise ImprimaturError(
            "targets_missing", f"{'; '.join(lacking)}.", "Correct PUBLICATION_TARGETS, or the frameworks."
        )
    named = {name for policy in policies.values() for name in _named(policy)}
    unused = [name for name in found if name not in named]
    told = f"{len(found)} targets, {len(named)} of them named by frameworks"
    return f"{told}; nobody names {', '.join(unused)}" if unused else told


def _named(policy: Framework) -> tuple[str, ...]:
    return policy.publication.targets + (policy.handover.targets if policy.handover else ())


def _lacking(policies: Mapping[str, Framework], found: Mapping[str, TargetDef]) -> Iterator[str]:
    for policy in policies.values():
        named = f"{policy.id}@{policy.version}"
        for target in dict.fromkeys(_named(policy)):
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
