"""A learner's badge: an AchievementCredential of Open Badges 3.0."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from imprimatur.publication.checking import Address, NonEmpty, Record, checked
from imprimatur.publication.endorsements import CONTEXTS, Evidence, Instant, evidence, instant
from imprimatur.publication.openbadges import Profile, profile
from imprimatur.publication.record import PublishedCredential
from imprimatur.publication.status_lists import status_entry

SALT_BYTES = 16


@dataclass(frozen=True)
class Learner:
    """``name`` stands in the badge for everybody to read; the address only as a salted digest."""

    email: str
    name: str = ""
    valid_until: dt.datetime | None = None


class _Identity(Record):
    type: Literal["IdentityObject"] = "IdentityObject"
    hashed: bool
    identityHash: NonEmpty
    identityType: Literal["emailAddress", "name"]
    salt: NonEmpty | None = None


class _Subject(Record):
    type: list[Literal["AchievementSubject"]] = ["AchievementSubject"]
    identifier: list[_Identity] = Field(min_length=1)
    # Checked when it was published.
    achievement: dict[str, Any]


class _Status(Record):
    id: Address
    type: Literal["BitstringStatusListEntry"]
    statusPurpose: Literal["revocation"]
    statusListIndex: Annotated[str, Field(pattern=r"^\d+$")]
    statusListCredential: Address


def _both(value: list[str]) -> list[str]:
    if value != ["VerifiableCredential", "OpenBadgeCredential"]:
        raise ValueError("not the type of a badge")
    return value


class OpenBadgeCredential(Record):
    context: list[str] = Field(alias="@context")
    id: Address
    type: Annotated[list[str], AfterValidator(_both)] = ["VerifiableCredential", "OpenBadgeCredential"]
    name: NonEmpty
    issuer: Profile
    validFrom: Instant
    validUntil: Instant | None = None
    credentialSubject: _Subject
    evidence: list[Evidence] | None = None
    credentialStatus: _Status


def badge_credential(
    record: PublishedCredential,
    achievement: dict[str, Any],
    learner: Learner,
    *,
    badge_id: str,
    position: int,
    at: dt.datetime,
) -> dict[str, Any]:
    """Raises DocumentInvalid ``record_invalid``."""
    salt = secrets.token_hex(SALT_BYTES)
    identities: list[dict[str, Any]] = [
        {"hashed": True, "identityHash": hashed(learner.email, salt), "identityType": "emailAddress", "salt": salt}
    ]
    if learner.name:
        identities.append({"hashed": False, "identityHash": learner.name, "identityType": "name"})
    return checked(
        OpenBadgeCredential,
        {
            "@context": CONTEXTS,
            "id": f"{record.base_url}/badges/{badge_id}",
            "name": record.title,
            "issuer": profile(record),
            "validFrom": instant(at),
            "validUntil": instant(learner.valid_until) if learner.valid_until else None,
            "credentialSubject": {"identifier": identities, "achievement": achievement},
            "evidence": evidence(record) or None,
            "credentialStatus": status_entry(record, position),
        },
    )


def hashed(email: str, salt: str) -> str:
    """As the standard has it: SHA-256 of the address in small letters with the salt behind it."""
    return "sha256$" + hashlib.sha256((email.strip().lower() + salt).encode()).hexdigest()


def is_of(credential: dict[str, Any], email: str) -> bool:
    """Whether a badge is that of an address; what it says is believed, so it has to be verified."""
    identities = credential["credentialSubject"].get("identifier", [])
    return any(
        item.get("identityType") == "emailAddress" and item.get("identityHash") == hashed(email, item.get("salt", ""))
        for item in identities
    )


def name_in(credential: dict[str, Any]) -> str:
    """The learner's name, where the badge has it."""
    identities = credential["credentialSubject"].get("identifier", [])
    return next((str(item["identityHash"]) for item in identities if item.get("identityType") == "name"), "")
