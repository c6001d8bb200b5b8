"""Bulks that this process carries out while its pages go on answering."""

import asyncio

import structlog

from imprimatur.bulk import Bulk, BulkAct
from imprimatur.errors import ImprimaturError
from imprimatur.gateway import Gateway
from imprimatur.store.bulks import Begun
from imprimatur.store.engine import Database

log = structlog.get_logger()


class BulkRunner:
    """A bulk lives in the database: this process may end at any moment, and any other go on with it."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._bulk = Bulk(gateway, database)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def begin(self, act: BulkAct) -> Begun:
        """Written down, and begun; what was stopped goes on."""
        begun = await self._bulk.begin(act)
        if len(begun.results) < len(begun.items) and not self.is_running(begun.bulk_id):
            self._running[begun.bulk_id] = asyncio.create_task(self._run(act, begun))
        return begun

    def is_running(self, bulk_id: str) -> bool:
        """Here; another process may be at work on it as well."""
        return bulk_id in self._running

    async def rest(self) -> None:
        """Until nothing runs here any more."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def stop(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _run(self, act: BulkAct, begun: Begun) -> None:
        try:
            await self._bulk.carry_out(act, begun)
        except ImprimaturError as error:
            # What would fail for every case; the report says how far it came, and offers to go on.
            log.warning("bulk_stopped", bulk=begun.bulk_id, code=error.code, reason=error.message)
        finally:
            self._running.pop(begun.bulk_id, None)
