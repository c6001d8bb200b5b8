"""What is to be written at about the same time, written in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from imprimatur.store.engine import Database

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """A transaction of its own would cost each item a write to the disk, and others their turn meanwhile.

    What comes while a transaction is written waits for the next one. ``write`` writes one item, and answers it.
    """

    def __init__(self, database: Database, write: Callable[[Connection, Item], Answer]) -> None:
        self._database = database
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._keeping: asyncio.Task[None] | None = None

    async def keep(self, item: Item) -> Answer:
        """What writing it answers, once it is kept. Raises what writing it raises."""
        kept: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, kept))
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

    async def _keep(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await asyncio.to_thread(self._write_all, [item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  (whatever it is, it is told to whoever waits)
            if len(batch) > 1:
                for one in batch:
                    await self._keep([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, kept), answer in zip(batch, answers, strict=True):
            if not kept.done():
                kept.set_result(answer)

    def _write_all(self, items: Sequence[Item]) -> list[Answer]:
        with self._database.write() as connection:
            return [self._write(connection, item) for item in items]
