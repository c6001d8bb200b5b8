"""Committees that meet: sittings, agendas, decisions of a whole agenda."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.access.viewer import Viewer
from imprimatur.committees import bodies
from imprimatur.committees.agenda import Agenda, agenda
from imprimatur.committees.sitting import ItemResult, Secretary
from imprimatur.gateway import Gateway
from imprimatur.store.access import unseen_case
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import Given, Name, Page, Reasoned
from imprimatur.web.api.guard import UNCHANGED, Guard, Reads, Reviews, Runs
from imprimatur.web.api.standing import oversee, overseen_of, seen_of
from models.messages import CaseAnswer
from models.sitting import SittingRecord


class Placing(Reasoned):
    """``on`` is the day of the sitting to which the item moves."""

    stage: Name
    on: dt.date = Field(examples=["2026-12-09"])


class Recording(Given):
    record: SittingRecord
    preview: bool = Field(default=False, description="Say what would be recorded, and change nothing.")


def router(database: Database, gateway: Gateway, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["committees"])
    secretary = Secretary(gateway, database)

    @routes.get("/committees", summary="Committees and their next sittings")
    def committees(viewer: Reads) -> Page[bodies.CommitteeView]:
        oversee(viewer)
        return Page(items=bodies.committees(database, dt.datetime.now(dt.UTC)))

    @routes.get("/committees/{committee}/agenda", summary="The agenda of a sitting, and what came of it")
    def agenda_of(
        viewer: Reads,
        committee: str,
        on: Annotated[dt.date | None, Query(description="Its day; else the next one with items.")] = None,
    ) -> Agenda:
        """Of cases that the key's person oversees; the numbers are those of the whole agenda."""
        oversee(viewer)
        body = bodies.committee(database, committee)
        day = on or bodies.next_with_items(database, body, dt.datetime.now(dt.UTC))
        return _seen(database, viewer, agenda(database, committee, day))

    @routes.post("/committees/sittings", summary="Record the decisions of a whole sitting, and who was there")
    async def record(viewer: Reviews, given: Recording) -> Page[ItemResult]:
        """By whoever holds the tasks for it. What was recorded before stays as it is."""
        await run_in_threadpool(_check_named, database, viewer, given.record)
        found = await secretary.record(given.record, actor=viewer.person, preview=given.preview)
        seen = await run_in_threadpool(seen_of, database, viewer.scope, [item.case_id for item in found])
        return Page(items=[item for item in found if item.case_id in seen])

    @routes.post("/cases/{case_id}/move-item", summary="Move an item to another sitting", dependencies=[UNCHANGED])
    async def place(viewer: Runs, case_id: str, given: Placing) -> CaseAnswer:
        await guard.admit(viewer, case_id, CaseAct.MOVE_ITEM)
        return await secretary.place(case_id, given.stage, given.on, actor=viewer.person, reason=given.reason)

    return routes


def _seen(database: Database, viewer: Viewer, found: Agenda) -> Agenda:
    cases = [item.case_id for item in found.items] + [item.case_id for item in found.moved]
    seen = overseen_of(database, viewer.scope, cases)
    items = [item for item in found.items if item.case_id in seen]
    return found.model_copy(update={"items": items, "moved": [item for item in found.moved if item.case_id in seen]})


def _check_named(database: Database, viewer: Viewer, record: SittingRecord) -> None:
    """Raises NotFound ``case_unseen``."""
    named = {item.case for item in record.items}
    if named - seen_of(database, viewer.scope, named):
        raise unseen_case()
