"""Public keys: one set, and each at the address that the signatures name."""

from fastapi import APIRouter, Request, Response

from imprimatur.publication.keys import jwks, served_key
from imprimatur.store.engine import Database
from imprimatur.web.documents import LOOKING, document

JWK_SET, JWK = "application/jwk-set+json", "application/jwk+json"


def router(database: Database, base_url: str) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/.well-known/jwks.json", methods=LOOKING)
    def key_set(request: Request) -> Response:
        return document(request, jwks(database, base_url), JWK_SET)

    @routes.api_route("/keys/{kid}", methods=LOOKING)
    def one_key(request: Request, kid: str) -> Response:
        return document(request, served_key(database, kid, base_url), JWK)

    return routes
