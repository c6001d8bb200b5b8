"""Drafts of answers and receipts by programs: one's own, as the page of the task keeps and shows them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from imprimatur.mail.links import Links
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.web.api.app import create_api
from imprimatur.web.house import House
from tests.api import ALL, UNTIRING, code_of
from tests.facts import BASE_URL, START
from tests.pages import REVIEWER, populated
from tests.web import KEY, Decider, Site

TYPED = {"typed": {"verdict": "approve", "comment": "Fits what"}}
ANSWER = {
    "verdict": "request_changes",
    "comment": "Say how it is assessed.",
    "scores": {"outcomes": 2, "assessment": 1},
}


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    database = site.play.database
    house = House(database, Links([KEY], BASE_URL), cast(Any, Decider(site.play)))
    transport = httpx.ASGITransport(create_api(house, Keyring(database, Vault([KEY]), BASE_URL), UNTIRING))
    headers = {"Authorization": f"Bearer {make_key(database, 'x', REVIEWER, ALL, START)[1]}"}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as found:
        yield found


@pytest.fixture
def task(site: Site) -> str:
    return next(f"/tasks/{task.id}" for task in site.play.state.open_tasks("quality") if task.assignee == REVIEWER)


async def test_what_one_would_answer_is_kept_until_it_is_answered(client: httpx.AsyncClient, task: str) -> None:
    assert code_of(await client.get(f"{task}/draft")) == (404, "answer_draft_unknown")
    assert code_of(await client.get(f"{task}/receipt")) == (404, "receipt_unknown")
    kept = await client.put(f"{task}/draft", json=TYPED)
    assert kept.json()["typed"] == TYPED["typed"]
    assert (await client.get(f"{task}/draft")).json() == kept.json()
    given = await client.post(f"{task}/decision", json=ANSWER)
    assert given.status_code == 200, given.text
    assert code_of(await client.get(f"{task}/draft")) == (404, "answer_draft_unknown")
    assert code_of(await client.put(f"{task}/draft", json=TYPED)) == (409, "answer_draft_refused")
    assert (await client.get(f"{task}/receipt")).json() == given.json()


async def test_what_was_kept_is_forgotten_when_asked(client: httpx.AsyncClient, task: str) -> None:
    await client.put(f"{task}/draft", json=TYPED)
    assert (await client.delete(f"{task}/draft")).status_code == 204
    assert code_of(await client.get(f"{task}/draft")) == (404, "answer_draft_unknown")


async def test_whoever_says_so_has_seen_their_task(client: httpx.AsyncClient, task: str) -> None:
    assert [(await client.put(f"{task}/seen")).status_code for _ in range(2)] == [204, 204]


async def test_nobody_reads_or_keeps_anything_of_a_task_of_somebody_else(client: httpx.AsyncClient, site: Site) -> None:
    other = f"/tasks/{site.play.state.open_tasks('industry')[0].id}"
    answers = [
        await client.get(f"{other}/draft"),
        await client.put(f"{other}/draft", json=TYPED),
        await client.delete(f"{other}/draft"),
        await client.put(f"{other}/seen"),
        await client.get(f"{other}/receipt"),
    ]
    assert [code_of(answer) for answer in answers] == [(404, "task_unknown")] * 5
