"""The directory: a file taken over after a preview, one person with all that concerns them, and who is away."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.errors import ImprimaturError, InputError, NotFound, Refused
from imprimatur.leaving import Leaving
from imprimatur.store import leave, sessions
from imprimatur.store.engine import Database
from imprimatur.store.interests import list_interests
from imprimatur.store.people import (
    PersonEntry,
    list_people,
    people_by_email,
    people_page,
    preview_people,
    suggested,
    take_people,
    take_person,
)
from imprimatur.store.preferences import PREFERENCES, prefer
from imprimatur.web.admin.forms import LOOKING, Forms, Sent, administrator, may, whole_office
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.rendering import page

IMPORT = "people import"
ADD = "people add"
COLUMNS = ("email", "name", "roles", "units", "organisation", "active")
ADDED = ("email", "name", "roles", "units", "organisation", "formerly")
SAID = {
    "saved": "The directory is changed.",
    "preferred": "The preferences are kept.",
    "delegated": "The delegation is recorded.",
    "ended": "The delegation has ended.",
    "absent": "The absence is recorded.",
    "back": "The absences are cut short.",
    "left": "The person is no longer active, and what waited for them was handed over.",
    "signed_out": "All sessions of the person have ended.",
}


def router(database: Database, forms: Forms, machinery: Machinery) -> APIRouter:
    routes = APIRouter()
    _add_list(routes, database, forms)
    _add_import(routes, database, forms)
    _add_person(routes, database, forms, machinery)
    return routes


def _add_list(routes: APIRouter, database: Database, forms: Forms) -> None:
    @routes.api_route("/people", methods=LOOKING)
    def people(request: Request, q: str = "", cursor: str = "") -> Response:
        viewer = forms.viewer(request)
        words = q.strip()[:200]
        values = {
            "found": people_page(database, words, cursor or None),
            "q": words,
            "kept": urlencode({"q": words}) if words else "",
            "cursor": cursor,
            "keeps": may(administrator, viewer),
        }
        return page(request, "admin/people.html", values)

    @routes.api_route("/people/suggested", methods=LOOKING)
    def like(request: Request) -> Response:
        forms.viewer(request)
        # A field sends what is typed into it under its own name.
        words = " ".join(request.query_params.values())[:200]
        return page(request, "admin/suggested.html", {"people": suggested(database, words) if words.strip() else []})

    @routes.api_route("/people/away", methods=LOOKING)
    def away(request: Request) -> Response:
        forms.viewer(request)
        today = dt.datetime.now(dt.UTC).date()
        values = {
            "absences": [entry for entry in leave.list_absences(database) if entry.last_on >= today],
            "delegations": [entry for entry in leave.list_delegations(database) if entry.last_on >= today],
            "names": {person.email: person.name for person in list_people(database)},
            "today": today,
        }
        return page(request, "admin/away.html", values)


def _add_import(routes: APIRouter, database: Database, forms: Forms) -> None:
    def show(request: Request, viewer: Viewer, status: int = 200, **more: Any) -> Response:
        values = {"once": forms.once(viewer, IMPORT), "text": "", "preview": None, "result": None, "error": None}
        return page(request, "admin/people_import.html", values | more, status)

    @routes.api_route("/people/import", methods=LOOKING)
    def ask(request: Request) -> Response:
        return show(request, forms.viewer(request, administrator))

    @routes.post("/people/import")
    async def take(request: Request) -> Response:
        sent = await forms.sent(request, administrator)
        text = sent.file or sent.fields.get("text", "")
        try:
            if not text.strip():
                raise InputError("form_without_file", "No file was chosen.", "Choose a CSV file, or paste its text.")
            if sent["act"] != "import":
                found = await run_in_threadpool(preview_people, database, text)
                return await run_in_threadpool(lambda: show(request, sent.viewer, text=text, preview=found))
            results: list[Any] = []

            async def act() -> object:
                results.append(await run_in_threadpool(take_people, database, text, sent.viewer.person))
                return results

            await forms.first(sent, IMPORT, act)
        except ImprimaturError as error:
            failed = error
            return await run_in_threadpool(
                lambda: show(request, sent.viewer, failed.http_status, error=failed, text=text)
            )
        result = results[0] if results else None
        return await run_in_threadpool(lambda: show(request, sent.viewer, result=result or "before"))


def _add_person(routes: APIRouter, database: Database, forms: Forms, machinery: Machinery) -> None:
    def blank(request: Request, viewer: Viewer, status: int = 200, **more: Any) -> Response:
        values: dict[str, Any] = {"once": forms.once(viewer, ADD), "fields": {}, "error": None}
        return page(request, "admin/person_add.html", values | more, status)

    @routes.api_route("/people/add", methods=LOOKING)
    def new(request: Request) -> Response:
        return blank(request, forms.viewer(request, administrator))

    @routes.post("/people/add")
    async def add(request: Request) -> Response:
        sent = await forms.sent(request, administrator)
        email = sent["email"].lower()

        def act() -> object:
            if any(person.email == email for person in list_people(database)):
                raise Refused("person_known", f"{email} is in the directory already.", "Open their page to change it.")
            # What is left empty of somebody who had another address stays as it was there.
            said = {name: sent[name] for name in ADDED if sent[name] or not sent["formerly"]}
            return take_person(database, said, sent.viewer.person)

        try:
            await forms.first(sent, ADD, lambda: run_in_threadpool(act))
        except ImprimaturError as error:
            failed = error
            return await run_in_threadpool(
                lambda: blank(request, sent.viewer, failed.http_status, error=failed, fields=sent.fields)
            )
        return Response(status_code=303, headers={"Location": f"/people/{email}?said=saved"})

    def show(request: Request, email: str, status: int = 200, **more: Any) -> Response:
        viewer = forms.viewer(request)
        # No address that is stored has the character that databases cannot compare.
        wanted = email.replace("\0", "").strip().lower()
        with database.read() as connection:
            found = people_by_email(connection, [wanted])
        if not found:
            raise NotFound("person_unknown", f"{email} is not in the directory.", "Look for them among the people.")
        [person] = found
        values = {
            "person": person,
            "preferences": {name: _said(person, name) for name in PREFERENCES},
            "delegations": leave.list_delegations(database, person.email),
            "absences": leave.list_absences(database, person.email),
            "interests": list_interests(database, person.email),
            "keeps": may(administrator, viewer),
            "plans": may(whole_office, viewer),
            "once": forms.once(viewer, f"person {person.email}"),
            "said": "",
            "error": None,
            "fields": {},
        }
        return page(request, "admin/person.html", values | more, status)

    @routes.api_route("/people/{email}", methods=LOOKING)
    def one(request: Request, email: str, said: str = "") -> Response:
        return show(request, email, said=SAID.get(said, ""))

    @routes.post("/people/{email}/{act}")
    async def perform(request: Request, email: str, act: str) -> Response:
        if act not in ACTS:
            raise NotFound("page_unknown", "There is no such page.", "Use a form of the page.")
        rule, done, word = ACTS[act]
        acting = Acting(database, machinery)

        def again(sent: Sent, error: ImprimaturError) -> Response:
            return show(request, email, error.http_status, error=error, fields=dict(sent.fields) | {"act": act})

        return await forms.act(
            request,
            rule,
            f"person {email.strip().lower()}",
            lambda sent: done(acting, email.strip().lower(), sent),
            again,
            f"/people/{email.strip().lower()}?said={word}",
        )


def _said(person: PersonEntry, name: str) -> str:
    value = getattr(person, name)
    return {None: "default", True: "yes", False: "no"}.get(value, str(value))


class Acting:
    """Each act has its one place elsewhere; here is only which words of the form go into it."""

    def __init__(self, database: Database, machinery: Machinery) -> None:
        self._database = database
        self._machinery = machinery

    async def edit(self, email: str, sent: Sent) -> object:
        said = {name: sent.fields.get(name, "") for name in COLUMNS} | {"email": email}
        said["active"] = "yes" if sent["active"] == "yes" else "no"
        return await run_in_threadpool(take_person, self._database, said, sent.viewer.person)

    async def prefer(self, email: str, sent: Sent) -> object:
        said = {name: sent[name] or "default" for name in PREFERENCES if name in sent.fields}
        return await run_in_threadpool(prefer, self._database, email, said)

    async def delegate(self, email: str, sent: Sent) -> object:
        scope = leave.Scope(sent["framework"] or None, sent["stage"] or None, sent["unit"] or None)
        first, last = _day(sent, "first_on"), _day(sent, "last_on")
        now = dt.datetime.now(dt.UTC)
        return await run_in_threadpool(leave.add_delegation, self._database, email, sent["to"], first, last, scope, now)

    async def end_delegation(self, email: str, sent: Sent) -> object:
        return await run_in_threadpool(
            leave.end_delegation, self._database, sent["delegation"], dt.datetime.now(dt.UTC)
        )

    async def absent(self, email: str, sent: Sent) -> object:
        first, last = _day(sent, "first_on"), _day(sent, "last_on")
        return await run_in_threadpool(leave.add_absence, self._database, email, first, last, sent["reason"])

    async def back(self, email: str, sent: Sent) -> object:
        return await run_in_threadpool(leave.end_absences, self._database, email, _day(sent, "on"))

    async def leave(self, email: str, sent: Sent) -> object:
        leaving = Leaving(self._machinery.gateway, self._database)
        return await leaving.leave(email, to=sent["to"] or None, actor=sent.viewer.person)

    async def sign_out(self, email: str, sent: Sent) -> object:
        now = dt.datetime.now(dt.UTC)
        return await run_in_threadpool(sessions.sign_out_everywhere, self._database, email, now, sent.viewer.person)


def _day(sent: Sent, name: str) -> dt.date:
    """Raises InputError ``date_malformed``."""
    try:
        return dt.date.fromisoformat(sent[name])
    except ValueError as error:
        raise InputError("date_malformed", f"{sent[name]!r} is not a date.", "Write it like 2026-12-21.") from error


ACTS = {
    "edit": (administrator, Acting.edit, "saved"),
    "sign-out": (administrator, Acting.sign_out, "signed_out"),
    "prefer": (whole_office, Acting.prefer, "preferred"),
    "delegate": (whole_office, Acting.delegate, "delegated"),
    "end-delegation": (whole_office, Acting.end_delegation, "ended"),
    "absent": (whole_office, Acting.absent, "absent"),
    "back": (whole_office, Acting.back, "back"),
    "leave": (whole_office, Acting.leave, "left"),
}
