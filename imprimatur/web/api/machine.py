"""The machine itself, for whoever keeps it: health of its parts and queues, settings in force, calendars."""

import asyncio
import datetime as dt

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from imprimatur.store.engine import Database
from imprimatur.web.admin.examining import Examination, examined, queues_of
from imprimatur.web.admin.machine import calendars, reads_machine
from imprimatur.web.admin.machinery import Machinery
from imprimatur.web.admin.targets import targets_shown
from imprimatur.web.api.documents import Page
from imprimatur.web.api.guard import Reads
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee
from models.calendars import CalendarDef
from models.vocabulary import TargetKind, TargetStatus


class Check(BaseModel):
    name: str
    ok: bool
    detail: str


class PollerDocument(BaseModel):
    identity: str
    polled_at: dt.datetime


class TaskQueueDocument(BaseModel):
    """``backlog`` counts tasks that no worker has taken, the oldest for ``waits_seconds``."""

    kind: str
    pollers: list[PollerDocument]
    backlog: int
    waits_seconds: float


class QueuesDocument(BaseModel):
    """Numbers by status; ``mail_late`` and ``events_late``: since when the oldest that is due has waited."""

    mail: dict[str, int]
    mail_late: dt.datetime | None
    events: dict[str, int]
    events_late: dt.datetime | None


class Health(BaseModel):
    """``queues`` is null when the database is silent, ``silent`` says why ``task_queues`` are not known."""

    ok: bool
    checks: list[Check]
    task_queues: list[TaskQueueDocument]
    silent: str
    queues: QueuesDocument | None


class Setting(BaseModel):
    """``value`` is empty for one that is unset or secret; ``source`` is environment, file, stack or default."""

    name: str
    value: str
    is_set: bool
    secret: bool
    source: str


class TargetDocument(BaseModel):
    """``kind`` is null for what is named and not configured; ``records`` are numbers by what the target has of them."""

    name: str
    kind: TargetKind | None
    where: str
    named_by: list[str]
    records: dict[TargetStatus, int]


class DaysOff(BaseModel):
    first_on: dt.date
    last_on: dt.date
    why: str


class CalendarDocument(BaseModel):
    """As frameworks define it; ``used_by`` are their newest versions, ``days_off`` those of the coming year."""

    name: str
    definition: CalendarDef
    used_by: list[str]
    days_off: list[DaysOff]


def router(database: Database, machinery: Machinery, examination: Examination) -> APIRouter:
    routes = APIRouter(tags=["machine"])

    @routes.get("/health", summary="Every part of the machine, and what waits in its queues")
    async def health(viewer: Reads) -> Health:
        """Each check is waited for a few seconds only."""
        oversee(viewer)
        found, queues = await asyncio.gather(examination.look(), run_in_threadpool(queues_of, database))
        told = examined(found)
        return Health(
            ok=not told.silent and all(check.ok for check in told.checks),
            checks=[Check.model_validate(check, from_attributes=True) for check in told.checks],
            task_queues=[
                TaskQueueDocument(
                    kind=queue.kind,
                    pollers=[PollerDocument.model_validate(one, from_attributes=True) for one in queue.pollers],
                    backlog=queue.backlog,
                    waits_seconds=queue.waits.total_seconds(),
                )
                for queue in told.task_queues
            ],
            silent=told.silent,
            queues=QueuesDocument.model_validate(queues, from_attributes=True) if queues is not None else None,
        )

    @routes.get("/settings", summary="Every setting in force, and where it came from; no secret")
    def settings(viewer: Reads, cursor: Cursor = None, limit: Limit = 200) -> Page[Setting]:
        """For administrators, and for auditors of everything."""
        reads_machine(viewer)
        found = [Setting.model_validate(item, from_attributes=True) for item in machinery.settings()]
        return page_of(found, lambda item: item.name, cursor, limit)

    @routes.get("/targets", summary="Where records go besides the catalogue, and what each target has; no secret")
    def targets(viewer: Reads, cursor: Cursor = None, limit: Limit = 200) -> Page[TargetDocument]:
        """For administrators, and for auditors of everything."""
        reads_machine(viewer)
        found = targets_shown(database, machinery.targets())
        shown = [TargetDocument.model_validate(item, from_attributes=True) for item in found]
        return page_of(shown, lambda item: item.name, cursor, limit)

    @routes.get("/calendars", summary="Working hours, and days off of the coming year")
    def all_calendars(viewer: Reads) -> Page[CalendarDocument]:
        """They are kept in frameworks: a changed calendar is a new version of those that use it."""
        oversee(viewer)
        today = dt.datetime.now(dt.UTC).date()
        return Page(
            items=[
                CalendarDocument(
                    name=item.name,
                    definition=item.definition,
                    used_by=list(item.used_by),
                    days_off=[DaysOff(first_on=first, last_on=last, why=why) for first, last, why in item.days_off],
                )
                for item in calendars(database, today)
            ]
        )

    return routes
