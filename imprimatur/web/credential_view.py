"""A published micro-credential as its page shows it, in the app and in the exported site."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from imprimatur.publication.catalogue.entry import MODES, credits_words, language_name, price_words, shortened
from imprimatur.publication.reading import record_of
from imprimatur.publication.record import Approval
from imprimatur.publication.records import FORMATS
from imprimatur.publication.schema_org import build_schema_org
from imprimatur.store.endorsements import KeptEndorsement
from imprimatur.store.published import Neighbours, Sources
from models.framework import StageDef
from models.proposal import Assessment

# Nothing that could end the element it stands in, or begin another.
_ESCAPED = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})
SUPERVISION = {
    "unsupervised_no_id_check": "Unsupervised, without an identity check",
    "supervised_no_id_check": "Supervised, without an identity check",
    "supervised_with_id_check": "Supervised, with an identity check",
}


@dataclass(frozen=True)
class Assured:
    """A stage that approved: by which roles, and what they were asked to judge."""

    approval: Approval
    asks: str
    criteria: tuple[str, ...]


def credential_values(
    found: Sources, signed: list[KeptEndorsement], neighbours: Neighbours, base_url: str
) -> dict[str, Any]:
    """What the template ``credential.html`` takes."""
    record, proposal = record_of(found), found.proposal
    stacking = proposal.stackability
    return {
        "slug": found.slug,
        "record": record,
        "canonical": f"{base_url}/catalogue/{found.slug}",
        "description": shortened(proposal.summary or proposal.display_title),
        "facts": list(_facts(found)),
        "dates": proposal.delivery,
        "assessment": _assessment(proposal.assessment),
        "skills": proposal.skills,
        "stacking": stacking,
        "worth": {claim.pathway: claim.credits for claim in stacking.claims} if stacking else {},
        "neighbours": neighbours,
        "endorsements": found.page.get("endorsements", []),
        "signed": {item.organisation: item.number for item in signed},
        "framework": found.framework,
        "assured": [_assured(approval, found.framework.stages) for approval in record.approvals],
        "formats": FORMAT_NAMES,
        "json_ld": _embedded(build_schema_org(record)),
    }


FORMAT_NAMES = dict(
    zip(
        FORMATS,
        ("Open Badges 3.0", "CTDL", "European Learning Model", "schema.org", "Issuer’s profile"),
        strict=True,
    )
)


def _facts(found: Sources) -> Iterator[tuple[str, str]]:
    proposal = found.proposal
    workload, level, price = proposal.workload, proposal.level, proposal.price
    if workload and workload.hours:
        yield "Workload", f"{workload.hours:g} hours"
    if workload and workload.credits:
        yield "Credits", credits_words(workload.credits, workload.credit_system)
    if level:
        yield "Level", f"{level.framework} {level.value}"
    if proposal.mode:
        yield "Mode", MODES[proposal.mode]
    if proposal.language:
        yield "Language", language_name(proposal.language)
    if price:
        yield "Price", price_words(f"{price.amount} {price.currency}")
    if proposal.field_of_study:
        yield "Field", proposal.field_of_study
    if proposal.delivery and proposal.delivery.location:
        yield "Place", proposal.delivery.location


def _assessment(assessment: Assessment | None) -> dict[str, Any] | None:
    if assessment is None or assessment == Assessment():
        return None
    supervision = SUPERVISION[assessment.supervision] if assessment.supervision else ""
    return {"description": assessment.description, "types": assessment.types, "supervision": supervision}


def _assured(approval: Approval, stages: tuple[StageDef, ...]) -> Assured:
    stage = next((stage for stage in stages if stage.name == approval.stage), None)
    return Assured(
        approval,
        stage.asks if stage else "",
        tuple(criterion.question for criterion in stage.criteria) if stage else (),
    )


def _embedded(content: dict[str, Any]) -> Markup:
    return Markup(json.dumps(content, ensure_ascii=False).translate(_ESCAPED))  # noqa: S704  (escaped right here)
