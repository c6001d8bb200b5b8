"""Pages that are served before the workflow service is there: they show, refuse acts clearly, and need no restart."""

import asyncio
import datetime as dt
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import Response
from temporalio.client import Client
from temporalio.service import ConnectConfig

from imprimatur.connecting import LateService, NotConnected
from imprimatur.embedded.demo import environment
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.errors import Unavailable
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.mail.links import Links
from imprimatur.payloads import data_converter
from imprimatur.store import sessions
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.web.gate import Gate
from models.vocabulary import EventType, Strength
from tests.api import ALL, code_of, proposal
from tests.engine import connected, temporal_server, worker, writer
from tests.facts import OFFICE, PROPOSER, Play, event_types, example, furnish
from tests.stack import ROOT, WITHIN_SECONDS
from tests.test_web_acts import hidden
from tests.web import KEY

HERE, WHY = "mc-hereallalong", "The register is closed."


@dataclass
class Served:
    """A process of `starter.py web`, and whoever looks at it."""

    process: subprocess.Popen[bytes]
    http: httpx.AsyncClient
    log: Path

    async def until(self, path: str, status: int) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + WITHIN_SECONDS
        while True:
            try:
                answer = await self.http.get(path)
                if answer.status_code == status:
                    return answer
            except httpx.TransportError:
                pass
            in_time = asyncio.get_running_loop().time() < deadline
            assert self.process.poll() is None and in_time, self.log.read_text()
            await asyncio.sleep(0.05)


def started(folder: Path, port: str, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "starter.py"), "web", "--port", port]
    with (folder / "web.log").open("ab") as log:
        return subprocess.Popen(command, env=environment(folder) | settings, cwd=folder, stdout=log, stderr=log)


@asynccontextmanager
async def served(database: Database, folder: Path, temporal: int) -> AsyncIterator[Served]:
    base_url = f"http://{LOOPBACK}:{free_port()}"
    settings = {
        "DATABASE_URL": database.url,
        "TEMPORAL_ADDRESS": f"{LOOPBACK}:{temporal}",
        "IMPRIMATUR_BASE_URL": base_url,
        "IMPRIMATUR_SECRET_KEYS": KEY,
    }
    process = started(folder, base_url.rpartition(":")[2], settings)
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=60) as http:
            http.cookies.update(cookie(database, base_url))
            yield Served(process, http, folder / "web.log")
    finally:
        process.terminate()
        process.wait(WITHIN_SECONDS)


def cookie(database: Database, base_url: str) -> dict[str, str]:
    with database.write() as connection:
        who = sessions.Client(LOOPBACK, "A browser")
        secret = sessions.begin(connection, OFFICE, Strength.SESSION, who, dt.datetime.now(dt.UTC))
    response, gate = Response(), Gate(database, Links([KEY], base_url))
    gate.keep(response, secret)
    name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
    return {name: value}


async def press_withdraw(http: httpx.AsyncClient, case_id: str) -> httpx.Response:
    address = f"/cases/{case_id}/acts/withdraw"
    page = await http.get(address)
    assert page.status_code == 200, page.text
    return await http.post(address, data=hidden(page.text) | {"reason": WHY})


async def test_pages_served_before_the_workflow_service_is_there_do_everything_once_it_is(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    Play(sqlite_database, tmp_path, "non-credit", HERE).submit(example("non-credit"))
    key = make_key(sqlite_database, "a program", PROPOSER, ALL, dt.datetime.now(dt.UTC))[1]
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "spring-17"}
    given = {"proposal": proposal("non-credit")}
    port = free_port()
    async with served(sqlite_database, tmp_path, port) as pages:
        await pages.until("/healthz", 200)
        assert list((await pages.until("/readyz", 503)).json()["problems"]) == ["temporal"]
        for path in ("/", "/cases", f"/cases/{HERE}", "/catalogue", "/admin/health", "/sla"):
            assert (await pages.http.get(path)).status_code == 200, path

        refused = await pages.http.post("/api/v1/cases", json=given, headers=headers)
        assert code_of(refused) == (503, "temporal_unavailable")
        assert refused.json()["title"] == "The workflow service cannot be reached, so nothing was done."
        assert "Repeat it" in refused.json()["hint"]
        form = await press_withdraw(pages.http, HERE)
        assert form.status_code == 503 and "temporal_unavailable" in form.text and WHY in form.text
        assert EventType.CASE_CLOSED not in event_types(sqlite_database, HERE)

        with temporal_server(tmp_path, port) as address:
            client = await connected(address)
            async with worker(client, writer(sqlite_database, tmp_path), TASK_QUEUE):
                await pages.until("/readyz", 200)
                done = await pages.http.post("/api/v1/cases", json=given, headers=headers)
                assert done.status_code == 201, done.text
                case_id = done.json()["case_id"]
                again = await pages.http.post("/api/v1/cases", json=given, headers=headers)
                assert again.json()["case_id"] == case_id
                assert (await press_withdraw(pages.http, case_id)).status_code == 303
        assert pages.process.poll() is None
    assert EventType.CASE_CLOSED in event_types(sqlite_database, case_id)
    told = (tmp_path / "web.log").read_text()
    assert "served_without_all_parts" in told and "Traceback" not in told


@contextmanager
def mute() -> Iterator[socket.socket]:
    """Takes connections, and says nothing to them."""
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        listening.listen()
        yield listening


def late(port: int, patience: float = 0.1) -> LateService:
    return LateService(ConnectConfig(f"{LOOPBACK}:{port}"), dt.timedelta(seconds=patience))


def client_of(service: LateService) -> Client:
    return Client(service, data_converter=data_converter(None))


async def test_a_service_that_says_nothing_keeps_nobody_waiting_and_is_called_once(sqlite_database: Database) -> None:
    furnish(sqlite_database)
    with mute() as listening:
        service = late(listening.getsockname()[1])
        gateway = Gateway(client_of(service), sqlite_database)
        acts = [gateway.submit(example("non-credit"), proposer=PROPOSER) for _ in range(3)]
        for found in await asyncio.gather(*acts, return_exceptions=True):
            assert isinstance(found, Unavailable) and found.code == "temporal_unavailable"
        listening.setblocking(False)
        called, _ = listening.accept()
        with called, pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize("address", [f"{LOOPBACK}:1", "nowhere.invalid:7233", "[/]:7233"])
async def test_an_address_at_which_nothing_is_refuses_each_time(address: str) -> None:
    service = LateService(ConnectConfig(address))
    for _ in range(2):
        with pytest.raises(NotConnected, match="does not answer"):
            await service.reach()
    with pytest.raises(NotConnected):
        service.worker_service_client  # noqa: B018  (a property that refuses)


async def test_an_act_that_never_left_is_not_said_to_be_recorded_perhaps(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    Play(sqlite_database, tmp_path, "non-credit", HERE).submit(example("non-credit"))
    gateway = Gateway(client_of(late(1)), sqlite_database)
    with pytest.raises(Unavailable, match="nothing was done") as found:
        await gateway.withdraw(HERE, actor=PROPOSER, reason=WHY)
    assert "history" not in found.value.hint


async def test_what_a_client_is_told_of_itself_reaches_the_service_however_late(tmp_path: Path) -> None:
    port = free_port()
    service = late(port, WITHIN_SECONDS)
    service.update_api_key("early")
    service.update_rpc_metadata({"early": "yes"})
    assert (service.config.api_key, service.config.rpc_metadata) == ("early", {"early": "yes"})
    # With a key the connection would be an encrypted one.
    service.update_api_key(None)
    with temporal_server(tmp_path, port) as address:
        await connected(address)
        reached = await service.reach()
        assert await service.reach() is reached
        service.update_rpc_metadata({"late": "yes"})
        service.update_api_key(None)
        assert service.worker_service_client is reached
        assert await service.check_health()
