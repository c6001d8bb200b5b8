"""A worker process that dies, as by a power cut, while it publishes: at one place, which it is told."""

import argparse
import asyncio
import datetime as dt
import os
from pathlib import Path

from imprimatur.publication.targets.target import Package, Target
from imprimatur.publishing import RunStarter
from imprimatur.store import publishing as store
from imprimatur.store.engine import Database
from models.messages import RunEnd
from tests.engine import connected
from tests.publishing import publisher, targets_at, worker

BEFORE, AFTER, END = "before", "after", "end"


class Mortal:
    """A target at which the process dies, before it is asked or right after it has answered."""

    def __init__(self, target: Target, when: str) -> None:
        self._target, self._when = target, when

    async def publish(self, package: Package) -> str:
        if self._when == BEFORE:
            os._exit(137)
        await self._target.publish(package)
        os._exit(137)

    async def withdraw(self, package: Package) -> str:
        return await self._target.withdraw(package)


async def main(address: str, database_url: str, folder: Path, queue: str, lms: str, registry: str, fatal: str) -> None:
    database = Database(database_url)
    targets = targets_at(folder, lms, registry)
    name, _, when = fatal.partition(":")
    if name in targets:
        targets[name] = Mortal(targets[name], when)
    client = await connected(address)
    found = publisher(database, targets, client, queue)
    if name == END:
        store.end_run = _dies  # type: ignore[assignment]
    async with worker(client, found, queue):
        for run in store.due_runs(database, dt.datetime.now(dt.UTC)):
            await RunStarter(client, queue).start(run)
        await asyncio.Event().wait()


def _dies(database: Database, end: RunEnd) -> str | None:
    os._exit(137)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("address", "database_url"):
        parser.add_argument(name)
    parser.add_argument("folder", type=Path)
    for name in ("queue", "lms", "registry", "fatal"):
        parser.add_argument(name)
    asyncio.run(main(**vars(parser.parse_args())))
