"""The package that whoever delivers a micro-credential needs, from what is published and what is still open."""

import datetime as dt
from typing import Any

from sqlalchemy import select

from imprimatur.publication.reading import record_of
from imprimatur.publication.records import FORMATS
from imprimatur.rules.ledger import instant_text
from imprimatur.store.conditions import ConditionView, conditions_of
from imprimatur.store.endorsements import endorsements_of
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import HandoverView, handovers_of_case
from imprimatur.store.published import sources
from models.proposal import Proposal
from models.tables import CaseRow

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
FORMAT = 1
# What of the proposal is needed to teach and to assess; every key is there, be it empty.
TAUGHT = (
    "summary",
    "provider",
    "unit",
    "field_of_study",
    "learning_outcomes",
    "skills",
    "workload",
    "level",
    "assessment",
    "mode",
    "language",
    "target_learners",
    "prerequisites",
    "price",
    "stackability",
    "delivery",
    "quality_assurance",
)


def handover_package(database: Database, called: HandoverView) -> dict[str, Any]:
    """As things are now. ``ledger`` is the head of the published case's ledger that it was made from."""
    found = sources(database, called.of)
    record = record_of(found)
    with database.read() as connection:
        conditions = conditions_of(connection, [called.of]).get(called.of, [])
        ledger = connection.execute(select(_CASE.c.events, _CASE.c.head).where(_CASE.c.case_id == called.of)).one()
    documents = {name: f"{record.address}/{name}.json" for name in FORMATS}
    endorsed = [f"{record.address}/endorsement/{item.number}.jwt" for item in endorsements_of(database, found.slug)]
    return {
        "format": FORMAT,
        "handover": {"case_id": called.handover_case, "number": called.number, "reason": called.reason},
        "case_id": called.of,
        "version": called.version,
        "title": record.title,
        "record": {
            "address": record.address,
            "status": str(record.status),
            "published_at": instant_text(record.published_at),
            "documents": documents,
            "endorsements": endorsed,
            "replaces": record.replaces_address,
        },
        "ledger": {"events": ledger.events, "head": ledger.head},
        "taught": _taught(found.proposal),
        "partners": _partners(found.proposal),
        "conditions": [_condition(item) for item in conditions if not item.status.is_settled],
        "files": [item.model_dump(mode="json") for item in found.proposal.attachments],
        "sent_back": _sent_back(handovers_of_case(database, called.of)),
    }


def _taught(proposal: Proposal) -> dict[str, Any]:
    stated = proposal.model_dump(mode="json")
    return {name: stated[name] for name in TAUGHT}


def _partners(proposal: Proposal) -> list[dict[str, Any]]:
    """Everybody who signs for a partner can be asked; the contact first."""
    return [
        {
            "organisation": partner.organisation,
            "lead": partner.lead,
            "contacts": [{"name": name, "email": email} for email, name in partner.signers()],
        }
        for partner in proposal.partners
    ]


def _condition(item: ConditionView) -> dict[str, Any]:
    return {
        "condition_id": item.condition_id,
        "text": item.text,
        "owner": item.owner,
        "due_at": instant_text(item.due_at) if item.due_at else None,
        "status": str(item.status),
    }


def _sent_back(before: list[HandoverView]) -> list[dict[str, Any]]:
    """Why earlier hand-overs of it were sent back, the latest last."""
    return [
        {"handover": view.handover_case, "comment": view.comment, "at": _at(view.concluded_at)}
        for view in before
        if view.outcome == "sent_back"
    ]


def _at(instant: dt.datetime | None) -> str | None:
    return instant_text(instant) if instant else None
