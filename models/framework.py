"""A framework: an institution's approval policy as data. Every key is explained in docs/framework-reference.md.

The models reject unknown keys, so that a misspelt key in a policy is found and not ignored.
"""

import hashlib
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints, model_validator

from models.texts import PRINTABLE, Day, Number, OneLine, TimeOfDay, WebAddress, WholeNumber
from models.vocabulary import CredentialKind, StageKind, Verdict

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Label = Annotated[OneLine, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), PRINTABLE]
FieldPath = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)?$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class BusinessDuration(Strict):
    """Business time: either days (same clock time, n working days on) or hours (counted inside working hours)."""

    business_days: WholeNumber | None = Field(default=None, ge=0, le=1000)
    business_hours: Number | None = Field(default=None, ge=0, le=10000)

    @model_validator(mode="after")
    def _one_unit(self) -> "BusinessDuration":
        if (self.business_days is None) == (self.business_hours is None):
            raise ValueError("give exactly one of business_days and business_hours")
        return self


class WorkingHours(Strict):
    start: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _ordered(self) -> "WorkingHours":
        if self.start >= self.end:
            raise ValueError("working hours must start before they end")
        return self


class Closure(Strict):
    """Days the institution is closed, both ends included."""

    first_on: Day
    last_on: Day
    reason: Label

    @model_validator(mode="after")
    def _ordered(self) -> "Closure":
        if self.first_on > self.last_on:
            raise ValueError("a closure must begin before it ends")
        return self


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class CalendarDef(Strict):
    """Working time of a campus or partner. Public holidays come from ISO 3166 country and subdivision."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    subdivision: str | None = None
    time_zone: str
    weekend: tuple[Weekday, ...] = ("sat", "sun")
    hours: WorkingHours
    closures: tuple[Closure, ...] = ()


class FieldRule(Strict):
    """What the completeness check asks of one proposal field."""

    field: FieldPath
    presence: Literal["required", "recommended"] = "required"
    minimum: Number | None = None
    maximum: Number | None = None
    min_items: WholeNumber | None = Field(default=None, ge=1, le=1000)
    max_items: WholeNumber | None = Field(default=None, ge=1, le=1000)
    max_words: WholeNumber | None = Field(default=None, ge=1, le=100_000)
    one_of: tuple[Label, ...] | None = Field(default=None, min_length=1)
    forbidden_words: tuple[Label, ...] = ()
    why: Text | None = None


class ProposalRules(Strict):
    fields: tuple[FieldRule, ...] = Field(min_length=1)


class ReviewerRule(Strict):
    """Who reviews: exactly one of role, partners, addresses, or a unit alone; a unit may narrow a role."""

    role: Identifier | None = None
    unit: Label | None = None
    partners: Literal["all", "lead"] | None = None
    addresses: tuple[EmailStr, ...] = ()
    count: WholeNumber | None = Field(default=None, ge=1, le=500)

    @model_validator(mode="after")
    def _one_source(self) -> "ReviewerRule":
        sources = [self.role is not None, self.partners is not None, bool(self.addresses)]
        if sum(sources) > 1 or (sum(sources) == 0 and self.unit is None):
            raise ValueError("name reviewers by one of role, partners, addresses, or by unit")
        if self.unit is not None and (self.partners is not None or self.addresses):
            raise ValueError("a unit can narrow a role only")
        return self


class VotingRule(Strict):
    """quorum: least number who take part; threshold: least number who approve; veto: roles whose rejection is final."""

    quorum: WholeNumber = Field(ge=1, le=500)
    threshold: WholeNumber = Field(ge=1, le=500)
    veto: tuple[Identifier, ...] = ()


class Sla(Strict):
    """Time promised for a stage. ``within`` runs from the opening of the stage, in the named calendar."""

    within: BusinessDuration
    calendar: Identifier
    remind_before: tuple[BusinessDuration, ...] = ()
    escalate_to: Identifier
    escalate_count: WholeNumber = Field(default=1, ge=1, le=50)


class CaseSla(Strict):
    """Speed to market: from a complete submission to publication; the clock stops while the proposer revises."""

    within: BusinessDuration
    calendar: Identifier
    escalate_to: Identifier


class Scale(Strict):
    minimum: WholeNumber = Field(default=0, ge=-100, le=100)
    maximum: WholeNumber = Field(default=4, ge=-100, le=100)
    labels: tuple[Label, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> "Scale":
        if self.minimum >= self.maximum:
            raise ValueError("a scale's minimum must be below its maximum")
        if self.labels and len(self.labels) != self.maximum - self.minimum + 1:
            raise ValueError("give one label for each point of the scale, or none")
        return self


class Criterion(Strict):
    id: Identifier
    question: Text
    scale: Scale = Scale()
    required: bool = False
    source: Text | None = None


DEFAULT_VERDICTS = (Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN)


class StageDef(Strict):
    id: Identifier
    name: Label
    asks: Text
    kind: StageKind = StageKind.REVIEW
    needs: tuple[Identifier, ...] = ()
    optional: bool = False
    reviewers: tuple[ReviewerRule, ...] = ()
    voting: VotingRule | None = None
    verdicts: tuple[Verdict, ...] = DEFAULT_VERDICTS
    sla: Sla | None = None
    criteria: tuple[Criterion, ...] = ()
    material: tuple[FieldPath, ...] | None = None
    source: Text | None = None

    @property
    def is_automatic(self) -> bool:
        return not self.reviewers

    def criterion(self, criterion_id: str) -> Criterion | None:
        return next((c for c in self.criteria if c.id == criterion_id), None)


class PublicationDef(Strict):
    issuer_name: Label
    issuer_url: WebAddress | None = None
    quality_statement: Text


class Framework(Strict):
    """One version of an institution's policy. ``format`` is the version of this document language."""

    format: Literal[1]
    id: Identifier
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,2}$")]
    name: Label
    summary: Text
    credential_kind: CredentialKind
    sources: tuple[Text, ...] = ()
    calendars: dict[Identifier, CalendarDef] = Field(min_length=1)
    proposal: ProposalRules
    stages: tuple[StageDef, ...] = Field(min_length=1)
    speed_to_market: CaseSla
    publication: PublicationDef

    def stage(self, stage_id: str) -> StageDef:
        """Raises KeyError when there is no such stage."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    @property
    def canonical(self) -> dict[str, Any]:
        """What is stored: without defaults, so that a key added later leaves the identity of old documents alone."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON (RFC 8785): comments and key order of the YAML do not count.

        Neither does what a key says by default, so that a stored version keeps its digest when the language grows.
        """
        return hashlib.sha256(rfc8785.dumps(self.canonical)).hexdigest()
