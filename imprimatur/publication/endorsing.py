"""Endorsements issued in partners' names, and those that partners signed themselves.

Issuing follows the publication, is done again without harm, and waits for the issuer's key: nothing that was decided
depends on it.
"""

import datetime as dt
from typing import Any

import structlog
from pydantic import ValidationError

from imprimatur.errors import DocumentInvalid, ImprimaturError, Problem, Refused
from imprimatur.publication.endorsements import EndorsementCredential, endorsement
from imprimatur.publication.keys import ISSUER, Keyring, owner_of
from imprimatur.publication.reading import published_record
from imprimatur.publication.record import PublishedCredential
from imprimatur.publication.signing import (
    Token,
    algorithm_of,
    is_signed_by,
    issuer_of,
    public_part,
    read_token,
    thumbprint,
)
from imprimatur.store import endorsements as kept
from imprimatur.store import signing_keys
from imprimatur.store.endorsements import KeptEndorsement
from imprimatur.store.engine import Database
from imprimatur.store.signing_keys import KeptKey
from imprimatur.store.task_page import publications

log = structlog.get_logger()
TOLERATED_SKEW = dt.timedelta(minutes=5)


class Endorser:
    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self.database = keyring.database

    def issue(self, name: str) -> int:
        """Signs what a publication's partners said and is not signed yet; answers how many.

        Raises Refused ``key_missing`` without a key of the issuer, Unavailable ``signing_key_unreadable``.
        """
        record = published_record(self.database, name)
        present = {item.organisation for item in kept.endorsements_of(self.database, record.slug)}
        missing = [item for item in record.sign_offs if item.organisation not in present]
        if missing:
            self.keyring.signer(ISSUER)
        issued = 0
        for sign_off in missing:
            token = self.keyring.signer_of_partner(sign_off.organisation).sign(endorsement(record, sign_off))
            found = KeptEndorsement(
                slug=record.slug,
                number=sign_off.number,
                organisation=sign_off.organisation,
                by_partner=False,
                kid=read_token(token).key_names[0],
                token=token,
                issued_at=dt.datetime.now(dt.UTC),
            )
            with self.database.write() as connection:
                issued += kept.add_endorsement(connection, found)
        return issued


def seal(endorser: Endorser, name: str) -> int:
    """As :meth:`Endorser.issue`; what hinders it is logged, and what is missing comes when the next worker starts."""
    try:
        return endorser.issue(name)
    except ImprimaturError as error:
        if error.code != "key_missing":
            log.error("endorsement_not_issued", slug=name, code=error.code, reason=error.message)
        return 0


def seal_all(endorser: Endorser) -> int:
    return sum(
        seal(endorser, found.slug) for found in publications(endorser.database) if found.page.get("endorsements")
    )


def upload(database: Database, name: str, text: str, jwk: dict[str, Any], now: dt.datetime) -> KeptEndorsement:
    """Takes an endorsement that a partner signed itself, in the place of one that was issued in its name.

    Raises InputError ``token_unreadable`` or ``jwk_unusable``, DocumentInvalid ``endorsement_invalid``, Refused
    ``endorsement_forged`` or ``endorsement_unfit``, NotFound ``publication_unknown``.
    """
    record, token, public = published_record(database, name), read_token(text), public_part(jwk)
    if not is_signed_by(token, public):
        raise Refused(
            "endorsement_forged", "The endorsement is not signed with this key, or was altered.", "Give the right key."
        )
    organisation = _checked(record, token, now)
    kid = thumbprint(public)
    with database.write() as connection:
        signing_keys.take_turns(connection)
        present = kept.endorsements(connection, record.slug)
        found = KeptEndorsement(
            slug=record.slug,
            number=_number(record, present, organisation),
            organisation=organisation,
            by_partner=True,
            kid=kid,
            token=token.compact,
            issued_at=now,
        )
        kept.replace_endorsement(connection, found)
        if all(key.kid != kid for key in signing_keys.keys(connection)):
            signing_keys.put_key(connection, _key_of(organisation, kid, public, now))
    return found


def _key_of(organisation: str, kid: str, public: dict[str, Any], now: dt.datetime) -> KeptKey:
    return KeptKey(
        kid=kid,
        owner=owner_of(organisation),
        alg=algorithm_of(public),
        public=public,
        sealed=None,
        held=False,
        created_at=now,
        retired_at=None,
    )


def _number(record: PublishedCredential, present: list[KeptEndorsement], organisation: str) -> int:
    taken = {item.organisation: item.number for item in record.sign_offs}
    taken |= {item.organisation: item.number for item in present}
    return taken.get(organisation) or max(taken.values(), default=0) + 1


def _checked(record: PublishedCredential, token: Token, now: dt.datetime) -> str:
    """The partner who endorses."""
    try:
        found = EndorsementCredential.model_validate(token.payload)
    except ValidationError as error:
        problems = [
            Problem(".".join(map(str, item["loc"])), item["msg"], code="invalid") for item in error.errors()[:20]
        ]
        raise DocumentInvalid(
            "endorsement_invalid", "This is no EndorsementCredential of Open Badges 3.0.", problems
        ) from error
    partners = {name.casefold(): name for name in record.partners}
    organisation = partners.get(found.issuer.name.strip().casefold())
    until = dt.datetime.fromisoformat(found.validUntil) if found.validUntil else None
    reasons = {
        "it endorses something else": found.credentialSubject.id != record.address,
        f"{found.issuer.name[:100]} is no partner of the proposal": organisation is None,
        "its iss is not its issuer": token.payload.get("iss") != issuer_of(token.payload),
        "it is not valid yet": dt.datetime.fromisoformat(found.validFrom) > now + TOLERATED_SKEW,
        "it is not valid any more": until is not None and until < now,
    }
    if wrong := [reason for reason, holds in reasons.items() if holds]:
        raise Refused(
            "endorsement_unfit",
            f"The endorsement cannot be taken: {'; '.join(wrong)}.",
            f"It must endorse {record.address} in the name of one of: {', '.join(record.partners) or 'nobody'}.",
        )
    assert organisation is not None
    return organisation
