"""A worker process that dies, as by a power cut, right after a commit: before Temporal learns of it."""

import argparse
import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, exists, select

from imprimatur.store.engine import Database
from models.vocabulary import EventType
from tests.engine import connected, worker, writer
from tests.facts import LEDGER


class MortalDatabase(Database):
    """Is gone with its process once the ledger holds an event of the fatal type."""

    fatal: EventType

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
        with self.read() as connection:
            if connection.execute(select(exists().where(LEDGER.c.type == self.fatal))).scalar():
                os._exit(137)


async def main(address: str, database_url: str, folder: Path, queue: str, fatal: EventType) -> None:
    database = MortalDatabase(database_url)
    database.fatal = fatal
    async with worker(await connected(address), writer(database, folder), queue):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("address", str), ("database_url", str), ("folder", Path), ("queue", str), ("fatal", EventType)):
        parser.add_argument(name, type=kind)
    asyncio.run(main(**vars(parser.parse_args())))
