"""The publication of a case: how it stands, and what the office does about it."""

import asyncio
import datetime as dt

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.publishing import Publishing
from imprimatur.store.engine import Database
from imprimatur.store.publishing import PublicationView
from imprimatur.web.api.documents import Reasoned
from imprimatur.web.api.guard import UNCHANGED, Guard, Reads, Runs


class Scheduling(Reasoned):
    """``on`` is the day from which the record may be public."""

    on: dt.date = Field(examples=["2027-02-01"])


class Scheduled(BaseModel):
    """``due_at`` is the day's first instant."""

    case_id: str
    publish_on: dt.date
    due_at: dt.datetime


def router(database: Database, guard: Guard) -> APIRouter:
    routes, acts = APIRouter(tags=["publications"]), Publishing(database)

    @routes.get("/cases/{case_id}/publication", summary="What the record says of itself, and what each target has")
    async def publication(viewer: Reads, case_id: str) -> PublicationView:
        await guard.admit(viewer, case_id, CaseAct.READ_NAMES)
        return await run_in_threadpool(acts.show, case_id)

    @routes.post("/cases/{case_id}/retract", dependencies=[UNCHANGED], summary="Take a published record back, for good")
    async def retract(viewer: Runs, case_id: str, given: Reasoned) -> PublicationView:
        await guard.admit(viewer, case_id, CaseAct.RETRACT)
        return await asyncio.to_thread(lambda: acts.retract(case_id, actor=viewer.person, reason=given.reason))

    @routes.post(
        "/cases/{case_id}/retry-publication", dependencies=[UNCHANGED], summary="Do once more what failed at a target"
    )
    async def retry(viewer: Runs, case_id: str) -> PublicationView:
        await guard.admit(viewer, case_id, CaseAct.RETRY_PUBLICATION)
        return await asyncio.to_thread(lambda: acts.retry(case_id, actor=viewer.person))

    @routes.post(
        "/cases/{case_id}/schedule-publication",
        dependencies=[UNCHANGED],
        summary="Set the day from which the record may be public",
    )
    async def schedule(viewer: Runs, case_id: str, given: Scheduling) -> Scheduled:
        """Before the case is approved, and until the day has come."""
        await guard.admit(viewer, case_id, CaseAct.SCHEDULE_PUBLICATION)
        due_at = await asyncio.to_thread(
            lambda: acts.schedule(case_id, given.on, actor=viewer.person, reason=given.reason)
        )
        return Scheduled(case_id=case_id, publish_on=given.on, due_at=due_at)

    return routes
