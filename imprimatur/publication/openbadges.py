"""The published record: an Open Badges 3.0 Achievement (1EdTech, schema ob_v3p0_achievementcredential)."""

import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import Field

from imprimatur.publication.aligning import badge_alignments
from imprimatur.publication.checking import NonEmpty, Record, checked
from imprimatur.publication.record import PublishedCredential
from models.proposal import Level

# BCP 47 as the Open Badges schema narrows it; other tags stay in the proposal but out of the record.
LANGUAGE = re.compile(r"^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")
SLUG_WORDS, SLUG_LENGTH = 10, 80
# Letters that Unicode does not take apart into a plain letter and a mark.
TRANSCRIPTIONS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
)


class Criteria(Record):
    narrative: NonEmpty


class Profile(Record):
    id: NonEmpty
    type: list[Literal["Profile"]] = ["Profile"]
    name: NonEmpty
    url: str | None = None


class Image(Record):
    id: NonEmpty
    type: Literal["Image"] = "Image"


class Alignment(Record):
    type: list[Literal["Alignment"]] = ["Alignment"]
    targetName: NonEmpty
    targetUrl: NonEmpty
    targetFramework: NonEmpty
    targetCode: NonEmpty | None = None


class Related(Record):
    id: NonEmpty
    type: list[Literal["Related"]] = ["Related"]
    version: NonEmpty | None = None


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
    inLanguage: Annotated[str, Field(pattern=LANGUAGE.pattern)] | None = None
    creditsAvailable: float | None = Field(default=None, gt=0)
    fieldOfStudy: str | None = None
    image: Image | None = None
    tag: list[NonEmpty] | None = None
    alignment: list[Alignment] | None = None
    related: list[Related] | None = None


def build_achievement(record: PublishedCredential) -> dict[str, Any]:
    """The Achievement as JSON; unstated fields are left out. Raises ``record_invalid`` as :func:`checked` does."""
    workload = record.workload
    return checked(
        Achievement,
        {
            "id": record.address,
            "name": record.title,
            "description": record.summary,
            "criteria": {"narrative": criteria_narrative(record)},
            "creator": profile(record),
            "humanCode": record.case_id,
            "version": str(record.version),
            "inLanguage": record.language if record.language and LANGUAGE.match(record.language) else None,
            "creditsAvailable": workload.credits if workload else None,
            "fieldOfStudy": record.field_of_study or None,
            "image": {"id": f"{record.address}/badge.png"},
            "tag": [record.field_of_study] if record.field_of_study else None,
            "alignment": [*_level(record.level), *badge_alignments(record)] or None,
            "related": _related(record),
        },
    )


def _related(record: PublishedCredential) -> list[dict[str, Any]] | None:
    """The version that this one replaces. What replaces it in its turn is not known when it is published."""
    before = record.replaces
    return [{"id": record.replaces_address, "version": str(before.version)}] if before is not None else None


def profile(record: PublishedCredential) -> dict[str, Any]:
    """The issuer as a Profile."""
    issuer = record.issuer
    return {"id": issuer.id, "type": ["Profile"], "name": issuer.name} | ({"url": issuer.url} if issuer.url else {})


def eqf_level(level: Level) -> str | None:
    """The address of a level of the European Qualifications Framework."""
    known = level.framework.upper() == "EQF" and re.fullmatch("[1-8]", level.value)
    return f"http://data.europa.eu/snb/eqf/{level.value}" if known else None


def _level(level: Level | None) -> list[dict[str, Any]]:
    """A level of the European Qualifications Framework, by its address in the European Learning Model's vocabulary.

    Other frameworks of levels have no such address, and an alignment without one means nothing to a machine.
    """
    if level is None or (address := eqf_level(level)) is None:
        return []
    return [
        {
            "targetName": f"EQF level {level.value}",
            "targetUrl": address,
            "targetFramework": "European Qualifications Framework",
            "targetCode": level.value,
        }
    ]


def criteria_narrative(record: PublishedCredential) -> str:
    """What an earner has shown, in Markdown: the outcomes, and how they were assessed."""
    parts = []
    if record.learning_outcomes:
        outcomes = "\n".join(f"* {outcome}" for outcome in record.learning_outcomes)
        parts.append(f"The earner has shown these learning outcomes:\n\n{outcomes}")
    assessment = record.assessment
    if assessment is not None and assessment.description:
        parts.append(f"Assessment: {assessment.description}")
    if record.workload is not None and record.workload.hours:
        parts.append(f"Workload: {record.workload.hours:g} hours.")
    return "\n\n".join(parts) or record.summary


def slug(title: str, case_id: str) -> str:
    """A stable, readable part of an address: ASCII of the title, and the case id, which makes it unique."""
    plain = unicodedata.normalize("NFKD", title.lower().translate(TRANSCRIPTIONS)).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain)[:SLUG_WORDS])[:SLUG_LENGTH].strip("-")
    key = case_id.removeprefix("mc-")
    return f"{words}-{key}" if words else key
