"""A framework: an institution's approval policy as data. Every key is explained in docs/framework-reference.md.

The models reject unknown keys, so that a misspelt key in a policy is found and not ignored.
"""

import hashlib
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import EmailStr, Field, StringConstraints, model_validator

from models.calendars import BusinessDuration, CalendarDef
from models.handover import HandoverDef
from models.improvement import ReviewDef
from models.meetings import CommitteeDef, WindowDef
from models.strict import Expression, FieldPath, Identifier, Label, Strict, Text
from models.texts import Number, WebAddress, WholeNumber
from models.vocabulary import (
    ABOUT_PUBLISHED,
    AssignmentReason,
    AtBreach,
    Authentication,
    Carry,
    Conditions,
    CountedOf,
    CredentialKind,
    InformationProfile,
    OnRejection,
    Pick,
    Recusal,
    StageKind,
    Statement,
    Verdict,
    VotingMethod,
)


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
    """``requires_profile`` adds what that list demands to the rules on ``fields``."""

    fields: tuple[FieldRule, ...] = Field(min_length=1)
    requires_profile: InformationProfile | None = None


class ReviewerRule(Strict):
    """Who reviews: exactly one of role, partners, addresses, or a unit alone; a unit may narrow a role.

    ``signatories``: everybody who signs for a partner is asked, not the contact alone.
    ``count`` of them are chosen as ``pick`` says; ``familiar`` prefers whoever reviewed the stage's last round.
    ``claim`` offers the task to all of them, and the first ``count`` (one, when none is given) to claim it have it.
    """

    role: Identifier | None = None
    unit: Label | None = None
    partners: Literal["all", "lead"] | None = None
    signatories: bool = False
    addresses: tuple[EmailStr, ...] = ()
    count: WholeNumber | None = Field(default=None, ge=1, le=500)
    pick: Pick = Pick.LEAST_LOADED
    familiar: bool = False
    claim: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> "ReviewerRule":
        sources = [self.role is not None, self.partners is not None, bool(self.addresses)]
        if sum(sources) > 1 or (sum(sources) == 0 and self.unit is None):
            raise ValueError("name reviewers by one of role, partners, addresses, or by unit")
        if self.unit is not None and (self.partners is not None or self.addresses):
            raise ValueError("a unit can narrow a role only")
        if self.signatories and self.partners is None:
            raise ValueError("signatories sign for partners: name the reviewers by partners")
        chooses = self.pick is not Pick.LEAST_LOADED or self.familiar
        if chooses and self.claim:
            raise ValueError("pick and familiar say nothing where all are offered the task: whoever claims it has it")
        if chooses and self.count is None:
            raise ValueError("pick and familiar say how to choose some of many: give count as well")
        return self

    @property
    def most(self) -> int | None:
        """At most so many are asked; None when all are."""
        return 1 if self.claim and self.count is None else self.count


class VotingRule(Strict):
    """quorum: least number who take part; threshold: least weight of approvals; veto: roles whose rejection is final.

    ``weights`` gives a role's vote more weight than one; ``recusal`` says what a recusal does to the quorum and
    ``deputies`` which role takes a recused reviewer's place; ``tie_break`` is the role whose vote decides when exactly
    half of what a majority is counted of approves.
    """

    quorum: WholeNumber | None = Field(default=None, ge=1, le=500)
    quorum_percent: Number | None = Field(default=None, gt=0, le=100)
    method: VotingMethod = VotingMethod.COUNT
    threshold: WholeNumber | None = Field(default=None, ge=1, le=10_000)
    threshold_percent: Number | None = Field(default=None, gt=0, le=100)
    counted_of: CountedOf = CountedOf.ASKED
    weights: dict[Identifier, Annotated[WholeNumber, Field(ge=1, le=100)]] = {}
    veto: tuple[Identifier, ...] = ()
    recusal: Recusal = Recusal.KEEPS_QUORUM
    deputies: Identifier | None = None
    tie_break: Identifier | None = None
    early_close: bool = True

    @model_validator(mode="after")
    def _numbers_belong_together(self) -> "VotingRule":
        if (self.quorum is None) == (self.quorum_percent is None):
            raise ValueError("give exactly one of quorum and quorum_percent")
        wanted = {VotingMethod.COUNT: "threshold", VotingMethod.PERCENTAGE: "threshold_percent"}.get(self.method)
        for name in ("threshold", "threshold_percent"):
            given = getattr(self, name) is not None
            if given != (name == wanted):
                raise ValueError(f"the method {self.method} {'takes no' if given else 'needs a'} {name}")
        if self.method is VotingMethod.COUNT and self.counted_of is not CountedOf.ASKED:
            raise ValueError("counted_of says nothing where approvals are counted by number")
        if self.tie_break is not None and self.method is not VotingMethod.MAJORITY:
            raise ValueError("only a majority can be missed by a tie: tie_break needs the method majority")
        return self

    @property
    def least_people(self) -> int:
        """So many must be asked at least, for the rule to be met at all; one where the numbers are shares."""
        heaviest = max(self.weights.values(), default=1)
        return max(self.quorum or 1, -(-(self.threshold or 1) // heaviest))


class EscalationStep(Strict):
    """A further escalation, ``after`` the due time has passed by so much."""

    after: BusinessDuration
    to: Identifier
    count: WholeNumber = Field(default=1, ge=1, le=50)


class Sla(Strict):
    """Time promised for a stage. ``within`` runs from the opening of the stage, in the named calendar.

    ``at_breach`` says what happens when it runs out; silence may decide only with the ``policy_clause`` that allows it.
    ``escalate_to`` is asked in any case where nobody is left to decide; ``then`` escalates further.
    """

    within: BusinessDuration
    calendar: Identifier
    remind_before: tuple[BusinessDuration, ...] = ()
    at_breach: AtBreach = AtBreach.ESCALATE
    policy_clause: Text | None = None
    deputies: Identifier | None = None
    escalate_to: Identifier
    escalate_count: WholeNumber = Field(default=1, ge=1, le=50)
    then: tuple[EscalationStep, ...] = ()


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


class Validity(Strict):
    """How long an approval holds; counted by the calendar, to the same day of a later month, or its last."""

    months: Annotated[WholeNumber, Field(ge=1, le=120)]


USUAL_VERDICTS: dict[StageKind, tuple[Verdict, ...]] = {
    StageKind.REVIEW: (Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN),
    StageKind.ENDORSEMENT: (Verdict.ENDORSE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN),
    StageKind.INFORMATION: (Verdict.ACKNOWLEDGE,),
    StageKind.OBJECTION: (Verdict.OBJECT, Verdict.ACKNOWLEDGE),
    StageKind.PUBLICATION: (),
    StageKind.RECOMMENDATION: (
        Verdict.CONTINUE,
        Verdict.REVISE,
        Verdict.PAUSE,
        Verdict.RETIRE,
        Verdict.ABSTAIN,
    ),
    StageKind.HANDOVER: (Verdict.TAKE_UP, Verdict.SEND_BACK),
}


class StageDef(Strict):
    id: Identifier
    name: Label
    asks: Text
    kind: StageKind = StageKind.REVIEW
    needs: tuple[Identifier, ...] = ()
    when: Expression | None = None
    optional: bool = False
    reviewers: tuple[ReviewerRule, ...] = ()
    voting: VotingRule | None = None
    verdicts: tuple[Verdict, ...] = ()
    sla: Sla | None = None
    criteria: tuple[Criterion, ...] = ()
    material: tuple[FieldPath, ...] | None = None
    carry: Carry = Carry.KEEP
    quality_gate: bool = False
    conditions: Conditions = Conditions.NEVER
    statement: Statement = Statement.NONE
    valid_for: Validity | None = None
    on_rejection: OnRejection = OnRejection.END_CASE
    committee: Identifier | None = None
    window: Identifier | None = None
    authentication: Authentication = Authentication.ANY
    source: Text | None = None

    @property
    def is_automatic(self) -> bool:
        return not self.reviewers

    def accepted(self, reason: AssignmentReason | str = AssignmentReason.ROLE) -> tuple[Verdict, ...]:
        """The verdicts that an assignee may answer: those named, else the ones usual for the stage's kind.

        Whoever is asked to resolve an objection decides like a reviewer.
        """
        if self.kind is StageKind.OBJECTION and reason == AssignmentReason.ESCALATION:
            return USUAL_VERDICTS[StageKind.REVIEW]
        return self.verdicts or USUAL_VERDICTS[self.kind]

    @property
    def wants_sign_in(self) -> bool:
        return self.authentication is Authentication.SIGN_IN

    def criterion(self, criterion_id: str) -> Criterion | None:
        return next((c for c in self.criteria if c.id == criterion_id), None)


class TrackDef(Strict):
    """A way through the stages. Of several, the first whose ``when`` holds is taken; without one it always does.

    Only ``stages`` apply, or all but those in ``without``; the publication always does. ``sla`` and
    ``speed_to_market`` promise other times than the framework itself.
    """

    id: Identifier
    when: Expression | None = None
    why: Text
    stages: tuple[Identifier, ...] = ()
    without: tuple[Identifier, ...] = ()
    sla: dict[Identifier, BusinessDuration] = {}
    speed_to_market: BusinessDuration | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> "TrackDef":
        if self.stages and self.without:
            raise ValueError("a track names the stages that apply, or those that do not")
        return self


class PublicationDef(Strict):
    """``targets`` are names in the installation's own file; all of them have the record before it is public."""

    issuer_name: Label
    issuer_url: WebAddress | None = None
    quality_statement: Text
    targets: tuple[Identifier, ...] = ()


class Framework(Strict):
    """One version of an institution's policy. ``format`` is the version of this document language.

    ``two_hats`` lets one person decide under several roles in one case, which is refused otherwise.
    """

    format: Literal[1]
    id: Identifier
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,2}$")]
    name: Label
    summary: Text
    credential_kind: CredentialKind
    sources: tuple[Text, ...] = ()
    calendars: dict[Identifier, CalendarDef] = Field(min_length=1)
    committees: dict[Identifier, CommitteeDef] = {}
    windows: dict[Identifier, WindowDef] = {}
    proposal: ProposalRules
    tracks: tuple[TrackDef, ...] = ()
    stages: tuple[StageDef, ...] = Field(min_length=1)
    two_hats: bool = False
    speed_to_market: CaseSla
    publication: PublicationDef
    review: ReviewDef | None = None
    handover: HandoverDef | None = None

    @property
    def reviews(self) -> bool:
        """Its cases are reviews of micro-credentials that are published already."""
        return self.credential_kind is CredentialKind.REVIEW

    @property
    def hands_over(self) -> bool:
        """Its cases hand micro-credentials that are published over to those who deliver them."""
        return self.credential_kind is CredentialKind.HANDOVER

    @property
    def publishes(self) -> bool:
        """Something is proposed under it; the others are about what is published already."""
        return self.credential_kind not in ABOUT_PUBLISHED

    @property
    def targets(self) -> tuple[str, ...]:
        """Whatever it sends a record or a package to, each once."""
        handed = self.handover.targets if self.handover else ()
        return tuple(dict.fromkeys((*self.publication.targets, *handed)))

    def stage(self, stage_id: str) -> StageDef:
        """Raises KeyError when there is no such stage."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    def before(self, stage_id: str) -> tuple[StageDef, ...]:
        """The stages that a stage needs, directly or through others, in the document's order."""
        found: set[str] = set()
        waiting = set(self.stage(stage_id).needs)
        while waiting:
            found |= waiting
            waiting = {need for stage in self.stages if stage.id in waiting for need in stage.needs} - found
        return tuple(stage for stage in self.stages if stage.id in found)

    def calendar_of(self, stage: StageDef | None) -> CalendarDef:
        """What a stage's time is promised in, else that of the whole case.

        A stage of an earlier version may name a calendar that there is no more.
        """
        whole = self.calendars[self.speed_to_market.calendar]
        return self.calendars.get(stage.sla.calendar, whole) if stage is not None and stage.sla else whole

    @property
    def canonical(self) -> dict[str, Any]:
        """What the document states, as JSON; keys that say what holds anyway are left out.

        So a later version of this language, with new keys, gives old documents the digest that they had. It follows
        that a default never changes its value.
        """
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON (RFC 8785): comments, key order and stated defaults do not count."""
        return hashlib.sha256(rfc8785.dumps(self.canonical)).hexdigest()
