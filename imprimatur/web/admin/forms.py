"""Forms of the office and of administrators: who may send them, that they are ours, and that they act once."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from imprimatur.access.acts import NOT_THE_OFFICE, NOT_YOUR_UNIT, READ_ONLY
from imprimatur.access.viewer import Viewer
from imprimatur.errors import ImprimaturError, InputError, NotAllowed, Refused
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.store.sent_forms import first_sent, take_back
from imprimatur.web.forms import read_form
from imprimatur.web.gate import Gate
from models.vocabulary import AccessRole

LOOKING = ["GET", "HEAD"]
ONCE = "once"
MULTIPART = "multipart/form-data"
UPLOAD_LIMIT_BYTES = 1024 * 1024


class _TooLarge(InputError):
    http_status = 413


def overseer(viewer: Viewer) -> Viewer:
    """Office, administrators and auditors. Raises NotAllowed ``oversight_only``."""
    if not viewer.oversees:
        raise NotAllowed(
            "oversight_only",
            "This page is for the governance office and for auditors.",
            "What concerns you stands on your own front page.",
        )
    return viewer


def officer(viewer: Viewer) -> Viewer:
    """Whoever does acts of the office. Raises NotAllowed ``not_the_office`` or ``read_only``."""
    if not viewer.is_office:
        why = READ_ONLY if viewer.oversees else NOT_THE_OFFICE
        raise NotAllowed(why.code, why.sentence, "Ask the governance office.")
    return viewer


def whole_office(viewer: Viewer) -> Viewer:
    """An officer who is bound by no unit. Raises NotAllowed ``not_your_unit`` too."""
    if not officer(viewer).scope.everything:
        raise NotAllowed(
            NOT_YOUR_UNIT.code, NOT_YOUR_UNIT.sentence, "This concerns all units: ask an office that is bound by none."
        )
    return viewer


def administrator(viewer: Viewer) -> Viewer:
    """Raises NotAllowed ``not_an_administrator`` or ``read_only``."""
    if AccessRole.ADMIN not in viewer.roles:
        if viewer.oversees and not viewer.is_office:
            raise NotAllowed(READ_ONLY.code, READ_ONLY.sentence, "Ask an administrator.")
        raise NotAllowed("not_an_administrator", "Only an administrator can do this.", "Ask one.")
    return viewer


def may(rule: Callable[[Viewer], Viewer], viewer: Viewer) -> bool:
    """Whether a page shows a form at all."""
    try:
        rule(viewer)
    except NotAllowed:
        return False
    return True


@dataclass(frozen=True)
class Sent:
    """A form that came in. ``file`` is the text of the file that was chosen, ``file_name`` its name."""

    viewer: Viewer
    path: str
    fields: Mapping[str, str]
    file: str = ""
    file_name: str = ""

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "").strip()


class Forms:
    """Each form carries the token of its session and a one-time value for its subject and its sender."""

    def __init__(self, database: Database, links: Links, gate: Gate) -> None:
        self._database = database
        self._links = links
        self._gate = gate

    def viewer(self, request: Request, rule: Callable[[Viewer], Viewer] = overseer) -> Viewer:
        return rule(self._gate.viewer(request))

    def once(self, viewer: Viewer, subject: str) -> str:
        return self._links.form_value(subject, viewer.person)

    async def sent(self, request: Request, rule: Callable[[Viewer], Viewer]) -> Sent:
        """Raises NotAllowed when it is none of ours or its sender may not, and what reading it raises."""
        viewer = await run_in_threadpool(self.viewer, request, rule)
        if request.headers.get("content-type", "").split(";")[0].strip() == MULTIPART:
            fields, file, name = await _read_upload(request)
        else:
            fields, file, name = await read_form(request), "", ""
        self._gate.check_form(request, fields)
        return Sent(viewer, request.url.path, fields, file, name)

    async def act(
        self,
        request: Request,
        rule: Callable[[Viewer], Viewer],
        subject: str,
        perform: Callable[[Sent], Awaitable[object]],
        again: Callable[[Sent, ImprimaturError], Response],
        then: str,
    ) -> Response:
        """Acts once, and leads to ``then``; a refusal is shown where the form was filled in, by ``again``."""
        sent = await self.sent(request, rule)
        try:
            await self.first(sent, subject, lambda: perform(sent))
        except ImprimaturError as error:
            return await run_in_threadpool(again, sent, error)
        return RedirectResponse(then, 303)

    async def first(self, sent: Sent, subject: str, act: Callable[[], Awaitable[object]]) -> bool:
        """Acts, unless the form was carried out before; answers whether it acted. What fails may be sent again.

        Raises Refused ``form_value_stale`` for a form from a page that was opened too long ago, ``form_sent_before``
        for one that comes again with other words, and what the act raises.
        """
        form_id = self._links.read_form_value(sent.fields.get(ONCE, ""), subject, sent.viewer.person)
        if form_id is None:
            raise Refused(
                "form_value_stale", "The page was opened too long ago to be sent.", "Look it over, and send it again."
            )
        said = sorted((name, value) for name, value in sent.fields.items() if name not in (ONCE, "form_token"))
        digest = hashlib.sha256(repr((said, sent.file)).encode()).hexdigest()
        own = f"{digest} {secrets.token_hex(8)}"
        # The forms of one page share its value, and each is good once.
        form_id = f"{form_id} {sent.path}"
        known = await run_in_threadpool(first_sent, self._database, form_id, subject, own)
        if known != own:
            if known.partition(" ")[0] == digest:
                return False
            raise Refused("form_sent_before", "This form was sent before, with other words.", "Open the page again.")
        try:
            await act()
        except BaseException:
            await run_in_threadpool(take_back, self._database, form_id)
            raise
        return True


async def _read_upload(request: Request) -> tuple[dict[str, str], str, str]:
    """Raises InputError ``form_too_large``, ``form_unreadable`` or ``document_not_utf8``."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > 2 * UPLOAD_LIMIT_BYTES:
        raise _too_large()
    fields: dict[str, str] = {}
    text, name = "", ""
    try:
        async with request.form(max_files=1, max_fields=50, max_part_size=UPLOAD_LIMIT_BYTES) as form:
            for key, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    fields.setdefault(key, value.replace("\x00", "").replace("\r\n", "\n"))
                elif value.filename:
                    text, name = _decoded(await value.read(UPLOAD_LIMIT_BYTES + 1), value.filename), value.filename
    except MultiPartException as error:
        raise InputError("form_unreadable", "The form could not be read.", "Open the page again and resend.") from error
    return fields, text, name


def _decoded(content: bytes, name: str) -> str:
    if len(content) > UPLOAD_LIMIT_BYTES:
        raise _too_large()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "document_not_utf8",
            f"{name[:100]} is not UTF-8 text (byte {error.start}).",
            "Save it again with the encoding UTF-8.",
        ) from error


def _too_large() -> InputError:
    return _TooLarge("form_too_large", "The file is too long to be taken.", "At most 1 MB is taken here.")
