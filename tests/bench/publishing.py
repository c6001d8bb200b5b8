"""What publishing costs: approved credentials brought to a target and into the catalogue, each by a run of its own."""

import asyncio
import datetime as dt
from pathlib import Path

from temporalio.testing import ActivityEnvironment

from activities.publisher import Publisher
from imprimatur.publication.targets.folder import FolderTarget
from imprimatur.store import publishing as store
from imprimatur.store.engine import Database, migrate
from imprimatur.store.task_page import publications
from models.messages import RunEnd, TargetInput
from tests.bench.records import Run, measured
from tests.facts import furnish
from tests.published import approved, with_targets

CREDENTIALS = 1_000


async def _unused(run: store.Run) -> None:
    raise AssertionError("nothing is started here")


def to_a_folder(folder: Path, number: int = CREDENTIALS) -> Run:
    """What a workflow does beside waiting; the approvals before it are not counted."""
    database = Database(f"sqlite:///{folder / 'publishing.db'}")
    migrate(database.url)
    furnish(database)
    policy = with_targets(database, "website")
    for count in range(number):
        approved(database, folder, policy, case_id=f"mc-bench{count}", title=f"Micro-credential {count}")
    publisher = Publisher(database, {"website": FolderTarget(folder / "website")}, _unused)
    with measured(number) as run:
        while found := store.due_runs(database, dt.datetime.now(dt.UTC)):
            for one in found:
                asyncio.run(_publish(publisher, one))
    assert len(publications(database)) == number
    database.close()
    return run


async def _publish(publisher: Publisher, run: store.Run) -> None:
    environment = ActivityEnvironment()
    assert await environment.run(publisher.begin_publishing, run.run_id)
    await environment.run(publisher.reach_target, TargetInput(run_id=run.run_id, target="website"))
    await environment.run(publisher.end_publishing, RunEnd(run_id=run.run_id))
