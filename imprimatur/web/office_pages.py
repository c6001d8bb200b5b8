"""The front page, lists for the office, and what waits for whoever looks."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from imprimatur.access.viewer import Viewer
from imprimatur.history.figures import filters
from imprimatur.mail.links import Links
from imprimatur.rules.wording import passes_by
from imprimatur.store import desk_reading
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, list_frameworks
from imprimatur.store.owed import owed_by
from imprimatur.store.people import is_empty
from imprimatur.store.saved_views import views_of
from imprimatur.web.admin.forms import overseer
from imprimatur.web.gate import Gate
from imprimatur.web.rendering import page

LOOKING = ["GET", "HEAD"]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def of_figures(gate: Gate) -> Callable[[Request], filters.Scope]:
    """Whose cases the figures of a viewer count: those that they oversee."""

    def scope(request: Request) -> filters.Scope:
        seen = overseer(gate.viewer(request)).scope
        return filters.Scope(None if seen.everything else seen.units)

    return scope


def router(database: Database, links: Links, gate: Gate) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/", methods=LOOKING)
    def front(request: Request) -> Response:
        signed = gate.signed(request)
        if signed is None:
            return page(request, "landing.html", {"beginning": request.app.state.embedded and is_empty(database)})
        views = {"views": views_of(database, signed.viewer)}
        if signed.viewer.oversees:
            desk = desk_reading.office_desk(database, signed.viewer.scope, _now())
            return page(request, "desk.html", {"desk": desk} | views)
        return page(request, "home.html", _own(database, links, signed.viewer) | views)

    @routes.api_route("/tasks", methods=LOOKING)
    def tasks(request: Request) -> Response:
        viewer = gate.viewer(request)
        owed = {"owed": owed_by(database, viewer.person)}
        return page(request, "tasks.html", _own_tasks(database, links, viewer) | owed)

    _add_frameworks(routes, database, gate)
    return routes


def _add_frameworks(routes: APIRouter, database: Database, gate: Gate) -> None:
    @routes.api_route("/frameworks", methods=LOOKING)
    def frameworks(request: Request) -> Response:
        gate.viewer(request)
        return page(request, "frameworks.html", {"frameworks": list_frameworks(database)})

    @routes.api_route("/frameworks/{framework_id}/{version}", methods=LOOKING)
    def one(request: Request, framework_id: str, version: str) -> Response:
        gate.viewer(request)
        policy = framework(database, framework_id, version)
        passes = {stage.id: passes_by(stage) for stage in policy.stages}
        return page(request, "framework.html", {"framework": policy, "passes": passes})


def _own_tasks(database: Database, links: Links, viewer: Viewer) -> dict[str, Any]:
    found = desk_reading.own_tasks(database, viewer)
    return {"tasks": found, "links": {task.task_id: f"/t/{links.token(task.task_id, viewer.person)}" for task in found}}


def _own(database: Database, links: Links, viewer: Viewer) -> dict[str, Any]:
    return _own_tasks(database, links, viewer) | {"cases": desk_reading.own_proposals(database, viewer, _now())}
