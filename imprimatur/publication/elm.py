"""The European Learning Model, version 3: a qualification and the opportunity to earn it, as JSON-LD.

Terms of closed lists are given where they are known to us by their address; what has none is told in a note.
"""

from typing import Any, Literal

from holidays.registry import COUNTRIES
from pydantic import ConfigDict, Field

from imprimatur.publication.aligning import ESCO_SCHEME, is_esco
from imprimatur.publication.checking import Address, NonEmpty, Record, checked
from imprimatur.publication.ctdl import duration
from imprimatur.publication.openbadges import eqf_level
from imprimatur.publication.record import PublishedCredential

CONTEXT = "http://data.europa.eu/snb/model/context/edc-ap"
AUTHORITY = "http://publications.europa.eu/resource/authority"
SNB = "http://data.europa.eu/snb"
SCHEME = "25831c2"
MODES = {"online": ("920fbb3cbe", "Online"), "blended": ("e92d221e4d", "Blended")}
# ISO 639: the codes of two letters that micro-credentials are taught in, with the three letters of the authority.
_CODES = """
bg:BUL cs:CES da:DAN de:DEU el:ELL en:ENG es:SPA et:EST fi:FIN fr:FRA ga:GLE hr:HRV hu:HUN it:ITA lt:LIT lv:LAV mt:MLT
nl:NLD pl:POL pt:POR ro:RON sk:SLK sl:SLV sv:SWE is:ISL no:NOR nb:NOB nn:NNO mi:MRI sm:SMO zh:ZHO ja:JPN ko:KOR ar:ARA
he:HEB hi:HIN ms:MSA id:IND th:THA tr:TUR uk:UKR ru:RUS sq:SQI mk:MKD sr:SRP bs:BOS ca:CAT cy:CYM
"""
LANGUAGES = {two: three for two, _, three in (pair.partition(":") for pair in _CODES.split())}
_COUNTRIES = {entry[1]: entry[2] for entry in COUNTRIES.values()}
Texts = dict[str, NonEmpty]


def _keyword(name: str) -> str:
    # The model's own context leaves these two as JSON-LD has them.
    return {"id": "@id", "type": "@type"}.get(name, name)


class _Node(Record):
    model_config = ConfigDict(alias_generator=_keyword)


class _Scheme(_Node):
    id: Address
    type: Literal["ConceptScheme"] = "ConceptScheme"


class _Concept(_Node):
    id: Address
    type: Literal["Concept"] = "Concept"
    inScheme: _Scheme
    prefLabel: Texts


class _Note(_Node):
    type: Literal["Note"] = "Note"
    noteLiteral: Texts


class _Address(_Node):
    type: Literal["Address"] = "Address"
    countryCode: _Concept


class _Location(_Node):
    type: Literal["Location"] = "Location"
    address: _Address


class _WebResource(_Node):
    type: Literal["WebResource"] = "WebResource"
    contentURL: Address


class _Organisation(_Node):
    id: Address | None = None
    type: Literal["Organisation"] = "Organisation"
    legalName: Texts
    homepage: _WebResource | None = None
    location: _Location | None = None


class _Identifier(_Node):
    type: Literal["Identifier"] = "Identifier"
    notation: NonEmpty
    schemeName: NonEmpty


class _Outcome(_Node):
    id: Address
    type: Literal["LearningOutcome"] = "LearningOutcome"
    title: Texts
    relatedESCOSkill: list[_Concept] | None = None


class _Credit(_Node):
    type: Literal["CreditPoint"] = "CreditPoint"
    framework: _Concept
    point: NonEmpty


class _Assessment(_Node):
    type: Literal["LearningAssessmentSpecification"] = "LearningAssessmentSpecification"
    title: Texts
    description: Texts | None = None
    additionalNote: list[_Note] | None = None


class _Activity(_Node):
    type: Literal["LearningActivitySpecification"] = "LearningActivitySpecification"
    title: Texts
    workload: str | None = None
    mode: _Concept | None = None


class _Awarding(_Node):
    type: Literal["AwardingOpportunity"] = "AwardingOpportunity"
    awardingBody: _Organisation


class _Qualification(_Node):
    id: Address
    type: Literal["Qualification"] = "Qualification"
    identifier: list[_Identifier]
    title: Texts
    description: Texts
    homepage: _WebResource
    awardingOpportunity: _Awarding
    learningOutcome: list[_Outcome] | None = None
    eqfLevel: _Concept | None = None
    creditPoint: _Credit | None = None
    volumeOfLearning: str | None = None
    mode: _Concept | None = None
    language: _Concept | None = None
    entryRequirement: _Note | None = None
    provenBy: _Assessment | None = None
    influencedBy: _Activity
    isPartialQualification: bool | None = None
    additionalNote: list[_Note]


class _Period(_Node):
    type: Literal["PeriodOfTime"] = "PeriodOfTime"
    startDate: str | None = None
    endDate: str | None = None


class _Amount(_Node):
    type: Literal["Amount"] = "Amount"
    value: float = Field(ge=0)
    unit: _Concept


class _Price(_Node):
    type: Literal["PriceDetail"] = "PriceDetail"
    amount: _Amount


class _Reference(_Node):
    id: Address


class _Opportunity(_Node):
    id: Address
    type: Literal["LearningOpportunity"] = "LearningOpportunity"
    title: Texts
    description: Texts
    homepage: _WebResource
    providedBy: _Organisation
    learningAchievementSpecification: _Reference
    temporal: _Period | None = None
    applicationDeadline: str | None = None
    priceDetail: _Price | None = None
    mode: _Concept | None = None


class Graph(Record):
    context: str = Field(CONTEXT, alias="@context")
    graph: tuple[_Qualification, _Opportunity] = Field(alias="@graph")


def build_elm(record: PublishedCredential) -> dict[str, Any]:
    """Raises ``record_invalid``, as :func:`imprimatur.publication.checking.checked` does."""
    return checked(Graph, {"@graph": (_qualification(record), _opportunity(record))})


def _texts(record: PublishedCredential, text: str) -> dict[str, str]:
    return {record.language or "en": text}


def _note(record: PublishedCredential, text: str) -> dict[str, Any]:
    return {"noteLiteral": _texts(record, text)}


def _concept(address: str, scheme: str, label: str) -> dict[str, Any]:
    return {"id": address, "inScheme": {"id": scheme}, "prefLabel": {"en": label}}


def _snb(list_: str, code: str, label: str) -> dict[str, Any]:
    return _concept(f"{SNB}/{list_}/{code}", f"{SNB}/{list_}/{SCHEME}", label)


def _authority(list_: str, code: str) -> dict[str, Any]:
    return _concept(f"{AUTHORITY}/{list_}/{code}", f"{AUTHORITY}/{list_}", code)


def _qualification(record: PublishedCredential) -> dict[str, Any]:
    workload, level, stackability = record.workload, record.level, record.stackability
    credits_ = workload.credits if workload and workload.credit_system == "ects" else None
    language = LANGUAGES.get((record.language or "").partition("-")[0])
    mode = MODES.get(record.mode or "")
    hours = workload.hours if workload else None
    return {
        "id": record.address,
        "identifier": [{"notation": record.case_id, "schemeName": "Imprimatur case"}],
        "title": _texts(record, record.title),
        "description": _texts(record, record.summary),
        "homepage": {"contentURL": record.address},
        "awardingOpportunity": {"awardingBody": _organisation(record)},
        "learningOutcome": _outcomes(record) or None,
        "eqfLevel": _snb("eqf", level.value, f"Level {level.value}") if level and eqf_level(level) else None,
        "creditPoint": {
            "framework": _snb("education-credit", "6fcec5c5af", "European Credit Transfer System"),
            "point": f"{credits_:g}",
        }
        if credits_
        else None,
        "volumeOfLearning": duration(hours) if hours else None,
        "mode": _snb("learning-assessment", *mode) if mode else None,
        "language": _authority("language", language) if language else None,
        "entryRequirement": _note(record, record.prerequisites) if record.prerequisites else None,
        "provenBy": _assessment(record),
        "influencedBy": {
            "title": _texts(record, record.title),
            "workload": duration(hours) if hours else None,
            "mode": _snb("learning-assessment", *mode) if mode else None,
        },
        "isPartialQualification": stackability.stackable if stackability else None,
        "additionalNote": [_note(record, text) for text in _notes(record)],
    }


def _notes(record: PublishedCredential) -> list[str]:
    """What the model has no term for: quality assurance by approval, and levels and modes without an address."""
    found = [record.quality_statement, *(approval.told for approval in record.approvals), record.proof]
    if record.level and not eqf_level(record.level):
        found.append(f"Level: {record.level.framework} {record.level.value}.")
    if record.mode and record.mode not in MODES:
        found.append(f"Form of participation: {record.mode}.")
    if record.stackability and record.stackability.towards:
        found.append(f"Counts towards: {'; '.join(record.stackability.towards)}.")
    return found


def _outcomes(record: PublishedCredential) -> list[dict[str, Any]]:
    """Those of the proposal, and one for each skill of ESCO, which belongs to the whole and not to one of them."""
    said: list[dict[str, Any]] = [
        {"id": f"{record.address}#outcome-{number}", "title": _texts(record, outcome)}
        for number, outcome in enumerate(record.learning_outcomes, 1)
    ]
    # The vocabulary names its concepts by addresses that begin with http.
    skills = {str(s.url).replace("https://", "http://", 1): s.title for s in record.skills if is_esco(s)}
    return said + [
        {
            "id": f"{record.address}#skill-{number}",
            "title": _texts(record, title),
            "relatedESCOSkill": [{"id": address, "inScheme": {"id": ESCO_SCHEME}, "prefLabel": _texts(record, title)}],
        }
        for number, (address, title) in enumerate(skills.items(), 1)
    ]


def _assessment(record: PublishedCredential) -> dict[str, Any] | None:
    assessment = record.assessment
    if assessment is None:
        return None
    notes = [assessment.supervision.replace("_", " ")] if assessment.supervision else []
    return {
        "title": _texts(record, ", ".join(filter(None, assessment.types)) or "Assessment"),
        "description": _texts(record, assessment.description) if assessment.description else None,
        "additionalNote": [_note(record, f"Supervision: {note}.") for note in notes] or None,
    }


def _organisation(record: PublishedCredential) -> dict[str, Any]:
    country = country_code(record.country)
    return {
        "id": record.issuer.id,
        "legalName": _texts(record, record.issuer.name),
        "homepage": {"contentURL": record.issuer.url} if record.issuer.url else None,
        "location": {"address": {"countryCode": _authority("country", country)}} if country else None,
    }


def country_code(two_letters: str | None) -> str | None:
    """ISO 3166 in three letters, as the authority names countries."""
    return _COUNTRIES.get(two_letters or "")


def _opportunity(record: PublishedCredential) -> dict[str, Any]:
    delivery, price = record.delivery, record.price
    by_issuer = record.provider == record.issuer.name
    mode = MODES.get(record.mode or "")
    starts, ends, deadline = (
        (delivery.starts_on, delivery.ends_on, delivery.registration_deadline_on) if delivery else (None, None, None)
    )
    return {
        "id": f"{record.address}#opportunity",
        "title": _texts(record, record.title),
        "description": _texts(record, record.summary),
        "homepage": {"contentURL": record.source_url or record.address},
        "providedBy": _organisation(record) if by_issuer else {"legalName": _texts(record, record.provider)},
        "learningAchievementSpecification": {"id": record.address},
        "temporal": {
            "startDate": f"{starts.isoformat()}T00:00:00Z" if starts else None,
            "endDate": f"{ends.isoformat()}T00:00:00Z" if ends else None,
        }
        if starts or ends
        else None,
        "applicationDeadline": f"{deadline.isoformat()}T00:00:00Z" if deadline else None,
        "priceDetail": {"amount": {"value": float(price.amount), "unit": _authority("currency", price.currency)}}
        if price
        else None,
        "mode": _snb("learning-assessment", *mode) if mode else None,
    }
