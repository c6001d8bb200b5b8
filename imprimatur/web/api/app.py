"""The programming interface as an application of its own, mounted beside the pages."""

from typing import Any

from fastapi import FastAPI

from imprimatur.gateway import Gateway
from imprimatur.publication.keys import Keyring
from imprimatur.store.skills import FILE_LIMIT_BYTES as SKILLS_LIMIT_BYTES
from imprimatur.web.api import (
    answers,
    bulk,
    case_records,
    cases,
    catalogue,
    committees,
    directory,
    drafts,
    examples,
    figures,
    frameworks,
    handovers,
    imports,
    incidents,
    indicators,
    machine,
    office,
    pathways,
    people,
    problems,
    publications,
    reviews,
    tasks,
    views,
    webhooks,
)
from imprimatur.web.api.guard import Guard
from imprimatur.web.api.limits import RATES, BodyLimit, RateLimit, Rates
from imprimatur.web.api.repeating import repeated_once
from imprimatur.web.house import House

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


def create_api(house: House, keyring: Keyring, rates: Rates = RATES) -> FastAPI:
    """Of a house with a gateway. Routes are without their prefix."""
    assert house.gateway is not None, "programs act"
    database, gateway, links = house.database, house.gateway, house.links
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
    larger = {"/files": house.uploads.most_bytes, "/skills/import": SKILLS_LIMIT_BYTES}
    api.add_middleware(BodyLimit, base_url=links.base_url, larger=larger)
    api.add_middleware(RateLimit, base_url=links.base_url, rates=rates)
    api.include_router(cases.router(database, gateway, guard))
    api.include_router(tasks.router(database, gateway, links, guard))
    api.include_router(answers.router(database))
    api.include_router(office.router(database, gateway, guard))
    api.include_router(indicators.router(database, gateway, guard))
    api.include_router(handovers.router(database, guard))
    api.include_router(imports.router(database, house.wake_imports))
    api.include_router(publications.router(database, guard))
    api.include_router(reviews.router(database, gateway, guard))
    _add_all(api, house, gateway, keyring)
    return api


def _add_all(api: FastAPI, house: House, gateway: Gateway, keyring: Keyring) -> None:
    """What belongs to no single case, and what is kept of one."""
    database = house.database
    assert house.bulks is not None and house.proposals is not None, "as there is a gateway"
    api.include_router(drafts.router(database, house.proposals, house.uploads))
    api.include_router(views.router(database))
    api.include_router(machine.router(database, house.machinery, house.examination))
    api.include_router(case_records.router(database))
    api.include_router(bulk.router(database, gateway, house.bulks))
    api.include_router(committees.router(database, gateway, Guard(database)))
    api.include_router(incidents.router(database, gateway))
    api.include_router(directory.router(database, gateway))
    api.include_router(people.router(database, gateway))
    api.include_router(frameworks.router(database))
    api.include_router(pathways.router(database, house.overlaps))
    api.include_router(figures.router(database))
    api.include_router(catalogue.router(database, keyring))
    api.include_router(webhooks.router(database, house.links))


def description(api: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of the interface, with the addresses as they are called, and failures in their own media type."""
    document = api.openapi()
    for path, item in document["paths"].items():
        for operation in item.values():
            _tell_failures(operation)
            examples.show(path, operation)
        if "post" in item:
            item["post"]["parameters"] = [*item["post"].get("parameters", ()), IDEMPOTENCY_KEY]
    return document | {"paths": {f"{PREFIX}{path}": item for path, item in document["paths"].items()}}


def _tell_failures(operation: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            answer["content"] = {problems.MEDIA_TYPE: {"schema": schema}}
