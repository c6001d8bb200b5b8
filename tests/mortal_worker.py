"""A worker process that dies, as by a power cut, right after a commit: before Temporal learns of it."""

import argparse
import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from activities.commit import Committer, Record
from imprimatur.store.engine import Database
from models.commit import Resolution, Step
from tests.engine import connected, worker


class MortalCommitter(Committer):
    """Commits, and is gone when the step had an effect of the kind."""

    fatal: str

    def _write_steps(self, steps: Sequence[Step]) -> tuple[list[Resolution | Exception], list[Record]]:
        answers = super()._write_steps(steps)
        if any(effect.kind == self.fatal for step in steps for effect in step.effects):
            os._exit(137)
        return answers


async def main(address: str, database_url: str, folder: Path, queue: str, fatal: str) -> None:
    committer = MortalCommitter(
        Database(database_url), base_url="https://imprimatur.example", published_dir=folder, after_mail=lambda: None
    )
    committer.fatal = fatal
    async with worker(await connected(address), committer, queue):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("address", "database_url", "folder", "queue", "fatal"):
        parser.add_argument(name, type=Path if name == "folder" else str)
    asyncio.run(main(**vars(parser.parse_args())))
