"""The mail that the embedded stack's sink holds, rendered."""

from collections.abc import Sequence
from typing import Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from imprimatur.errors import NotFound
from imprimatur.web.rendering import page

# The HTML part is shown in a frame of its own, which may style itself and nothing else.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-top-navigation-by-user-activation"
)


class StoredMail(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def html(self) -> str: ...

    @property
    def links(self) -> Sequence[str]: ...


class Mailbox(Protocol):
    def newest(self, to: str) -> Sequence[StoredMail]: ...

    def one(self, name: str) -> StoredMail | None: ...


def router(mailbox: Mailbox) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/inbox", methods=["GET", "HEAD"])
    def inbox(request: Request, to: str = "") -> Response:
        return page(request, "inbox.html", {"mails": mailbox.newest(to), "to": to})

    @routes.api_route("/inbox/{name}", methods=["GET", "HEAD"])
    def mail(request: Request, name: str) -> Response:
        return page(request, "mail.html", {"mail": _mail(mailbox, name)})

    @routes.api_route("/inbox/{name}/html", methods=["GET", "HEAD"])
    def html(request: Request, name: str) -> Response:
        text = _mail(mailbox, name).html.replace("<head>", '<head><base target="_top">', 1)
        headers = {"Content-Security-Policy": FRAME_POLICY + "; frame-ancestors 'self'"}
        return HTMLResponse(text, headers=headers)

    return routes


def _mail(mailbox: Mailbox, name: str) -> StoredMail:
    found = mailbox.one(name)
    if found is None:
        raise NotFound("mail_unknown", "There is no such mail.", "Look for it in the inbox.")
    return found
