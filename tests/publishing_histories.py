"""Frozen histories of publishing: `python -m tests.publishing_histories` records those that are not there yet."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from imprimatur import ids
from imprimatur.cli.output import leave
from imprimatur.publishing import Publishing
from imprimatur.store.engine import Database, migrate
from tests.engine import connected, temporal_server
from tests.facts import OFFICE
from tests.frozen import without_traces
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


def read_frozen(name: str) -> WorkflowHistory:
    kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return WorkflowHistory.from_json(kept["workflow_id"], kept["history"])


def without_places(found: Any) -> Any:
    """Where in which file something was raised is of the machine that recorded it."""
    if isinstance(found, dict):
        return {name: without_places(value) for name, value in found.items() if name != "stackTrace"}
    return [without_places(value) for value in found] if isinstance(found, list) else found


async def record(name: str, address: str, folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'imprimatur.db'}")
    migrate(database.url)
    approved(database, folder, with_targets(database, *NAMES), case_id=CASE)
    with world(folder / "website") as around:
        async with publishing(await connected(address), database, around.targets) as press:
            run_id = (await STORIES[name](press, around))[-1]
            handle = press.client.get_workflow_handle(ids.publication_workflow_id(run_id))
            history = await handle.fetch_history()
    database.close()
    kept = {"workflow_id": history.workflow_id, "history": without_traces(without_places(history.to_json_dict()))}
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


async def main() -> None:
    with tempfile.TemporaryDirectory() as place, temporal_server(Path(place)) as address:
        for name in STORIES:
            if not (FOLDER / f"{name}.json").exists():
                folder = Path(place) / name
                folder.mkdir()
                await record(name, address, folder)


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    leave(0)
