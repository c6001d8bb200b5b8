"""Published micro-credentials without a database: the record of a proposal as its approvals would leave it."""

from typing import Any

from imprimatur.frameworks.loader import shipped
from imprimatur.publication.openbadges import slug
from imprimatur.publication.page import Assurance, CataloguePage, Endorsement, catalogue_page
from imprimatur.publication.record import PublishedCredential, credential_record
from models.proposal import Proposal
from tests.facts import BASE_URL, START

CASE_ID = "mc-abcdefghijkl"
LOGO = "data:image/png;base64,iVBORw0KGgo="
SAID = [
    Endorsement(organisation="Harbour Software", statement="We hire for it.", logo=LOGO),
    Endorsement(organisation="Fieldnote Analytics", statement="", logo=LOGO),
]


def page_of(
    proposal: Proposal, framework: str = "industry-credit", endorsements: list[Endorsement] | None = None
) -> dict[str, Any]:
    assurances = [
        Assurance(stage="Quality review", by=["quality_reviewer"], approvals=2, closed_at=START),
        Assurance(stage="Industry sign-off", by=["industry_partner"], approvals=1, closed_at=START),
    ]
    return catalogue_page(
        proposal,
        shipped()[framework],
        assurances=assurances,
        endorsements=endorsements or [],
        case_id=CASE_ID,
        version=2,
        ledger_digest="f" * 64,
        published_at=START,
    )


def record_of(
    proposal: Proposal,
    framework: str = "industry-credit",
    base_url: str = BASE_URL,
    endorsements: list[Endorsement] | None = None,
) -> PublishedCredential:
    page = CataloguePage.model_validate(page_of(proposal, framework, endorsements))
    name = slug(proposal.display_title, CASE_ID)
    return credential_record(proposal, shipped()[framework], page, slug=name, base_url=base_url)
