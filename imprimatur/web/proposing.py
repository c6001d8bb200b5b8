"""Beginning a proposal, or the next version of one: empty, from a file, or from what there is."""

import datetime as dt
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur import drafting
from imprimatur.access.viewer import Viewer
from imprimatur.drafting import proposer
from imprimatur.errors import ImprimaturError, InputError
from imprimatur.store.case_listing import Filters, case_page
from imprimatur.store.case_reading import case_sheet
from imprimatur.store.drafts import draft_for, drafts_of
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, list_frameworks
from imprimatur.web.gate import Gate
from imprimatur.web.rendering import page
from imprimatur.web.uploads import Sent, read_sent
from models.framework import Framework

LOOKING = ["GET", "HEAD"]
FILE_BYTES = 1024 * 1024
TO_COPY = 8


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def newest(database: Database) -> list[Framework]:
    """The newest version of each framework that something can be proposed under, by name."""
    known = dict.fromkeys(entry.id for entry in list_frameworks(database))
    found = (framework(database, name) for name in known)
    return sorted((policy for policy in found if policy.publishes), key=lambda policy: policy.name)


def router(database: Database, gate: Gate) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/proposals/new", methods=LOOKING)
    def new(request: Request, q: str = "", framework: str = "", copy: str = "") -> Response:
        viewer = proposer(gate.viewer(request))
        return _new(request, viewer, {"q": q.strip()[:200], "framework": framework, "copy": copy})

    @routes.post("/proposals/new")
    async def begin(request: Request) -> Response:
        sent = await read_sent(request, FILE_BYTES)
        return await run_in_threadpool(_begin, request, sent)

    def _new(request: Request, viewer: Viewer, said: dict[str, str], error: ImprimaturError | None = None) -> Response:
        found = case_page(database, viewer.scope, Filters(said["q"]), None, _now(), TO_COPY)
        values: dict[str, Any] = {
            "frameworks": newest(database),
            "cases": found.cases,
            "chosen": said["framework"],
            "copied": said["copy"],
            "q": said["q"],
            "drafts": len(drafts_of(database, viewer.person)),
            "error": error,
        }
        return page(request, "propose.html", values, error.http_status if error else 200)

    def _begin(request: Request, sent: Sent) -> Response:
        viewer, form = proposer(gate.viewer(request)), sent.form
        gate.check_form(request, form)
        chosen, copied, now = form.get("framework", ""), form.get("copy", ""), _now()
        try:
            match form.get("from", "empty"):
                case "file":
                    file = sent.files.get("file")
                    if file is None:
                        raise _no_file()
                    found = drafting.begin_from_file(database, viewer, chosen, file.name, file.content, now)
                case "copy":
                    found = drafting.begin_copy(database, viewer, chosen, copied, now)
                case _:
                    found = drafting.begin(database, viewer, chosen, now)
        except ImprimaturError as error:
            if error.http_status >= 500:
                raise
            said = {"q": form.get("q", ""), "framework": chosen, "copy": copied}
            return _new(request, viewer, said, error)
        return RedirectResponse(f"/drafts/{found}", 303)

    _add_revising(routes, database, gate)
    return routes


def _no_file() -> InputError:
    return InputError("attachment_unchosen", "No file was chosen.", "Choose a file, then send it.")


def _add_revising(routes: APIRouter, database: Database, gate: Gate) -> None:
    @routes.api_route("/cases/{case_id}/revise", methods=LOOKING)
    def ask(request: Request, case_id: str) -> Response:
        viewer = gate.viewer(request)
        drafting.may_revise(database, viewer, case_id)
        if (begun := draft_for(database, viewer.person, case_id)) is not None:
            return RedirectResponse(f"/drafts/{begun}", 303)
        return _ask(request, viewer, case_id)

    @routes.post("/cases/{case_id}/revise")
    async def begin(request: Request, case_id: str) -> Response:
        sent = await read_sent(request, FILE_BYTES)
        return await run_in_threadpool(_begin, request, case_id, sent)

    def _ask(request: Request, viewer: Viewer, case_id: str, error: ImprimaturError | None = None) -> Response:
        values = {"sheet": case_sheet(database, viewer, case_id), "error": error}
        return page(request, "revise.html", values, error.http_status if error else 200)

    def _begin(request: Request, case_id: str, sent: Sent) -> Response:
        viewer, file = gate.viewer(request), sent.files.get("file")
        gate.check_form(request, sent.form)
        try:
            if sent.form.get("from") == "file" and file is None:
                raise _no_file()
            uploaded = (file.name, file.content) if file is not None else None
            found = drafting.begin_revision(database, viewer, case_id, _now(), uploaded)
        except InputError as error:
            return _ask(request, viewer, case_id, error)
        return RedirectResponse(f"/drafts/{found}", 303)
