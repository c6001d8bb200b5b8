"""Publishes what is due: has each target do what a run is for, and writes down what became of it."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports import PublisherPort
from activities.pulse import beating
from imprimatur.errors import Unavailable
from imprimatur.publication.packing import package_of
from imprimatur.publication.targets.target import Target, TargetRefused, TargetUnreachable
from imprimatur.store import publishing as store
from imprimatur.store.engine import Database
from models.messages import RunEnd, TargetInput
from models.vocabulary import RunKind, TargetStatus

log = structlog.get_logger()
Start = Callable[[store.Run], Awaitable[None]]
Beside = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Pace:
    """In seconds."""

    run_for: float = 1800.0
    look_every: float = 1.0
    mend_every: float = 60.0


async def _nothing() -> int:
    return 0


class Publisher(PublisherPort):
    """``targets`` are those of this installation; ``start`` starts the workflow of a run, or finds it started.

    ``beside`` starts what else is due, and ``mend`` ends what is lost; both answer how much. ``after_publication`` is
    called with the slug of what has become public, and raises nothing.
    """

    def __init__(
        self,
        database: Database,
        targets: Mapping[str, Target],
        start: Start,
        *,
        pace: Pace | None = None,
        beside: Beside = _nothing,
        mend: Beside = _nothing,
        after_publication: Callable[[str], object] = lambda slug: None,
        after_mail: Callable[[], object] = lambda: None,
        after_event: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._targets = targets
        self._start = start
        self._pace = pace or Pace()
        self._beside = beside
        self._mend = mend
        self._after_publication = after_publication
        self._after_mail = after_mail
        self._after_event = after_event
        self.wake = asyncio.Event()

    @activity.defn(name="start_publishing")
    async def start_publishing(self) -> int:
        started = 0
        clock = asyncio.get_running_loop().time
        until, mend_at = clock() + self._pace.run_for, clock()
        async with beating():
            while clock() < until:
                self.wake.clear()
                if clock() >= mend_at:
                    await self._mend_lost()
                    mend_at = clock() + self._pace.mend_every
                started += await self._start_due()
                await self._until_woken()
        return started

    async def _start_due(self) -> int:
        try:
            found = await asyncio.to_thread(store.due_runs, self._database, dt.datetime.now(dt.UTC))
            for run in found:
                await self._start(run)
            beside = await self._beside()
        except Unavailable as error:
            log.warning("publishing_waits", reason=error.message)
            return 0
        return len(found) + beside

    async def _mend_lost(self) -> None:
        try:
            mended = await self._mend()
        except Unavailable as error:
            log.warning("publishing_waits", reason=error.message)
            return
        if mended:
            self._after_event()
            self._after_mail()

    async def _until_woken(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), self._pace.look_every)
        except TimeoutError:
            return

    @activity.defn(name="begin_publishing")
    async def begin_publishing(self, run_id: str) -> bool:
        async with beating():
            return await asyncio.to_thread(store.begin_run, self._database, run_id)

    @activity.defn(name="reach_target")
    async def reach_target(self, wanted: TargetInput) -> None:
        async with beating():
            run = await asyncio.to_thread(store.run_of, self._database, wanted.run_id)
            aim = TargetStatus.WITHDRAWN if run.kind is RunKind.WITHDRAW else TargetStatus.PUBLISHED
            await self._bring(run, wanted.target, aim, "")

    @activity.defn(name="withdraw_target")
    async def withdraw_target(self, wanted: TargetInput) -> None:
        async with beating():
            run = await asyncio.to_thread(store.run_of, self._database, wanted.run_id)
            await self._bring(run, wanted.target, TargetStatus.WITHDRAWN, store.UNDONE)

    async def _bring(self, run: store.Run, name: str, aim: TargetStatus, reason: str) -> None:
        """Has a target publish or withdraw, and writes that down; what this run has done before is not done again."""
        if await asyncio.to_thread(store.is_done_at, self._database, run.run_id, name, aim):
            return
        try:
            target = self._targets.get(name)
            if target is None:
                raise TargetRefused(f"this installation has no target named {name}")
            package = await asyncio.to_thread(package_of, self._database, run.case_id, f"{run.run_id}:{name}:{aim}")
            act = target.publish if aim is TargetStatus.PUBLISHED else target.withdraw
            detail = await act(package)
        except TargetRefused as error:
            log.error("target_refused", run_id=run.run_id, target=name, reason=str(error))
            await self._note(run, name, TargetStatus.FAILED, str(error))
            raise ApplicationError(str(error), type="target_refused", non_retryable=True) from None
        except TargetUnreachable as error:
            log.warning("target_unreachable", run_id=run.run_id, target=name, reason=str(error))
            raise ApplicationError(str(error), type="target_unreachable") from None
        await self._note(run, name, aim, detail, reason)

    async def _note(self, run: store.Run, name: str, status: TargetStatus, detail: str, reason: str = "") -> None:
        told = (detail, reason) if status is not TargetStatus.FAILED else ("", detail)
        await asyncio.to_thread(store.record_target, self._database, run, name, status, *told)
        self._after_event()

    @activity.defn(name="end_publishing")
    async def end_publishing(self, end: RunEnd) -> None:
        async with beating():
            public = await asyncio.to_thread(self._end, end)
            self._after_event()
            if end.failed or public is not None:
                self._after_mail()
            if public is not None:
                self.wake.set()
                await asyncio.to_thread(self._after_publication, public)

    def _end(self, end: RunEnd) -> str | None:
        if end.failed:
            # A target that was asked in vain for all of its time has not said so itself.
            run = store.run_of(self._database, end.run_id)
            if not any(store.is_done_at(self._database, end.run_id, end.failed, status) for status in TargetStatus):
                store.record_target(self._database, run, end.failed, TargetStatus.FAILED, "", end.reason)
        return store.end_run(self._database, end)
