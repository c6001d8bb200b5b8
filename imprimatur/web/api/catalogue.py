"""What is published: records in the words of several standards, endorsements, badges."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import or_, select

from imprimatur.access.viewer import Viewer
from imprimatur.errors import InputError, NotFound
from imprimatur.publication.awarding import Awarder, revoke_badge
from imprimatur.publication.endorsing import upload
from imprimatur.publication.keys import Keyring
from imprimatur.publication.learners_file import learner_of
from imprimatur.publication.reading import served_record
from imprimatur.store.badges import KeptBadge, badge
from imprimatur.store.endorsements import KeptEndorsement, endorsements_of
from imprimatur.store.engine import Database
from imprimatur.store.task_page import publication, publications
from imprimatur.web.api.documents import Given, Page, Reason
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee_case, run_case
from models.tables import PublicationRow

_PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
Form = Literal["openbadges", "ctdl", "elm", "schema-org", "issuer"]


class Published(BaseModel):
    """``digest`` is that of the Achievement, which the ledger binds."""

    slug: str
    title: str
    digest: str
    published_at: dt.datetime


class PublishedDocument(Published):
    endorsements: list[KeptEndorsement]


class LearnerGiven(Given):
    email: str = Field(max_length=320, examples=["lee@example.edu"])
    name: str = Field(default="", max_length=200)
    valid_until: str = Field(default="", max_length=10, examples=["2029-12-31"])


class Awarding(Given):
    """``again`` awards anew what was revoked."""

    learners: list[LearnerGiven] = Field(min_length=1, max_length=1000)
    again: bool = False


class AwardLine(BaseModel):
    """In the order of the learners: ``awarded`` now, ``present`` before, ``revoked`` before, or ``rejected``."""

    result: Literal["awarded", "present", "revoked", "rejected"]
    badge_id: str | None = None
    url: str | None = None
    problem: str = ""


class AwardAnswer(BaseModel):
    slug: str
    awarded: int
    lines: list[AwardLine]


class BadgeDocument(BaseModel):
    """``token`` is the credential itself, a VC-JWT."""

    badge_id: str
    slug: str
    token: str
    issued_at: dt.datetime
    revoked_at: dt.datetime | None
    reason: str


class Endorsing(Given):
    token: Annotated[str, Field(max_length=100_000, description="A compact JWS (VC-JWT).")]
    jwk: dict[str, Any] = Field(description="The partner's public key.")


def router(database: Database, keyring: Keyring) -> APIRouter:
    routes = APIRouter()
    _add_records(routes, database)
    _add_badges(routes, database, keyring)

    @routes.post(
        "/catalogue/{slug}/endorsements",
        status_code=201,
        summary="Take an endorsement that a partner signed with its own key",
        tags=["catalogue"],
    )
    def endorse(viewer: Runs, slug: str, given: Endorsing) -> KeptEndorsement:
        run_case(database, viewer, _case_of(database, slug))
        return upload(database, slug, given.token, given.jwk, dt.datetime.now(dt.UTC))

    return routes


def _add_records(routes: APIRouter, database: Database) -> None:
    @routes.get("/catalogue", summary="What is published, the newest first", tags=["catalogue"])
    def catalogue(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[Published]:
        found = [Published.model_validate(entry, from_attributes=True) for entry in publications(database)]
        return page_of(found, lambda entry: entry.slug, cursor, limit)

    @routes.get("/catalogue/{slug}", summary="A published micro-credential, and who endorses it", tags=["catalogue"])
    def one(viewer: Reads, slug: str) -> PublishedDocument:
        found = Published.model_validate(publication(database, slug), from_attributes=True)
        return PublishedDocument(**found.model_dump(), endorsements=endorsements_of(database, slug))

    @routes.get("/catalogue/{slug}/records/{form}", summary="Its record in a standard's words", tags=["catalogue"])
    def record(viewer: Reads, slug: str, form: Form) -> dict[str, Any]:
        return served_record(database, slug, form)


def _add_badges(routes: APIRouter, database: Database, keyring: Keyring) -> None:
    @routes.post("/catalogue/{slug}/badges", summary="Award badges to learners", tags=["badges"])
    def award(viewer: Runs, slug: str, given: Awarding) -> AwardAnswer:
        """A learner has one badge of a micro-credential, however often it is awarded."""
        run_case(database, viewer, _case_of(database, slug))
        lines: dict[int, AwardLine] = {}
        learners = []
        for number, said in enumerate(given.learners):
            try:
                learners.append((number, learner_of(said.email, said.name, said.valid_until)))
            except InputError as error:
                lines[number] = AwardLine(result="rejected", problem=error.message)
        awarder = Awarder(keyring, slug)
        found = awarder.award([learner for _, learner in learners], dt.datetime.now(dt.UTC), again=given.again)
        for (number, _), line in zip(learners, found, strict=True):
            lines[number] = AwardLine.model_validate(line, from_attributes=True)
        told = [lines[number] for number in sorted(lines)]
        return AwardAnswer(slug=awarder.record.slug, awarded=sum(line.result == "awarded" for line in told), lines=told)

    @routes.get("/badges/{badge_id}", summary="A badge", tags=["badges"])
    def one(viewer: Reads, badge_id: str) -> BadgeDocument:
        return _told(_seen(database, viewer, badge_id))

    @routes.post("/badges/{badge_id}/revoke", summary="Revoke a badge", tags=["badges"])
    def revoke(viewer: Runs, badge_id: str, given: Revoking) -> BadgeDocument:
        found = _seen(database, viewer, badge_id)
        run_case(database, viewer, _case_of(database, found.slug))
        return _told(revoke_badge(keyring, badge_id, given.reason, dt.datetime.now(dt.UTC)))


class Revoking(Given):
    """``reason`` is kept, and not shown in public."""

    reason: Reason


def _told(found: KeptBadge) -> BadgeDocument:
    return BadgeDocument.model_validate(found, from_attributes=True)


def _seen(database: Database, viewer: Viewer, badge_id: str) -> KeptBadge:
    """Raises NotFound ``badge_unknown``, also of cases that the viewer does not see; NotAllowed ``oversight_only``."""
    found = badge(database, badge_id)
    try:
        oversee_case(database, viewer, _case_of(database, found.slug))
    except NotFound as error:
        raise NotFound("badge_unknown", "There is no such badge.", "Check its id: it begins with ob-.") from error
    return found


def _case_of(database: Database, slug: str) -> str:
    """Raises NotFound ``publication_unknown``."""
    query = select(_PUBLICATION.c.case_id).where(or_(_PUBLICATION.c.slug == slug, _PUBLICATION.c.case_id == slug))
    with database.read() as connection:
        case_id = connection.execute(query).scalar()
    if case_id is None:
        raise NotFound("publication_unknown", "There is no such micro-credential.", "Look for it in the catalogue.")
    return str(case_id)
