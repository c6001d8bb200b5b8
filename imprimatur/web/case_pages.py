"""Cases: the list with its filters in the address, one case, and its history."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from imprimatur.history.export import event_by, sentence
from imprimatur.store.case_listing import Filters, Need, case_page, choices
from imprimatur.store.case_reading import CaseSheet, case_sheet
from imprimatur.store.deliveries import list_mails
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import handovers_of_case
from imprimatur.store.publication_sheet import publication_sheet
from imprimatur.store.reviews_reading import reviews_of_case
from imprimatur.store.saved_views import views_of
from imprimatur.web.acts.forms import has_form
from imprimatur.web.bulks.forms import acts as bulk_acts
from imprimatur.web.files import file_links
from imprimatur.web.gate import Gate
from imprimatur.web.rendering import page
from imprimatur.web.stage_graph import drawing
from models.vocabulary import CaseStatus

LOOKING = ["GET", "HEAD"]
MAILS_SHOWN = 30
NEEDS = {
    Need.OVERDUE: "overdue",
    Need.AT_RISK: "due within two days",
    Need.INCIDENT: "with an incident",
    Need.INCOMPLETE: "incomplete",
    Need.NOBODY: "waiting for nobody",
}


def router(database: Database, gate: Gate) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/cases", methods=LOOKING)
    def cases(
        request: Request,
        q: str = "",
        status: str = "",
        framework: str = "",
        unit: str = "",
        need: str = "",
        cursor: str = "",
    ) -> Response:
        viewer = gate.viewer(request)
        filters = Filters(q.strip()[:200], status, framework, unit, need)
        found = case_page(database, viewer.scope, filters, cursor or None, dt.datetime.now(dt.UTC))
        found_among = choices(database, viewer.scope)
        given = {"q": filters.words, "status": status, "need": need, "framework": framework, "unit": unit}
        kept = urlencode({name: value for name, value in given.items() if value})
        values = {
            "found": found,
            "filters": filters,
            "frameworks": found_among.frameworks,
            "units": [(name, name) for name in found_among.units],
            "statuses": [(status, status.replace("_", " ").capitalize()) for status in CaseStatus],
            "needs": NEEDS,
            "kept": kept,
            "given": given,
            "views": views_of(database, viewer),
            "bulk_acts": bulk_acts() if viewer.is_office else [],
            "cursor": cursor,
        }
        return page(request, "cases.html", values)

    @routes.api_route("/cases/{case_id}", methods=LOOKING)
    def case(request: Request, case_id: str, done: int | None = None) -> Response:
        viewer = gate.viewer(request)
        sheet = case_sheet(database, viewer, case_id)
        mails = list_mails(database, case_id=case_id, limit=MAILS_SHOWN) if sheet.names_are_seen else []
        event = event_by(database, case_id, done, viewer.person) if done else None
        happened = {"done": done, "happened": sentence(event) if event else ""}
        shown = {"mails": mails, "mails_shown": MAILS_SHOWN, "files": _files(database, sheet)}
        shown["reviews"] = reviews_of_case(database, case_id)
        shown["publication"] = publication_sheet(database, case_id)
        shown["handovers"] = handovers_of_case(database, case_id)
        return page(request, "case.html", _values(sheet) | shown | happened)

    return routes


def _files(database: Database, sheet: CaseSheet) -> Mapping[str, str]:
    person = sheet.versions[0]["submitted_by"]
    return file_links(database, sheet.proposal, person, f"/cases/{sheet.view.case_id}")


def _values(sheet: CaseSheet) -> dict[str, Any]:
    drawn = drawing(sheet.framework, sheet.view, dt.datetime.now(dt.UTC))
    # Answering and revising have pages of their own; everything else that changes a case is a form.
    forms = {act for act in sheet.acts if has_form(act)}
    return {"sheet": sheet, "case": sheet.view, "zone": sheet.time_zone, "drawing": drawn, "forms": forms}
