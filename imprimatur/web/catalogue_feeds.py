"""The catalogue for machines as a whole: news, addresses, data."""

from fastapi import APIRouter, Request, Response

from imprimatur.errors import NotFound
from imprimatur.publication.catalogue import feeds
from imprimatur.publication.catalogue.dump import dcat, json_document, json_lines
from imprimatur.publication.catalogue.shelf import Shelf
from imprimatur.store.engine import Database
from imprimatur.store.pathways import pathways
from imprimatur.web.documents import LOOKING, document

ATOM, XML, LINES, JSON, LD_JSON = (f"application/{kind}" for kind in ("atom+xml", "xml", "jsonl", "json", "ld+json"))
OPENSEARCH = "application/opensearchdescription+xml"
# What is retracted is gone from everywhere after a minute.
KEPT = "public, max-age=60"


def router(database: Database, shelf: Shelf, base_url: str) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/catalogue/feed.atom", methods=LOOKING)
    def feed(request: Request) -> Response:
        found = shelf.collection().entries
        addresses = feed_addresses(feeds.feed_pages(len(found)))
        asked = request.query_params.get("page", "1")
        if not (asked.isascii() and asked.isdecimal() and 1 <= int(asked[:9]) <= len(addresses)):
            raise NotFound("page_unknown", "The feed has no such page.", f"It has {len(addresses)}.")
        return document(request, feeds.atom(found, int(asked), base_url, addresses), ATOM, kept=KEPT)

    @routes.api_route("/catalogue/sitemap.xml", methods=LOOKING)
    def sitemap(request: Request) -> Response:
        parts = sitemap_parts(database, shelf, base_url)
        asked = request.query_params.get("part", "")
        if not asked:
            return document(request, parts[0] if len(parts) == 1 else _index(len(parts), base_url), XML, kept=KEPT)
        if not (asked.isascii() and asked.isdecimal() and 1 <= int(asked[:9]) <= len(parts)):
            raise NotFound("page_unknown", "The sitemap has no such part.", f"It has {len(parts)}.")
        return document(request, parts[int(asked) - 1], XML, kept=KEPT)

    @routes.api_route("/catalogue/catalogue.jsonl", methods=LOOKING)
    def lines(request: Request) -> Response:
        state = f"jsonl {base_url} {shelf.collection().state}"
        return document(request, lambda: "".join(json_lines(database, base_url)), LINES, state=state, kept=KEPT)

    @routes.api_route("/catalogue/catalogue.json", methods=LOOKING)
    def whole(request: Request) -> Response:
        state = f"json {base_url} {shelf.collection().state}"
        return document(request, lambda: "".join(json_document(database, base_url)), JSON, state=state, kept=KEPT)

    @routes.api_route("/catalogue/dcat.jsonld", methods=LOOKING)
    def described(request: Request) -> Response:
        return document(request, dcat(base_url, len(shelf.collection())), LD_JSON, kept=KEPT)

    @routes.api_route("/catalogue/opensearch.xml", methods=LOOKING)
    def opensearch(request: Request) -> Response:
        return document(request, feeds.opensearch(base_url), OPENSEARCH, kept=KEPT)

    @routes.api_route("/robots.txt", methods=LOOKING)
    def robots(request: Request) -> Response:
        return document(request, feeds.robots(base_url), "text/plain", kept=KEPT)

    return routes


def feed_addresses(pages: int) -> list[str]:
    return ["/catalogue/feed.atom", *(f"/catalogue/feed.atom?page={page}" for page in range(2, pages + 1))]


def sitemap_parts(database: Database, shelf: Shelf, base_url: str) -> list[bytes]:
    """Each within what the protocol allows; usually one."""
    entries, catalogue = shelf.collection().entries, f"{base_url}/catalogue"
    newest = entries[0].published_at if entries else None
    found = [(catalogue, newest), *((f"{catalogue}/{entry.slug}", entry.published_at) for entry in entries)]
    found += [(f"{base_url}/pathways/{pathway.id}", None) for pathway in pathways(database)]
    size = feeds.LARGEST_SITEMAP
    return [feeds.sitemap(found[first : first + size]) for first in range(0, len(found), size)]


def _index(parts: int, base_url: str) -> bytes:
    return feeds.sitemap_index(f"{base_url}/catalogue/sitemap.xml?part={number}" for number in range(1, parts + 1))
