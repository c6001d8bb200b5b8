"""Reviews of what is published: the list, calling one early, and moving the next."""

import asyncio
import datetime as dt

from fastapi import APIRouter
from pydantic import BaseModel, Field

from imprimatur.access.acts import CaseAct
from imprimatur.gateway import Gateway
from imprimatur.improvement import Improvement, Sweep
from imprimatur.store.engine import Database
from imprimatur.store.reviews_reading import ReviewLine, review_lines
from imprimatur.web.api.documents import Page, Reasoned
from imprimatur.web.api.guard import UNCHANGED, Guard, Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee, run_all


class Moving(Reasoned):
    """``on`` is the day on which the next review is due instead."""

    on: dt.date = Field(examples=["2027-02-01"])


class Called(BaseModel):
    """``review`` is the case of the review."""

    case_id: str
    review: str


class Moved(BaseModel):
    case_id: str
    due_at: dt.datetime


def router(database: Database, gateway: Gateway, guard: Guard) -> APIRouter:
    routes, improvement = APIRouter(tags=["reviews"]), Improvement(gateway, database)

    @routes.get("/reviews", summary="Reviews that are open, due and coming")
    def reviews(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[ReviewLine]:
        """Open ones first, then by when the next is due."""
        oversee(viewer)
        found = review_lines(database, dt.datetime.now(dt.UTC), viewer.scope)
        return page_of(found, lambda line: line.case_id, cursor, limit)

    @routes.post("/reviews/run", summary="Do now what is done once a day about reviews")
    async def run(viewer: Runs) -> Sweep:
        """Begin what is due, look for evidence, end what is taught out. Doing it again is safe."""
        run_all(viewer)
        return await improvement.sweep(dt.datetime.now(dt.UTC))

    @routes.post("/cases/{case_id}/call-review", dependencies=[UNCHANGED], summary="Call a review now")
    async def call(viewer: Runs, case_id: str, given: Reasoned) -> Called:
        """Of a published micro-credential; the review is a case of its own. The same call again has the same answer."""
        said = {"actor": viewer.person, "reason": given.reason}
        await guard.admit(viewer, case_id, CaseAct.READ)
        # A call whose answer was lost may come again, and one review at a time is held.
        if not await asyncio.to_thread(lambda: improvement.called_before(case_id, **said)):
            await guard.admit(viewer, case_id, CaseAct.CALL_REVIEW)
        review = await improvement.call(case_id, **said)
        return Called(case_id=case_id, review=review)

    @routes.post("/cases/{case_id}/move-review", dependencies=[UNCHANGED], summary="Move the next review")
    async def move(viewer: Runs, case_id: str, given: Moving) -> Moved:
        """Forward, or as far back as the framework lets it be put off."""
        await guard.admit(viewer, case_id, CaseAct.MOVE_REVIEW)
        due_at = await improvement.move(case_id, given.on, actor=viewer.person, reason=given.reason)
        return Moved(case_id=case_id, due_at=due_at)

    return routes
