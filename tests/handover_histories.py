"""Frozen histories of handing over: `python -m tests.handover_histories` records those that are not there yet."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from temporalio.client import WorkflowHistory

from imprimatur.cli.output import leave
from imprimatur.publication.targets.folder import FolderTarget
from imprimatur.publication.targets.target import Target
from imprimatur.publication.targets.webhook import WebhookTarget
from imprimatur.store.engine import Database, migrate
from tests.engine import engine, temporal_server
from tests.facts import furnish
from tests.frozen import without_traces
from tests.handover import handing_over
from tests.handover_stories import published_and_due
from tests.hooks import KEYS, Receiver, receiving
from tests.publishing_histories import without_places

FOLDER = Path(__file__).parent / "histories" / "handing_over"
# The targets of each story: one that takes the package, and one that never will.
STORIES = {"sent": ("lms",), "refused": ("website", "lms")}


def read_frozen(name: str) -> WorkflowHistory:
    kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return WorkflowHistory.from_json(kept["workflow_id"], kept["history"])


async def record(name: str, address: str, folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'imprimatur.db'}")
    migrate(database.url)
    furnish(database)
    with receiving(Receiver()) as lms:
        targets: dict[str, Target] = {
            "lms": WebhookTarget("lms", lms.url, KEYS),
            "website": FolderTarget(folder / "website"),
        }
        async with (
            engine(address, database, folder, f"recorded-{name}", mark="") as live,
            handing_over(live.client, database, targets, live.gateway) as desk,
        ):
            await published_and_due(live, name, *STORIES[name])
            [workflow] = await desk.run()
            history = await live.client.get_workflow_handle(workflow).fetch_history()
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
