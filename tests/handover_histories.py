"""Frozen histories of handing over: `python -m tests.handover_histories` records those that are not there yet."""

from pathlib import Path

from temporalio.client import WorkflowHistory

from imprimatur.publication.targets.folder import FolderTarget
from imprimatur.publication.targets.target import Target
from imprimatur.publication.targets.webhook import WebhookTarget
from imprimatur.store.engine import Database, migrate
from tests.engine import engine
from tests.facts import furnish
from tests.frozen_runs import record_missing
from tests.handover import handing_over
from tests.handover_stories import published_and_due
from tests.hooks import KEYS, Receiver, receiving

FOLDER = Path(__file__).parent / "histories" / "handing_over"
# The targets of each story: one that takes the package, and one that never will.
STORIES = {"sent": ("lms",), "refused": ("website", "lms")}


async def record(name: str, address: str, folder: Path) -> WorkflowHistory:
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
    return history


if __name__ == "__main__":
    record_missing(FOLDER, STORIES, record)
