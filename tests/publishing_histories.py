"""Frozen histories of publishing: `python -m tests.publishing_histories` records those that are not there yet."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.client import WorkflowHistory

from imprimatur import ids
from imprimatur.publishing import Publishing
from imprimatur.store.engine import Database, migrate
from tests.engine import connected
from tests.facts import OFFICE
from tests.frozen_runs import record_missing
from tests.published import approved, with_targets
from tests.publishing import NAMES, Press, World, publishing, world

FOLDER = Path(__file__).parent / "histories" / "publishing"
CASE = "mc-frozen"
Story = Callable[[Press, World], Awaitable[list[str]]]


async def published(press: Press, around: World) -> list[str]:
    return await press.run()


async def refused(press: Press, around: World) -> list[str]:
    around.registry.refusing = "Error - the name is too short."
    return await press.run()


async def retracted(press: Press, around: World) -> list[str]:
    await press.run()
    Publishing(press.database).retract(CASE, actor=OFFICE, reason="a mistake")
    return await press.run()


async def tried_again(press: Press, around: World) -> list[str]:
    await refused(press, around)
    around.registry.refusing = None
    Publishing(press.database).retry(CASE, actor=OFFICE)
    return await press.run()


STORIES: dict[str, Story] = {story.__name__: story for story in (published, refused, retracted, tried_again)}


async def record(name: str, address: str, folder: Path) -> WorkflowHistory:
    database = Database(f"sqlite:///{folder / 'imprimatur.db'}")
    migrate(database.url)
    approved(database, folder, with_targets(database, *NAMES), case_id=CASE)
    with world(folder / "website") as around:
        async with publishing(await connected(address), database, around.targets) as press:
            run_id = (await STORIES[name](press, around))[-1]
            handle = press.client.get_workflow_handle(ids.publication_workflow_id(run_id))
            history = await handle.fetch_history()
    database.close()
    return history


if __name__ == "__main__":
    record_missing(FOLDER, STORIES, record)
