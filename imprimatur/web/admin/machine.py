"""The machine itself: health of its parts and queues, settings in force, calendars, and keys."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.errors import ImprimaturError, Refused
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.mail.links import Links
from imprimatur.publication.keys import all_keys, jwk_of
from imprimatur.store import api_keys
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, list_frameworks
from imprimatur.web.admin.examining import Examination, examined, queues_of
from imprimatur.web.admin.forms import LOOKING, Forms, administrator, may
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.rendering import page
from models.calendars import CalendarDef
from models.vocabulary import KeyScope

KEY = "key add"
LOOK_AHEAD_DAYS = 366
SAID = {"revoked": "The key is revoked: it is no good from now on."}


def router(database: Database, links: Links, forms: Forms, machinery: Machinery, examination: Examination) -> APIRouter:
    routes = APIRouter()
    _add_health(routes, database, forms, machinery, examination)
    _add_reading(routes, database, forms, machinery)
    _add_keys(routes, database, links, forms)
    return routes


def _add_health(
    routes: APIRouter, database: Database, forms: Forms, machinery: Machinery, examination: Examination
) -> None:
    @routes.api_route("/admin/health", methods=LOOKING)
    async def health(request: Request) -> Response:
        await run_in_threadpool(forms.viewer, request)
        found, queues = await asyncio.gather(examination.look(), run_in_threadpool(queues_of, database))
        told = examined(found)
        values = {
            "checks": told.checks,
            "wrong": [check for check in told.checks if not check.ok],
            "task_queues": told.task_queues,
            "silent": told.silent,
            "queues": queues,
            "temporal_ui": machinery.temporal_ui,
        }
        return await run_in_threadpool(page, request, "admin/health.html", values)


@dataclass(frozen=True)
class CalendarShown:
    """One calendar as frameworks define it, with the days off to come; ``used_by`` are frameworks' newest versions."""

    name: str
    definition: CalendarDef
    used_by: tuple[str, ...]
    days_off: tuple[tuple[dt.date, dt.date, str], ...]


def calendars(database: Database, today: dt.date) -> list[CalendarShown]:
    """Those of the newest version of each framework; the same definition under the same name is one."""
    newest: dict[str, str] = {}
    for entry in list_frameworks(database):
        newest.setdefault(entry.id, entry.version)
    found: dict[tuple[str, str], tuple[CalendarDef, list[str]]] = {}
    for framework_id, version in newest.items():
        policy = framework(database, framework_id, version)
        for name, definition in policy.calendars.items():
            key = (name, definition.model_dump_json())
            found.setdefault(key, (definition, []))[1].append(f"{policy.name} {policy.version}")
    return [
        CalendarShown(name, definition, tuple(users), tuple(_days_off(name, definition, today)))
        for (name, _), (definition, users) in sorted(found.items(), key=lambda item: item[0])
    ]


def _days_off(name: str, definition: CalendarDef, today: dt.date) -> list[tuple[dt.date, dt.date, str]]:
    """Days of the coming year that are no working days, weekends apart; days in a row with one reason are one."""
    weekend = {("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day) for day in definition.weekend}
    calendar, found = work_calendar(definition, name), list[tuple[dt.date, dt.date, str]]()
    for number in range(LOOK_AHEAD_DAYS):
        on = today + dt.timedelta(days=number)
        why = calendar.reason_off(on)
        if why is None or (on.weekday() in weekend and why == on.strftime("%A")):
            continue
        if found and found[-1][2] == why and found[-1][1] == on - dt.timedelta(days=1):
            found[-1] = (found[-1][0], on, why)
        else:
            found.append((on, on, why))
    return found


def _add_reading(routes: APIRouter, database: Database, forms: Forms, machinery: Machinery) -> None:
    @routes.api_route("/admin", methods=LOOKING)
    def hub(request: Request) -> Response:
        viewer = forms.viewer(request)
        return page(request, "admin/index.html", {"keeps": may(reads_machine, viewer)})

    @routes.api_route("/admin/settings", methods=LOOKING)
    def settings(request: Request) -> Response:
        forms.viewer(request, reads_machine)
        return page(request, "admin/settings.html", {"settings": machinery.settings()})

    @routes.api_route("/admin/calendars", methods=LOOKING)
    def shown(request: Request) -> Response:
        forms.viewer(request)
        today = dt.datetime.now(dt.UTC).date()
        return page(request, "admin/calendars.html", {"calendars": calendars(database, today)})


def reads_machine(viewer: Viewer) -> Viewer:
    """Administrators, and auditors of everything. Raises NotAllowed ``not_an_administrator``."""
    audits = viewer.oversees and not viewer.is_office and viewer.scope.everything
    return viewer if audits else administrator(viewer)


def _add_keys(routes: APIRouter, database: Database, links: Links, forms: Forms) -> None:
    def show(request: Request, viewer: Viewer, status: int = 200, **more: Any) -> Response:
        cursor = request.query_params.get("cursor", "")
        values = {
            "found": api_keys.key_page(database, cursor or None),
            "cursor": cursor,
            "here": f"?{urlencode({'cursor': cursor})}" if cursor else "",
            "signing": [(key, jwk_of(key, links.base_url)) for key in all_keys(database)],
            "scopes": list(KeyScope),
            "acts": may(administrator, viewer),
            "once": forms.once(viewer, KEY),
            "made": None,
            "secret": "",
            "fields": {},
            "error": None,
            "said": "",
        }
        return page(request, "admin/keys.html", values | more, status)

    @routes.api_route("/admin/keys", methods=LOOKING)
    def ask(request: Request, said: str = "") -> Response:
        return show(request, forms.viewer(request, reads_machine), said=SAID.get(said, ""))

    @routes.post("/admin/keys")
    async def make(request: Request) -> Response:
        sent = await forms.sent(request, administrator)
        scopes = [scope for scope in KeyScope if sent[f"scope.{scope}"] == "yes"]
        made: list[Any] = []

        def act() -> object:
            if not sent["name"]:
                raise Refused("key_name_required", "A key needs a name.", "Say what the key is for.")
            made.extend(api_keys.make_key(database, sent["name"], sent["email"], scopes, dt.datetime.now(dt.UTC)))
            return made

        try:
            if not await forms.first(sent, KEY, lambda: run_in_threadpool(act)):
                raise Refused(
                    "key_made_before",
                    "This form was sent before: the key was made then, and shown once.",
                    "If you did not see it, revoke it and make another.",
                )
        except ImprimaturError as error:
            failed = error
            return await run_in_threadpool(
                lambda: show(request, sent.viewer, failed.http_status, error=failed, fields=sent.fields)
            )
        entry, secret = made
        return await run_in_threadpool(lambda: show(request, sent.viewer, made=entry, secret=secret))

    @routes.post("/admin/keys/{key_id}/revoke")
    async def revoke(request: Request, key_id: str, cursor: str = "") -> Response:
        told = urlencode({"said": "revoked"} | ({"cursor": cursor} if cursor else {}))
        return await forms.act(
            request,
            administrator,
            KEY,
            lambda sent: run_in_threadpool(api_keys.revoke_key, database, key_id, dt.datetime.now(dt.UTC)),
            lambda sent, error: show(request, sent.viewer, error.http_status, error=error),
            f"/admin/keys?{told}",
        )
