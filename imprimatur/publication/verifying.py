"""Whether a badge or an endorsement is ours and holds; answered from what is kept here, nothing is asked outside."""

import datetime as dt
from typing import Any

from pydantic import BaseModel

from imprimatur.errors import NotFound
from imprimatur.publication.badges import is_of, name_in
from imprimatur.publication.baking import unbaked
from imprimatur.publication.keys import ISSUER, known_key, owner_of
from imprimatur.publication.signing import Token, is_signed_by, issuer_of, read_token
from imprimatur.store.badges import KeptBadge, badge
from imprimatur.store.endorsements import kid_of_token
from imprimatur.store.engine import Database
from models.vocabulary import BadgeStatus

BADGE_TYPES = frozenset({"OpenBadgeCredential", "AchievementCredential"})


class Verification(BaseModel):
    """What the credential says of itself is told for ``tampered`` and ``unknown_issuer`` too: as a claim, not as truth.

    ``of_address`` answers whether it is that of the address which was asked about.
    """

    status: BadgeStatus
    id: str
    name: str
    issuer: str
    learner: str = ""
    valid_from: str = ""
    valid_until: str = ""
    revoked_at: dt.datetime | None = None
    of_address: bool | None = None


def verify(database: Database, content: bytes, now: dt.datetime, email: str = "") -> Verification:
    """A baked picture or a token. Raises InputError ``badge_unreadable`` or ``token_unreadable``."""
    return verify_token(database, read_token(unbaked(content)), now, email)


def verify_id(database: Database, badge_id: str, now: dt.datetime, email: str = "") -> Verification:
    """Raises NotFound ``badge_unknown``."""
    return verify_token(database, read_token(badge(database, badge_id.rpartition("/")[2]).token), now, email)


def verify_token(database: Database, token: Token, now: dt.datetime, email: str = "") -> Verification:
    kept = _kept(database, token)
    status = _status(database, token, kept, now)
    told = token.payload
    issuer = told.get("issuer")
    subject = told.get("credentialSubject")
    is_badge = isinstance(subject, dict) and isinstance(subject.get("identifier"), list)
    # Of one that is not ours the shape is not known, and nothing but the outermost is told.
    ours = status not in (BadgeStatus.TAMPERED, BadgeStatus.UNKNOWN_ISSUER)
    return Verification(
        status=status,
        id=_text(told.get("id")),
        name=_text(told.get("name")),
        issuer=_text(issuer.get("name") if isinstance(issuer, dict) else issuer),
        learner=name_in(told) if ours and is_badge else "",
        valid_from=_text(told.get("validFrom")),
        valid_until=_text(told.get("validUntil")),
        revoked_at=kept.revoked_at if kept and status is BadgeStatus.REVOKED else None,
        of_address=is_of(told, email) if email and ours and is_badge else None,
    )


def _text(value: Any) -> str:
    return value[:500] if isinstance(value, str) else ""


def _kept(database: Database, token: Token) -> KeptBadge | None:
    try:
        found = badge(database, _text(token.payload.get("id")).rpartition("/")[2])
    except NotFound:
        return None
    return found if found.token == token.compact else None


def _status(database: Database, token: Token, kept: KeptBadge | None, now: dt.datetime) -> BadgeStatus:
    endorsed_with = kid_of_token(database, token.compact)
    key = known_key(database, (endorsed_with,) if endorsed_with else token.key_names)
    if key is None:
        return BadgeStatus.UNKNOWN_ISSUER
    if not is_signed_by(token, key.public):
        return BadgeStatus.TAMPERED
    if key.owner.casefold() != _owner(token).casefold():
        return BadgeStatus.UNKNOWN_ISSUER
    if kept is None and endorsed_with is None:
        return BadgeStatus.UNRECORDED
    if kept is not None and kept.revoked_at is not None:
        return BadgeStatus.REVOKED
    if dt.datetime.fromisoformat(token.payload["validFrom"]) > now:
        return BadgeStatus.NOT_YET_VALID
    until = token.payload.get("validUntil")
    return BadgeStatus.EXPIRED if until and dt.datetime.fromisoformat(until) <= now else BadgeStatus.VALID


def _owner(token: Token) -> str:
    """Whose key has to have signed it: a partner's signs no badges, and the issuer's no endorsements."""
    types, issuer = token.payload.get("type"), token.payload.get("issuer")
    if not isinstance(types, list) or token.payload.get("iss") != (issuer_of(token.payload) if issuer else None):
        return ""
    if BADGE_TYPES & {str(name) for name in types}:
        return ISSUER
    name = issuer.get("name") if isinstance(issuer, dict) else None
    return owner_of(str(name).strip()) if "EndorsementCredential" in types else ""
