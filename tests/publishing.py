"""Targets that do as they are told, a registry among them, and a worker that publishes to them; for tests."""

import asyncio
import datetime as dt
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.publisher import Publisher
from imprimatur import ids
from imprimatur.embedded.home import LOOPBACK
from imprimatur.publication.targets.folder import FolderTarget
from imprimatur.publication.targets.registry import RegistryTarget
from imprimatur.publication.targets.target import Target
from imprimatur.publication.targets.webhook import WebhookTarget
from imprimatur.publishing import RunStarter
from imprimatur.store import publishing as store
from imprimatur.store.engine import Database
from tests.engine import new_queue
from tests.hooks import KEYS, Receiver, receiving
from workflows.publishing import PublishingWorkflow

API_KEY = "key-of-the-registry"
ORGANISATION = "ce-1c0a9b0e-6c39-4a3e-9c5b-3f8f2c3b7a10"
NAMES = ("website", "lms", "registry")


@dataclass
class Registry:
    """Speaks the interface of the registry's publishing service; ``refusing`` is what it says to every record."""

    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refusing: str | None = None
    url: str = ""

    def publish(self, body: dict[str, Any]) -> dict[str, Any]:
        [resource] = body["GraphInput"]["@graph"]
        ctid = resource["ceterms:ctid"]
        problems = []
        if body["PublishForOrganizationIdentifier"] != ORGANISATION:
            problems.append("Error - the organization is not known.")
        if body["CTID"] != ctid or not resource["@id"].endswith(f"/resources/{ctid}"):
            problems.append("Error - the CTID does not name the resource.")
        if self.refusing is not None:
            problems.append(self.refusing)
        if problems:
            return {"Successful": False, "Messages": problems}
        self.held[ctid] = resource
        return {"Successful": True, "Messages": [], "CTID": ctid, "RegistryEnvelopeIdentifier": f"envelope of {ctid}"}

    def delete(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.held.pop(body["CTID"], None) is None:
            return {"Successful": False, "Messages": ["Error - there is no such record."]}
        return {"Successful": True, "Messages": []}


@contextmanager
def registering(registry: Registry) -> Iterator[Registry]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._act("/assistant/credential/publishGraph", registry.publish)

        def do_DELETE(self) -> None:
            self._act("/assistant/credential/delete", registry.delete)

        def do_GET(self) -> None:
            ctid = self.path.removeprefix("/resources/")
            found = registry.held.get(ctid)
            self._answer(404 if found is None else 200, found or {})

        def _act(self, path: str, act: Any) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            registry.asked.append((self.command, self.path))
            if self.headers["authorization"] != f"ApiToken {API_KEY}":
                self._answer(401, {})
            elif self.path != path:
                self._answer(404, {})
            else:
                self._answer(200, act(body))

        def _answer(self, code: int, content: Any) -> None:
            text = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    registry.url = f"http://{LOOPBACK}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class World:
    """A folder, a learning management system and the registry."""

    folder: Path
    lms: Receiver
    registry: Registry

    @property
    def targets(self) -> dict[str, Target]:
        return targets_at(self.folder, self.lms.url, self.registry.url)

    @property
    def told(self) -> list[str]:
        """What the learning management system has heard, each message once."""
        return list({item.headers["webhook-id"]: item.message["type"] for item in self.lms.received}.values())

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*/*"))


def targets_at(folder: Path, lms: str, registry: str) -> dict[str, Target]:
    return {
        "website": FolderTarget(folder),
        "lms": WebhookTarget("lms", lms, KEYS),
        "registry": RegistryTarget(f"{registry}/assistant", registry, ORGANISATION, API_KEY),
    }


@contextmanager
def world(folder: Path) -> Iterator[World]:
    with receiving(Receiver()) as lms, registering(Registry()) as registry:
        yield World(folder, lms, registry)


def publisher(database: Database, targets: Mapping[str, Target], client: Client, queue: str) -> Publisher:
    return Publisher(database, targets, RunStarter(client, queue).start)


def worker(client: Client, found: Publisher, queue: str) -> Worker:
    acts: list[Callable[..., Any]] = [
        found.begin_publishing,
        found.reach_target,
        found.withdraw_target,
        found.end_publishing,
    ]
    return Worker(client, task_queue=queue, workflows=[PublishingWorkflow], activities=acts)


@asynccontextmanager
async def publishing(client: Client, database: Database, targets: Mapping[str, Target]) -> AsyncIterator["Press"]:
    queue = new_queue()
    async with worker(client, publisher(database, targets, client, queue), queue):
        yield Press(client, database, queue)


@dataclass
class Press:
    client: Client
    database: Database
    queue: str

    async def run(self) -> list[str]:
        """Carries out what is due to its end; answers the runs."""
        found = await asyncio.to_thread(store.due_runs, self.database, _now())
        starter = RunStarter(self.client, self.queue)
        for run in found:
            await starter.start(run)
        for run in found:
            await self.client.get_workflow_handle(ids.publication_workflow_id(run.run_id)).result()
        return [run.run_id for run in found]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
