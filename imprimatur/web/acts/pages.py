"""The pages of acts on a case: each says what will happen, asks for what the act needs, and shows what went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.access.viewer import Viewer
from imprimatur.errors import ImprimaturError, NotAllowed, NotFound, Refused, Unavailable
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.case_reading import CaseSheet, case_sheet, case_tag
from imprimatur.store.engine import Database
from imprimatur.store.owed import Owed, owed_outside_scope
from imprimatur.web.acts.doing import perform
from imprimatur.web.acts.forms import Facts, fields, fields_of_owner, has_form, known
from imprimatur.web.acts.said import Said
from imprimatur.web.acts.sent import SentForm, check_choices, digest_of
from imprimatur.web.acts.words import WORDS
from imprimatur.web.api.guard import Guard, check_unchanged
from imprimatur.web.forms import read_form
from imprimatur.web.gate import Gate
from imprimatur.web.once import TRY_AGAIN
from imprimatur.web.rendering import page, wants_json

LOOKING = ["GET", "HEAD"]
# What the command line is told to do by an option is done in a field here.
HINTS = {
    "reason_required": "Say why; it is recorded.",
    "evidence_required": "Say what was done, or where it can be seen.",
}
SENT_AGAIN = "Send the form again as it stands: it is done once, however often it is sent."


@dataclass(frozen=True)
class Shown:
    """What was typed, and what was wrong with it. ``once`` and ``seen`` stay those of a form that may be sent again."""

    typed: Mapping[str, str] = field(default_factory=dict)
    error: ImprimaturError | None = None
    once: str = ""
    seen: str = ""


class ActPages:
    def __init__(self, database: Database, gate: Gate, links: Links, gateway: Gateway) -> None:
        self._database = database
        self._gate = gate
        self._links = links
        self._gateway = gateway
        self._guard = Guard(database)

    def look(self, request: Request, case_id: str, act: CaseAct) -> Response:
        """Raises NotAllowed with the code and the sentence that the page of the case says."""
        viewer = self._gate.viewer(request)
        if (owed := self._owed(viewer, case_id, act)) is not None:
            done = request.query_params.get("done") == "yes"
            return self._owed_page(request, viewer, owed, Shown(dict(request.query_params)), done)
        sheet = case_sheet(self._database, viewer, case_id)
        denied = sheet.acts[act]
        if denied is not None:
            raise NotAllowed(denied.code, denied.sentence, "The page of the case says what you may do.")
        return self._page(request, viewer, sheet, act, Shown(dict(request.query_params)))

    def _page(self, request: Request, viewer: Viewer, sheet: CaseSheet, act: CaseAct, shown: Shown) -> Response:
        form = fields(act, Facts(sheet, viewer, self._database))
        case_id = sheet.view.case_id
        values = {
            "sheet": sheet,
            "case": sheet.view,
            "act": act,
            "told": WORDS[act],
            "fields": form,
            "typed": known(shown.typed, form),
            "awaited": _awaited(sheet),
            "denied": sheet.acts[act],
            "error": shown.error,
            "once": shown.once or self._links.form_value(_subject(case_id, act), viewer.person),
            "seen": shown.seen or case_tag(self._database, viewer, case_id),
        }
        return page(request, "act.html", values, shown.error.http_status if shown.error else 200)

    async def send(self, request: Request, case_id: str, act: CaseAct, form: Mapping[str, str]) -> Response:
        viewer = await run_in_threadpool(self._gate.viewer, request)
        await run_in_threadpool(self._gate.check_form, request, form)
        try:
            led_to = await self._done(viewer, case_id, act, form)
        except ImprimaturError as error:
            if wants_json(request) or error.code == "case_unseen":
                raise
            error.hint = HINTS.get(error.code, error.hint)
            shown = Shown(form, error)
            if isinstance(error, Unavailable):
                error.hint = SENT_AGAIN
                shown = Shown(form, error, form.get("once", ""), form.get("seen", ""))
            return await run_in_threadpool(self._again, request, viewer, case_id, act, shown)
        return RedirectResponse(led_to, 303)

    def _owed(self, viewer: Viewer, case_id: str, act: CaseAct) -> Owed | None:
        """Conditions of a case that is none of the viewer's but for these."""
        return owed_outside_scope(self._database, viewer, case_id) if act is CaseAct.FULFIL else None

    def _owed_page(self, request: Request, viewer: Viewer, owed: Owed, shown: Shown, done: bool = False) -> Response:
        form = fields_of_owner(owed)
        values = {
            "owed": owed,
            "told": WORDS[CaseAct.FULFIL],
            "fields": form,
            "is_open": any(field.options for field in form),
            "typed": known(shown.typed, form),
            "error": shown.error,
            "done": done,
            "once": shown.once or self._links.form_value(_subject(owed.case_id, CaseAct.FULFIL), viewer.person),
        }
        return page(request, "owed.html", values, shown.error.http_status if shown.error else 200)

    def _again(self, request: Request, viewer: Viewer, case_id: str, act: CaseAct, shown: Shown) -> Response:
        if (owed := self._owed(viewer, case_id, act)) is not None:
            return self._owed_page(request, viewer, owed, shown)
        return self._page(request, viewer, case_sheet(self._database, viewer, case_id), act, shown)

    async def _done(self, viewer: Viewer, case_id: str, act: CaseAct, form: Mapping[str, str]) -> str:
        """Where to go on. Raises what the form, the guard and the engine refuse."""
        sent, typed = await run_in_threadpool(self._sent, viewer, case_id, act, form)
        led_to = await run_in_threadpool(sent.answered)
        if led_to is not None:
            return led_to
        owed = await run_in_threadpool(self._owed, viewer, case_id, act)
        if not await run_in_threadpool(sent.was_begun):
            try:
                await self._check(viewer, case_id, act, owed, typed, form.get("seen", ""))
            except ImprimaturError:
                # Pressed twice: what the first press changed must not be held against the second.
                if not await run_in_threadpool(sent.was_begun):
                    raise
            else:
                await run_in_threadpool(sent.begin)
        try:
            said = Said(case_id, viewer.person, typed)
            position = await perform(self._gateway.under(sent.update_id), self._database, act, said)
        except ImprimaturError as error:
            if not isinstance(error, Unavailable):
                await run_in_threadpool(sent.refused)
            raise
        led_to = f"/cases/{quote(case_id)}" + _then(act, position, owed is not None)
        await run_in_threadpool(sent.done, led_to)
        return led_to

    async def _check(
        self, viewer: Viewer, case_id: str, act: CaseAct, owed: Owed | None, typed: Mapping[str, str], seen: str
    ) -> None:
        """Whether a form may be sent for the first time."""
        if owed is not None:
            # Nothing of the case is shown that could have changed meanwhile; the case has the last word.
            check_choices(fields_of_owner(owed), typed)
            return
        await self._guard.admit(viewer, case_id, act)
        await run_in_threadpool(check_unchanged, self._database, viewer, case_id, seen)
        await run_in_threadpool(self._check_choices, viewer, case_id, act, typed)

    def _sent(
        self, viewer: Viewer, case_id: str, act: CaseAct, form: Mapping[str, str]
    ) -> tuple[SentForm, dict[str, str]]:
        subject = _subject(case_id, act)
        form_id = self._links.read_form_value(form.get("once", ""), subject, viewer.person)
        if form_id is None:
            raise Refused("form_value_stale", "The page was opened too long ago to be sent.", TRY_AGAIN)
        typed = {name: value for name, value in form.items() if name not in ("once", "seen", "form_token")}
        return SentForm(self._database, form_id, subject, digest_of(subject, viewer.person, typed)), typed

    def _check_choices(self, viewer: Viewer, case_id: str, act: CaseAct, typed: Mapping[str, str]) -> None:
        sheet = case_sheet(self._database, viewer, case_id)
        check_choices(fields(act, Facts(sheet, viewer, self._database)), typed)


# Where the page tells of what stands in no ledger before it has been done.
_SHOWN_AT = {CaseAct.RETRY_PUBLICATION: "#publication", CaseAct.RETRY_HANDOVER: "#handovers"}


def _then(act: CaseAct, position: int | None, outside: bool) -> str:
    """Where on the case, or beside it, what was done is seen."""
    if outside:
        return f"/acts/{CaseAct.FULFIL}?done=yes"
    return _SHOWN_AT[act] if position is None else f"?done={position}#done"


def _subject(case_id: str, act: CaseAct) -> str:
    return f"{case_id}/{act}"


def _awaited(sheet: CaseSheet) -> list[str]:
    """Who holds an open task, each once, as the viewer may know them."""
    return list(dict.fromkeys(sheet.called(task.assignee, sheet.roles.get(task.task_id)) for task in sheet.view.tasks))


def _act(name: str) -> CaseAct:
    if name not in list(CaseAct) or not has_form(CaseAct(name)):
        raise NotFound("page_unknown", "There is no such page.", "The page of the case leads to every act there is.")
    return CaseAct(name)


def router(database: Database, gate: Gate, links: Links, gateway: Gateway) -> APIRouter:
    routes = APIRouter()
    pages = ActPages(database, gate, links, gateway)

    @routes.api_route("/cases/{case_id}/acts/{act}", methods=LOOKING)
    def look(request: Request, case_id: str, act: str) -> Response:
        gate.viewer(request)
        return pages.look(request, case_id, _act(act))

    @routes.post("/cases/{case_id}/acts/{act}")
    async def send(request: Request, case_id: str, act: str) -> Response:
        return await pages.send(request, case_id, _act(act), await read_form(request))

    return routes
