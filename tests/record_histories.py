"""Records what each story leaves behind in Temporal: `python -m tests.record_histories [STORY ...]`.

Without a name it records the stories that have no history yet. A history is frozen when its behaviour is new; it is
never recorded anew to make a replay pass. Whoever changes a rule keeps the old course for old cases
(``workflow.patched``, or a new layout of the state) and adds a story of the new one.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from temporalio.client import WorkflowHistory

from imprimatur import ids
from imprimatur.cli.output import leave
from imprimatur.store.engine import Database, migrate
from tests.address_stories import ADDRESSES
from tests.engine import Engine, engine, temporal_server
from tests.facts import furnish
from tests.frozen import FOLDER, Frozen, frozen_names, replay, write_frozen
from tests.governed import DEPUTIES
from tests.governed_stories import GOVERNED
from tests.handover_stories import HANDOVERS
from tests.improvement_stories import REVIEWS
from tests.meeting_stories import MEETINGS
from tests.people_stories import PEOPLE
from tests.sign_off_stories import SIGN_OFF
from tests.stories import STORIES, people
from tests.track_stories import TRACKS
from tests.version_stories import VERSION_CHANGES

QUEUE = "recorded"
RECORDED = (
    ADDRESSES | STORIES | GOVERNED | HANDOVERS | MEETINGS | PEOPLE | REVIEWS | SIGN_OFF | TRACKS | VERSION_CHANGES
)


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
        people(live, *DEPUTIES)
        case_id = await RECORDED[name](live)
        histories = [history async for history in runs_of(live, case_id)]
    database.close()
    file = write_frozen(name, [Frozen(history, await replay(history)) for history in histories])
    print(f"{name}: {len(histories)} run(s), {file.stat().st_size:,} bytes")


async def main(names: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="imprimatur-") as folder, temporal_server(Path(folder)) as address:
        for name in names or sorted(set(RECORDED) - set(frozen_names())):
            await record(address, name, Path(tempfile.mkdtemp(dir=folder)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    leave(0)
