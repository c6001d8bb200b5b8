"""All pages and what guards them: with and without a session, and the embedded stack's inbox."""

from collections.abc import Awaitable, Callable
from functools import cache
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.gzip import GZipMiddleware

from imprimatur.errors import ImprimaturError, NotFound
from imprimatur.web import (
    badges,
    case_pages,
    catalogue,
    drafts,
    files,
    first_steps,
    imports,
    inbox,
    indicators,
    keys,
    office_pages,
    oidc_pages,
    pathways,
    proposing,
    reviews,
    sign_in,
    sla,
    tasks,
    version_pages,
    view_pages,
)
from imprimatur.web.acts import pages as act_pages
from imprimatur.web.admin.forms import Forms
from imprimatur.web.admin.pages import admin_pages
from imprimatur.web.api.app import PREFIX, description
from imprimatur.web.api.problems import problem
from imprimatur.web.bulks import pages as bulk_pages
from imprimatur.web.faults import fault
from imprimatur.web.gate import Gate, SignInNeeded
from imprimatur.web.house import House
from imprimatur.web.office_pages import of_figures
from imprimatur.web.oidc import Provider
from imprimatur.web.rendering import STATIC, page, wants_json

LOOKING = ["GET", "HEAD"]
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class _Pages(FastAPI):
    """Takes routes as they are: FastAPI makes each anew, at the first request, for a prefix that none of ours has."""

    def include_router(self, router: APIRouter) -> None:  # type: ignore[override]
        self.router.routes.extend(router.routes)


def create_app(
    house: House,
    *,
    ready: Callable[[], Awaitable[dict[str, str]]],
    mailbox: inbox.Mailbox | None = None,
    examples: str | None = None,
    provider: Provider | None = None,
    api: FastAPI | None = None,
) -> FastAPI:
    """``ready`` answers a problem by part (empty: ready); ``mailbox`` is there in the embedded stack only, and so are
    ``examples``, a directory of people to begin with.

    Without a ``provider`` people sign in by mail alone. ``app.state.gate`` says who has signed in. ``api`` is the
    programming interface, made of the same house.
    """
    database, links = house.database, house.links
    app = _Pages(title="Imprimatur", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.embedded = mailbox is not None
    gate = app.state.gate = Gate(database, links)
    app.middleware("http")(_secured)
    app.add_exception_handler(ImprimaturError, _refused)
    app.add_exception_handler(StarletteHTTPException, _http_error)
    # Only what holds no secret is compressed: the length of a page that does could tell it.
    app.mount("/static", GZipMiddleware(StaticFiles(directory=STATIC), minimum_size=1024), name="static")
    _add_health(app, ready)

    if provider is not None:
        app.include_router(oidc_pages.router(database, links, gate, provider))
    app.include_router(sign_in.router(database, links, gate, by_oidc=provider is not None))
    app.include_router(admin_pages(database, links, gate, house.gateway, house.machinery, house.examination))
    app.include_router(office_pages.router(database, links, gate))
    app.include_router(files.router(database, links, gate))
    if house.proposals is not None:
        app.include_router(proposing.router(database, gate))
        app.include_router(drafts.router(database, gate, house.proposals, house.uploads, house.overlaps))
        app.include_router(imports.router(database, gate, house.wake_imports))
    app.include_router(case_pages.router(database, gate))
    app.include_router(reviews.router(database, Forms(database, links, gate), house.gateway))
    app.include_router(version_pages.router(database, gate))
    app.include_router(view_pages.router(database, gate))
    if house.gateway is not None and house.bulks is not None:
        app.include_router(act_pages.router(database, gate, links, house.gateway))
        app.include_router(bulk_pages.router(database, gate, links, house.gateway, house.bulks))
        app.include_router(indicators.router(database, Forms(database, links, gate), house.gateway))
    if house.decider is not None:
        app.include_router(tasks.router(house, house.decider, gate.signed_in))
    app.include_router(catalogue.router(database, links.base_url))
    app.include_router(sla.router(database, of_figures(gate)))
    app.include_router(pathways.router(database, links.base_url))
    app.include_router(keys.router(database, links.base_url))
    app.include_router(badges.router(database))
    if api is not None:
        _add_api(app, api)
    if mailbox is not None:
        app.include_router(inbox.router(mailbox))
        app.include_router(first_steps.router(database, examples))
    return app


def _add_api(app: FastAPI, api: FastAPI) -> None:
    """The programming interface; its description is public, as are the addresses."""
    # To describe it takes a second, which nobody should wait for before the first page.
    described = cache(lambda: description(api))
    # Within it, it is the application that a request is told of.
    api.state.embedded, api.state.gate = app.state.embedded, app.state.gate

    @app.api_route("/openapi.json", methods=LOOKING)
    def openapi() -> Response:
        return JSONResponse(described())

    app.mount(PREFIX, api, name="api")


def _add_health(app: FastAPI, ready: Callable[[], Awaitable[dict[str, str]]]) -> None:
    @app.api_route("/healthz", methods=LOOKING)
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.api_route("/readyz", methods=LOOKING)
    async def readyz() -> Response:
        problems = await ready()
        status = {"status": "not ready", "problems": problems} if problems else {"status": "ready"}
        return JSONResponse(status, 503 if problems else 200)


async def _secured(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        response = await call_next(request)
    except Exception as error:  # noqa: BLE001  (the last resort: no traceback reaches a visitor, and no bare answer)
        response = await run_in_threadpool(_error_response, request, fault(request, error), 500)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    request.app.state.gate.date_anew(request, response)
    kept = request.url.path.startswith("/static/") and response.status_code < 400
    response.headers.setdefault("Cache-Control", "no-cache" if kept else "no-store")
    return response


def _error_response(request: Request, error: ImprimaturError, status: int) -> Response:
    if request.url.path.startswith(f"{PREFIX}/"):
        # An address that the interface's own routes do not even take for one of theirs.
        return problem(error, request.app.state.gate.base_url, status)
    if wants_json(request):
        return JSONResponse({"error": error.as_dict()}, status)
    return page(request, "error.html", {"error": error}, status)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ImprimaturError)
    if isinstance(error, SignInNeeded) and not wants_json(request):
        return _to_sign_in(request)
    return await run_in_threadpool(_error_response, request, error, error.http_status)


def _to_sign_in(request: Request) -> Response:
    """And back again, where coming back means looking."""
    here = f"{request.url.path}?{request.url.query}".rstrip("?") if request.method in LOOKING else "/"
    address = f"/sign-in?{urlencode({'next': here})}"
    if "hx-request" in request.headers:
        # Part of a page is asked for; the whole of it has to go.
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException | StarletteHTTPException)
    texts = {
        404: NotFound("page_unknown", "There is no such page.", "Check the address, or begin at the front page."),
        405: ImprimaturError("method_not_allowed", "This address does not take that kind of request."),
    }
    found = texts.get(error.status_code) or ImprimaturError("request_refused", str(error.detail))
    response = await run_in_threadpool(_error_response, request, found, error.status_code)
    response.headers.update(getattr(error, "headers", None) or {})
    return response
