"""The Credential Transparency Description Language: a ``ceterms:MicroCredential`` as JSON-LD."""

import uuid
from typing import Annotated, Any, Literal

from pydantic import Field

from imprimatur.publication.aligning import ctdl_alignments
from imprimatur.publication.checking import Address, NonEmpty, Record, checked
from imprimatur.publication.openbadges import criteria_narrative, eqf_level
from imprimatur.publication.record import Approval, PublishedCredential, Towards
from models.vocabulary import RecordStatus

CONTEXT = "http://credreg.net/ctdl/schema/context/json"
TERMS = "https://credreg.net/ctdl/terms/"
# Ours, made once: a case has the same identifier wherever its record is made.
CTID_NAMESPACE = uuid.UUID("0b3c2f7e-5d0f-4f63-9b59-0f3f4a1d8c52")

# Concepts of the registry's scheme of credential statuses.
STATUSES = {
    RecordStatus.PENDING: ("Active", "Active"),
    RecordStatus.SCHEDULED: ("Active", "Active"),
    RecordStatus.OFFERED: ("Active", "Active"),
    RecordStatus.PAUSED: ("Suspended", "Suspended"),
    RecordStatus.TEACHING_OUT: ("TeachOut", "Teach-Out"),
    RecordStatus.RETIRED: ("Ceased", "Ceased"),
    RecordStatus.RETRACTED: ("Ceased", "Ceased"),
    RecordStatus.REPLACED: ("Deprecated", "Deprecated"),
}

Ctid = Annotated[str, Field(pattern=r"^ce-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Alignment(Record):
    type: Literal["ceterms:CredentialAlignmentObject"] = Field(
        "ceterms:CredentialAlignmentObject", alias="@type", validate_default=True
    )
    framework: Address | None = Field(None, alias="ceterms:framework")
    frameworkName: NonEmpty | None = Field(None, alias="ceterms:frameworkName")
    codedNotation: NonEmpty | None = Field(None, alias="ceterms:codedNotation")
    targetNode: str | None = Field(None, alias="ceterms:targetNode", pattern=r"^\S+:\S+$")
    targetNodeName: NonEmpty = Field(alias="ceterms:targetNodeName")


class _Organisation(Record):
    type: Literal["ceterms:CredentialOrganization"] = Field("ceterms:CredentialOrganization", alias="@type")
    id: Address | None = Field(None, alias="@id")
    name: NonEmpty = Field(alias="ceterms:name")
    subjectWebpage: Address | None = Field(None, alias="ceterms:subjectWebpage")


class _Condition(Record):
    type: Literal["ceterms:ConditionProfile"] = Field("ceterms:ConditionProfile", alias="@type")
    name: NonEmpty = Field(alias="ceterms:name")
    description: NonEmpty = Field(alias="ceterms:description")
    condition: list[NonEmpty] | None = Field(None, alias="ceterms:condition")
    subjectWebpage: Address | None = Field(None, alias="ceterms:subjectWebpage")
    targetCompetency: list[_Alignment] | None = Field(None, alias="ceterms:targetCompetency")
    creditUnitValue: float | None = Field(None, alias="ceterms:creditUnitValue", gt=0)
    creditUnitTypeDescription: NonEmpty | None = Field(None, alias="ceterms:creditUnitTypeDescription")


class _Duration(Record):
    type: Literal["ceterms:DurationProfile"] = Field("ceterms:DurationProfile", alias="@type")
    exactDuration: str = Field(alias="ceterms:exactDuration", pattern=r"^PT\d+H(\d+M)?$")


class _Cost(Record):
    type: Literal["ceterms:CostProfile"] = Field("ceterms:CostProfile", alias="@type")
    description: NonEmpty = Field(alias="ceterms:description")
    costDetails: Address = Field(alias="ceterms:costDetails")
    price: float = Field(alias="ceterms:price", ge=0)
    currency: str = Field(alias="ceterms:currency", pattern="^[A-Z]{3}$")


class _Process(Record):
    type: Literal["ceterms:ProcessProfile"] = Field("ceterms:ProcessProfile", alias="@type")
    description: NonEmpty = Field(alias="ceterms:description")
    processingAgent: list[_Organisation] = Field(alias="ceterms:processingAgent")
    dateEffective: str = Field(alias="ceterms:dateEffective")
    processMethodDescription: NonEmpty = Field(alias="ceterms:processMethodDescription")
    verificationMethodDescription: NonEmpty = Field(alias="ceterms:verificationMethodDescription")


class _Version(Record):
    type: Literal["ceterms:IdentifierValue"] = Field("ceterms:IdentifierValue", alias="@type")
    identifierValueCode: NonEmpty = Field(alias="ceterms:identifierValueCode")


class MicroCredential(Record):
    context: str = Field(CONTEXT, alias="@context")
    id: Address = Field(alias="@id")
    type: Literal["ceterms:MicroCredential"] = Field("ceterms:MicroCredential", alias="@type")
    ctid: Ctid = Field(alias="ceterms:ctid")
    name: NonEmpty = Field(alias="ceterms:name")
    description: NonEmpty = Field(alias="ceterms:description")
    subjectWebpage: Address = Field(alias="ceterms:subjectWebpage")
    credentialStatusType: _Alignment = Field(alias="ceterms:credentialStatusType")
    previousVersion: Address | None = Field(None, alias="ceterms:previousVersion")
    latestVersion: Address | None = Field(None, alias="ceterms:latestVersion")
    credentialId: NonEmpty = Field(alias="ceterms:credentialId")
    versionIdentifier: list[_Version] = Field(alias="ceterms:versionIdentifier")
    dateEffective: str = Field(alias="ceterms:dateEffective")
    inLanguage: list[NonEmpty] | None = Field(None, alias="ceterms:inLanguage")
    keyword: list[NonEmpty] | None = Field(None, alias="ceterms:keyword")
    ownedBy: list[_Organisation] = Field(alias="ceterms:ownedBy")
    offeredBy: list[_Organisation] = Field(alias="ceterms:offeredBy")
    approvedBy: list[_Organisation] | None = Field(None, alias="ceterms:approvedBy")
    recognizedBy: list[_Organisation] | None = Field(None, alias="ceterms:recognizedBy")
    occupationType: list[_Alignment] | None = Field(None, alias="ceterms:occupationType")
    audienceLevelType: list[_Alignment] | None = Field(None, alias="ceterms:audienceLevelType")
    requires: list[_Condition] = Field(alias="ceterms:requires")
    isPreparationFor: list[_Condition] | None = Field(None, alias="ceterms:isPreparationFor")
    estimatedDuration: list[_Duration] | None = Field(None, alias="ceterms:estimatedDuration")
    estimatedCost: list[_Cost] | None = Field(None, alias="ceterms:estimatedCost")
    reviewProcess: list[_Process] | None = Field(None, alias="ceterms:reviewProcess")
    developmentProcess: list[_Process] | None = Field(None, alias="ceterms:developmentProcess")


def ctid(case_id: str) -> str:
    """Stable by case."""
    return f"ce-{uuid.uuid5(CTID_NAMESPACE, case_id)}"


def build_ctdl(record: PublishedCredential) -> dict[str, Any]:
    """Raises ``record_invalid``, as :func:`imprimatur.publication.checking.checked` does."""
    issuer = _issuer(record)
    content = {
        "@id": f"{record.address}/ctdl.json",
        "ceterms:ctid": ctid(record.case_id),
        "ceterms:name": record.title,
        "ceterms:description": record.summary,
        "ceterms:subjectWebpage": record.address,
        "ceterms:credentialStatusType": _status(record.status),
        "ceterms:previousVersion": _at(record.replaces_address),
        "ceterms:latestVersion": _at(record.replaced_by_address),
        "ceterms:credentialId": record.case_id,
        "ceterms:versionIdentifier": [{"ceterms:identifierValueCode": str(record.version)}],
        "ceterms:dateEffective": record.published_at.date().isoformat(),
        "ceterms:inLanguage": [record.language] if record.language else None,
        "ceterms:keyword": [record.field_of_study] if record.field_of_study else None,
        "ceterms:ownedBy": [issuer],
        "ceterms:offeredBy": [issuer if record.provider == record.issuer.name else {"ceterms:name": record.provider}],
        "ceterms:approvedBy": [issuer] if record.quality_approvals else None,
        "ceterms:recognizedBy": [{"ceterms:name": item.organisation} for item in record.sign_offs] or None,
        "ceterms:occupationType": ctdl_alignments(record, occupations=True),
        "ceterms:audienceLevelType": _level(record),
        "ceterms:requires": list(_conditions(record)),
        "ceterms:isPreparationFor": _pathways(record),
        "ceterms:estimatedDuration": _duration(record),
        "ceterms:estimatedCost": _cost(record),
        "ceterms:reviewProcess": [_process(record, item, [issuer]) for item in record.quality_approvals] or None,
        "ceterms:developmentProcess": _industry(record),
    }
    return checked(MicroCredential, content)


def _status(status: RecordStatus) -> dict[str, Any]:
    code, name = STATUSES[status]
    return {
        "ceterms:framework": f"{TERMS}CredentialStatus",
        "ceterms:targetNode": f"credentialStat:{code}",
        "ceterms:targetNodeName": name,
    }


def _at(address: str | None) -> str | None:
    """The record of another version, in these words."""
    return f"{address}/ctdl.json" if address else None


def _issuer(record: PublishedCredential) -> dict[str, Any]:
    found: dict[str, Any] = {"@id": record.issuer.id, "ceterms:name": record.issuer.name}
    return found | ({"ceterms:subjectWebpage": record.issuer.url} if record.issuer.url else {})


def _level(record: PublishedCredential) -> list[dict[str, Any]] | None:
    level = record.level
    if level is None:
        return None
    found = {"ceterms:frameworkName": level.framework, "ceterms:targetNodeName": f"{level.framework} {level.value}"}
    return [found | ({"ceterms:targetNode": address} if (address := eqf_level(level)) else {})]


def _conditions(record: PublishedCredential) -> list[dict[str, Any]]:
    workload = record.workload
    earned: dict[str, Any] = {
        "ceterms:name": "What an earner has shown",
        "ceterms:description": criteria_narrative(record),
        "ceterms:condition": list(record.learning_outcomes) or None,
        "ceterms:targetCompetency": ctdl_alignments(record, occupations=False),
    }
    if workload is not None and workload.credits:
        earned["ceterms:creditUnitValue"] = workload.credits
        earned["ceterms:creditUnitTypeDescription"] = (workload.credit_system or "credits").upper()
    before = {"ceterms:name": "Prerequisites", "ceterms:description": record.prerequisites}
    return [earned, *([before] if record.prerequisites else [])]


def _pathways(record: PublishedCredential) -> list[dict[str, Any]] | None:
    towards = record.stackability.towards if record.stackability else ()
    found: list[dict[str, Any]] = [
        {"ceterms:name": name, "ceterms:description": f"It counts towards {name}."} for name in towards if name
    ]
    found += [_claimed(record, pathway) for pathway in record.pathways]
    return found or None


def _claimed(record: PublishedCredential, pathway: Towards) -> dict[str, Any]:
    named = {
        "ceterms:name": pathway.title,
        "ceterms:description": f"It counts towards {pathway.title}.",
        "ceterms:subjectWebpage": record.pathway_address(pathway),
    }
    if pathway.credits is None:
        return named
    system = record.workload.credit_system if record.workload else None
    unit = (system or "credits").upper()
    return named | {"ceterms:creditUnitValue": pathway.credits, "ceterms:creditUnitTypeDescription": unit}


def duration(hours: float) -> str:
    """ISO 8601, to the minute."""
    whole, minutes = divmod(max(1, round(hours * 60)), 60)
    return f"PT{whole}H" + (f"{minutes}M" if minutes else "")


def _duration(record: PublishedCredential) -> list[dict[str, Any]] | None:
    hours = record.workload.hours if record.workload else None
    return [{"ceterms:exactDuration": duration(hours)}] if hours else None


def _cost(record: PublishedCredential) -> list[dict[str, Any]] | None:
    price = record.price
    if price is None:
        return None
    return [
        {
            "ceterms:description": f"Price: {price.amount} {price.currency}.",
            "ceterms:costDetails": record.address,
            "ceterms:price": float(price.amount),
            "ceterms:currency": price.currency,
        }
    ]


def _industry(record: PublishedCredential) -> list[dict[str, Any]] | None:
    agents = [{"ceterms:name": name} for name in record.partners] or [_issuer(record)]
    return [_process(record, item, agents) for item in record.approvals if item.of_industry] or None


def _process(record: PublishedCredential, approval: Approval, agents: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ceterms:description": approval.told,
        "ceterms:processingAgent": agents,
        "ceterms:dateEffective": approval.closed_at.date().isoformat(),
        "ceterms:processMethodDescription": record.quality_statement,
        "ceterms:verificationMethodDescription": record.proof,
    }
