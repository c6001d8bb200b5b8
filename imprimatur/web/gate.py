"""Who is looking: sessions as cookies, and what keeps others from using them."""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping

from fastapi import Request, Response
from itsdangerous import BadSignature

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotAllowed
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.store.sessions import IDLE, Client, Signed, signed_in_by
from models.vocabulary import Strength

SESSION_SALT = b"imprimatur.session"
# The cookie is dated anew when it is older than this: often enough, and not with each answer.
DATED_ANEW_AFTER = dt.timedelta(minutes=5)
_LOCAL = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f\x7f]{0,2000}")


class SignInNeeded(NotAllowed):
    http_status = 401


def local_path(text: str) -> str:
    """Where to go on to: a path of these pages, the front page for anything else."""
    return text if _LOCAL.fullmatch(text) else "/"


def client_of(request: Request) -> Client:
    address = request.client.host if request.client else ""
    return Client(address, request.headers.get("user-agent", ""))


class Gate:
    """The cookie holds the session's secret, signed together with the time: that time ends a session left alone.

    So looking at a page writes nothing, and a cookie that lay about for long is no good even where the session lives.
    """

    def __init__(self, database: Database, links: Links) -> None:
        self._database = database
        self._signer = links.signer(SESSION_SALT)
        self.base_url = links.base_url
        self.secure = links.base_url.startswith("https://")
        self.cookie = "__Host-imprimatur" if self.secure else "imprimatur"

    def signed(self, request: Request) -> Signed | None:
        """The session that a request brings; asked for once a request."""
        if not hasattr(request.state, "signed"):
            secret = self._secret(request)
            now = dt.datetime.now(dt.UTC)
            request.state.signed = signed_in_by(self._database, secret, now) if secret else None
        found: Signed | None = request.state.signed
        return found

    def viewer(self, request: Request) -> Viewer:
        """Raises NotAllowed ``sign_in_required``; pages lead there, and back again."""
        found = self.signed(request)
        if found is None:
            raise SignInNeeded("sign_in_required", "You are not signed in.", "Sign in, then open the page again.")
        return found.viewer

    def signed_in(self, request: Request) -> tuple[str, Strength] | None:
        """Who has signed in, and how well they have proved who they are."""
        found = self.signed(request)
        return (found.viewer.person, found.viewer.strength) if found else None

    def form_token(self, request: Request) -> str:
        """Belongs into every form of somebody who is signed in; known to this session only."""
        return hmac.new((self._secret(request) or "").encode(), b"form", hashlib.sha256).hexdigest()

    def check_form(self, request: Request, form: Mapping[str, str]) -> None:
        """Raises NotAllowed ``form_token_wrong``."""
        given = form.get("form_token", "").encode()
        if self.signed(request) is None or not hmac.compare_digest(self.form_token(request).encode(), given):
            raise NotAllowed(
                "form_token_wrong", "This form does not belong to your session.", "Open the page again and resend."
            )

    def keep(self, response: Response, secret: str) -> None:
        response.set_cookie(
            self.cookie,
            self._signer.sign(secret).decode(),
            max_age=int(IDLE.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def forget(self, response: Response) -> None:
        response.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="lax")

    def date_anew(self, request: Request, response: Response) -> None:
        """Whoever goes on working is not signed out; an answer that sets or ends the cookie has the last word."""
        dated = self._dated(request)
        if dated is None or getattr(request.state, "signed", None) is None or "set-cookie" in response.headers:
            return
        secret, at = dated
        if dt.datetime.now(dt.UTC) - at > DATED_ANEW_AFTER:
            self.keep(response, secret)

    def _secret(self, request: Request) -> str | None:
        dated = self._dated(request)
        return dated[0] if dated else None

    def _dated(self, request: Request) -> tuple[str, dt.datetime] | None:
        try:
            secret, at = self._signer.unsign(
                request.cookies.get(self.cookie, ""), max_age=int(IDLE.total_seconds()), return_timestamp=True
            )
            return secret.decode(), at
        except (BadSignature, ValueError):
            return None
