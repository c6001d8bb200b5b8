"""The receipt of a decision: shown when it is recorded, found again by the same link, to print or to keep as text."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from imprimatur.errors import NotFound
from imprimatur.mail.links import Links
from imprimatur.store.decisions import receipt as kept_receipt
from imprimatur.store.engine import Database
from imprimatur.store.task_page import TaskPage, task_page
from imprimatur.web.rendering import page, when
from models.messages import DecisionReceipt

LOOKING = ["GET", "HEAD"]


def router(database: Database, links: Links) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/t/{token}/receipt", methods=LOOKING)
    def one(request: Request, token: str) -> Response:
        claim = links.read(token)
        return shown(request, database, receipt_of(database, claim.task_id, claim.person)[0], claim.person)

    @routes.api_route("/t/{token}/receipt.txt", methods=LOOKING)
    def text(token: str) -> Response:
        claim = links.read(token)
        receipt, found = receipt_of(database, claim.task_id, claim.person)
        headers = {"Content-Disposition": f'attachment; filename="receipt-{receipt.decision_id}.txt"'}
        return PlainTextResponse(_as_text(receipt, found, claim.person), headers=headers)

    return routes


def shown(request: Request, database: Database, receipt: DecisionReceipt, person: str) -> Response:
    found = task_page(database, receipt.task_id, person)
    values = {
        "receipt": receipt,
        "address": "/".join(request.url.path.split("/")[:3]),
        "proposal": found.proposal,
        "stage": found.stage,
        "own": found.own,
        "conditions": [item for item in found.conditions if item.decision_id == receipt.decision_id],
        "person": person,
        "zone": found.time_zone,
    }
    return page(request, "receipt.html", values)


def receipt_of(database: Database, task_id: str, person: str) -> tuple[DecisionReceipt, TaskPage]:
    """Raises NotFound ``receipt_unknown`` before the task is answered, and ``task_unknown`` for anybody else."""
    found = task_page(database, task_id, person)
    receipt = kept_receipt(database, found.own["decision_id"]) if found.own else None
    if receipt is None:
        raise NotFound("receipt_unknown", "Nothing has been answered here yet.", "Answer on the page of the task.")
    return receipt, found


def _as_text(receipt: DecisionReceipt, found: TaskPage, person: str) -> str:
    assert found.own is not None
    facts = {
        "Proposal": found.proposal.display_title,
        "Case": found.case["case_id"],
        "Stage": f"{found.stage.name}, round {found.task['round']}",
        "Decision": receipt.verdict.replace("_", " "),
        "By": person,
        "At": when(found.own["decided_at"], found.time_zone),
        "Decision number": receipt.decision_id,
        "Ledger event": str(receipt.position),
        "Digest": receipt.digest,
        "Of the proposal": found.own["digest"],
    }
    facts |= {"Annulled at": when(found.own["annulled_at"], found.time_zone)} if found.own["annulled_at"] else {}
    lines = [f"{name + ':':<18}{value}" for name, value in facts.items()]
    comment = ["", found.own["comment"]] if found.own["comment"] else []
    return "\n".join(["Receipt of a decision", "", *lines, *comment]) + "\n"
