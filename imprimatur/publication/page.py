"""What the public catalogue shows of a micro-credential; no contact data of anyone."""

import datetime as dt
from typing import Any

from pydantic import BaseModel

from models.framework import Framework
from models.proposal import Proposal


class Assurance(BaseModel):
    """One passed stage: who assured quality, by role; never by name."""

    stage: str
    by: list[str]
    approvals: int
    closed_at: dt.datetime
    valid_until: dt.datetime | None = None


class Endorsement(BaseModel):
    """What an organisation says of it in public; its logo (a data URI) where it allowed that."""

    organisation: str
    statement: str
    logo: str | None = None


class CataloguePage(BaseModel):
    title: str
    summary: str
    provider: str
    unit: str | None
    learning_outcomes: list[str]
    hours: float | None
    credits: float | None
    credit_system: str | None
    level: str | None
    assessment: str | None
    mode: str | None
    language: str | None
    field_of_study: str | None
    target_learners: str | None
    prerequisites: str | None
    price: str | None
    partners: list[str]
    starts_on: dt.date | None
    quality_statement: str
    framework: str
    assurances: list[Assurance]
    endorsements: list[Endorsement] = []
    case_id: str
    version: int
    ledger_digest: str
    published_at: dt.datetime


def catalogue_page(
    proposal: Proposal,
    framework: Framework,
    *,
    assurances: list[Assurance],
    endorsements: list[Endorsement],
    case_id: str,
    version: int,
    ledger_digest: str,
    published_at: dt.datetime,
) -> dict[str, Any]:
    """``ledger_digest`` is the ledger's head before publication: it binds the page to all that led there."""
    workload, level, price = proposal.workload, proposal.level, proposal.price
    page = CataloguePage(
        title=proposal.display_title,
        summary=proposal.summary or "",
        provider=proposal.provider or framework.publication.issuer_name,
        unit=proposal.unit,
        learning_outcomes=list(proposal.learning_outcomes),
        hours=workload.hours if workload else None,
        credits=workload.credits if workload else None,
        credit_system=workload.credit_system if workload else None,
        level=f"{level.framework} {level.value}" if level else None,
        assessment=proposal.assessment.description if proposal.assessment else None,
        mode=proposal.mode,
        language=proposal.language,
        field_of_study=proposal.field_of_study,
        target_learners=proposal.target_learners,
        prerequisites=proposal.prerequisites,
        price=f"{price.amount} {price.currency}" if price else None,
        partners=[partner.organisation for partner in proposal.partners],
        starts_on=proposal.delivery.starts_on if proposal.delivery else None,
        quality_statement=framework.publication.quality_statement,
        framework=f"{framework.name}, version {framework.version}",
        assurances=assurances,
        endorsements=endorsements,
        case_id=case_id,
        version=version,
        ledger_digest=ledger_digest,
        published_at=published_at,
    )
    # Nothing is said of what there is none of, so that what was published before keeps its digest.
    return page.model_dump(mode="json", exclude={name for name in ("endorsements",) if not endorsements}) | {
        "assurances": [item.model_dump(mode="json", exclude_none=True) for item in assurances]
    }
