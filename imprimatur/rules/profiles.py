"""What national and European frameworks demand to be said of a micro-credential, as rules on proposal fields. Pure.

Elements that only come with the award (the learner, the date of issuing, the grade) are no field of a proposal.
"""

from models.framework import FieldRule
from models.vocabulary import InformationProfile

EU = "Council Recommendation of 16 June 2022 on micro-credentials (2022/C 243/02), Annex I"
AU = "National Microcredentials Framework (Australia, November 2021)"
NZ = "Qualification and Micro-credential Listing and Operational Rules 2022 (New Zealand), rule 6"

# Field, name of the element in the source, and what is asked of it besides.
_Elements = tuple[tuple[str, str, dict[str, object]], ...]
_SHOULD: dict[str, object] = {"presence": "recommended"}

_EU: _Elements = (
    ("title", "title of the micro-credential", {}),
    ("country", "country or region of the issuer", {}),
    ("provider", "awarding body", {}),
    ("learning_outcomes", "learning outcomes", {}),
    ("workload", "notional workload needed to achieve the learning outcomes", {}),
    ("workload.credits", "notional workload in ECTS credits, wherever possible", _SHOULD),
    ("level", "level of the learning experience, if applicable", _SHOULD),
    ("assessment.types", "type of assessment", {}),
    ("mode", "form of participation in the learning activity", {}),
    ("quality_assurance", "type of quality assurance", {}),
    ("prerequisites", "prerequisites needed to enrol", _SHOULD),
    ("assessment.supervision", "supervision and identity verification during assessment", _SHOULD),
    ("stackability", "integration and stackability options", _SHOULD),
)
_AU: _Elements = (
    ("title", "title", {}),
    ("provider", "provider", {}),
    ("learning_outcomes", "clearly stated learning outcomes (minimum standard)", {}),
    ("assessment.description", "assessment that evidences the outcomes (minimum standard)", {}),
    ("workload.hours", "volume of learning of at least one hour (minimum standard)", {"minimum": 1}),
    ("quality_assurance", "quality assurance statement (minimum standard)", {}),
    ("summary", "description of the content", _SHOULD),
    ("language", "language", _SHOULD),
    ("mode", "delivery mode", _SHOULD),
    ("delivery.location", "location", _SHOULD),
    ("delivery.starts_on", "date", _SHOULD),
    ("price", "price", _SHOULD),
    ("prerequisites", "prerequisites", _SHOULD),
    ("partners", "industry recognition, where applicable", _SHOULD),
    ("stackability", "credit recognition", _SHOULD),
    ("level", "level", _SHOULD),
)
_NZ_WORDS = (
    "New Zealand", "national", "diploma", "degree", "bachelor", "master", "doctor", "under-graduate", "post-graduate"
)  # fmt: skip
_NZ: _Elements = (
    ("title", "title, without the words that the rules reserve", {"forbidden_words": _NZ_WORDS}),
    ("workload.credits", "credit value of 1 to 40", {"minimum": 1, "maximum": 40}),
    ("level", "level", {}),
    ("field_of_study", "subject classification", {}),
    ("summary", "purpose statement", {}),
    ("demand_evidence", "relevance to learners, industry, employers and communities", {}),
    ("learning_outcomes", "knowledge, skills and attributes of an earner", {}),
    ("stackability", "education pathways", {}),
    ("provider", "appointed developer", {}),
    ("quality_assurance", "review period", _SHOULD),
)


def _rules(elements: _Elements, source: str) -> tuple[FieldRule, ...]:
    return tuple(
        FieldRule.model_validate({"field": field, "why": f"{name[:1].upper()}{name[1:]}: {source}."} | asked)
        for field, name, asked in elements
    )


PROFILES: dict[InformationProfile, tuple[FieldRule, ...]] = {
    InformationProfile.EU: _rules(_EU, EU),
    InformationProfile.AU: _rules(_AU, AU),
    InformationProfile.NZ: _rules(_NZ, NZ),
}
