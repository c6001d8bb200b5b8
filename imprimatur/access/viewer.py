"""Who looks, in which roles, and which cases they may see. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from models.vocabulary import AccessRole, KeyScope, Strength

# Of the directory's roles, those that say what somebody may see and do in the pages.
OF_DIRECTORY = {
    "governance_office": AccessRole.OFFICE,
    "admin": AccessRole.ADMIN,
    "auditor": AccessRole.AUDITOR,
}
OVERSIGHT = frozenset(OF_DIRECTORY.values())
# Who does the acts of the office.
OFFICE = frozenset({AccessRole.OFFICE, AccessRole.ADMIN})


@dataclass(frozen=True)
class Scope:
    """Cases that somebody may see: all, or those of some units; their own and those they were asked about always."""

    person: str
    everything: bool = False
    units: frozenset[str] = frozenset()

    def holds(self, proposer: str, unit: str | None, asked: Iterable[str]) -> bool:
        """Whether a case is inside, by its proposer, its unit and everybody who was ever asked about it."""
        return self.everything or unit in self.units or self.person == proposer or self.person in asked


@dataclass(frozen=True)
class Viewer:
    """``scopes`` is None for a person; a key does only what its scopes allow. ``units`` are spelled as in proposals."""

    person: str
    name: str
    roles: frozenset[AccessRole]
    strength: Strength
    units: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[KeyScope] | None = None

    @property
    def oversees(self) -> bool:
        """Belongs to the office, or looks over its shoulder."""
        return bool(OVERSIGHT & self.roles)

    @property
    def is_office(self) -> bool:
        return bool(OFFICE & self.roles)

    @property
    def proposes(self) -> bool:
        """Everybody but whoever only looks."""
        return self.is_office or not self.oversees

    @property
    def scope(self) -> Scope:
        """Units bound whoever oversees; an administrator has none."""
        if not self.oversees:
            return Scope(self.person)
        everything = AccessRole.ADMIN in self.roles or not self.units
        return Scope(self.person, everything, frozenset() if everything else self.units)

    def allows(self, scope: KeyScope) -> bool:
        return self.scopes is None or scope in self.scopes


def viewer_of(
    email: str,
    name: str,
    roles: Iterable[str],
    units: Iterable[str],
    *,
    has_tasks: bool,
    strength: Strength,
    scopes: Iterable[KeyScope] | None = None,
) -> Viewer:
    """Of an active person in the directory: everybody proposes, whoever was ever asked reviews."""
    found = {AccessRole.PROPOSER} | {OF_DIRECTORY[role] for role in roles if role in OF_DIRECTORY}
    if has_tasks:
        found.add(AccessRole.REVIEWER)
    allowed = None if scopes is None else frozenset(scopes)
    return Viewer(email, name, frozenset(found), strength, frozenset(units), allowed)
