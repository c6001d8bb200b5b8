"""Records what each story leaves behind in Temporal: `python -m tests.record_histories [STORY ...]`.

A history is frozen when its behaviour is new; it is never recorded anew to make a replay pass. Whoever changes a rule
keeps the old course for old cases (``workflow.patched``, or a new layout of the state) and adds a story of the new one.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from temporalio.client import WorkflowHistory

from imprimatur.cli.output import leave
from imprimatur.store.engine import Database, migrate
from tests.engine import Engine, engine, temporal_server
from tests.facts import furnish
from tests.stories import STORIES

HISTORIES = Path(__file__).with_name("histories")
QUEUE = "imprimatur"


def recorded(name: str) -> list[WorkflowHistory]:
    """The runs of a story's case, the first one first: a long case goes on in another run."""
    runs = json.loads((HISTORIES / f"{name}.json").read_text(encoding="utf-8"))
    return [WorkflowHistory.from_json(run["workflow_id"], run["history"]) for run in runs]


async def record(names: Sequence[str]) -> None:
    for name in names:
        # A database for each: some stories change the directory.
        folder = Path(tempfile.mkdtemp(prefix="imprimatur-story-"))
        url = f"sqlite:///{folder / 'imprimatur.db'}"
        migrate(url)
        database = Database(url)
        furnish(database)
        with temporal_server(folder) as address:
            async with engine(address, database, folder, QUEUE, mark="") as live:
                case_id = await STORIES[name](live)
                runs = await _runs(live, case_id)
        database.close()
        shutil.rmtree(folder)
        HISTORIES.mkdir(exist_ok=True)
        file = HISTORIES / f"{name}.json"
        file.write_text(json.dumps(runs, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
        sys.stdout.write(f"{name}: {len(runs)} run(s), {file.stat().st_size:,} bytes\n")


async def _runs(live: Engine, case_id: str) -> list[dict[str, object]]:
    workflow_id, run_id = live.handle(case_id).id, live.handle(case_id).run_id
    runs: list[dict[str, object]] = []
    while True:
        history = await live.client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        runs.append({"workflow_id": workflow_id, "history": history.to_json_dict()})
        started = history.events[0].workflow_execution_started_event_attributes
        if not started.continued_execution_run_id:
            return list(reversed(runs))
        run_id = started.continued_execution_run_id


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:] or sorted(STORIES)))
    leave(0)
