"""Proposals that are being written, as the form of the pages keeps them: one's own, and nobody else's."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import BaseModel, Field, model_validator
from starlette.concurrency import run_in_threadpool

from imprimatur import attaching, drafting, ids
from imprimatur.access.viewer import Viewer
from imprimatur.attaching import UploadRules
from imprimatur.drafting import Cases, proposer
from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.frameworks.forms import typed
from imprimatur.store import attachments, drafts
from imprimatur.store.case_reading import acts_of
from imprimatur.store.drafts import Draft, DraftLine
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import Given, Name, Page
from imprimatur.web.api.guard import Proposes, Reads
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.uploads import Upload, download
from models.proposal import Attachment, Proposal

IfMatch = Annotated[str | None, Header(description="The ETag of the draft: it is not saved over a later state.")]
FileBytes = Annotated[bytes, Body(media_type="application/octet-stream", description="The file itself.")]


class DraftGiven(Given):
    """What it begins with: empty, a proposal, a ``copy`` of a case, or the present version of the case it ``revises``.

    ``framework`` is asked for unless a case says it.
    """

    framework: Name | None = None
    proposal: Proposal | None = None
    copy_of: Name | None = None
    revises: Name | None = None

    @model_validator(mode="after")
    def _one_beginning(self) -> "DraftGiven":
        given = [item for item in (self.proposal, self.copy_of, self.revises) if item is not None]
        if len(given) > 1:
            raise ValueError("a draft begins with one of proposal, copy_of and revises")
        if self.framework is None and self.copy_of is None and self.revises is None:
            raise ValueError("a draft needs a framework, or a case that says it")
        return self


class Submitting(Given):
    anyway: bool = Field(default=False, description="Also where a later version of its case came meanwhile.")


class FieldWrong(BaseModel):
    """``field`` as the form of the pages has it, such as ``partners.0.contact_email``."""

    field: str
    problem: str


class DraftDocument(DraftLine):
    """``proposal`` is what can be used of it; ``wrong`` what cannot, ``lacking`` what its framework asks for besides.

    ``revision`` grows with each saving. ``version`` is the one of ``case_id`` from which it began.
    """

    version: int
    revision: int
    begun_at: dt.datetime
    proposal: Proposal
    wrong: list[FieldWrong]
    lacking: list[FieldWrong]
    recommended: list[FieldWrong]
    percent: int


class Submitted(BaseModel):
    case_id: str


class _SavedSince(Refused):
    http_status = 412


class DraftDesk:
    """What operations on drafts share."""

    def __init__(self, database: Database, rules: UploadRules) -> None:
        self.database = database
        self.rules = rules

    def own(self, viewer: Viewer, draft_id: str) -> Draft:
        return drafts.draft(self.database, proposer(viewer).person, draft_id)

    def begin(self, viewer: Viewer, given: DraftGiven) -> str:
        now, framework = dt.datetime.now(dt.UTC), given.framework or ""
        if given.revises is not None:
            return drafting.begin_revision(self.database, proposer(viewer), given.revises, now)
        if given.copy_of is not None:
            return drafting.begin_copy(self.database, proposer(viewer), framework, given.copy_of, now)
        if given.proposal is not None:
            return drafting.begin_with(self.database, viewer, framework, given.proposal, now)
        return drafting.begin(self.database, viewer, framework, now)

    def document(self, found: Draft, response: Response) -> DraftDocument:
        now = drafting.standing(self.database, found)
        response.headers["ETag"] = _tag(found)
        return DraftDocument(
            **found.model_dump(exclude={"owner", "body", "tab"}),
            proposal=now.read.usable,
            wrong=[FieldWrong(field=item.name, problem=item.problem) for item in now.read.wrong],
            lacking=[FieldWrong(field=item.field, problem=item.problem) for item in now.lacking],
            recommended=[FieldWrong(field=item.field, problem=item.problem) for item in now.recommended],
            percent=now.progress.percent,
        )

    def save(self, found: Draft, body: Mapping[str, Any], seen: str | None) -> Draft:
        """Raises Refused ``draft_changed`` (412)."""
        if seen is not None and seen.strip() not in ("*", _tag(found)):
            raise _SavedSince(
                "draft_changed", "This draft was saved elsewhere meanwhile.", "Read it again, then save it anew."
            )
        anyway = seen is None or seen.strip() == "*"
        now = dt.datetime.now(dt.UTC)
        drafts.save(self.database, found, dict(body), now, revision=found.revision, tab="", anyway=anyway)
        return drafts.draft(self.database, found.owner, found.draft_id)


def _tag(found: Draft) -> str:
    return f'"{found.draft_id}-{found.revision}"'


def router(database: Database, cases: Cases, rules: UploadRules) -> APIRouter:
    routes, desk = APIRouter(tags=["drafts"]), DraftDesk(database, rules)
    _add_files(routes, desk)
    _add_submitting(routes, desk, cases)

    @routes.get("/drafts", summary="One's own drafts, the latest first")
    def index(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[DraftLine]:
        found = drafts.drafts_of(database, proposer(viewer).person)
        return page_of(found, lambda line: line.draft_id, cursor, limit)

    @routes.post("/drafts", status_code=201, summary="Begin a proposal, or the next version of one")
    def begin(viewer: Proposes, given: DraftGiven, response: Response) -> DraftDocument:
        """Of the next version of a case there is one draft: begun again, it is that one."""
        draft_id = desk.begin(viewer, given)
        response.headers["Location"] = f"/api/v1/drafts/{draft_id}"
        return desk.document(desk.own(viewer, draft_id), response)

    @routes.get("/drafts/{draft_id}", summary="One draft, and how far it is")
    def one(viewer: Reads, draft_id: str, response: Response) -> DraftDocument:
        return desk.document(desk.own(viewer, draft_id), response)

    @routes.put("/drafts/{draft_id}", summary="Say the whole proposal anew")
    def put(
        viewer: Proposes, draft_id: str, given: Proposal, response: Response, if_match: IfMatch = None
    ) -> DraftDocument:
        """Its files stay: they have addresses of their own."""
        found = desk.own(viewer, draft_id)
        body = typed(given) | {"attachments": list(found.body.get("attachments") or ())}
        return desk.document(desk.save(found, body, if_match), response)

    @routes.delete("/drafts/{draft_id}", status_code=204, summary="Delete a draft and its files")
    def delete(viewer: Proposes, draft_id: str) -> None:
        attaching.discard(database, desk.own(viewer, draft_id))

    return routes


def _add_files(routes: APIRouter, desk: DraftDesk) -> None:
    @routes.post("/drafts/{draft_id}/files", status_code=201, summary="Attach a file")
    def attach(
        viewer: Proposes,
        draft_id: str,
        content: FileBytes,
        name: Annotated[Name, Query(description="What it is called.", examples=["syllabus.pdf"])],
    ) -> Attachment:
        """Its media type is told by its name."""
        found, file = desk.own(viewer, draft_id), Upload(name.replace("/", "_"), content)
        if not content:
            raise InputError("attachment_unchosen", "The file is empty.", "Send the file itself as the body.")
        now = dt.datetime.now(dt.UTC)
        body = attaching.attached(desk.database, desk.rules, found, file.name, content, file.media_type, now)
        desk.save(found, body, None)
        return Attachment.model_validate(body["attachments"][-1])

    @routes.get(
        "/drafts/{draft_id}/files/{digest}",
        summary="A file of a draft",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
    )
    def file(viewer: Reads, draft_id: str, digest: str) -> Response:
        named, content = attaching.file_named(desk.database, desk.own(viewer, draft_id), digest)
        return download(content, named["name"], named.get("media_type"))

    @routes.delete("/drafts/{draft_id}/files/{digest}", status_code=204, summary="Detach a file")
    def detach(viewer: Proposes, draft_id: str, digest: str) -> None:
        found = desk.own(viewer, draft_id)
        attaching.file_named(desk.database, found, digest)
        desk.save(found, attaching.without(found, digest), None)
        attachments.forget_unused(desk.database, digest, found.owner)


def _add_submitting(routes: APIRouter, desk: DraftDesk, cases: Cases) -> None:
    def to_submit(viewer: Viewer, draft_id: str, anyway: bool) -> tuple[Draft, drafting.Standing] | str:
        try:
            found = desk.own(viewer, draft_id)
        except NotFound:
            # What it has become stands under a name of its own.
            case_id = ids.drafted_case_id(draft_id)
            try:
                acts_of(desk.database, viewer, case_id)
            except NotFound:
                case_id = ""
            if not case_id:
                raise
            return case_id
        now = drafting.standing(desk.database, found)
        return (drafting.over_later_version(desk.database, found, now) if anyway else found), now

    @routes.post("/drafts/{draft_id}/submit", status_code=201, summary="Submit a draft, or hand in the next version")
    async def submit(
        viewer: Proposes, draft_id: str, given: Submitting, request: Request, response: Response
    ) -> Submitted:
        """Twice the same draft is one case. What is incomplete is kept by the case, and returned to the proposer."""
        ready = await run_in_threadpool(to_submit, viewer, draft_id, given.anyway)
        case_id = ready if isinstance(ready, str) else await drafting.hand_in(cases, desk.database, *ready)
        response.headers["Location"] = f"/api/v1/cases/{case_id}"
        return Submitted(case_id=case_id)
