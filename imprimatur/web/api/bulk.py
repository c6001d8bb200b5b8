"""Acts on many cases: previewed, begun, and followed until each case has its result."""

import asyncio
from typing import Any

import structlog
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.bulk import Bulk, BulkAct, Selection
from imprimatur.bulk_acts import KINDS, Words, bulk_act
from imprimatur.errors import ImprimaturError, NotFound
from imprimatur.gateway import Gateway
from imprimatur.migrating import Move, migration
from imprimatur.office import Office
from imprimatur.store.access import unseen_case
from imprimatur.store.bulk_reading import BulkEntry, BulkLine, bulk_entry, bulk_lines, list_bulks
from imprimatur.store.bulks import ItemResult
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import Given, Name, Page, Reason
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, number_in, page_of
from imprimatur.web.api.standing import oversee, overseen_of, run_all, run_office
from models.calendars import BusinessDuration
from models.vocabulary import Boundary, BulkResult, StageOutcome

log = structlog.get_logger()


class ManyCases(Given):
    """Which cases, by filters, by ids, or all that are not closed; and what the act must be told."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    act: Name = Field(examples=["hold"])
    reason: str = Field(default="", max_length=2000)
    status: Name | None = None
    stage: Name | None = None
    overdue: bool = False
    framework: Name | None = None
    cases: list[Name] = Field(default=[], max_length=5000)
    all: bool = False
    by: BusinessDuration | None = Field(default=None, description="extend: for how long")
    outcome: StageOutcome | None = Field(default=None, description="override: to which outcome")
    to: Name | None = Field(default=None, description="send-back: a stage; reassign, delegate: a person")
    person: Name | None = Field(default=None, alias="from", description="reassign, annul: whose tasks")
    preview: bool = Field(default=False, description="Say what would happen to each case, and change nothing.")


class Migrating(Given):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    to: Name = Field(examples=["2"])
    before: Name | None = Field(default=None, alias="from", description="Only cases that go by this version.")
    at: Boundary = Boundary.NOW
    cases: list[Name] = Field(default=[], max_length=5000)
    reason: Reason
    preview: bool = Field(default=False, description="Say which cases can move, and what each would repeat.")


class BulkAnswer(BaseModel):
    """``cases`` are there in a preview; else ``bulk_id`` leads to how far it has come, and is null for no case."""

    act: str
    preview: bool
    bulk_id: str | None = None
    resumed: bool = False
    chosen: int
    cases: list[ItemResult] = []


class BulkDocument(BulkEntry):
    """``counts`` by result, of the cases that have one."""

    counts: dict[BulkResult, int]


class Runner:
    """Carries on what was begun, in this process; one that is stopped goes on when the same is asked for again."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway, self._database = gateway, database
        self._running: dict[str, asyncio.Task[None]] = {}

    async def answer(self, act: BulkAct, *, preview: bool) -> BulkAnswer:
        bulk, name = Bulk(self._gateway, self._database), act.operation.act
        if preview:
            report = await bulk.preview(act)
            return BulkAnswer(act=name, preview=True, chosen=len(report.results), cases=report.results)
        begun = await bulk.begin(act)
        if begun.items and begun.bulk_id not in self._running:

            async def carry_on() -> None:
                try:
                    await bulk.carry_on(act, begun)
                except ImprimaturError as error:
                    log.warning("bulk_stopped", bulk_id=begun.bulk_id, code=error.code, reason=error.message)
                except Exception as error:
                    log.error("fault", exc_info=error)

            task = self._running[begun.bulk_id] = asyncio.create_task(carry_on())
            task.add_done_callback(lambda _: self._running.pop(begun.bulk_id, None))
        return BulkAnswer(
            act=name, preview=False, bulk_id=begun.bulk_id or None, resumed=begun.resumed, chosen=len(begun.items)
        )


def router(database: Database, gateway: Gateway) -> APIRouter:
    routes, runner = APIRouter(tags=["many cases"]), Runner(gateway, database)
    _add_reading(routes, database)

    @routes.post("/bulk-acts", status_code=202, summary="Do one of the office's acts to many cases")
    async def begin(viewer: Runs, given: ManyCases, response: Response) -> BulkAnswer:
        """Answered when the cases are chosen. Sent again in the same words, it goes on with what was left."""
        run_office(viewer)
        selection = await run_in_threadpool(_selection, database, viewer, given)
        if selection is None:
            response.status_code = 200
            return BulkAnswer(act=given.act, preview=given.preview, chosen=0)
        words = Words(
            reason=given.reason.strip(),
            stage=given.stage if selection.stage else None,
            by=given.by.model_dump_json(exclude_none=True) if given.by else None,
            span=given.by,
            outcome=given.outcome,
            to=given.to,
            person=given.person,
        )
        act = await run_in_threadpool(bulk_act, gateway, database, given.act, selection, words, viewer.person)
        return _told(response, await runner.answer(act, preview=given.preview))

    @routes.post(
        "/frameworks/{framework_id}/migrate", status_code=202, summary="Move live cases to another version of theirs"
    )
    async def migrate(viewer: Runs, framework_id: str, given: Migrating, response: Response) -> BulkAnswer:
        run_all(viewer)
        move = Move(framework_id, given.to, given.before, given.at, tuple(given.cases))
        office = Office(gateway, database)
        act = await run_in_threadpool(
            lambda: migration(office, database, move, actor=viewer.person, reason=given.reason)
        )
        return _told(response, await runner.answer(act, preview=given.preview))

    return routes


def _told(response: Response, answer: BulkAnswer) -> BulkAnswer:
    if answer.bulk_id is None:
        response.status_code = 200
    else:
        response.headers["Location"] = f"/api/v1/bulk-acts/{answer.bulk_id}"
    return answer


def _add_reading(routes: APIRouter, database: Database) -> None:
    def seen(viewer: Viewer, bulk_id: str) -> BulkEntry:
        """Whoever is bound to units sees what they have begun themselves."""
        oversee(viewer)
        found = bulk_entry(database, bulk_id)
        if not viewer.scope.everything and found.actor != viewer.person:
            raise NotFound("bulk_unknown", f"There is no act {bulk_id} on many cases.", "Look for it in their list.")
        return found

    @routes.get("/bulk-acts", summary="Acts on many cases, the newest first")
    def bulks(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[BulkEntry]:
        oversee(viewer)
        found = list_bulks(database, None if viewer.scope.everything else viewer.person)
        return page_of(found, lambda entry: entry.bulk_id, cursor, limit)

    @routes.get("/bulk-acts/{bulk_id}", summary="How far an act on many cases has come")
    def bulk(viewer: Reads, bulk_id: str) -> BulkDocument:
        found, counts = seen(viewer, bulk_id), dict[BulkResult, int]()
        for line in bulk_lines(database, bulk_id, 0, found.chosen):
            if line.result is not None:
                counts[line.result] = counts.get(line.result, 0) + 1
        return BulkDocument(**found.model_dump(), counts=counts)

    @routes.get("/bulk-acts/{bulk_id}/cases", summary="What became of each case")
    def lines(
        viewer: Reads,
        bulk_id: str,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[BulkLine]:
        seen(viewer, bulk_id)
        found = bulk_lines(database, bulk_id, number_in(cursor), limit + 1)
        return Page(items=found[:limit], next_cursor=str(found[limit - 1].number) if len(found) > limit else None)


def _selection(database: Database, viewer: Viewer, given: ManyCases) -> Selection | None:
    """Narrowed to what the viewer may act on: None where that is nothing. Raises NotFound ``case_unseen``."""
    said: dict[str, Any] = {"status": given.status, "stage": given.stage, "framework": given.framework}
    chosen = Selection(**said, overdue=given.overdue, case_ids=tuple(given.cases), everything=given.all)
    chosen.check()
    if viewer.scope.everything:
        return chosen
    found = chosen.chosen(database)
    theirs = overseen_of(database, viewer.scope, found)
    if given.cases and set(found) - theirs:
        raise unseen_case()
    kind = KINDS.get(given.act)
    # Cases were chosen by their stage; only some acts are about it as well.
    stage = given.stage if kind is not None and "stage" in kind.needs | kind.takes else None
    return Selection(stage=stage, case_ids=tuple(case for case in found if case in theirs)) if theirs else None
