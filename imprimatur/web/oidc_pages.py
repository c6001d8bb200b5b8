"""The way to the institution's own sign-in and back. What it answers is used by a POST, as everything is."""

import datetime as dt
import hmac

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool

from imprimatur.errors import ImprimaturError, NotAllowed
from imprimatur.mail.links import Links
from imprimatur.store import sign_in_links
from imprimatur.store.engine import Database
from imprimatur.web.forms import check_same_site, read_form
from imprimatur.web.gate import Gate, client_of, local_path
from imprimatur.web.oidc import Attempt, Provider
from imprimatur.web.rendering import page

LOOKING = ["GET", "HEAD"]
ATTEMPT_SALT = b"imprimatur.oidc"
ATTEMPT_SECONDS = 15 * 60
PATH = "/sign-in/oidc"


class Attempts:
    """What the browser must bring back lies with the browser, signed and for a short time."""

    def __init__(self, links: Links, gate: Gate) -> None:
        self._serializer = URLSafeTimedSerializer(links.keys, salt=ATTEMPT_SALT)
        self._secure = gate.secure
        self._cookie = "__Secure-imprimatur-oidc" if gate.secure else "imprimatur-oidc"

    def keep(self, response: Response, attempt: Attempt) -> None:
        value = self._serializer.dumps(attempt.as_dict())
        assert isinstance(value, str)
        response.set_cookie(
            self._cookie,
            value,
            max_age=ATTEMPT_SECONDS,
            path=PATH,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def of(self, request: Request, state: str) -> Attempt:
        """Raises NotAllowed ``oidc_state_wrong`` for an answer that this browser did not ask for."""
        try:
            found = Attempt(**self._serializer.loads(request.cookies.get(self._cookie, ""), max_age=ATTEMPT_SECONDS))
        except (BadData, TypeError):
            found = None
        if found is None or not hmac.compare_digest(found.state.encode(), state.encode()):
            raise NotAllowed(
                "oidc_state_wrong",
                "This answer of your institution's sign-in does not belong to this browser, or it took too long.",
                "Begin again.",
            )
        return found

    def forget(self, response: Response) -> None:
        response.delete_cookie(self._cookie, path=PATH, secure=self._secure, httponly=True, samesite="lax")


def router(database: Database, links: Links, gate: Gate, provider: Provider) -> APIRouter:
    """To be added before the routes of links by mail, which take any word behind ``/sign-in/``."""
    routes, attempts = APIRouter(), Attempts(links, gate)

    @routes.api_route(PATH, methods=LOOKING)
    async def begin(request: Request, next: str = "/") -> Response:  # noqa: A002  (the name in the address)
        address, attempt = await provider.begin(local_path(next))
        response = RedirectResponse(address, 303)
        attempts.keep(response, attempt)
        return response

    @routes.api_route(f"{PATH}/answer", methods=LOOKING)
    def answered(request: Request, code: str = "", state: str = "", error: str = "") -> Response:
        return page(request, "sign_in_oidc.html", {"code": code, "state": state, "refused": bool(error) or not code})

    @routes.post(f"{PATH}/answer")
    async def enter(request: Request) -> Response:
        check_same_site(request)
        form, client, now = await read_form(request), client_of(request), dt.datetime.now(dt.UTC)
        email = ""
        try:
            attempt = attempts.of(request, form.get("state", ""))
            email = await provider.finish(form.get("code", ""), attempt)
            secret = await run_in_threadpool(sign_in_links.enter_by_oidc, database, email, client, now)
        except ImprimaturError as error:
            await run_in_threadpool(sign_in_links.note_failure, database, email, client, error.code, now)
            raise
        response = RedirectResponse(attempt.return_to, 303)
        gate.keep(response, secret)
        attempts.forget(response)
        return response

    return routes
