"""The worker as production puts it together: what it runs, and what a case may cost in Temporal's history."""

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from imprimatur.cli.context import connect_temporal
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.mail.transport import Relay
from imprimatur.settings import Settings
from imprimatur.store import webhooks as store
from imprimatur.store.engine import Database
from imprimatur.webhooks.signing import secret
from models.vocabulary import CaseStatus
from tests.bench.__main__ import ACTIONS
from tests.bench.scenario import DECISIONS, decide, prepare, submit
from tests.engine import Engine, writer
from tests.facts import START, furnish
from tests.hooks import Receiver, receiving
from tests.relay import eventually
from tests.stories import STORIES
from worker import build_worker, start_notifier

BASE_URL = "https://credentials.example.edu"
KEY = "key-of-the-tests-key-of-the-tests-key-of-the-tests"


@pytest.fixture
async def produced(
    temporal_address: str, sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    """An engine whose cases run on the worker that `worker.py` builds, on a machine with long names."""
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 63)
    monkeypatch.setattr(os, "getpid", lambda: 4_194_304)
    settings = Settings(
        IMPRIMATUR_HOME=tmp_path,
        IMPRIMATUR_SECRET_KEYS=KEY,
        SMTP_URL="smtp://127.0.0.1:9",
    )
    client = await connect_temporal(temporal_address, settings.temporal_namespace, None)
    links, relay = Links.from_settings(settings, BASE_URL), Relay.from_settings(settings)
    async with build_worker(client, sqlite_database, settings, base_url=BASE_URL, links=links, relay=relay) as worker:
        gateway = Gateway(client, sqlite_database)
        committer = writer(sqlite_database, tmp_path)
        yield Engine(client, gateway, sqlite_database, committer, worker.task_queue, tmp_path, "-produced")


async def test_a_case_runs_to_publication(produced: Engine) -> None:
    furnish(produced.database)
    case_id = await STORIES["industry_published"](produced)
    view = produced.show(case_id)
    assert view.status is CaseStatus.PUBLISHED
    assert (produced.folder / "published" / str(view.slug) / "achievement.json").is_file()
    produced.assert_whole(case_id)


async def test_a_webhook_hears_of_a_case_from_the_production_worker(produced: Engine) -> None:
    """The keys are the worker's own, as the settings hold them."""
    furnish(produced.database)
    with receiving(Receiver()) as receiver:
        webhook = store.add_webhook(produced.database, receiver.url, ["case_submitted"], [], START)
        await start_notifier(produced.client)
        answer = await produced.submit("industry-credit")
        await eventually(lambda: len(receiver.received) == 1)
        [item] = receiver.received
        said = Webhook(secret(KEY, webhook.webhook_id, 1)).verify(item.body, item.headers)
        assert said["data"]["case_id"] == answer.case_id
        await produced.client.get_workflow_handle("notifier:default").terminate()


async def test_a_case_stays_within_its_budget(produced: Engine) -> None:
    prepare(produced.database, produced.folder)
    case_id = await submit(produced.gateway, 1)
    for stage, reviewer in DECISIONS:
        await decide(produced.gateway, case_id, stage, reviewer)
    handle = produced.handle(case_id)
    assert await handle.result() == "published"
    events = [event async for event in handle.fetch_history_events()]
    info = (await handle.describe()).raw_description.workflow_execution_info
    assert len(events) <= 40
    assert sum(event.event_type in ACTIONS for event in events) <= 15
    assert info.history_size_bytes <= 8192
