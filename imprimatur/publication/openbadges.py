"""The published record: an Open Badges 3.0 Achievement (1EdTech, schema ob_v3p0_achievementcredential)."""

import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.framework import Framework
from models.proposal import Proposal

# BCP 47 as the Open Badges schema narrows it; other tags stay in the proposal but out of the record.
LANGUAGE = re.compile(r"^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")
NonEmpty = Annotated[str, StringConstraints(min_length=1)]


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Criteria(Record):
    narrative: NonEmpty


class Profile(Record):
    id: NonEmpty
    type: list[Literal["Profile"]] = ["Profile"]
    name: NonEmpty
    url: str | None = None


class Achievement(Record):
    """What is written into the catalogue and into badges; every field is defined by Open Badges 3.0."""

    id: NonEmpty
    type: list[Literal["Achievement"]] = ["Achievement"]
    achievementType: Literal["MicroCredential"] = "MicroCredential"
    name: NonEmpty
    description: NonEmpty
    criteria: Criteria
    creator: Profile
    humanCode: NonEmpty
    version: NonEmpty
    inLanguage: Annotated[str, StringConstraints(pattern=LANGUAGE.pattern)] | None = None
    creditsAvailable: float | None = Field(default=None, gt=0)
    fieldOfStudy: str | None = None
    tag: list[NonEmpty] | None = None


def build_achievement(
    proposal: Proposal, framework: Framework, *, slug: str, base_url: str, case_id: str, version: int
) -> dict[str, Any]:
    """The Achievement as JSON; unstated fields are left out."""
    workload = proposal.workload
    record = Achievement(
        id=f"{base_url}/catalogue/{slug}",
        name=proposal.display_title,
        description=proposal.summary or proposal.display_title,
        criteria=Criteria(narrative=criteria_narrative(proposal)),
        creator=Profile(
            id=framework.publication.issuer_url or f"{base_url}/catalogue",
            name=proposal.provider or framework.publication.issuer_name,
            url=framework.publication.issuer_url,
        ),
        humanCode=case_id,
        version=str(version),
        inLanguage=proposal.language if proposal.language and LANGUAGE.match(proposal.language) else None,
        creditsAvailable=workload.credits if workload else None,
        fieldOfStudy=proposal.field_of_study,
        tag=[proposal.field_of_study] if proposal.field_of_study else None,
    )
    return record.model_dump(mode="json", exclude_none=True)


def criteria_narrative(proposal: Proposal) -> str:
    """What an earner has shown, in Markdown: the outcomes, and how they were assessed."""
    parts = []
    if proposal.learning_outcomes:
        outcomes = "\n".join(f"* {outcome}" for outcome in proposal.learning_outcomes)
        parts.append(f"The earner has shown these learning outcomes:\n\n{outcomes}")
    assessment = proposal.assessment
    if assessment is not None and assessment.description:
        parts.append(f"Assessment: {assessment.description}")
    if proposal.workload is not None and proposal.workload.hours:
        parts.append(f"Workload: {proposal.workload.hours:g} hours.")
    return "\n\n".join(parts) or proposal.summary or proposal.display_title


def slug(title: str, case_id: str) -> str:
    """A stable, readable part of an address: ASCII of the title and the end of the case id, which makes it unique."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_title)
    return "-".join([*words[:10], case_id.rsplit("-", 1)[-1][-6:]])
