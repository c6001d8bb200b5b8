"""What a new installation on one's own machine asks first: who is in its directory.

There in the embedded stack only, where the inbox lies open as well: elsewhere the directory begins on the command line.
"""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur.errors import ImprimaturError, InputError, Refused
from imprimatur.store.engine import Database
from imprimatur.store.people import is_empty, take_people, take_person
from imprimatur.web.forms import check_same_site, read_form
from imprimatur.web.rendering import page

ADDRESS = "/first-steps"
# Whoever begins alone has everything to do alone, until they have told who else there is.
OWN_ROLES = "governance_office;admin;proposer"


def router(database: Database, examples: str | None) -> APIRouter:
    """``examples`` is the directory of example people as CSV, where there is one."""
    routes = APIRouter()

    @routes.api_route(ADDRESS, methods=["GET", "HEAD"])
    def ask(request: Request) -> Response:
        return _asking(request, database, examples)

    @routes.post(ADDRESS)
    async def begin(request: Request) -> Response:
        check_same_site(request)
        form = await read_form(request)
        try:
            await run_in_threadpool(_begin, database, form, examples)
        except ImprimaturError as error:
            return await run_in_threadpool(_asking, request, database, examples, form, error)
        return RedirectResponse("/sign-in", 303)

    return routes


def _asking(
    request: Request,
    database: Database,
    examples: str | None,
    fields: Mapping[str, str] | None = None,
    error: ImprimaturError | None = None,
) -> Response:
    values = {"empty": is_empty(database), "examples": examples is not None, "fields": fields or {}, "error": error}
    return page(request, "first_steps.html", values, error.http_status if error else 200)


def _begin(database: Database, form: Mapping[str, str], examples: str | None) -> None:
    """Raises Refused ``directory_begun``, InputError ``first_step_unknown`` or ``person_invalid``."""
    if not is_empty(database):
        raise Refused(
            "directory_begun",
            "The directory has people already.",
            "Sign in as one of them; an administrator adds others on the page of people.",
        )
    match form.get("with"):
        case "examples" if examples is not None:
            take_people(database, examples)
        case "yourself":
            said = {name: form.get(name, "") for name in ("email", "name", "organisation")}
            take_person(database, said | {"roles": OWN_ROLES})
        case _:
            raise InputError("first_step_unknown", "The form does not say how to begin.", "Choose one of the two.")
