"""Pages and programs while the workflow service is not there yet: they look, they are told, and then they act."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from imprimatur.cli.context import connect_temporal
from imprimatur.cli.website import problems
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.web.api.app import create_api
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from models.vocabulary import CaseStatus
from tests.api import ALL, UNTIRING, code_of, proposal
from tests.engine import connected, new_queue, temporal_server, worker, writer
from tests.facts import BASE_URL, OFFICE, PROPOSER, START, furnish
from tests.test_web_publication import pressed
from tests.web import KEY, signed_in_to

STARTER = Path(__file__).parent.parent / "starter.py"


async def test_what_needs_no_running_case_is_shown_and_every_act_works_once_the_service_is_there(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    port, queue = free_port(), new_queue()
    client = await connect_temporal(f"{LOOPBACK}:{port}", "default", None, when_asked=True)
    gateway = Gateway(client, sqlite_database, queue)
    house = House(sqlite_database, Links([KEY], BASE_URL), gateway)
    api = create_api(house, Keyring(sqlite_database, Vault([KEY]), BASE_URL), UNTIRING)
    app = create_app(house, ready=lambda: problems(sqlite_database, gateway), api=api)
    key = make_key(sqlite_database, "x", PROPOSER, ALL, START)[1]
    keyed = {"Authorization": f"Bearer {key}", "Idempotency-Key": "late-1"}
    given: dict[str, Any] = {"json": {"proposal": proposal("industry-credit")}, "headers": keyed}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as visitor:
        visitor.cookies.update(signed_in_to(app, sqlite_database, OFFICE))
        for path in ("/", "/cases", "/catalogue", "/admin/frameworks", "/healthz"):
            assert (await visitor.get(path)).status_code == 200, path
        ready = await visitor.get("/readyz")
        assert (ready.status_code, list(ready.json()["problems"])) == (503, ["temporal"])
        refused = await visitor.post("/api/v1/cases", **given)
        assert code_of(refused) == (503, "temporal_unavailable") and refused.json()["hint"]
        with temporal_server(tmp_path, port) as address:
            served = await connected(address)
            async with worker(served, writer(sqlite_database, tmp_path), queue):
                accepted = await visitor.post("/api/v1/cases", **given)
                assert accepted.status_code == 201, accepted.text
                case_id = accepted.json()["case_id"]
                held = await pressed(visitor, case_id, "hold", reason="The sponsor asked for time.")
                assert held.status_code == 303, held.text
                assert (await gateway.state(case_id)).status is CaseStatus.ON_HOLD


@contextmanager
def web_process(folder: Path, database: Database, temporal: str) -> Iterator[str]:
    port = free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {
        "IMPRIMATUR_HOME": str(folder),
        "IMPRIMATUR_BASE_URL": f"http://{LOOPBACK}:{port}",
        "IMPRIMATUR_SECRET_KEYS": KEY,
        "DATABASE_URL": str(database.url),
        "TEMPORAL_ADDRESS": temporal,
    }
    command = [sys.executable, str(STARTER), "web", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        yield environment["IMPRIMATUR_BASE_URL"]
    finally:
        process.terminate()
        process.wait(30)


async def told(client: httpx.AsyncClient, path: str, wanted: str) -> httpx.Response:
    """What an address answers as soon as it says what is wanted."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = await client.get(path)
            if wanted in answer.text:
                return answer
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_the_web_process_starts_first_and_finds_the_service_later(
    sqlite_database: Database, tmp_path: Path
) -> None:
    port = free_port()
    with web_process(tmp_path, sqlite_database, f"{LOOPBACK}:{port}") as address:
        async with httpx.AsyncClient(base_url=address) as client:
            assert (await told(client, "/healthz", "alive")).status_code == 200
            assert "temporal" in (await client.get("/readyz")).json()["problems"]
            assert (await client.get("/catalogue")).status_code == 200
            with temporal_server(tmp_path, port):
                ready = await told(client, "/readyz", "no worker is polling")
                assert ready.json()["problems"] == {"worker": "no worker is polling"}
