"""What a target is told of a publication, and how it fails."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from models.vocabulary import RecordStatus


class TargetRefused(Exception):
    """It will not, however often it is asked."""


class TargetUnreachable(Exception):
    """It may, if it is asked again later."""


@dataclass(frozen=True)
class Package:
    """``key`` is the same whenever the same thing is asked of the same target; ``records`` are by format.

    ``slug`` names the record in every address; ``replaces`` and ``replaced_by`` are addresses.
    """

    key: str
    case_id: str
    version: int
    slug: str
    title: str
    address: str
    language: str | None
    status: RecordStatus
    status_at: dt.datetime | None
    reason: str
    replaces: str | None
    replaced_by: str | None
    records: dict[str, dict[str, Any]]


class Target(Protocol):
    """Each may be repeated. Both raise TargetRefused and TargetUnreachable, else answer what the target said."""

    async def publish(self, package: Package) -> str:
        """Has the target take the records as they are now."""
        ...

    async def withdraw(self, package: Package) -> str: ...


@dataclass(frozen=True)
class Handed:
    """What is handed over; ``key`` is the same whenever it is sent to the same target."""

    key: str
    package: dict[str, Any]


@runtime_checkable
class TakesHandovers(Protocol):
    async def hand_over(self, handed: Handed) -> str:
        """May be repeated. Raises TargetRefused and TargetUnreachable, else answers what the target said."""
        ...
