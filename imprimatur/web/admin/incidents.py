"""Incidents: the list, each by itself, and what the office does about it."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from imprimatur.errors import ImprimaturError, InputError, NotFound
from imprimatur.incidents import Incidents
from imprimatur.office import Office
from imprimatur.store.engine import Database
from imprimatur.store.incident_reading import STATES, IncidentSheet, incident_lines, incident_sheet
from imprimatur.web.admin.forms import LOOKING, Forms, Sent, may, officer
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.rendering import page
from models.vocabulary import IncidentKind

SAID = {
    "resolved": "The incident is closed.",
    "resent": "The mail is on its way again.",
    "passed_on": "The task has another holder, who gets a mail of their own.",
    "retried": "The stage was opened anew, and its people are looked for again.",
}


def router(database: Database, forms: Forms, machinery: Machinery) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/incidents", methods=LOOKING)
    def incidents(request: Request, state: str = "open", kind: str = "") -> Response:
        viewer = forms.viewer(request)
        values = {
            "lines": incident_lines(database, viewer.scope, state, kind),
            "state": state,
            "kind": kind,
            "states": STATES,
            "kinds": list(IncidentKind),
        }
        return page(request, "admin/incidents.html", values)

    @routes.api_route("/incidents/{incident_id}", methods=LOOKING)
    def one(request: Request, incident_id: str, said: str = "") -> Response:
        return show(request, incident_id, said=SAID.get(said, ""))

    def show(request: Request, incident_id: str, status: int = 200, **more: Any) -> Response:
        viewer = forms.viewer(request)
        sheet = incident_sheet(database, viewer.scope, incident_id)
        mine = may(officer, viewer)
        values = {
            "sheet": sheet,
            "acts": mine and sheet.is_open,
            "once": forms.once(viewer, f"incident {incident_id}"),
            "said": "",
            "error": None,
            "fields": {},
        }
        return page(request, "admin/incident.html", values | more, status)

    @routes.post("/incidents/{incident_id}/{act}")
    async def perform(request: Request, incident_id: str, act: str) -> Response:
        if act not in ACTS:
            raise NotFound("page_unknown", "There is no such page.", "Use a form of the page.")
        acting = Acting(database, machinery)

        async def done(sent: Sent) -> object:
            sheet = await run_in_threadpool(incident_sheet, database, sent.viewer.scope, incident_id)
            return await ACTS[act](acting, sheet, sent)

        def again(sent: Sent, error: ImprimaturError) -> Response:
            return show(request, incident_id, error.http_status, error=error, fields=dict(sent.fields) | {"act": act})

        then = f"/incidents/{incident_id}?said={WORDS[act]}"
        return await forms.act(request, officer, f"incident {incident_id}", done, again, then)

    return routes


class Acting:
    """Each act has its one place elsewhere; here is only which words of the form go into it."""

    def __init__(self, database: Database, machinery: Machinery) -> None:
        self._database = database
        self._machinery = machinery

    async def resolve(self, sheet: IncidentSheet, sent: Sent) -> object:
        def act() -> object:
            incidents = Incidents(self._database)
            return incidents.resolve(sheet.incident.incident_id, actor=sent.viewer.person, reason=sent["reason"])

        return await run_in_threadpool(act)

    async def resend(self, sheet: IncidentSheet, sent: Sent) -> object:
        return await Incidents(self._database).resend(
            sheet.incident.incident_id, self._machinery.gateway, actor=sent.viewer.person
        )

    async def reassign(self, sheet: IncidentSheet, sent: Sent) -> object:
        if sent["task"] not in {task["task_id"] for task in sheet.tasks}:
            raise InputError("task_required", "No open task was chosen.", "Choose whose task is given away.")
        return await self._office().pass_on(sent["task"], sent["to"], actor=sent.viewer.person, reason=sent["reason"])

    async def retry(self, sheet: IncidentSheet, sent: Sent) -> object:
        return await self._office().send_back(
            sheet.incident.case_id, sheet.incident.stage or "", actor=sent.viewer.person, reason=sent["reason"]
        )

    def _office(self) -> Office:
        return Office(self._machinery.gateway, self._database)


ACTS = {"resolve": Acting.resolve, "resend": Acting.resend, "reassign": Acting.reassign, "retry": Acting.retry}
WORDS = {"resolve": "resolved", "resend": "resent", "reassign": "passed_on", "retry": "retried"}
