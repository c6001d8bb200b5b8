"""Records the frozen histories anew: `python -m tests.record_histories [STORY]...`, all stories without a name.

Do this when a behaviour is new, or when it changed on purpose and no running case can hold an older history; else
the change belongs behind `workflow.patched`. Look at what changed in `tests/histories` before you keep it.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from temporalio.client import WorkflowHistory

from imprimatur import ids
from imprimatur.cli.output import leave
from imprimatur.store.engine import Database, migrate
from tests.engine import Engine, engine, temporal_server
from tests.facts import furnish
from tests.frozen import FOLDER, Frozen, replay
from tests.stories import STORIES

QUEUE = "recorded"


async def runs_of(live: Engine, case_id: str) -> AsyncIterator[WorkflowHistory]:
    """The first run and those that continued it."""
    workflow_id = ids.workflow_id(case_id)
    first = (await live.handle(case_id).fetch_history()).events[0].workflow_execution_started_event_attributes
    run = first.first_execution_run_id
    while run:
        history = await live.client.get_workflow_handle(workflow_id, run_id=run).fetch_history()
        yield history
        run = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id


async def record(address: str, name: str, folder: Path) -> None:
    url = f"sqlite:///{folder / 'imprimatur.db'}"
    migrate(url)
    database = Database(url)
    furnish(database)
    async with engine(address, database, folder, QUEUE, mark="") as live:
        case_id = await STORIES[name](live)
        histories = [history async for history in runs_of(live, case_id)]
    database.close()
    for number, history in enumerate(histories, 1):
        part = name if len(histories) == 1 else f"{name}.{number}"
        file = Frozen(part, history, await replay(history)).write()
        print(f"{file.name}: {len(history.events)} events, {file.stat().st_size} bytes")


async def main(names: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="imprimatur-") as folder, temporal_server(Path(folder)) as address:
        for name in names or STORIES:
            for old in FOLDER.glob(f"{name}.*json"):
                old.unlink()
            await record(address, name, Path(tempfile.mkdtemp(dir=folder)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stories", nargs="*", choices=[*STORIES, []], metavar="STORY")
    asyncio.run(main(parser.parse_args().stories))
    leave(0)
