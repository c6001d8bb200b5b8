"""What is kept of a case beside its document: versions and what each changed, mails, and the proof of its ledger."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import select

from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotFound
from imprimatur.history.verify import Verification, verify_case
from imprimatur.store.access import facts_of
from imprimatur.store.attachments import file_of_case
from imprimatur.store.deliveries import MailEventView, MailView, list_mails, show_mail
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.versions import compared
from imprimatur.web.api.documents import Page
from imprimatur.web.api.guard import Reads
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee_case
from imprimatur.web.uploads import download
from models.proposal import Proposal
from models.tables import VersionRow

_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
MOST_MAILS = 5000


class VersionLine(BaseModel):
    """``changed`` names the fields that differ from the version reviewed before."""

    version: int
    digest: str
    submitted_at: dt.datetime
    complete: bool
    changed: list[str]


class PieceDocument(BaseModel):
    """Some words of a text: ``same``, ``removed`` or ``added``."""

    part: str
    text: str


class FieldDelta(BaseModel):
    """``entries`` are the texts of a field that changed, word by word."""

    field: str
    entries: list[list[PieceDocument]]


class MailDocument(BaseModel):
    mail: MailView
    events: list[MailEventView]


def router(database: Database) -> APIRouter:
    routes = APIRouter(tags=["cases"])
    _add_versions(routes, database)

    @routes.get("/cases/{case_id}/mails", summary="Mails about a case and what became of them, the newest first")
    def mails(viewer: Reads, case_id: str, cursor: Cursor = None, limit: Limit = 50) -> Page[MailView]:
        oversee_case(database, viewer, case_id)
        found = list_mails(database, case_id=case_id, limit=MOST_MAILS)
        return page_of(found, lambda mail: mail.mail_id, cursor, limit)

    @routes.get("/cases/{case_id}/mails/{mail_id}", summary="One mail and its journal")
    def mail(viewer: Reads, case_id: str, mail_id: str) -> MailDocument:
        oversee_case(database, viewer, case_id)
        found, events = show_mail(database, mail_id)
        if found.case_id != case_id:
            raise NotFound("mail_unknown", f"There is no mail {mail_id}.", "Look for it among the mails of the case.")
        return MailDocument(mail=found, events=events)

    @routes.get("/cases/{case_id}/verification", summary="Whether the ledger of a case is whole")
    def verification(viewer: Reads, case_id: str) -> Verification:
        oversee_case(database, viewer, case_id)
        return verify_case(database, case_id)

    @routes.get(
        "/cases/{case_id}/files/{digest}",
        summary="A file of some version of the proposal",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
    )
    def file(viewer: Reads, case_id: str, digest: str) -> Response:
        """As the proposal lists it under `attachments`, as far as it was handed in here."""
        found, content = file_of_case(database, viewer.scope, case_id, digest)
        return download(content, found.name, found.media_type)

    return routes


def _add_versions(routes: APIRouter, database: Database) -> None:
    @routes.get("/cases/{case_id}/versions", summary="Versions of the proposal, the newest first")
    def versions(viewer: Reads, case_id: str) -> Page[VersionLine]:
        query = select(_VERSION).where(_VERSION.c.case_id == case_id).order_by(_VERSION.c.version.desc())
        with database.read() as connection:
            facts_of(connection, viewer, case_id)
            return Page(items=[VersionLine.model_validate(dict(row)) for row in connection.execute(query).mappings()])

    @routes.get("/cases/{case_id}/versions/{version}", summary="One version of the proposal")
    def version(viewer: Reads, case_id: str, version: int) -> Proposal:
        return _version(database, viewer, case_id, version)

    @routes.get("/cases/{case_id}/versions/{version}/changes", summary="What a version changed, word by word")
    def changes(
        viewer: Reads,
        case_id: str,
        version: int,
        since: Annotated[int | None, Query(description="An earlier version; else the one before.")] = None,
    ) -> Page[FieldDelta]:
        found = compared(database, viewer, case_id, version - 1 if since is None else since, version)
        return Page(items=[FieldDelta.model_validate(change, from_attributes=True) for change in found.changes])


def _version(database: Database, viewer: Viewer, case_id: str, version: int) -> Proposal:
    """Raises NotFound ``case_unseen`` or ``version_unknown``."""
    with database.read() as connection:
        facts_of(connection, viewer, case_id)
        digest = None
        if 0 < version < 1_000_000:
            query = select(_VERSION.c.digest).where(_VERSION.c.case_id == case_id, _VERSION.c.version == version)
            digest = connection.execute(query).scalar()
        if digest is None:
            raise NotFound("version_unknown", f"The proposal has no version {version}.", "See its versions.")
        return proposal_by_digest(connection, digest)
