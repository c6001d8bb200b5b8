"""The form of a proposal: saved as it is typed, with what is still missing; looked over, and handed in."""

import base64
import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur import attaching, drafting, ids
from imprimatur.access.viewer import Viewer
from imprimatur.attaching import UploadRules
from imprimatur.drafting import Cases, Standing, proposer
from imprimatur.errors import DocumentInvalid, ImprimaturError, InputError, NotFound
from imprimatur.frameworks.forms import Body, read, with_row, without_row
from imprimatur.store import attachments, drafts
from imprimatur.store.case_reading import acts_of
from imprimatur.store.drafts import Draft
from imprimatur.store.engine import Database
from imprimatur.store.overlaps import Overlaps
from imprimatur.store.skills import search_skills, skill_by_key, skill_frameworks
from imprimatur.web.files import file_links
from imprimatur.web.gate import Gate
from imprimatur.web.proposal_form import Builder, anchor, label_of
from imprimatur.web.rendering import page
from imprimatur.web.uploads import Sent, Upload, download, read_sent

LOOKING = ["GET", "HEAD"]
PICTURE_LIMIT_BYTES = 70_000
_PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}


@dataclass(frozen=True)
class Said:
    """What a page of the form is shown with, beside the draft."""

    at: str = ""
    find: str = ""
    error: ImprimaturError | None = None
    file_error: ImprimaturError | None = None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def router(database: Database, gate: Gate, cases: Cases, rules: UploadRules, overlaps: Overlaps) -> APIRouter:
    routes = APIRouter()
    pages = _Pages(database, gate, rules, overlaps)

    @routes.api_route("/drafts", methods=LOOKING)
    def index(request: Request) -> Response:
        viewer = proposer(gate.viewer(request))
        return page(request, "drafts.html", {"drafts": drafts.drafts_of(database, viewer.person)})

    @routes.api_route("/drafts/{draft_id}", methods=LOOKING)
    def form(request: Request, draft_id: str, at: str = "", find: str = "") -> Response:
        found = pages.own(request, draft_id)
        return pages.form(request, found, found.body, Said(at=at, find=find.strip()[:200]))

    @routes.post("/drafts/{draft_id}")
    async def act(request: Request, draft_id: str) -> Response:
        sent = await read_sent(request, rules.most_bytes)
        return await run_in_threadpool(pages.act, request, draft_id, sent)

    @routes.post("/drafts/{draft_id}/save")
    async def save(request: Request, draft_id: str) -> Response:
        sent = await read_sent(request)
        return await run_in_threadpool(pages.keep_typed, request, draft_id, sent)

    @routes.api_route("/drafts/{draft_id}/skills", methods=LOOKING)
    def skills(request: Request, draft_id: str, find: str = "") -> Response:
        pages.own(request, draft_id)
        words = find.strip()[:200]
        return page(request, "draft_skills.html", {"find": words, "skills": _skills(database, words)})

    @routes.api_route("/drafts/{draft_id}/files/{digest}", methods=LOOKING)
    def file(request: Request, draft_id: str, digest: str) -> Response:
        named, content = attaching.file_named(database, pages.own(request, draft_id), digest)
        return download(content, named["name"], named.get("media_type"))

    @routes.post("/drafts/{draft_id}/delete")
    async def delete(request: Request, draft_id: str) -> Response:
        sent = await read_sent(request)
        return await run_in_threadpool(pages.delete, request, draft_id, sent)

    _add_handing_in(routes, pages, cases)
    return routes


def _add_handing_in(routes: APIRouter, pages: "_Pages", cases: Cases) -> None:
    @routes.api_route("/drafts/{draft_id}/review", methods=LOOKING)
    def review(request: Request, draft_id: str) -> Response:
        return pages.review(request, pages.own(request, draft_id))

    @routes.post("/drafts/{draft_id}/submit")
    async def submit(request: Request, draft_id: str) -> Response:
        sent = await read_sent(request)
        found = await run_in_threadpool(pages.to_hand_in, request, draft_id, sent)
        if isinstance(found, Response):
            return found
        draft, standing = found
        try:
            case_id = await drafting.hand_in(cases, pages.database, draft, standing)
        except DocumentInvalid:
            return RedirectResponse(f"/drafts/{draft_id}", 303)
        except ImprimaturError as error:
            return await run_in_threadpool(pages.review, request, draft, error)
        return RedirectResponse(f"/cases/{case_id}", 303)


class _Pages:
    def __init__(self, database: Database, gate: Gate, rules: UploadRules, overlaps: Overlaps) -> None:
        self.database = database
        self._gate = gate
        self._rules = rules
        self._overlaps = overlaps

    def own(self, request: Request, draft_id: str) -> Draft:
        viewer = proposer(self._gate.viewer(request))
        return drafts.draft(self.database, viewer.person, draft_id)

    def _checked(self, request: Request, sent: Sent) -> Viewer:
        viewer = proposer(self._gate.viewer(request))
        self._gate.check_form(request, sent.form)
        return viewer

    # --- the form -----------------------------------------------------------------------------------------------------

    def form(self, request: Request, found: Draft, body: Body, said: Said, tab: str = "") -> Response:
        shown = found.model_copy(update={"body": body})
        standing = drafting.standing(self.database, shown)
        builder = Builder(standing.policy, standing.read.wrong, standing.lacking)
        held = file_links(self.database, standing.read.usable, found.owner, f"/drafts/{found.draft_id}")
        error = said.error or said.file_error
        values = _state_values(shown, standing, tab or secrets.token_hex(8)) | {
            "sections": builder.sections(body),
            "attached": [file for file in body.get("attachments") or () if isinstance(file, dict)],
            "attachments_asked": builder.asked_of("attachments"),
            "held": held,
            "at": said.at,
            "find": said.find,
            "skills": _skills(self.database, said.find),
            "skill_frameworks": [name for name, *_ in skill_frameworks(self.database)],
            "error": said.error,
            "file_error": said.file_error,
            "most_mebibytes": self._rules.most_bytes // 1_048_576,
            "taken": sorted(self._rules.media_types),
        }
        return page(request, "draft.html", values, error.http_status if error else 200)

    def act(self, request: Request, draft_id: str, sent: Sent) -> Response:
        """Keeps what was typed, then does what the pressed button says."""
        self._checked(request, sent)
        found, form = self.own(request, draft_id), sent.form
        name, _, about = form.get("act", "save").partition(":")
        body = read(sent.pairs, found.body)
        try:
            self._save(found, body, form, anyway=name == "keep")
        except ImprimaturError as error:
            if error.code != "draft_changed":
                raise
            return self.form(request, found, body, Said(error=error), form.get("tab", ""))
        found = drafts.draft(self.database, found.owner, draft_id)
        try:
            return RedirectResponse(f"/drafts/{draft_id}{self._done(found, name, about, sent)}", 303)
        except InputError as error:
            return self.form(request, found, body, Said(file_error=error))

    def keep_typed(self, request: Request, draft_id: str, sent: Sent) -> Response:
        self._checked(request, sent)
        found, form = self.own(request, draft_id), sent.form
        error = None
        body = read(sent.pairs, found.body)
        shown = found.model_copy(update={"body": body, "changed_at": _now()})
        try:
            shown = shown.model_copy(update={"revision": self._save(found, body, form)})
        except ImprimaturError as refused:
            if refused.code != "draft_changed":
                raise
            error = refused
            shown = shown.model_copy(update={"revision": _number(form.get("revision"))})
        values = _state_values(shown, drafting.standing(self.database, shown), form.get("tab", "")) | {"error": error}
        return page(request, "draft_state.html", values, error.http_status if error else 200)

    def _save(self, found: Draft, body: Body, form: dict[str, str], anyway: bool = False) -> int:
        revision, tab = _number(form.get("revision")), form.get("tab", "")[:64]
        return drafts.save(self.database, found, body, _now(), revision=revision, tab=tab, anyway=anyway)

    def _done(self, found: Draft, name: str, about: str, sent: Sent) -> str:
        """Does it; answers how the address goes on. Raises InputError for a file that is not taken."""
        body, at = found.body, ""
        match name:
            case "add":
                body, at = with_row(body, about)
            case "remove":
                body, at = without_row(body, about), about.rpartition(".")[0]
            case "attach":
                body, at = self._attached(found, sent.files.get("file")), "attachments"
            case "detach":
                body, at = attaching.without(found, about), "attachments"
            case "picture":
                body, at = _pictured(body, about, sent.files.get(f"file.{about}")), about
            case "no-picture":
                body, at = _pictured(body, about, None), about
            case "skill":
                body, at = self._with_skill(body, about), "skills"
            case "find":
                return f"?{urlencode({'find': sent.form.get('find', '')[:200]})}#skills"
            case "review":
                return "/review"
        if body is not found.body:
            drafts.save(self.database, found, body, _now(), revision=found.revision, tab="", anyway=False)
        if name == "detach":
            attachments.forget_unused(self.database, about, found.owner)
        return f"?{urlencode({'at': at})}#{at.replace('.', '-')}" if at else ""

    def _attached(self, found: Draft, file: Upload | None) -> Body:
        if file is None:
            raise InputError("attachment_unchosen", "No file was chosen.", "Choose a file, then attach it.")
        return attaching.attached(self.database, self._rules, found, file.name, file.content, file.media_type, _now())

    def _with_skill(self, body: Body, about: str) -> Body:
        framework, _, key = about.partition("\t")
        known = skill_by_key(self.database, framework, key)
        said = {"framework": known.framework, "title": known.title, "url": known.url or "", "code": known.code or ""}
        rows = [row for row in body.get("skills") or () if any(row.values())]
        return body | {"skills": [*rows, said]}

    def delete(self, request: Request, draft_id: str, sent: Sent) -> Response:
        self._checked(request, sent)
        found = self.own(request, draft_id)
        attaching.discard(self.database, found)
        return RedirectResponse("/drafts", 303)

    # --- handing in ---------------------------------------------------------------------------------------------------

    def review(self, request: Request, found: Draft, error: ImprimaturError | None = None) -> Response:
        standing = drafting.standing(self.database, found)
        if standing.read.wrong:
            return RedirectResponse(f"/drafts/{found.draft_id}", 303)
        scope = self._gate.viewer(request).scope
        proposal = standing.read.usable
        values = _state_values(found, standing, "") | {
            "proposal": proposal,
            "unstated": standing.recommended,
            "alike": drafting.alike(self.database, self._overlaps, scope, proposal, found.case_id),
            "files": file_links(self.database, proposal, found.owner, f"/drafts/{found.draft_id}"),
            "changed": [label_of(path) for path in standing.changed],
            "error": error,
        }
        return page(request, "draft_review.html", values, error.http_status if error else 200)

    def to_hand_in(self, request: Request, draft_id: str, sent: Sent) -> Response | tuple[Draft, Standing]:
        """The draft; or, when it is one no more, the way to the case that it has become."""
        viewer, form = self._checked(request, sent), sent.form
        try:
            found = drafts.draft(self.database, viewer.person, draft_id)
        except NotFound:
            case_id = form.get("case") or ids.drafted_case_id(draft_id)
            acts_of(self.database, viewer, case_id)
            return RedirectResponse(f"/cases/{case_id}", 303)
        standing = drafting.standing(self.database, found)
        if form.get("anyway") == "yes":
            found = drafting.over_later_version(self.database, found, standing)
        return found, standing


def _state_values(found: Draft, standing: Standing, tab: str) -> dict[str, Any]:
    """For the part of the page that says how far the draft is."""
    wrong = [(item.name.replace(".", "-"), label_of(_path(item.name)), item.problem) for item in standing.read.wrong]
    lacking = [(anchor(item.field), label_of(item.field), item.problem, item.why) for item in standing.unsaid]
    return {
        "draft": found,
        "policy": standing.policy,
        "standing": standing,
        "tab": tab,
        "wrong": wrong,
        "lacking": lacking,
        "error": None,
    }


def _path(name: str) -> str:
    return ".".join(part for part in name.split(".") if not part.isdecimal())


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _skills(database: Database, words: str) -> list[Any]:
    return search_skills(database, words) if words.strip() else []


def _pictured(body: Body, name: str, file: Upload | None) -> Body:
    """With a partner's logo, or without. Raises InputError ``picture_not_taken``."""
    parts = name.split(".")
    rows = [dict(row) if isinstance(row, dict) else row for row in body.get("partners") or ()]
    known = len(parts) == 3 and parts[0] == "partners" and parts[2] == "logo" and parts[1].isdecimal()
    if not known or int(parts[1]) >= len(rows):
        return body
    address = ""
    if file is not None:
        kind = next((kind for begins, kind in _PICTURES.items() if file.content.startswith(begins)), None)
        if kind is None or len(file.content) > PICTURE_LIMIT_BYTES:
            raise InputError(
                "picture_not_taken",
                f"{file.name} cannot be taken as a logo.",
                f"Use PNG, JPEG or WebP of at most {PICTURE_LIMIT_BYTES // 1000} kB.",
            )
        address = f"data:{kind};base64,{base64.b64encode(file.content).decode()}"
    rows[int(parts[1])]["logo"] = address
    return body | {"partners": rows}
