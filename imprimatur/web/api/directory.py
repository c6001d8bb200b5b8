"""The directory: people, who is away, who stands in."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from imprimatur.gateway import Gateway
from imprimatur.leaving import LeaveReport, Leaving
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.people import PersonEntry, people_page
from imprimatur.web.api.documents import Email, Given, Name, Page
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, Word, page_of
from imprimatur.web.api.standing import oversee, run_all

Person = Annotated[str | None, Query(max_length=320, description="Only of this person.")]
Day = Annotated[dt.date, Field(examples=["2026-12-21"])]


class Away(Given):
    """From ``first_on`` to ``last_on``, both included. ``reason`` stays in the directory, and in no ledger."""

    person: Email
    first_on: Day
    last_on: Day
    reason: str = Field(default="", max_length=2000)


class Back(Given):
    """``on`` is the first day back."""

    person: Email
    on: Day


class BackAnswer(BaseModel):
    person: str
    changed: int


class StandingIn(Given):
    """What is not named does not narrow it."""

    person: Email
    deputy: Email
    first_on: Day
    last_on: Day
    framework: Name | None = None
    stage: Name | None = None
    unit: Name | None = None


class LeavingGiven(Given):
    """``to`` takes the work over; without it the rules of each stage choose."""

    person: Email
    to: Email | None = None


def router(database: Database, gateway: Gateway) -> APIRouter:
    routes = APIRouter(tags=["directory"])
    _add_absences(routes, database)
    _add_delegations(routes, database)

    @routes.get("/people", summary="The directory")
    def people(viewer: Reads, q: Word = "", cursor: Cursor = None, limit: Limit = 50) -> Page[PersonEntry]:
        """By address. ``q`` is looked for in names and addresses."""
        oversee(viewer)
        found = people_page(database, q, cursor, limit)
        return Page(items=list(found.people), next_cursor=found.cursor)

    @routes.post("/people/leave", summary="Set somebody inactive, and hand over all that waits for them")
    async def leaves(viewer: Runs, given: LeavingGiven) -> LeaveReport:
        """Repeating it does what was left."""
        run_all(viewer)
        return await Leaving(gateway, database).leave(given.person, to=given.to, actor=viewer.person)

    return routes


def _add_absences(routes: APIRouter, database: Database) -> None:
    @routes.get("/absences", summary="Who is away, and when")
    def absences(
        viewer: Reads, person: Person = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[leave.AbsenceEntry]:
        oversee(viewer)
        found = leave.list_absences(database, person)
        return page_of(found, lambda entry: f"{entry.person} {entry.first_on}", cursor, limit)

    @routes.post("/absences", status_code=201, summary="Note that somebody is away")
    def away(viewer: Runs, given: Away) -> leave.AbsenceEntry:
        run_all(viewer)
        return leave.add_absence(database, given.person, given.first_on, given.last_on, given.reason)

    @routes.post("/absences/end", summary="Note that somebody is back: their absences end the day before")
    def back(viewer: Runs, given: Back) -> BackAnswer:
        run_all(viewer)
        changed = leave.end_absences(database, given.person, given.on)
        return BackAnswer(person=given.person.strip().lower(), changed=changed)


def _add_delegations(routes: APIRouter, database: Database) -> None:
    @routes.get("/delegations", summary="Who stands in for whom")
    def delegations(
        viewer: Reads, person: Person = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[leave.DelegationEntry]:
        oversee(viewer)
        return page_of(leave.list_delegations(database, person), lambda entry: entry.delegation_id, cursor, limit)

    @routes.post("/delegations", status_code=201, summary="Let somebody stand in between two dates")
    def add(viewer: Runs, given: StandingIn) -> leave.DelegationEntry:
        run_all(viewer)
        scope, now = leave.Scope(given.framework, given.stage, given.unit), dt.datetime.now(dt.UTC)
        return leave.add_delegation(database, given.person, given.deputy, given.first_on, given.last_on, scope, now)

    @routes.post("/delegations/{delegation_id}/end", summary="End a standing delegation")
    def end(viewer: Runs, delegation_id: str) -> leave.DelegationEntry:
        run_all(viewer)
        return leave.end_delegation(database, delegation_id, dt.datetime.now(dt.UTC))
