"""Pages of acts on many cases."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import NOT_YOUR_UNIT
from imprimatur.access.viewer import Viewer
from imprimatur.bulk import Bulk, BulkReport
from imprimatur.bulk_acts import KINDS
from imprimatur.errors import ImprimaturError, InputError, NotAllowed, Refused
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.access import unseen_case
from imprimatur.store.bulk_reading import BulkLine, Chosen, bulk_of, bulks_of, chosen
from imprimatur.store.bulks import ItemResult
from imprimatur.store.case_listing import Filters, matching
from imprimatur.store.engine import Database
from imprimatur.web.acts.forms import known
from imprimatur.web.acts.sent import SentForm, check_choices, digest_of
from imprimatur.web.bulks.forms import MOST, act_begun, act_said, acts, check_act, fields, of_form, words_of
from imprimatur.web.bulks.running import BulkRunner
from imprimatur.web.forms import read_form
from imprimatur.web.gate import Gate
from imprimatur.web.once import TRY_AGAIN
from imprimatur.web.rendering import page, wants_json
from models.vocabulary import BulkResult

LOOKING = ["GET", "HEAD"]
SUBJECT = "bulks"


def of_office(viewer: Viewer) -> Viewer:
    """Raises NotAllowed ``not_the_office``."""
    if not viewer.is_office:
        raise NotAllowed("not_the_office", "Only the governance office acts on many cases at once.")
    return viewer


@dataclass(frozen=True)
class Shown:
    """A form with what was typed; with a report it is a preview, which can be carried out."""

    typed: Mapping[str, str] = field(default_factory=dict)
    error: ImprimaturError | None = None
    report: BulkReport | None = None


class BulkPages:
    def __init__(self, database: Database, gate: Gate, links: Links, gateway: Gateway, runner: BulkRunner) -> None:
        self._database = database
        self._gate = gate
        self._links = links
        self._gateway = gateway
        self._runner = runner

    def choose(self, request: Request) -> Response:
        """By ids (``case``), or everything that a filter of the list finds (``all``)."""
        viewer = of_office(self._gate.viewer(request))
        given = request.query_params
        name = check_act(given.get("act", ""))
        if given.get("all") == "yes":
            wanted = [given.get(word, "") for word in ("q", "status", "framework", "unit", "need")]
            found = matching(self._database, viewer.scope, Filters(*wanted), dt.datetime.now(dt.UTC), MOST)
        else:
            found = given.getlist("case")
        return self._form(request, name, self._among(viewer, found), Shown())

    def _among(self, viewer: Viewer, case_ids: Sequence[str]) -> Chosen:
        """Raises InputError ``bulk_choice`` or ``bulk_too_large``, NotFound ``case_unseen`` if none is to be seen."""
        if len(case_ids) > MOST:
            raise InputError(
                "bulk_too_large",
                f"More than {MOST} cases are chosen.",
                "Narrow the filter, or use `starter.py bulk`, which takes as many as there are.",
            )
        if not case_ids:
            raise InputError("bulk_choice", "No cases were chosen.", "Tick some in the list of cases.")
        found = chosen(self._database, viewer, case_ids)
        if not found.titles:
            raise unseen_case()
        return found

    def _form(self, request: Request, name: str, cases: Chosen, shown: Shown) -> Response:
        form = fields(name, cases)
        viewer = self._gate.viewer(request)
        values = {
            "act": name,
            "told": words_of(name),
            "acts": acts(),
            "cases": cases,
            "fields": form,
            "typed": known(shown.typed, form),
            "error": shown.error,
            "report": shown.report,
            "possible": shown.report.number(BulkResult.POSSIBLE) if shown.report else 0,
            "once": self._links.form_value(SUBJECT, viewer.person) if shown.report else "",
        }
        return page(request, "bulk_form.html", values, shown.error.http_status if shown.error else 200)

    async def preview(self, request: Request, form: Mapping[str, str]) -> Response:
        viewer, name, cases = await run_in_threadpool(self._said, request, form)
        try:
            shown = Shown(form, report=await self._previewed(viewer, name, cases, form))
        except ImprimaturError as error:
            if wants_json(request):
                raise
            shown = Shown(form, error)
        return await run_in_threadpool(self._form, request, name, cases, shown)

    def _said(self, request: Request, form: Mapping[str, str]) -> tuple[Viewer, str, Chosen]:
        viewer = of_office(self._gate.viewer(request))
        self._gate.check_form(request, form)
        return viewer, check_act(form.get("act", "")), self._among(viewer, form.get("cases", "").split())

    async def _previewed(self, viewer: Viewer, name: str, cases: Chosen, form: Mapping[str, str]) -> BulkReport:
        check_choices(fields(name, cases), form)
        ids, left_out = _parted(name, cases)
        if not ids:
            return BulkReport(name, True, results=left_out)
        act = await run_in_threadpool(act_said, self._gateway, self._database, name, ids, form, viewer.person)
        report = await Bulk(self._gateway, self._database).preview(act)
        report.results += left_out
        return report

    async def begin(self, request: Request, form: Mapping[str, str]) -> Response:
        viewer, name, cases = await run_in_threadpool(self._said, request, form)
        try:
            led_to = await self._begun(viewer, name, cases, form)
        except ImprimaturError as error:
            if wants_json(request):
                raise
            return await run_in_threadpool(self._form, request, name, cases, Shown(form, error))
        return RedirectResponse(led_to, 303)

    async def _begun(self, viewer: Viewer, name: str, cases: Chosen, form: Mapping[str, str]) -> str:
        sent = await run_in_threadpool(self._sent, viewer, form)
        led_to = await run_in_threadpool(sent.answered)
        if led_to is not None:
            return led_to
        check_choices(fields(name, cases), form)
        ids, _ = _parted(name, cases)
        act = await run_in_threadpool(act_said, self._gateway, self._database, name, ids, form, viewer.person)
        begun = await self._runner.begin(of_form(act, sent.form_id))
        if not begun.items:
            raise Refused("bulk_empty", "There is nothing in these cases that the act is about.", "Choose others.")
        led_to = f"/bulks/{quote(begun.bulk_id)}"
        await run_in_threadpool(sent.done, led_to)
        return led_to

    def _sent(self, viewer: Viewer, form: Mapping[str, str]) -> SentForm:
        form_id = self._links.read_form_value(form.get("once", ""), SUBJECT, viewer.person)
        if form_id is None:
            raise Refused("form_value_stale", "The page was opened too long ago to be sent.", TRY_AGAIN)
        said = {word: value for word, value in form.items() if word not in ("once", "form_token")}
        return SentForm(self._database, form_id, SUBJECT, digest_of(SUBJECT, viewer.person, said))

    def report(self, request: Request, bulk_id: str) -> Response:
        viewer = self._gate.viewer(request)
        line, items = bulk_of(self._database, viewer, bulk_id)
        known_act = line.act in KINDS
        values = {
            "line": line,
            "items": items,
            "title": words_of(line.act).title if known_act else line.act.replace("_", " ").capitalize(),
            "running": self._runner.is_running(bulk_id),
            "may_go_on": known_act and line.ended_at is None and viewer.person == line.actor,
        }
        return page(request, "bulk.html", values)

    async def go_on(self, request: Request, bulk_id: str, form: Mapping[str, str]) -> Response:
        line = await run_in_threadpool(self._own, request, bulk_id, form)
        if line.ended_at is None:
            act = await run_in_threadpool(act_begun, self._gateway, self._database, line)
            await self._runner.begin(act)
        return RedirectResponse(f"/bulks/{quote(bulk_id)}", 303)

    def _own(self, request: Request, bulk_id: str, form: Mapping[str, str]) -> BulkLine:
        viewer = of_office(self._gate.viewer(request))
        self._gate.check_form(request, form)
        line, _ = bulk_of(self._database, viewer, bulk_id)
        if line.actor != viewer.person:
            raise NotAllowed("not_your_bulk", f"{line.actor} began this.", "Only who began it can go on with it.")
        return line


def _parted(name: str, cases: Chosen) -> tuple[list[str], list[ItemResult]]:
    """Cases to act on, and of the others why not: one's own tasks are one's own everywhere."""
    if not KINDS[name].of_office:
        return list(cases.titles), []
    told = {"code": NOT_YOUR_UNIT.code, "message": NOT_YOUR_UNIT.sentence}
    left_out = [
        ItemResult(case_id=case_id, subject="", result=BulkResult.REFUSED, **told)  # type: ignore[arg-type]
        for case_id in cases.others
    ]
    return list(cases.own), left_out


def router(database: Database, gate: Gate, links: Links, gateway: Gateway, runner: BulkRunner) -> APIRouter:
    routes = APIRouter()
    pages = BulkPages(database, gate, links, gateway, runner)

    @routes.api_route("/bulks", methods=LOOKING)
    def listed(request: Request) -> Response:
        viewer = gate.viewer(request)
        if not viewer.oversees:
            of_office(viewer)
        values = {"bulks": bulks_of(database, viewer), "titles": dict(acts())}
        return page(request, "bulks.html", values)

    @routes.api_route("/bulks/new", methods=LOOKING)
    def choose(request: Request) -> Response:
        return pages.choose(request)

    @routes.post("/bulks/new")
    async def preview(request: Request) -> Response:
        return await pages.preview(request, await read_form(request))

    @routes.post("/bulks")
    async def begin(request: Request) -> Response:
        return await pages.begin(request, await read_form(request))

    @routes.api_route("/bulks/{bulk_id}", methods=LOOKING)
    def report(request: Request, bulk_id: str) -> Response:
        return pages.report(request, bulk_id)

    @routes.post("/bulks/{bulk_id}/go-on")
    async def go_on(request: Request, bulk_id: str) -> Response:
        return await pages.go_on(request, bulk_id, await read_form(request))

    return routes
