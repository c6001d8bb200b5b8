"""Skills and pathways in the words of the standards: which of them have an address, and which are occupations."""

import re
from typing import Any

from imprimatur.publication.record import PublishedCredential
from models.proposal import Skill

# A code of the Standard Occupational Classification, as O*NET extends it: an occupation, no skill.
_OCCUPATION = re.compile(r"\d{2}-\d{4}(\.\d{2})?")
ESCO_SKILL = "http://data.europa.eu/esco/skill/"
ESCO_SCHEME = "http://data.europa.eu/esco/concept-scheme/skills"


def is_occupation(skill: Skill) -> bool:
    return bool(_OCCUPATION.fullmatch(skill.code or ""))


def is_esco(skill: Skill) -> bool:
    """By its address: the name under which a framework was imported is the institution's own."""
    return (skill.url or "").replace("https://", "http://", 1).startswith(ESCO_SKILL)


def badge_alignments(record: PublishedCredential) -> list[dict[str, Any]]:
    """Of Open Badges: what has an address. One without means nothing to a machine."""
    skills = [
        {
            "targetName": skill.title,
            "targetUrl": skill.url,
            "targetFramework": skill.framework,
            "targetCode": skill.code,
        }
        for skill in record.skills
        if skill.url
    ]
    pathways = [
        {
            "targetName": pathway.title,
            "targetUrl": record.pathway_address(pathway),
            "targetFramework": f"Pathways of {record.issuer.name}",
            "targetCode": pathway.id,
        }
        for pathway in record.pathways
    ]
    return [*skills, *pathways]


def ctdl_alignments(record: PublishedCredential, *, occupations: bool) -> list[dict[str, Any]] | None:
    found = [
        {
            "ceterms:frameworkName": skill.framework,
            "ceterms:targetNode": skill.url,
            "ceterms:targetNodeName": skill.title,
            "ceterms:codedNotation": skill.code,
        }
        for skill in record.skills
        if is_occupation(skill) is occupations
    ]
    return found or None
