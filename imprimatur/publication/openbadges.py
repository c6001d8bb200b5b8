"""The published record: an Open Badges 3.0 Achievement (1EdTech, schema ob_v3p0_achievementcredential)."""

import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.framework import Framework
from models.proposal import Level, Proposal

# BCP 47 as the Open Badges schema narrows it; other tags stay in the proposal but out of the record.
LANGUAGE = re.compile(r"^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
SLUG_WORDS, SLUG_LENGTH = 10, 80
# Letters that Unicode does not take apart into a plain letter and a mark.
TRANSCRIPTIONS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
)


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Criteria(Record):
    narrative: NonEmpty


class Profile(Record):
    id: NonEmpty
    type: list[Literal["Profile"]] = ["Profile"]
    name: NonEmpty
    url: str | None = None


class Alignment(Record):
    type: list[Literal["Alignment"]] = ["Alignment"]
    targetName: NonEmpty
    targetUrl: NonEmpty
    targetFramework: NonEmpty
    targetCode: NonEmpty


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
    alignment: list[Alignment] | None = None


def build_achievement(
    proposal: Proposal, framework: Framework, *, slug: str, base_url: str, case_id: str, version: int
) -> dict[str, Any]:
    """The Achievement as JSON; unstated fields are left out."""
    workload, base_url = proposal.workload, base_url.rstrip("/")
    record = Achievement(
        id=f"{base_url}/catalogue/{slug}",
        name=proposal.display_title,
        description=proposal.summary or proposal.display_title,
        criteria=Criteria(narrative=criteria_narrative(proposal)),
        creator=Profile(
            id=framework.publication.issuer_url or f"{base_url}/catalogue",
            name=framework.publication.issuer_name,
            url=framework.publication.issuer_url,
        ),
        humanCode=case_id,
        version=str(version),
        inLanguage=proposal.language if proposal.language and LANGUAGE.match(proposal.language) else None,
        creditsAvailable=workload.credits if workload else None,
        fieldOfStudy=proposal.field_of_study,
        tag=[proposal.field_of_study] if proposal.field_of_study else None,
        alignment=_alignment(proposal.level),
    )
    return record.model_dump(mode="json", exclude_none=True)


def _alignment(level: Level | None) -> list[Alignment] | None:
    """A level of the European Qualifications Framework, by its address in the European Learning Model's vocabulary.

    Other frameworks of levels have no such address, and an alignment without one means nothing to a machine.
    """
    if level is None or level.framework.upper() != "EQF" or not re.fullmatch("[1-8]", level.value):
        return None
    return [
        Alignment(
            targetName=f"EQF level {level.value}",
            targetUrl=f"http://data.europa.eu/snb/eqf/{level.value}",
            targetFramework="European Qualifications Framework",
            targetCode=level.value,
        )
    ]


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
    """A stable, readable part of an address: ASCII of the title, and the case id, which makes it unique."""
    plain = unicodedata.normalize("NFKD", title.lower().translate(TRANSCRIPTIONS)).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain)[:SLUG_WORDS])[:SLUG_LENGTH].strip("-")
    key = case_id.removeprefix("mc-")
    return f"{words}-{key}" if words else key
