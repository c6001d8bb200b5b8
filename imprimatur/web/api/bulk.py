"""Acts on many cases: previewed, begun, and followed until each case has its result."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from imprimatur.access.viewer import Viewer
from imprimatur.bulk import Bulk, BulkAct, Selection
from imprimatur.bulk_acts import KINDS, Words, bulk_act
from imprimatur.gateway import Gateway
from imprimatur.migrating import Move, migration
from imprimatur.office import Office
from imprimatur.store.access import unseen_case
from imprimatur.store.bulk_reading import BulkItem, BulkLine, bulk_of, bulks_of
from imprimatur.store.bulks import ItemResult
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import Given, Name, Page, Reason
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee, overseen_of, run_all, run_office
from imprimatur.web.bulks.running import BulkRunner
from models.calendars import BusinessDuration
from models.vocabulary import Boundary, StageOutcome


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


class Beginning:
    """What follows from a request: a preview, or a bulk that this process carries out."""

    def __init__(self, gateway: Gateway, database: Database, runner: BulkRunner) -> None:
        self._bulk, self._runner = Bulk(gateway, database), runner

    async def answer(self, act: BulkAct, *, preview: bool) -> BulkAnswer:
        name = act.operation.act
        if preview:
            report = await self._bulk.preview(act)
            return BulkAnswer(act=name, preview=True, chosen=len(report.results), cases=report.results)
        begun = await self._runner.begin(act)
        return BulkAnswer(
            act=name, preview=False, bulk_id=begun.bulk_id or None, resumed=begun.resumed, chosen=len(begun.items)
        )


def router(database: Database, gateway: Gateway, bulks: BulkRunner) -> APIRouter:
    routes, runner = APIRouter(tags=["many cases"]), Beginning(gateway, database, bulks)
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
    @routes.get("/bulk-acts", summary="Acts on many cases, the newest first")
    def bulks(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[BulkLine]:
        """Whoever is bound to units sees what they have begun themselves."""
        oversee(viewer)
        return page_of(bulks_of(database, viewer), lambda entry: entry.bulk_id, cursor, limit)

    @routes.get("/bulk-acts/{bulk_id}", summary="How far an act on many cases has come")
    def bulk(viewer: Reads, bulk_id: str) -> BulkLine:
        oversee(viewer)
        return bulk_of(database, viewer, bulk_id)[0]

    @routes.get("/bulk-acts/{bulk_id}/cases", summary="What became of each case")
    def lines(viewer: Reads, bulk_id: str, cursor: Cursor = None, limit: Limit = 50) -> Page[BulkItem]:
        """`result` is null as long as there is none."""
        oversee(viewer)
        return page_of(bulk_of(database, viewer, bulk_id)[1], lambda item: str(item.number), cursor, limit)


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
