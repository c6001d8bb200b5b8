"""The proposal: a case's document, versioned; each version has a SHA-256 digest.

Every field but the title's type is optional here: whether a proposal is complete is the framework's question
(:mod:`imprimatur.rules.completeness`), and an incomplete proposal must be storable so that it is not lost.
"""

import hashlib
from decimal import Decimal
from typing import Annotated, Literal

import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from models.texts import PRINTABLE, Day, Number, OneLine, WebAddress
from models.vocabulary import CredentialKind

Line = Annotated[OneLine, StringConstraints(max_length=500)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000), PRINTABLE]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Logo = Annotated[
    str, StringConstraints(pattern=r"^data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$", max_length=100_000)
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
CreditSystem = Literal["ects", "us", "uk", "nzqf", "aqf", "other"]
PathwayId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
CaseId = Annotated[str, StringConstraints(pattern=r"^mc-[a-z0-9-]+$", max_length=80)]


def _to_the_cent(amount: Decimal) -> Decimal:
    # 1450 and 1450.00 are one amount, so they must not make two digests.
    return abs(amount.quantize(Decimal("0.01")))


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Workload(Part):
    """Notional workload. Credits are in ``credit_system`` units (1 ECTS is 25 to 30 hours)."""

    hours: Number | None = Field(default=None, gt=0, le=100_000)
    credits: Number | None = Field(default=None, gt=0, le=1000)
    credit_system: CreditSystem | None = None


class Level(Part):
    framework: Annotated[OneLine, StringConstraints(min_length=1, max_length=80)]
    value: Annotated[OneLine, StringConstraints(min_length=1, max_length=80)]


class Assessment(Part):
    """Types and supervision follow the EU standard elements (Council Recommendation 2022/C 243/02, Annex I)."""

    description: Prose | None = None
    types: tuple[Line, ...] = ()
    supervision: Literal["unsupervised_no_id_check", "supervised_no_id_check", "supervised_with_id_check"] | None = None


class Signatory(Part):
    """Somebody else who can sign off for a partner, beside its contact."""

    name: Line | None = None
    email: EmailStr
    function: Line | None = None


class Partner(Part):
    """An industry partner; the contact is who signs off, without an account, and perhaps further signatories.

    The ``logo`` is a small picture in itself (RFC 2397); it is shown where somebody who signs off allows it.
    """

    organisation: Annotated[OneLine, StringConstraints(min_length=1, max_length=500)]
    contact_name: Line | None = None
    contact_email: EmailStr | None = None
    lead: bool = False
    signatories: tuple[Signatory, ...] = ()
    logo: Logo | None = None

    def signers(self, *, all_of_them: bool = True) -> list[tuple[str, str]]:
        """Addresses, in small letters, with names: the contact first."""
        found = [(self.contact_email, self.contact_name)] if self.contact_email else []
        found += [(person.email, person.name) for person in self.signatories] if all_of_them else []
        return [(str(email).lower(), name or self.organisation) for email, name in found]


class Price(Part):
    amount: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), AfterValidator(_to_the_cent)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class StackingClaim(Part):
    """So many of the credential's credits count towards a pathway; all of them where no number is given."""

    pathway: PathwayId
    credits: Number | None = Field(default=None, gt=0, le=1000)


class Stackability(Part):
    """``towards`` is told in words; ``claims`` are checked. ``builds_on``: cases of credentials to be earned before."""

    stackable: bool
    towards: tuple[Line, ...] = ()
    claims: tuple[StackingClaim, ...] = ()
    builds_on: tuple[CaseId, ...] = ()


class Skill(Part):
    """A skill of a published framework such as ESCO or O*NET: its address there, or its code, says which."""

    framework: Annotated[OneLine, StringConstraints(min_length=1, max_length=80)]
    title: Annotated[OneLine, StringConstraints(min_length=1, max_length=500)]
    url: WebAddress | None = None
    code: Annotated[OneLine, StringConstraints(min_length=1, max_length=200)] | None = None


class Delivery(Part):
    starts_on: Day | None = None
    ends_on: Day | None = None
    registration_deadline_on: Day | None = None
    location: Line | None = None


class Attachment(Part):
    """A file by digest (SHA-256 of its bytes); the bytes are kept beside the database."""

    name: Line
    sha256: Digest
    media_type: Line | None = None


class Proposal(Part):
    title: Line | None = None
    summary: Prose | None = None
    credential_kind: CredentialKind | None = None
    provider: Line | None = None
    unit: Line | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    field_of_study: Line | None = None
    learning_outcomes: tuple[Prose, ...] = ()
    skills: tuple[Skill, ...] = ()
    workload: Workload | None = None
    level: Level | None = None
    assessment: Assessment | None = None
    mode: Literal["online", "onsite", "blended", "workplace"] | None = None
    language: LanguageTag | None = None
    target_learners: Prose | None = None
    demand_evidence: Prose | None = None
    partners: tuple[Partner, ...] = ()
    price: Price | None = None
    prerequisites: Prose | None = None
    stackability: Stackability | None = None
    delivery: Delivery | None = None
    existing_coursework: Prose | None = None
    quality_assurance: Prose | None = None
    attachments: tuple[Attachment, ...] = ()
    source_url: WebAddress | None = None
    publish_on: Day | None = None
    replaces: CaseId | None = None

    @property
    def canonical(self) -> bytes:
        """Canonical JSON (RFC 8785) of what is stated; unstated fields do not count."""
        return rfc8785.dumps(self.model_dump(mode="json", exclude_none=True, exclude_defaults=True))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def display_title(self) -> str:
        return self.title or "Untitled proposal"
