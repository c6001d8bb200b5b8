"""The public catalogue: pages for people; for machines, one record in the words of several standards."""

import json
import re
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from imprimatur.errors import NotFound
from imprimatur.publication.endorsements import OPEN_BADGES_CONTEXT
from imprimatur.publication.reading import published_record, served_record
from imprimatur.publication.records import FORMATS
from imprimatur.publication.schema_org import build_schema_org
from imprimatur.store.endorsements import endorsements_of
from imprimatur.store.engine import Database
from imprimatur.store.task_page import Publication, publication, publications
from imprimatur.web.documents import LOOKING, document
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
# Nothing that could end the element it stands in, or begin another.
_ESCAPED = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})


def router(database: Database) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/catalogue", methods=LOOKING)
    def catalogue(request: Request) -> Response:
        found = publications(database)
        if media_type := machine(request):
            items = [entry.achievement for entry in found]
            return document(request, {"@context": OPEN_BADGES_CONTEXT, "achievements": items}, media_type)
        return _page(page(request, "catalogue.html", {"publications": found}))

    @routes.api_route("/catalogue/{slug}", methods=LOOKING)
    def credential(request: Request, slug: str) -> Response:
        found = publication(database, slug)
        media_type = machine(request)
        if named := request.query_params.get("format"):
            return document(request, served_record(database, slug, named), media_type or LD_JSON)
        if media_type == JWT:
            return _endorsement(request, slug, None)
        if media_type:
            return document(request, served_record(database, slug, _profile(request)), media_type)
        if found.status is RecordStatus.RETRACTED:
            return _page(page(request, "retracted.html", {"publication": found}, 410))
        return _credential_page(request, found)

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

    def _credential_page(request: Request, found: Publication) -> Response:
        slug = found.slug
        values = {
            "publication": found,
            "credential": found.page,
            "formats": list(FORMATS),
            "signed": {item.organisation: item for item in endorsements_of(database, slug)},
            "json_ld": _embedded(build_schema_org(published_record(database, slug))),
        }
        return _page(page(request, "credential.html", values))

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


def _embedded(content: dict[str, Any]) -> Markup:
    return Markup(json.dumps(content, ensure_ascii=False).translate(_ESCAPED))  # noqa: S704  (escaped right here)


def _page(answer: Response) -> Response:
    answer.headers["Vary"] = "Accept"
    return answer
