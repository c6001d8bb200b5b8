"""What the directory keeps of single people: interests, how they want their mail, and keys made in their name."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.gateway import Gateway
from imprimatur.store import api_keys, interests
from imprimatur.store.engine import Database
from imprimatur.store.people import PersonEntry, known_person
from imprimatur.store.preferences import prefer
from imprimatur.web.api.documents import Email, Given, Name, Page
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee, run_all
from models.vocabulary import KeyScope

Preference = Annotated[str | None, Field(max_length=100, description="`default`: what the settings say.")]
Person = Annotated[str | None, Query(max_length=320, description="Only of this person.")]


class Interested(Given):
    """In exactly one: a ``partner`` by its organisation, a ``unit``, or ``in_person``, a proposer or a contact."""

    person: Email
    partner: Name | None = None
    unit: Name | None = None
    in_person: Email | None = None
    reason: str = Field(default="", max_length=2000)


class InterestAnswer(BaseModel):
    """``tasks`` that the interest touches: they must be given up, and the office hears of each."""

    interest: interests.InterestEntry
    tasks: list[str]


class Preferring(Given):
    """What is not said stays."""

    person: Email
    time_zone: Preference = None
    quiet_hours: Preference = None
    digest: Preference = None
    receipts: Literal["yes", "no", "default"] | None = None
    language: Preference = None


def router(database: Database, gateway: Gateway) -> APIRouter:
    routes = APIRouter(tags=["directory"])
    _add_interests(routes, database, gateway)
    _add_keys(routes, database)

    @routes.post("/people/preferences", summary="Say how somebody wants their mail")
    def preferences(viewer: Runs, given: Preferring) -> PersonEntry:
        run_all(viewer)
        with database.read() as connection:
            email = known_person(connection, given.person).email
        prefer(database, email, given.model_dump(exclude={"person"}, exclude_none=True))
        with database.read() as connection:
            return known_person(connection, email)

    return routes


def _add_interests(routes: APIRouter, database: Database, gateway: Gateway) -> None:
    @routes.get("/interests", summary="Declared interests: what people cannot decide about")
    def declared(
        viewer: Reads, person: Person = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[interests.InterestEntry]:
        oversee(viewer)
        found = interests.list_interests(database, person)
        return page_of(found, lambda entry: f"{entry.person} {entry.kind} {entry.subject}", cursor, limit)

    @routes.post("/interests", status_code=201, summary="Declare an interest")
    async def declare(viewer: Runs, given: Interested) -> InterestAnswer:
        run_all(viewer)
        interest = interests.subject_of(given.partner, given.unit, given.in_person)
        entry, touched = await run_in_threadpool(
            interests.add_interest, database, given.person, interest, given.reason, dt.datetime.now(dt.UTC)
        )
        for found in touched:
            await gateway.report_conflict(found.case_id, found.task_id, entry.person, found.why)
        return InterestAnswer(interest=entry, tasks=[found.task_id for found in touched])

    @routes.post("/interests/remove", summary="Take a declared interest back")
    def remove(viewer: Runs, given: Interested) -> interests.InterestEntry:
        run_all(viewer)
        interest = interests.subject_of(given.partner, given.unit, given.in_person)
        return interests.remove_interest(database, given.person, interest)


def _add_keys(routes: APIRouter, database: Database) -> None:
    def whose(viewer: Viewer, scope: KeyScope = KeyScope.READ) -> str | None:
        """One's own are seen; all of them by whoever of the office is bound to no unit, with the scope."""
        everything = viewer.is_office and viewer.scope.everything and viewer.allows(scope)
        return None if everything else viewer.person

    @routes.get("/keys", summary="Keys, the newest first: one's own, or to the office all")
    def keys(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[api_keys.KeyEntry]:
        """A key is made by `starter.py key add`: no key makes another."""
        found = api_keys.key_page(database, cursor, limit, of=whose(viewer))
        return Page(items=list(found.keys), next_cursor=found.cursor)

    @routes.post("/keys/{key_id}/revoke", summary="Revoke a key")
    def revoke(viewer: Reads, key_id: str) -> api_keys.KeyEntry:
        """One's own, the very one that asks included; with the scope `office` also those of others."""
        now = dt.datetime.now(dt.UTC)
        return api_keys.revoke_key(database, key_id, now, of=whose(viewer, KeyScope.OFFICE))
