"""Documents that are handed in at about the same time, kept in one transaction."""

import asyncio
from collections.abc import Sequence

from imprimatur.store.documents import put_proposal
from imprimatur.store.engine import Database
from models.proposal import Proposal

Waiting = tuple[Proposal, asyncio.Future[str]]


class Intake:
    """A transaction of its own would cost each document a write to the disk, and others their turn meanwhile.

    What comes while a transaction is written waits for the next one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Waiting] = []
        self._keeping: asyncio.Task[None] | None = None

    async def keep(self, proposal: Proposal) -> str:
        """The document's digest, once it is kept. Raises what keeping it raises."""
        kept: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((proposal, kept))
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_all())
        return await kept

    async def _keep_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._keep(batch)
        finally:
            # Not later, as a callback of the task: who comes in between would wait for a task that has ended.
            self._keeping = None

    async def _keep(self, batch: Sequence[Waiting]) -> None:
        try:
            digests = await asyncio.to_thread(self._write, [proposal for proposal, _ in batch])
        except Exception as error:  # noqa: BLE001  (whatever it is, it is told to whoever waits)
            if len(batch) > 1:
                for one in batch:
                    await self._keep([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, kept), digest in zip(batch, digests, strict=True):
            if not kept.done():
                kept.set_result(digest)

    def _write(self, proposals: Sequence[Proposal]) -> list[str]:
        with self._database.write() as connection:
            return [put_proposal(connection, proposal) for proposal in proposals]
