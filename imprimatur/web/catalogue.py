"""The public catalogue: pages for people; for machines, one record in the words of several standards."""

import hashlib
import re
from typing import Any

from fastapi import APIRouter, Request, Response

from imprimatur.errors import NotFound
from imprimatur.publication.catalogue.choice import Choice
from imprimatur.publication.catalogue.shelf import Shelf
from imprimatur.publication.endorsements import OPEN_BADGES_CONTEXT
from imprimatur.publication.reading import served_record
from imprimatur.publication.records import FORMATS
from imprimatur.store.endorsements import endorsements_of
from imprimatur.store.engine import Database
from imprimatur.store.published import neighbours, sources
from imprimatur.store.task_page import publication, publications
from imprimatur.web import catalogue_feeds
from imprimatur.web.catalogue_view import list_view
from imprimatur.web.credential_view import credential_values
from imprimatur.web.documents import LOOKING, compressed, document, is_known
from imprimatur.web.rendering import page
from models.vocabulary import RecordStatus

JSON, LD_JSON, JWT = "application/json", "application/ld+json", "application/jwt"
# A profile (RFC 6906) of JSON-LD that is asked for, by what its address begins with.
PROFILES = {
    "https://purl.imsglobal.org/spec/ob/": "openbadges",
    "https://purl.org/ctdl/": "ctdl",
    "https://credreg.net/ctdl": "ctdl",
    "http://data.europa.eu/snb/model/": "elm",
    "https://schema.org": "schema-org",
}
_PROFILE = re.compile(r'profile="?([^";,]+)')


def router(database: Database, base_url: str) -> APIRouter:
    """``base_url`` begins the addresses that pages name as their own."""
    routes, shelf = APIRouter(), Shelf(database)
    routes.include_router(catalogue_feeds.router(database, shelf, base_url))

    @routes.api_route("/catalogue", methods=LOOKING)
    def catalogue(request: Request) -> Response:
        if media_type := machine(request):
            return _achievements(request, media_type)
        choice = Choice.of(request.query_params)
        found = shelf.collection().find(choice)
        choice = choice.on_page(found.page)
        values = {
            "view": list_view(choice, found, lambda other: other.address("/catalogue")),
            "canonical": choice.address(f"{base_url}/catalogue"),
        }
        return _page(request, "catalogue.html", values)

    def _achievements(request: Request, media_type: str) -> Response:
        items = [entry.achievement for entry in publications(database)]
        return document(request, {"@context": OPEN_BADGES_CONTEXT, "achievements": items}, media_type)

    @routes.api_route("/catalogue/{slug}", methods=LOOKING)
    def credential(request: Request, slug: str) -> Response:
        public = publication(database, slug)
        media_type = machine(request)
        if named := request.query_params.get("format"):
            return document(request, served_record(database, slug, named), media_type or LD_JSON)
        if media_type == JWT:
            return _endorsement(request, slug, None)
        if media_type:
            return document(request, served_record(database, slug, _profile(request)), media_type)
        if public.status is RecordStatus.RETRACTED:
            return page(request, "retracted.html", {"publication": public}, 410)
        found = sources(database, slug)
        values = credential_values(found, endorsements_of(database, slug), neighbours(database, found), base_url)
        return _page(request, "credential.html", values)

    @routes.api_route("/catalogue/{slug}/endorsement/{number:int}.jwt", methods=LOOKING)
    def endorsement(request: Request, slug: str, number: int) -> Response:
        return _endorsement(request, slug, number)

    @routes.api_route("/catalogue/{slug}/{form}.json", methods=LOOKING)
    def record(request: Request, slug: str, form: str) -> Response:
        if form not in FORMATS:
            raise NotFound("page_unknown", "There is no such record.", f"There are: {', '.join(FORMATS)}.")
        publication(database, slug)
        return document(request, served_record(database, slug, form), LD_JSON)

    def _endorsement(request: Request, slug: str, number: int | None) -> Response:
        publication(database, slug)
        found = [item for item in endorsements_of(database, slug) if number in (None, item.number)]
        if not found:
            raise NotFound("endorsement_unknown", "There is no such signed endorsement.", "See the page of it.")
        return document(request, found[0].token, JWT)

    return routes


def machine(request: Request) -> str | None:
    """The type of document asked for; None when a page is meant."""
    accepted = request.headers.get("accept", "")
    if "text/html" in accepted:
        return None
    return next((name for name in (LD_JSON, JSON, JWT) if name in accepted), None)


def _profile(request: Request) -> str:
    named = _PROFILE.search(request.headers.get("accept", ""))
    known = (form for start, form in PROFILES.items() if named and named[1].startswith(start))
    return next(known, "openbadges")


def _page(request: Request, template: str, values: dict[str, Any]) -> Response:
    """Whoever is not signed in need not be sent again what they have."""
    answer = page(request, template, values)
    if request.cookies:
        # The page may hold what is theirs alone.
        answer.headers["Vary"] = "Accept, Cookie"
        return answer
    body = bytes(answer.body)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept, Cookie"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return compressed(request, body, "text/html; charset=utf-8", headers)
