"""Industry's sign-off as an EndorsementCredential (Open Badges 3.0), and the approvals as evidence."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from imprimatur.publication.checking import Address, NonEmpty, Record, checked
from imprimatur.publication.record import PublishedCredential, SignOff

CREDENTIALS_CONTEXT = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CONTEXTS = [CREDENTIALS_CONTEXT, OPEN_BADGES_CONTEXT]


def _instant(value: str) -> str:
    if dt.datetime.fromisoformat(value).tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return value


def _one_of_them(value: list[str]) -> list[str]:
    if not {"VerifiableCredential", "EndorsementCredential"} <= set(value):
        raise ValueError("not the type of an endorsement")
    return value


Instant = Annotated[str, AfterValidator(_instant)]


class Evidence(Record):
    id: Address | None = None
    type: list[Literal["Evidence"]] = ["Evidence"]
    name: NonEmpty
    narrative: NonEmpty
    genre: NonEmpty | None = None


class _Open(Record):
    """What others write may say more than we ask for."""

    model_config = ConfigDict(extra="allow")


class _Endorser(_Open):
    id: Address
    type: list[str]
    name: NonEmpty


class _Subject(_Open):
    id: Address
    type: list[str] = Field(min_length=1)
    endorsementComment: str | None = None


class EndorsementCredential(_Open):
    context: list[Any] = Field(alias="@context", min_length=2)
    id: Address
    type: Annotated[list[str], AfterValidator(_one_of_them)]
    name: NonEmpty
    issuer: _Endorser
    validFrom: Instant
    validUntil: Instant | None = None
    credentialSubject: _Subject
    evidence: list[Evidence] | None = None


def endorsement(record: PublishedCredential, sign_off: SignOff) -> dict[str, Any]:
    """What a partner said with its approval, in its name. Raises ``record_invalid``."""
    until = [approval.valid_until for approval in record.approvals if approval.of_industry and approval.valid_until]
    logo = {"image": {"id": sign_off.logo, "type": "Image"}} if sign_off.logo else {}
    said = {"endorsementComment": sign_off.statement} if sign_off.statement else {}
    content: dict[str, Any] = {
        "@context": CONTEXTS,
        "id": f"{record.address}/endorsement/{sign_off.number}.jwt",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": f"Endorsement of {record.title}",
        "issuer": {"id": endorser_id(record, sign_off.organisation), "type": ["Profile"], "name": sign_off.organisation}
        | logo,
        "validFrom": instant(record.published_at),
        "credentialSubject": {"id": record.address, "type": ["EndorsementSubject"]} | said,
        "evidence": evidence(record),
    }
    if until:
        content["validUntil"] = instant(min(until))
    return checked(EndorsementCredential, content)


def endorser_id(record: PublishedCredential, organisation: str) -> str:
    """A partner has no address of its own with us: the same name under one installation gets the same identifier."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{record.base_url}/partner/{organisation}").urn


def evidence(record: PublishedCredential) -> list[dict[str, Any]]:
    """The quality approvals, bound to the ledger."""
    return [
        {
            "id": f"{record.address}#approval-{number}",
            "type": ["Evidence"],
            "name": approval.stage,
            "narrative": f"{approval.told} {record.quality_statement} {record.proof}",
            "genre": "Quality approval",
        }
        for number, approval in enumerate(record.quality_approvals, 1)
    ]


def instant(at: dt.datetime) -> str:
    """As the standard's schema has it: UTC, whole seconds."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
