"""Badges in public: each at its address and as a picture, the lists of those revoked, and the page that verifies."""

import datetime as dt
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from imprimatur.errors import InputError
from imprimatur.publication.baking import bake_png, bake_svg
from imprimatur.publication.drawing import badge_png, badge_svg
from imprimatur.publication.reading import published_record
from imprimatur.publication.signing import read_token
from imprimatur.publication.verifying import Verification, verify, verify_id, verify_token
from imprimatur.store.badges import badge, status_list
from imprimatur.store.engine import Database
from imprimatur.store.task_page import publication
from imprimatur.web.catalogue import JWT, LD_JSON, machine
from imprimatur.web.documents import LOOKING, document
from imprimatur.web.forms import read_body
from imprimatur.web.rendering import page, wants_json

PNG, SVG = "image/png", "image/svg+xml"
BODY_LIMIT_BYTES = 4 * 1024 * 1024
PICTURES_AND_TOKENS = ("png", "svg", "jwt", "json")


def router(database: Database) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/catalogue/{slug}/badge.png", methods=LOOKING)
    def picture(request: Request, slug: str) -> Response:
        publication(database, slug)
        return document(request, badge_png(published_record(database, slug)), PNG)

    @routes.api_route("/catalogue/{slug}/badge.svg", methods=LOOKING)
    def drawing(request: Request, slug: str) -> Response:
        publication(database, slug)
        return document(request, badge_svg(published_record(database, slug)), SVG)

    @routes.api_route("/catalogue/{slug}/status/{number:int}", methods=LOOKING)
    def revocations(request: Request, slug: str, number: int) -> Response:
        return document(request, status_list(database, slug, number), JWT)

    @routes.api_route("/badges/{badge_id}", methods=LOOKING)
    def one_badge(request: Request, badge_id: str) -> Response:
        name, _, form = badge_id.partition(".")
        if form in PICTURES_AND_TOKENS:
            return _form(request, name, form)
        if asked := machine(request):
            return _form(request, badge_id, "jwt" if asked == JWT else "json")
        found = badge(database, badge_id)
        answer = verify_token(database, read_token(found.token), _now())
        # Who has the address may see it; who searches the web shall not find it.
        shown = page(request, "badge.html", {"badge": found, "verification": answer})
        shown.headers["X-Robots-Tag"] = "noindex"
        return shown

    def _form(request: Request, badge_id: str, form: str) -> Response:
        found = badge(database, badge_id)
        match form:
            case "jwt":
                return document(request, found.token, JWT)
            case "json":
                return document(request, read_token(found.token).payload, LD_JSON)
            case "png":
                return document(request, bake_png(badge_png(published_record(database, found.slug)), found.token), PNG)
        return document(request, bake_svg(badge_svg(published_record(database, found.slug)), found.token), SVG)

    @routes.api_route("/verify", methods=LOOKING)
    def ask(request: Request, id: str = "") -> Response:  # noqa: A002  (the parameter's name in the address)
        found = verify_id(database, id.strip(), _now()) if id.strip() else None
        return _answer(request, found)

    @routes.post("/verify")
    async def check(request: Request) -> Response:
        fields = await _fields(request)
        email = str(fields.get("email") or "").strip()
        file, text = fields.get("file"), str(fields.get("badge") or "")
        content = await file.read() if isinstance(file, UploadFile) else b""
        await fields.close()
        given, badge_id = content or text.encode(), str(fields.get("id") or "").strip()

        def checked() -> Response:
            if given.strip():
                return _answer(request, verify(database, given, _now(), email))
            return _answer(request, verify_id(database, badge_id, _now(), email))

        return await run_in_threadpool(checked)

    return routes


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _answer(request: Request, found: Verification | None) -> Response:
    if found is not None and wants_json(request):
        return JSONResponse(found.model_dump(mode="json"))
    return page(request, "verify.html", {"verification": found})


async def _fields(request: Request) -> FormData:
    """Raises InputError ``form_too_large`` or ``form_unreadable``."""
    too_large = _TooLarge("form_too_large", "The badge is too large.", "Send the picture or the token alone.")
    body = await read_body(request, BODY_LIMIT_BYTES, too_large)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if kind == "multipart/form-data":
            return await MultiPartParser(request.headers, _once(body), max_files=1, max_fields=9).parse()
        pairs: list[Any] = parse_qsl(body.decode("utf-8"), max_num_fields=9, errors="strict")
        return FormData(pairs)
    except (MultiPartException, ValueError, KeyError) as error:
        raise InputError("form_unreadable", "The form could not be read.", "Open the page again and resend.") from error


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


class _TooLarge(InputError):
    http_status = 413
