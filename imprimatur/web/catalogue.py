"""The public catalogue: pages for people, Open Badges JSON for machines."""

import json

from fastapi import APIRouter, Request, Response

from imprimatur.store.engine import Database
from imprimatur.store.task_page import publication, publications
from imprimatur.web.rendering import page

OPEN_BADGES_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


def router(database: Database) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/catalogue", methods=["GET", "HEAD"])
    def catalogue(request: Request) -> Response:
        found = publications(database)
        if media_type := _machine(request):
            items = [entry.achievement for entry in found]
            return _json({"@context": OPEN_BADGES_CONTEXT, "achievements": items}, media_type)
        return _page(page(request, "catalogue.html", {"publications": found}))

    @routes.api_route("/catalogue/{slug}", methods=["GET", "HEAD"])
    def credential(request: Request, slug: str) -> Response:
        found = publication(database, slug)
        if media_type := _machine(request):
            return _json({"@context": OPEN_BADGES_CONTEXT} | found.achievement, media_type)
        return _page(page(request, "credential.html", {"publication": found, "credential": found.page}))

    return routes


def _machine(request: Request) -> str | None:
    """The JSON type asked for; None when a page is meant."""
    accepted = request.headers.get("accept", "")
    if "text/html" in accepted:
        return None
    return next((name for name in ("application/ld+json", "application/json") if name in accepted), None)


def _page(answer: Response) -> Response:
    answer.headers["Vary"] = "Accept"
    return answer


def _json(document: dict[str, object], media_type: str) -> Response:
    headers = {"Vary": "Accept", "Access-Control-Allow-Origin": "*"}
    return Response(json.dumps(document, ensure_ascii=False), media_type=media_type, headers=headers)
