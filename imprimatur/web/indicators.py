"""Figures of published micro-credentials, taken from a file after a preview."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.errors import ImprimaturError, InputError
from imprimatur.gateway import Gateway
from imprimatur.improvement import Improvement
from imprimatur.store.engine import Database
from imprimatur.store.indicators import IndicatorReport
from imprimatur.web.admin.forms import LOOKING, Forms, Sent, whole_office
from imprimatur.web.rendering import page

IMPORT = "indicators import"
LONGEST_SOURCE = 200


def router(database: Database, forms: Forms, gateway: Gateway) -> APIRouter:
    routes = APIRouter()

    def show(request: Request, viewer: Viewer, status: int = 200, **more: Any) -> Response:
        values: dict[str, Any] = {"text": "", "source": "", "preview": None, "result": None, "error": None}
        return page(request, "indicators.html", values | {"once": forms.once(viewer, IMPORT)} | more, status)

    @routes.api_route("/reviews/indicators", methods=LOOKING)
    def ask(request: Request) -> Response:
        return show(request, forms.viewer(request, whole_office))

    @routes.post("/reviews/indicators")
    async def take(request: Request) -> Response:
        sent = await forms.sent(request, whole_office)
        given = _given(sent)
        try:
            values = await _taken(Improvement(gateway, database), forms, sent, given)
        except ImprimaturError as error:
            failed = error
            return await run_in_threadpool(
                lambda: show(request, sent.viewer, failed.http_status, error=failed, **given)
            )
        return await run_in_threadpool(lambda: show(request, sent.viewer, **values))

    return routes


def _given(sent: Sent) -> dict[str, str]:
    source = (sent["source"] or sent.file_name)[:LONGEST_SOURCE]
    return {"text": sent.file or sent.fields.get("text", ""), "source": source}


async def _taken(improvement: Improvement, forms: Forms, sent: Sent, given: Mapping[str, str]) -> dict[str, Any]:
    """What the page shows of it: a preview, a result, or that the form was sent before."""
    text, source, actor = given["text"], given["source"] or "a form", sent.viewer.person
    if not text.strip():
        raise InputError("form_without_file", "No file was chosen.", "Choose a CSV file, or paste its text.")
    if sent["act"] != "import":
        found = await improvement.import_file(text, source=source, actor=actor, preview=True)
        return {**given, "preview": found}
    results: list[IndicatorReport] = []

    async def act() -> object:
        results.append(await improvement.import_file(text, source=source, actor=actor))
        return results

    await forms.first(sent, IMPORT, act)
    return {"result": results[0] if results else "before"}
