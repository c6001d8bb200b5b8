"""Pathways for machines (CTDL) and for the eye (SVG)."""

from collections.abc import Mapping, Sequence
from typing import Any

from imprimatur.publication.ctdl import CONTEXT
from models.stacking import Pathway

CREDIT_UNITS = {"ects": "creditUnit:EctsCredit", "us": "creditUnit:SemesterHour"}


def pathway_record(
    pathway: Pathway, members: Sequence[tuple[str, str, float | None]], *, base_url: str, language: str = "en"
) -> dict[str, Any]:
    """A ``ceterms:Pathway`` as JSON-LD; ``members`` are slug, title and credits of published credentials.

    Source: Credential Transparency Description Language, classes Pathway, CredentialComponent and
    ComponentCondition. A pathway is complete with what its destination asks for; how many of the credentials that is
    follows from the credits, so the condition names all of them and asks for one at least.
    """
    address = f"{base_url.rstrip('/')}/pathways/{pathway.id}"
    parts = [_component(address, slug, title, worth, base_url, pathway, language) for slug, title, worth in members]
    destination: dict[str, Any] = {
        "@type": "ceterms:CredentialComponent",
        "@id": f"{address}#destination",
        "ceterms:name": {language: pathway.title},
        "ceterms:isPartOf": [address],
        "ceterms:creditValue": [_credits(pathway.credits, pathway)],
    }
    if parts:
        destination["ceterms:hasCondition"] = [
            {
                "@type": "ceterms:ComponentCondition",
                "ceterms:requiredNumber": 1,
                "ceterms:targetComponent": [part["@id"] for part in parts],
                "ceterms:description": {language: f"At most {pathway.limit:g} credits come from these credentials."},
            }
        ]
    record: dict[str, Any] = {
        "@type": "ceterms:Pathway",
        "@id": address,
        "ceterms:name": {language: pathway.title},
        "ceterms:description": {language: pathway.description or pathway.title},
        "ceterms:hasDestinationComponent": [destination["@id"]],
        "ceterms:hasPart": [destination["@id"], *(part["@id"] for part in parts)],
    }
    if pathway.url:
        record["ceterms:subjectWebpage"] = pathway.url
    return {"@context": CONTEXT, "@graph": [record, destination, *parts]}


def _component(
    address: str, slug: str, title: str, worth: float | None, base_url: str, pathway: Pathway, language: str
) -> dict[str, Any]:
    part: dict[str, Any] = {
        "@type": "ceterms:CredentialComponent",
        "@id": f"{address}#{slug}",
        "ceterms:name": {language: title},
        "ceterms:isPartOf": [address],
        "ceterms:proxyFor": f"{base_url.rstrip('/')}/catalogue/{slug}",
    }
    return part | ({"ceterms:creditValue": [_credits(worth, pathway)]} if worth else {})


def _credits(amount: float, pathway: Pathway) -> dict[str, Any]:
    value: dict[str, Any] = {"@type": "ceterms:ValueProfile", "schema:value": amount}
    unit = CREDIT_UNITS.get(pathway.credit_system)
    return value | ({"ceterms:creditUnitType": [unit]} if unit else {})


def chain(pathway: Pathway, known: Mapping[str, Pathway]) -> list[Pathway]:
    """The pathway and everything that it counts towards, nearest first; circles do not come to be kept."""
    found, waiting = [pathway], list(pathway.counts_towards)
    while waiting:
        target = known.get(waiting.pop(0).pathway)
        if target is not None and target not in found:
            found.append(target)
            waiting += target.counts_towards
    return found
