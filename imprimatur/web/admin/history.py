"""The history of a case: its timeline, one event by itself, and the ledger to take away."""

import datetime as dt
import json
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from imprimatur.access.acts import CaseAct
from imprimatur.errors import NotAllowed
from imprimatur.history.export import as_csv, as_json_document, history
from imprimatur.history.timeline import Chosen, link_at, timeline
from imprimatur.history.verify import verify_case
from imprimatur.store.case_reading import acts_of
from imprimatur.store.engine import Database
from imprimatur.web.admin.forms import LOOKING
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.charts import time_told
from imprimatur.web.gate import Gate
from imprimatur.web.rendering import page
from models.vocabulary import Party

HOLDERS = {
    Party.AUTHOR: "the author",
    Party.REVIEWER: "reviewers",
    Party.PARTNER: "partners",
    Party.OFFICE: "the office",
    Party.SYSTEM: "nobody",
}


def held_by(parties: tuple[Party, ...]) -> str:
    """Such as `reviewers and partners`."""
    *most, last = [HOLDERS[party] for party in parties] or ["nobody"]
    return f"{', '.join(most)} and {last}" if most else last


def router(database: Database, gate: Gate, machinery: Machinery) -> APIRouter:
    routes = APIRouter()

    def check(request: Request, case_id: str) -> None:
        denied = acts_of(database, gate.viewer(request), case_id)[CaseAct.READ_NAMES]
        if denied is not None:
            raise NotAllowed("names_hidden", denied.sentence, "The page of the case says what has been decided.")

    # Before the page of one event, whose position these are not.
    @routes.api_route("/cases/{case_id}/history.json", methods=LOOKING)
    def as_json(request: Request, case_id: str) -> Response:
        check(request, case_id)
        text = json.dumps(as_json_document(database, case_id), ensure_ascii=False, indent=2, default=str)
        return Response(text, media_type="application/json", headers=_attached(case_id, "json"))

    @routes.api_route("/cases/{case_id}/history.csv", methods=LOOKING)
    def csv(request: Request, case_id: str) -> Response:
        check(request, case_id)
        return PlainTextResponse(
            as_csv(history(database, case_id)), media_type="text/csv", headers=_attached(case_id, "csv")
        )

    @routes.api_route("/cases/{case_id}/history", methods=LOOKING)
    def story(request: Request, case_id: str, kind: str = "", actor: str = "", stage: str = "") -> Response:
        check(request, case_id)
        chosen = Chosen(kind.strip(), actor.strip().lower(), stage.strip())
        values = {
            "case_id": case_id,
            "line": timeline(database, case_id, chosen, dt.datetime.now(dt.UTC)),
            "chosen": chosen,
            "filtered": any((chosen.kind, chosen.actor, chosen.stage)),
            "proof": verify_case(database, case_id),
            "workflow_page": machinery.workflow_page(case_id),
            "time_told": time_told,
            "held_by": held_by,
            "kept": urlencode({name: value for name, value in vars(chosen).items() if value}),
        }
        return page(request, "admin/history.html", values)

    @routes.api_route("/cases/{case_id}/history/{position:int}", methods=LOOKING)
    def one(request: Request, case_id: str, position: int) -> Response:
        check(request, case_id)
        found = link_at(database, case_id, position)
        values = {
            "case_id": case_id,
            "link": found,
            "data": json.dumps(found.event.data, ensure_ascii=False, indent=2, sort_keys=True),
        }
        return page(request, "admin/event.html", values)

    return routes


def _attached(case_id: str, kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{case_id}.{kind}"'}
