"""A worker that dies between any two targets: the next one brings the publication to its end, for all or for none."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client

from imprimatur import ids
from imprimatur.history.verify import verify_case
from imprimatur.publishing import Publishing
from imprimatur.store.engine import Database
from imprimatur.store.task_page import publications
from models.vocabulary import RecordStatus, RunStatus
from tests.engine import connected, new_queue
from tests.mortal_publisher import AFTER, BEFORE, END
from tests.published import approved, with_targets
from tests.publishing import NAMES, World, publisher, worker, world

CASE = "mc-killed"
PLACES = [*(f"{name}:{when}" for name in NAMES for when in (BEFORE, AFTER)), END]


@dataclass
class Trial:
    """One publication, and the place at which its worker dies."""

    fatal: str
    database: Database
    around: World
    queue: str
    slug: str

    @property
    def run_id(self) -> str:
        return Publishing(self.database).show(CASE).runs[0].run_id

    async def die(self, address: str) -> int:
        places = [address, self.database.url, str(self.around.folder), self.queue, self.around.lms.url]
        words = [*places, self.around.registry.url, self.fatal]
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.mortal_publisher", *words)
        return await process.wait()

    async def go_on(self, client: Client) -> None:
        found = publisher(self.database, self.around.targets, client, self.queue)
        async with worker(client, found, self.queue):
            await client.get_workflow_handle(ids.publication_workflow_id(self.run_id)).result()


@pytest.fixture
def trials(migrated_file: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[Trial]]:
    """One for each place, or for those that a test names."""
    with ExitStack() as stack:
        found = []
        for number, fatal in enumerate(getattr(request, "param", PLACES)):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "imprimatur.db").write_bytes(migrated_file.read_bytes())
            database = Database(f"sqlite:///{folder / 'imprimatur.db'}")
            stack.callback(database.close)
            approved(database, folder, with_targets(database, *NAMES), case_id=CASE)
            slug = Publishing(database).show(CASE).slug
            found.append(Trial(fatal, database, stack.enter_context(world(folder / "website")), new_queue(), slug))
        yield found


def assert_nobody_sees_it(trial: Trial) -> None:
    assert publications(trial.database) == []
    assert Publishing(trial.database).show(CASE).status is RecordStatus.PENDING


def assert_all_have_it_once(trial: Trial) -> None:
    view = Publishing(trial.database).show(CASE)
    assert (view.status, [run.status for run in view.runs]) == (RecordStatus.OFFERED, [RunStatus.DONE]), trial.fatal
    assert [(item.target, item.status) for item in view.targets] == [(name, "published") for name in NAMES]
    assert trial.around.told == ["publication.published"], trial.fatal
    assert len(trial.around.registry.held) == 1 and "ctdl.json" in trial.around.files
    assert [item.slug for item in publications(trial.database)] == [trial.slug]
    assert verify_case(trial.database, CASE).ok


async def test_a_killed_worker_leaves_a_publication_to_the_next_one(trials: list[Trial], temporal_address: str) -> None:
    assert await asyncio.gather(*(trial.die(temporal_address) for trial in trials)) == [137] * len(trials)
    for trial in trials:
        assert_nobody_sees_it(trial)
    client = await connected(temporal_address)
    await asyncio.gather(*(trial.go_on(client) for trial in trials))
    for trial in trials:
        assert_all_have_it_once(trial)


@pytest.mark.parametrize("trials", [[f"registry:{BEFORE}"]], indirect=True)
async def test_a_worker_that_dies_before_a_target_that_refuses_leaves_nothing_behind(
    trials: list[Trial], temporal_address: str
) -> None:
    [trial] = trials
    trial.around.registry.refusing = "Error - the name is too short."
    assert await trial.die(temporal_address) == 137
    await trial.go_on(await connected(temporal_address))
    assert_nobody_sees_it(trial)
    assert trial.around.told == ["publication.published", "publication.withdrawn"]
    assert (trial.around.registry.held, trial.around.files) == ({}, [])
    assert verify_case(trial.database, CASE).ok
