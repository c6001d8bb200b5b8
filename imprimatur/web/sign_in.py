"""Signing in by a link in a mail, signing out, and one's own sessions. Only a POST begins or ends anything."""

import datetime as dt

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur.mail.links import Links
from imprimatur.store import sessions, sign_in_links
from imprimatur.store.engine import Database
from imprimatur.store.people import active_people, is_empty
from imprimatur.web.forms import check_same_site, read_form
from imprimatur.web.gate import Gate, client_of, local_path
from imprimatur.web.rendering import page

LOOKING = ["GET", "HEAD"]
SHOWN = 20


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def router(database: Database, links: Links, gate: Gate, *, by_oidc: bool) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/sign-in", methods=LOOKING)
    def ask(request: Request, next: str = "/") -> Response:  # noqa: A002  (the name in the address)
        if gate.signed(request) is not None:
            return RedirectResponse(local_path(next), 303)
        # On one's own machine, where anybody can read the mail, nobody need guess who is in the directory.
        shown = active_people(database)[:SHOWN] if request.app.state.embedded else []
        beginning = request.app.state.embedded and not shown and is_empty(database)
        values = {"next": local_path(next), "by_oidc": by_oidc, "people": shown, "beginning": beginning}
        return page(request, "sign_in.html", values)

    @routes.post("/sign-in")
    async def send(request: Request) -> Response:
        check_same_site(request)
        form = await read_form(request)
        email, return_to = form.get("email", ""), local_path(form.get("next", "/"))
        await run_in_threadpool(sign_in_links.ask_for_link, database, email, return_to, client_of(request), _now())
        minutes = int(sign_in_links.VALID_FOR.total_seconds() // 60)
        values = {"email": email.strip(), "minutes": minutes}
        return await run_in_threadpool(page, request, "sign_in_sent.html", values)

    @routes.api_route("/sign-in/{token}", methods=LOOKING)
    def confirm(request: Request, token: str) -> Response:
        links.read_sign_in(token)
        return page(request, "sign_in_confirm.html")

    @routes.post("/sign-in/{token}")
    async def enter(request: Request, token: str) -> Response:
        check_same_site(request)
        link_id = links.read_sign_in(token)
        begun = await run_in_threadpool(sign_in_links.use_link, database, link_id, client_of(request), _now())
        response = RedirectResponse(local_path(begun.return_to), 303)
        gate.keep(response, begun.secret)
        return response

    _add_account(routes, database, gate)
    return routes


def _add_account(routes: APIRouter, database: Database, gate: Gate) -> None:
    @routes.api_route("/account", methods=LOOKING)
    def account(request: Request) -> Response:
        viewer, signed = gate.viewer(request), gate.signed(request)
        values = {
            "sessions": sessions.sessions_of(database, viewer.person, _now()),
            "this_session": signed.session_id if signed else "",
        }
        return page(request, "account.html", values)

    @routes.post("/sign-out")
    async def leave(request: Request) -> Response:
        return await _leave(request, RedirectResponse("/", 303))

    @routes.post("/account/sessions/{session_id}/end")
    async def end(request: Request, session_id: str) -> Response:
        return await _leave(request, RedirectResponse("/account", 303), session_id)

    @routes.post("/account/sign-out-everywhere")
    async def everywhere(request: Request) -> Response:
        viewer = await run_in_threadpool(gate.viewer, request)
        gate.check_form(request, await read_form(request))
        person = viewer.person
        await run_in_threadpool(sessions.sign_out_everywhere, database, person, _now(), person)
        response = RedirectResponse("/sign-in", 303)
        gate.forget(response)
        return response

    async def _leave(request: Request, response: Response, session_id: str | None = None) -> Response:
        viewer = await run_in_threadpool(gate.viewer, request)
        gate.check_form(request, await read_form(request))
        signed = gate.signed(request)
        own = signed.session_id if signed else ""
        await run_in_threadpool(sessions.sign_out, database, viewer.person, session_id or own, _now())
        if session_id in (None, own):
            gate.forget(response)
        return response
