"""schema.org: the credential, the course that leads to it, its next run and its price, for search engines."""

from typing import Any, Literal

from pydantic import Field

from imprimatur.publication.checking import Address, NonEmpty, Record, checked
from imprimatur.publication.ctdl import duration
from imprimatur.publication.record import PublishedCredential

CONTEXT = "https://schema.org"
MODES = {"online": "online", "onsite": "onsite", "blended": "blended", "workplace": "onsite"}


class _Reference(Record):
    id: Address = Field(alias="@id")


class _Organization(Record):
    type: Literal["Organization"] = Field("Organization", alias="@type")
    id: Address | None = Field(None, alias="@id")
    name: NonEmpty
    url: Address | None = None


class _Term(Record):
    type: Literal["DefinedTerm"] = Field("DefinedTerm", alias="@type")
    name: NonEmpty
    inDefinedTermSet: NonEmpty


class _Credits(Record):
    type: Literal["StructuredValue"] = Field("StructuredValue", alias="@type")
    value: float = Field(gt=0)
    unitText: NonEmpty


class _Audience(Record):
    type: Literal["EducationalAudience"] = Field("EducationalAudience", alias="@type")
    audienceType: NonEmpty


class _Offer(Record):
    type: Literal["Offer"] = Field("Offer", alias="@type")
    category: Literal["Free", "Paid"]
    price: str = Field(pattern=r"^\d+\.\d{2}$")
    priceCurrency: str = Field(pattern="^[A-Z]{3}$")
    url: Address
    validThrough: str | None = None


class _Instance(Record):
    type: Literal["CourseInstance"] = Field("CourseInstance", alias="@type")
    courseMode: NonEmpty | None = None
    courseWorkload: str | None = None
    startDate: str | None = None
    endDate: str | None = None
    location: NonEmpty | None = None


class _Credential(Record):
    type: Literal["EducationalOccupationalCredential"] = Field("EducationalOccupationalCredential", alias="@type")
    id: Address = Field(alias="@id")
    url: Address
    name: NonEmpty
    description: NonEmpty
    credentialCategory: Literal["Micro-credential"] = "Micro-credential"
    identifier: NonEmpty
    version: NonEmpty
    datePublished: str
    inLanguage: NonEmpty | None = None
    educationalLevel: _Term | None = None
    competencyRequired: list[NonEmpty] | None = None
    about: NonEmpty | None = None
    publisher: _Organization
    recognizedBy: list[_Organization] | None = None


class _Course(Record):
    type: Literal["Course"] = Field("Course", alias="@type")
    id: Address = Field(alias="@id")
    url: Address
    name: NonEmpty
    description: NonEmpty
    provider: _Organization
    educationalCredentialAwarded: _Reference
    inLanguage: NonEmpty | None = None
    teaches: list[NonEmpty] | None = None
    coursePrerequisites: NonEmpty | None = None
    timeRequired: str | None = None
    numberOfCredits: _Credits | None = None
    audience: _Audience | None = None
    hasCourseInstance: list[_Instance] | None = None
    offers: list[_Offer] | None = None


class Graph(Record):
    context: str = Field(CONTEXT, alias="@context")
    graph: tuple[_Credential, _Course] = Field(alias="@graph")


def build_schema_org(record: PublishedCredential) -> dict[str, Any]:
    """Raises ``record_invalid``, as :func:`imprimatur.publication.checking.checked` does."""
    return checked(Graph, {"@graph": (_credential(record), _course(record))})


def _credential(record: PublishedCredential) -> dict[str, Any]:
    level = record.level
    return {
        "@id": record.address,
        "url": record.address,
        "name": record.title,
        "description": record.summary,
        "identifier": record.case_id,
        "version": str(record.version),
        "datePublished": record.published_at.date().isoformat(),
        "inLanguage": record.language,
        "educationalLevel": {"name": f"{level.framework} {level.value}", "inDefinedTermSet": level.framework}
        if level
        else None,
        "competencyRequired": list(record.learning_outcomes) or None,
        "about": record.field_of_study or None,
        "publisher": _organization(record.issuer.name, record.issuer.id, record.issuer.url),
        "recognizedBy": [_organization(item.organisation) for item in record.sign_offs] or None,
    }


def _course(record: PublishedCredential) -> dict[str, Any]:
    workload = record.workload
    hours, credits_ = (workload.hours, workload.credits) if workload else (None, None)
    unit = ((workload.credit_system if workload else None) or "credits").upper()
    by_issuer = record.provider == record.issuer.name
    return {
        "@id": f"{record.address}#course",
        "url": record.source_url or record.address,
        "name": record.title,
        "description": record.summary,
        "provider": _organization(record.provider, *((record.issuer.id, record.issuer.url) if by_issuer else ())),
        "educationalCredentialAwarded": {"@id": record.address},
        "inLanguage": record.language,
        "teaches": list(record.learning_outcomes) or None,
        "coursePrerequisites": record.prerequisites or None,
        "timeRequired": duration(hours) if hours else None,
        "numberOfCredits": {"value": credits_, "unitText": unit} if credits_ else None,
        "audience": {"audienceType": record.target_learners} if record.target_learners else None,
        "hasCourseInstance": _instances(record),
        "offers": _offers(record),
    }


def _instances(record: PublishedCredential) -> list[dict[str, Any]] | None:
    delivery, hours = record.delivery, record.workload.hours if record.workload else None
    found = {
        "courseMode": MODES[record.mode] if record.mode else None,
        "courseWorkload": duration(hours) if hours else None,
        "startDate": delivery.starts_on.isoformat() if delivery and delivery.starts_on else None,
        "endDate": delivery.ends_on.isoformat() if delivery and delivery.ends_on else None,
        "location": delivery.location or None if delivery else None,
    }
    return [found] if any(found.values()) else None


def _offers(record: PublishedCredential) -> list[dict[str, Any]] | None:
    price, delivery = record.price, record.delivery
    if price is None:
        return None
    deadline = delivery.registration_deadline_on if delivery else None
    return [
        {
            "category": "Paid" if price.amount else "Free",
            "price": str(price.amount),
            "priceCurrency": price.currency,
            "url": record.source_url or record.address,
            "validThrough": deadline.isoformat() if deadline else None,
        }
    ]


def _organization(name: str, id_: str | None = None, url: str | None = None) -> dict[str, Any]:
    return {"@id": id_, "name": name, "url": url}
