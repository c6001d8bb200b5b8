"""Who may decide about a proposal, and in which role: own proposals, declared interests, a second hat. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from imprimatur.rules.assignment import Contender
from models.case import CaseState
from models.plan import Plan
from models.proposal import Proposal
from models.vocabulary import InterestKind, TaskStatus


@dataclass(frozen=True)
class Interest:
    """``subject`` is an organisation, a unit or a person's address, as ``kind`` says."""

    kind: InterestKind
    subject: str


class Held(NamedTuple):
    """Someone decided, or is to decide, in a stage under a role (None: under none)."""

    person: str
    role: str | None
    stage: str


@dataclass(frozen=True)
class Deputy:
    """Whom a standing delegation names."""

    email: str
    name: str = ""


@dataclass(frozen=True)
class Facts:
    """What the directory and the calendars of leave say of some people on one day, by address.

    ``absent`` holds each one's last day away; ``deputies`` the narrowest delegation first.
    """

    inactive: frozenset[str] = frozenset()
    interests: Mapping[str, tuple[Interest, ...]] = field(default_factory=dict)
    absent: Mapping[str, dt.date] = field(default_factory=dict)
    deputies: Mapping[str, tuple[Deputy, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Matter:
    """Whom and what a proposal concerns. Names of organisations and units are compared without case and spacing."""

    proposer: str
    partners: tuple[str, ...] = ()
    unit: str | None = None
    people: tuple[str, ...] = ()

    @classmethod
    def of(cls, proposer: str, proposal: Proposal) -> "Matter":
        contacts = (email for partner in proposal.partners for email, _ in partner.signers())
        return cls(proposer, tuple(p.organisation for p in proposal.partners), proposal.unit, tuple(contacts))

    def conflict(self, interests: Iterable[Interest]) -> str | None:
        """Which interest touches the proposal, as the end of a sentence about the person; None when none does."""
        concerned = {
            InterestKind.PARTNER: {folded(partner) for partner in self.partners},
            InterestKind.UNIT: {folded(self.unit)} if self.unit else set(),
            InterestKind.PERSON: {folded(person) for person in (self.proposer, *self.people)},
        }
        for interest in interests:
            if folded(interest.subject) in concerned[interest.kind]:
                return f"has declared an interest in the {interest.kind} {interest.subject}"
        return None


def folded(name: str) -> str:
    return " ".join(name.split()).casefold()


@dataclass(frozen=True)
class Bench:
    """What stands against asking a person in one case: the measure at assignment."""

    matter: Matter
    held: tuple[Held, ...]
    two_hats: bool
    facts: Facts

    def barrier(self, person: str, role: str | None) -> str | None:
        """Why ``person`` cannot be asked under ``role``, as the end of a sentence; None when nothing is against it."""
        if folded(person) == folded(self.matter.proposer):
            return "proposed it"
        if person in self.facts.inactive:
            return "is no longer active"
        return self.matter.conflict(self.facts.interests.get(person, ())) or self._second_hat(person, role)

    def contender(self, person: str, role: str | None, *, leave_counts: bool = True) -> Contender:
        """Whom to ask when ``person`` is named: the deputy, if one stands in on this day and nothing is against it.

        A deputy's own delegations are not followed. Whoever is away without such a deputy is asked last, unless their
        leave does not count because nobody waits for the answer.
        """
        away = self._leave(person)
        for deputy in self.facts.deputies.get(person, ()):
            against = self.barrier(deputy.email, role) or self._leave(deputy.email)
            if not against:
                return Contender(deputy.email, principal=person)
            away = away or f"is represented by {deputy.email}, who {against}"
        return Contender(person, away=away if leave_counts else "")

    def _leave(self, person: str) -> str:
        until = self.facts.absent.get(person)
        return f"is away until {until.isoformat()}" if until else ""

    def _second_hat(self, person: str, role: str | None) -> str | None:
        other = None if self.two_hats else other_hat(self.held, person, role)
        return wears(other) if other else None


def other_hat(held: Iterable[Held], person: str, role: str | None) -> Held | None:
    """Where ``person`` decides in this case under another role than ``role``."""
    return next((h for h in held if folded(h.person) == folded(person) and h.role != role), None)


def wears(held: Held) -> str:
    role = f"as {held.role}" if held.role else "under no role"
    return f"decides in {held.stage} already, {role}".replace("_", " ")


def hats(state: CaseState, plan: Plan | None, *, answered_only: bool = False) -> tuple[Held, ...]:
    """Who decided or is to decide where; whoever is only informed decides nothing.

    Nor does it count what was decided in a stage that another version of the framework has taken away.
    """
    statuses = (TaskStatus.DECIDED,) if answered_only else (TaskStatus.DECIDED, TaskStatus.OPEN)
    deciding = {stage.id for stage in plan.stages if not stage.informs} if plan else set(state.stages)
    return tuple(
        Held(task.assignee, task.role, task.stage)
        for task in state.tasks.values()
        if task.status in statuses and task.stage in deciding
    )
