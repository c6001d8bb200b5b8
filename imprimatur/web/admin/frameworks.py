"""Frameworks: two versions compared, a dry run, a new version checked and stored, and running cases moved to it."""

import datetime as dt
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.bulk import Bulk
from imprimatur.errors import DocumentInvalid, ImprimaturError, InputError
from imprimatur.frameworks.checker import check_framework, check_text
from imprimatur.frameworks.comparing import compare
from imprimatur.migrating import Move, migration
from imprimatur.office import Office
from imprimatur.store.access import facts_of
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import FrameworkEntry, add_framework, framework, list_frameworks
from imprimatur.store.people import role_counts
from imprimatur.store.reading import show_case
from imprimatur.trial import try_out
from imprimatur.web.admin.forms import LOOKING, Forms, administrator, may, whole_office
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.rendering import page
from models.framework import Framework
from models.vocabulary import Boundary

ADD = "framework add"
MOVE = "framework move"


def router(database: Database, forms: Forms, machinery: Machinery) -> APIRouter:
    routes = APIRouter()
    _add_list(routes, database, forms)
    _add_upload(routes, database, forms)
    _add_move(routes, database, forms, machinery)
    return routes


def _versions(database: Database) -> dict[str, list[FrameworkEntry]]:
    found: dict[str, list[FrameworkEntry]] = {}
    for entry in list_frameworks(database):
        found.setdefault(entry.id, []).append(entry)
    return found


def _add_list(routes: APIRouter, database: Database, forms: Forms) -> None:
    @routes.api_route("/admin/frameworks", methods=LOOKING)
    def frameworks(request: Request) -> Response:
        viewer = forms.viewer(request)
        values = {
            "versions": _versions(database),
            "adds": may(administrator, viewer),
            "moves": may(whole_office, viewer),
        }
        return page(request, "admin/frameworks.html", values)

    @routes.api_route("/admin/frameworks/compare", methods=LOOKING)
    def compared(request: Request, framework_id: str = "", before: str = "", after: str = "") -> Response:
        forms.viewer(request)
        versions = _versions(database)
        found = None
        if framework_id and before and after:
            found = compare(framework(database, framework_id, before), framework(database, framework_id, after))
        values = {
            "versions": versions,
            "framework_id": framework_id,
            "before": before,
            "after": after,
            "found": found,
        }
        return page(request, "admin/compare.html", values)

    @routes.api_route("/admin/frameworks/try", methods=LOOKING)
    def trial(request: Request, version: str = "", case: str = "") -> Response:
        viewer = forms.viewer(request)
        found, error = None, None
        try:
            if version and case.strip():
                found = _tried(database, viewer, version, case.strip())
        except ImprimaturError as refused:
            error = refused
        values = {
            "entries": list_frameworks(database),
            "version": version,
            "case": case.strip(),
            "trial": found,
            "error": error,
        }
        return page(request, "admin/try.html", values, error.http_status if error else 200)


def _tried(database: Database, viewer: Viewer, version: str, case_id: str) -> Any:
    """Raises NotFound ``case_unseen`` and ``framework_unknown``."""
    with database.read() as connection:
        facts_of(connection, viewer, case_id)
        proposal = proposal_by_digest(connection, show_case(database, case_id).digest)
    name, _, number = version.partition("@")
    return try_out(database, framework(database, name, number or None), proposal)


def _add_upload(routes: APIRouter, database: Database, forms: Forms) -> None:
    def show(request: Request, viewer: Viewer, status: int = 200, **more: Any) -> Response:
        values: dict[str, Any] = {
            "once": forms.once(viewer, ADD),
            "text": "",
            "name": "framework.yaml",
            "policy": None,
            "problems": [],
            "warnings": [],
            "stored": False,
            "error": None,
        }
        return page(request, "admin/framework_add.html", values | more, status)

    @routes.api_route("/admin/frameworks/add", methods=LOOKING)
    def ask(request: Request) -> Response:
        return show(request, forms.viewer(request, administrator))

    @routes.post("/admin/frameworks/add")
    async def take(request: Request) -> Response:
        sent = await forms.sent(request, administrator)
        text = sent.file or sent.fields.get("text", "")
        name = Path(sent.file_name or sent["name"] or "framework.yaml").name[:100]
        found: dict[str, Any] = {"text": text, "name": name}
        try:
            if not text.strip():
                raise InputError("form_without_file", "No file was chosen.", "Choose a document, or paste its text.")
            policy, problems = await run_in_threadpool(check_text, text, Path(name))
            found |= {"policy": policy, "problems": problems}
            if policy is not None and not problems:
                found["warnings"] = await run_in_threadpool(_warnings, database, policy)
                if sent["act"] == "add":
                    await forms.first(sent, ADD, lambda: run_in_threadpool(_store, database, policy))
                    found["stored"] = True
            status = 422 if problems else 200
        except DocumentInvalid as error:
            status, found["problems"] = error.http_status, error.problems
        except ImprimaturError as error:
            status, found["error"] = error.http_status, error
        return await run_in_threadpool(lambda: show(request, sent.viewer, status, **found))


def _warnings(database: Database, policy: Framework) -> object:
    """What it would lack with the people of today."""
    with database.read() as connection:
        return check_framework(policy, role_counts(connection))


def _store(database: Database, policy: Framework) -> object:
    return add_framework(database, policy, dt.datetime.now(dt.UTC))


def _add_move(routes: APIRouter, database: Database, forms: Forms, machinery: Machinery) -> None:
    def show(request: Request, viewer: Viewer, status: int = 200, **more: Any) -> Response:
        values: dict[str, Any] = {
            "once": forms.once(viewer, MOVE),
            "versions": _versions(database),
            "boundaries": list(Boundary),
            "fields": {},
            "report": None,
            "error": None,
        }
        return page(request, "admin/move.html", values | more, status)

    @routes.api_route("/admin/frameworks/move", methods=LOOKING)
    def ask(request: Request, framework_id: str = "", to: str = "") -> Response:
        viewer = forms.viewer(request, whole_office)
        return show(request, viewer, fields={"target": f"{framework_id}@{to}" if framework_id and to else ""})

    @routes.post("/admin/frameworks/move")
    async def move(request: Request) -> Response:
        sent = await forms.sent(request, whole_office)
        fields, report, error = dict(sent.fields), None, None
        try:
            acting = await run_in_threadpool(
                lambda: migration(
                    Office(machinery.gateway, database),
                    database,
                    _move(fields),
                    actor=sent.viewer.person,
                    reason=sent["reason"],
                )
            )
            bulk = Bulk(machinery.gateway, database)
            # Cases that were moved are not chosen again: sent twice, it moves nothing twice.
            report = await (bulk.run(acting) if sent["act"] == "move" else bulk.preview(acting))
        except ImprimaturError as refused:
            error = refused
        status = error.http_status if error else 200
        return await run_in_threadpool(
            lambda: show(request, sent.viewer, status, fields=fields, report=report, error=error)
        )


def _move(fields: dict[str, str]) -> Move:
    """Raises InputError ``boundary_unknown`` or ``framework_required``."""
    name, _, to = fields.get("target", "").partition("@")
    if not name or not to:
        raise InputError("framework_required", "No version was chosen.", "Choose the version that cases move to.")
    at = fields.get("at", Boundary.NOW)
    if at not in list(Boundary):
        raise InputError("boundary_unknown", f"There is no boundary {at!r}.", f"Choose one of: {', '.join(Boundary)}.")
    cases = tuple(dict.fromkeys(fields.get("cases", "").replace(",", " ").split()))
    return Move(name, to, fields.get("before", "").strip() or None, Boundary(at), cases)
