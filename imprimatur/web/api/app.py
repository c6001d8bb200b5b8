"""The programming interface as an application of its own, mounted beside the pages."""

from typing import Any

from fastapi import FastAPI

from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.web.api import cases, directory, office, problems, tasks
from imprimatur.web.api.guard import Guard
from imprimatur.web.api.limits import RATES, BodyLimit, RateLimit, Rates
from imprimatur.web.api.repeating import repeated_once

PREFIX = "/api/v1"
ABOUT = """\
What the pages do, for programs. Every request brings a key of `starter.py key add` as `Authorization: Bearer KEY`; it
acts in the name of a person, within what that person may see and do.

Failures are problem details (RFC 9457) with a stable `code`. Lists come in pages: `next_cursor` leads on. A POST with
an `Idempotency-Key` can be repeated: the first answer stands for two days. `If-Match` with the `ETag` of a case refuses
an act when the case has changed meanwhile."""


# The one header that every POST takes, whatever it does.
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request again gets the first answer for two days.",
    "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]+$"},
    "example": "spring-17",
}


def create_api(database: Database, gateway: Gateway, links: Links, rates: Rates = RATES) -> FastAPI:
    """Routes are without their prefix; ``servers`` of the description names it."""
    api = FastAPI(
        title="Imprimatur",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses=problems.RESPONSES,
        redirect_slashes=False,
    )
    api.state.database, guard = database, Guard(database)
    api.middleware("http")(repeated_once(database, links.base_url))
    problems.install(api, links.base_url)
    api.add_middleware(BodyLimit, base_url=links.base_url)
    api.add_middleware(RateLimit, base_url=links.base_url, rates=rates)
    api.include_router(cases.router(database, gateway, guard))
    api.include_router(tasks.router(database, gateway, links, guard))
    api.include_router(office.router(database, gateway, guard))
    api.include_router(directory.router(database))
    return api


def description(api: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of the interface, with the addresses as they are called, and failures in their own media type."""
    document = api.openapi()
    for item in document["paths"].values():
        for operation in item.values():
            _tell_failures(operation)
        if "post" in item:
            item["post"]["parameters"] = [*item["post"].get("parameters", ()), IDEMPOTENCY_KEY]
    return document | {"paths": {f"{PREFIX}{path}": item for path, item in document["paths"].items()}}


def _tell_failures(operation: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            answer["content"] = {problems.MEDIA_TYPE: {"schema": schema}}
