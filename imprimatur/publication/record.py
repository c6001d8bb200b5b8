"""What is known of a published micro-credential: one model, from which every record in a standard's words is derived.

It holds nothing that is not kept elsewhere: it is put together from the proposal's version, the framework and the
catalogue page, each of which the ledger binds by its digest. So it can be made anew for everything ever published.
"""

import datetime as dt
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from imprimatur.publication.page import Assurance, CataloguePage, Endorsement
from models.framework import Framework, StageDef
from models.proposal import Assessment, Delivery, Level, Price, Proposal, Skill, Stackability, Workload
from models.vocabulary import RecordStatus, StageKind


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Organisation(Fact):
    """``id`` is an address that names it in all records."""

    id: str
    name: str
    url: str | None = None


class Approval(Fact):
    """A stage that approved: by which roles, how many people, when. ``of_industry``: partners signed it off."""

    stage: str
    of_industry: bool
    by: tuple[str, ...]
    approvals: int
    closed_at: dt.datetime
    valid_until: dt.datetime | None = None

    @property
    def told(self) -> str:
        """A sentence for people; roles, never names."""
        by = ", ".join(role.replace("_", " ") for role in self.by)
        votes = (
            f"{self.approvals} approval{'s' * (self.approvals != 1)} by {by}" if self.approvals else "without a vote"
        )
        return f"{self.stage}: {votes}, {self.closed_at.date().isoformat()}."


class SignOff(Fact):
    """What an organisation said with its approval, for publication; ``number`` counts from 1 and names it."""

    number: int
    organisation: str
    statement: str
    logo: str | None = None


class Version(Fact):
    """Another published version of the same micro-credential."""

    slug: str
    case_id: str
    version: int


class Towards(Fact):
    """A pathway of the institution that it counts towards, with so many credits; None: all that it has, if any."""

    id: str
    title: str
    credits: float | None = None


class Standing(Fact):
    """What a record says of itself by now, and by what else is kept."""

    pathways: tuple[Towards, ...] = ()
    status: RecordStatus = RecordStatus.OFFERED
    status_at: dt.datetime | None = None
    status_reason: str = ""
    replaces: Version | None = None
    replaced_by: Version | None = None


class PublishedCredential(Standing):
    """``ledger_digest`` is the ledger's head before publication: it binds the record to all that led there."""

    base_url: str
    slug: str
    case_id: str
    version: int
    title: str
    summary: str
    issuer: Organisation
    provider: str
    unit: str | None
    country: str | None
    field_of_study: str | None
    learning_outcomes: tuple[str, ...]
    skills: tuple[Skill, ...]
    workload: Workload | None
    level: Level | None
    assessment: Assessment | None
    mode: str | None
    language: str | None
    target_learners: str | None
    prerequisites: str | None
    price: Price | None
    stackability: Stackability | None
    delivery: Delivery | None
    quality_assurance: str | None
    quality_statement: str
    partners: tuple[str, ...]
    source_url: str | None
    framework: str
    approvals: tuple[Approval, ...]
    sign_offs: tuple[SignOff, ...]
    ledger_digest: str
    published_at: dt.datetime

    def pathway_address(self, pathway: Towards) -> str:
        return f"{self.base_url}/pathways/{pathway.id}"

    @property
    def replaces_address(self) -> str | None:
        return f"{self.base_url}/catalogue/{self.replaces.slug}" if self.replaces else None

    @property
    def replaced_by_address(self) -> str | None:
        return f"{self.base_url}/catalogue/{self.replaced_by.slug}" if self.replaced_by else None

    @property
    def address(self) -> str:
        """Of the page; it is the identifier of what is published as well."""
        return f"{self.base_url}/catalogue/{self.slug}"

    @property
    def quality_approvals(self) -> tuple[Approval, ...]:
        return tuple(approval for approval in self.approvals if not approval.of_industry)

    @property
    def proof(self) -> str:
        """Where the approvals are proven, for people who can ask the issuer to verify them."""
        return f"Case {self.case_id}, version {self.version}; ledger head before publication: {self.ledger_digest}."


def credential_record(
    proposal: Proposal,
    framework: Framework,
    page: CataloguePage,
    *,
    slug: str,
    base_url: str,
    standing: Standing | None = None,
) -> PublishedCredential:
    base_url = base_url.rstrip("/")
    stages = {stage.name: stage for stage in framework.stages}
    publication = framework.publication
    return PublishedCredential(
        base_url=base_url,
        slug=slug,
        case_id=page.case_id,
        version=page.version,
        title=proposal.display_title,
        summary=proposal.summary or proposal.display_title,
        issuer=Organisation(
            id=publication.issuer_url or f"{base_url}/catalogue",
            name=publication.issuer_name,
            url=publication.issuer_url,
        ),
        provider=page.provider,
        unit=proposal.unit,
        country=proposal.country,
        field_of_study=proposal.field_of_study,
        learning_outcomes=tuple(outcome for outcome in proposal.learning_outcomes if outcome),
        skills=proposal.skills,
        workload=proposal.workload,
        level=proposal.level,
        assessment=proposal.assessment,
        mode=proposal.mode,
        language=proposal.language,
        target_learners=proposal.target_learners,
        prerequisites=proposal.prerequisites,
        price=proposal.price,
        stackability=proposal.stackability,
        delivery=proposal.delivery,
        quality_assurance=proposal.quality_assurance,
        quality_statement=page.quality_statement,
        partners=tuple(dict.fromkeys(partner.organisation for partner in proposal.partners)),
        source_url=proposal.source_url,
        framework=page.framework,
        approvals=tuple(_approval(item, stages.get(item.stage)) for item in page.assurances),
        sign_offs=_sign_offs(page.endorsements),
        ledger_digest=page.ledger_digest,
        published_at=page.published_at,
        **dict(standing or Standing()),
    )


def towards(proposal: Proposal, titles: Mapping[str, str]) -> tuple[Towards, ...]:
    """What a proposal counts towards, of the pathways whose titles are known."""
    claims = proposal.stackability.claims if proposal.stackability is not None else ()
    own = proposal.workload.credits if proposal.workload is not None else None
    return tuple(
        Towards(id=claim.pathway, title=titles[claim.pathway], credits=claim.credits or own)
        for claim in claims
        if claim.pathway in titles
    )


def _approval(assurance: Assurance, stage: StageDef | None) -> Approval:
    partners = stage is not None and any(rule.partners is not None for rule in stage.reviewers)
    return Approval(
        stage=assurance.stage,
        of_industry=partners or (stage is not None and stage.kind is StageKind.ENDORSEMENT),
        by=tuple(assurance.by),
        approvals=assurance.approvals,
        closed_at=assurance.closed_at,
        valid_until=assurance.valid_until,
    )


def _sign_offs(endorsements: list[Endorsement]) -> tuple[SignOff, ...]:
    """One an organisation: of several signatories the first who said something speaks, and a logo is shown once."""
    found: dict[str, Endorsement] = {}
    for item in endorsements:
        before = found.setdefault(item.organisation, item)
        found[item.organisation] = before.model_copy(
            update={"statement": before.statement or item.statement, "logo": before.logo or item.logo}
        )
    return tuple(
        SignOff(number=number, organisation=name, statement=item.statement, logo=item.logo)
        for number, (name, item) in enumerate(found.items(), 1)
    )
