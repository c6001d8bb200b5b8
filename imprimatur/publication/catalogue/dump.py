"""The whole catalogue as data: one JSON object a credential, with the addresses of its records."""

import json
from collections.abc import Iterator
from typing import Any

from imprimatur.publication.ctdl import ctid
from imprimatur.publication.records import FORMATS
from imprimatur.store.catalogue import Listed, every_listed
from imprimatur.store.engine import Database

# Of the page what needs no other name.
SAME = (
    "title", "summary", "provider", "unit", "field_of_study", "learning_outcomes", "level", "credits", "credit_system",
    "assessment", "mode", "language", "target_learners", "prerequisites", "partners", "starts_on",
)  # fmt: skip


def dumped(row: Listed, base_url: str) -> dict[str, Any]:
    """Nothing of the proposal but what is public; what is not stated is left out."""
    page, address = row.page, f"{base_url}/catalogue/{row.slug}"
    amount, _, currency = (page["price"] or "").partition(" ")
    stacking = row.proposal.get("stackability")
    found: dict[str, Any] = {
        "slug": row.slug,
        "address": address,
        "ctid": ctid(row.case_id),
        "version": row.version,
        "published_at": page["published_at"],
        "status": row.status,
        **{name: page[name] for name in SAME},
        "workload_hours": page["hours"],
        "price": {"amount": amount, "currency": currency} if amount else None,
        "skills": [dict(skill) for skill in row.proposal.get("skills", ())],
        "stackable": bool(stacking.get("stackable")) if stacking else None,
        "pathways": [claim["pathway"] for claim in (stacking or {}).get("claims", ())],
        "quality": {
            "statement": page["quality_statement"],
            "framework": page["framework"],
            "assurances": page["assurances"],
            "case_id": row.case_id,
            "ledger_digest": page["ledger_digest"],
        },
        "endorsements": [
            {"organisation": item["organisation"], "statement": item["statement"]}
            for item in page.get("endorsements", ())
        ],
        "achievement_digest": row.digest,
        "records": {name: f"{address}/{name}.json" for name in FORMATS},
        "picture": f"{address}/badge.png",
    }
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def json_lines(database: Database, base_url: str) -> Iterator[str]:
    """By slug."""
    for row in every_listed(database):
        yield json.dumps(dumped(row, base_url), ensure_ascii=False) + "\n"


def json_document(database: Database, base_url: str) -> Iterator[str]:
    """The same objects as one document, piece by piece."""
    head = json.dumps({"catalogue": f"{base_url}/catalogue"}, ensure_ascii=False).removesuffix("}")
    yield f'{head}, "credentials": ['
    for number, line in enumerate(json_lines(database, base_url)):
        yield (",\n" if number else "\n") + line.removesuffix("\n")
    yield "\n]}\n"


def dcat(base_url: str, number: int) -> dict[str, Any]:
    """The catalogue for registers of data (DCAT 3), as JSON-LD."""
    catalogue = f"{base_url}/catalogue"
    forms = {"catalogue.json": "json", "catalogue.jsonl": "jsonl", "feed.atom": "atom+xml"}
    return {
        "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dcterms": "http://purl.org/dc/terms/"},
        "@id": catalogue,
        "@type": "dcat:Catalog",
        "dcterms:title": {"@language": "en", "@value": "Micro-credentials"},
        "dcat:dataset": {
            "@id": f"{catalogue}#all",
            "@type": "dcat:Dataset",
            "dcterms:title": {"@language": "en", "@value": "Published micro-credentials"},
            "dcterms:description": {"@language": "en", "@value": f"{number} published micro-credentials."},
            "dcat:landingPage": {"@id": catalogue},
            "dcat:distribution": [
                {
                    "@id": f"{catalogue}/{name}",
                    "@type": "dcat:Distribution",
                    "dcat:downloadURL": {"@id": f"{catalogue}/{name}"},
                    "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/application/{kind}"},
                }
                for name, kind in forms.items()
            ],
        },
    }
