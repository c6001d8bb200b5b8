"""Saving a search of the list of cases under a name, renaming it, sharing it, removing it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur.errors import ImprimaturError, InputError, Refused
from imprimatur.store.engine import Database
from imprimatur.store.saved_views import FILTERS, address_of, change_view, own_view, remove_view, save_view
from imprimatur.web.forms import read_form
from imprimatur.web.gate import Gate
from imprimatur.web.rendering import page

LOOKING = ["GET", "HEAD"]


def router(database: Database, gate: Gate) -> APIRouter:
    routes = APIRouter()

    @routes.post("/views")
    async def save(request: Request) -> Response:
        form = await read_form(request)
        return await run_in_threadpool(_saved, request, database, gate, form)

    @routes.api_route("/views/{view_id}", methods=LOOKING)
    def one(request: Request, view_id: str) -> Response:
        view = own_view(database, gate.viewer(request), view_id)
        return _page(request, {"view": view, "name": view.name, "shared": view.shared, "filters": view.filters})

    @routes.post("/views/{view_id}")
    async def change(request: Request, view_id: str) -> Response:
        form = await read_form(request)
        return await run_in_threadpool(_changed, request, database, gate, form, view_id)

    @routes.post("/views/{view_id}/remove")
    async def remove(request: Request, view_id: str) -> Response:
        form = await read_form(request)

        def removed() -> Response:
            viewer = gate.viewer(request)
            gate.check_form(request, form)
            remove_view(database, viewer, view_id)
            return RedirectResponse("/cases", 303)

        return await run_in_threadpool(removed)

    return routes


def _saved(request: Request, database: Database, gate: Gate, form: Mapping[str, str]) -> Response:
    viewer, shared = gate.viewer(request), form.get("shared") == "yes"
    gate.check_form(request, form)
    filters = {name: form[name][:200] for name in FILTERS if form.get(name)}
    try:
        save_view(database, viewer, form.get("name", ""), filters, shared, dt.datetime.now(dt.UTC))
    except (InputError, Refused) as error:
        told = {"name": form.get("name", ""), "shared": shared, "filters": filters, "error": error}
        return _page(request, {"view": None} | told)
    return RedirectResponse(address_of(filters), 303)


def _changed(request: Request, database: Database, gate: Gate, form: Mapping[str, str], view_id: str) -> Response:
    viewer, shared = gate.viewer(request), form.get("shared") == "yes"
    gate.check_form(request, form)
    view = own_view(database, viewer, view_id)
    try:
        change_view(database, viewer, view_id, form.get("name", ""), shared)
    except (InputError, Refused) as error:
        told = {"name": form.get("name", ""), "shared": shared, "filters": view.filters, "error": error}
        return _page(request, {"view": view} | told)
    return RedirectResponse(view.address, 303)


def _page(request: Request, values: dict[str, Any]) -> Response:
    error: ImprimaturError | None = values.setdefault("error", None)
    return page(request, "view.html", values, error.http_status if error else 200)
