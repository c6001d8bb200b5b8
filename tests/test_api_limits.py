"""How much a program may ask of the interface, and how it is told: counted in memory, and by an own clock here."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.web.api.limits import BODY_LIMIT_BYTES, MOST_REMEMBERED, Quota, RateLimit, Rates
from tests.api import code_of, idle_api
from tests.facts import BASE_URL, OFFICE, START, everything, furnish


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def asking(app: FastAPI | RateLimit, key: str = "", address: str = "192.0.2.1") -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


@pytest.fixture
def key(sqlite_database: Database) -> str:
    furnish(sqlite_database)
    return make_key(sqlite_database, "x", OFFICE, ["read"], START)[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(sqlite_database: Database, clock: Clock) -> RateLimit:
    api = idle_api(sqlite_database)
    return RateLimit(api, BASE_URL, Rates(requests=6, failures=3), clock)


async def test_a_key_has_its_quota_and_is_told_when_to_ask_again(limited: RateLimit, clock: Clock, key: str) -> None:
    async with asking(limited, key) as program:
        answers = [await program.get("/frameworks") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 6 + [429]
        assert [answer.headers["ratelimit"] for answer in answers[:2]] == ['"key";r=5;t=10', '"key";r=4;t=20']
        assert code_of(answers[-1]) == (429, "too_many_requests")
        assert answers[-1].headers["retry-after"] == "10"
        assert answers[-1].headers["ratelimit-policy"] == '"key";q=6;w=60'
        clock.now += 10
        assert (await program.get("/frameworks")).status_code == 200
        assert (await program.get("/frameworks")).status_code == 429


async def test_a_client_that_tries_keys_is_stopped_and_a_good_key_beside_it_is_not(
    limited: RateLimit, key: str
) -> None:
    async with asking(limited, key) as program, asking(limited, "k-x.guess") as guesser:
        assert (await program.get("/frameworks")).status_code == 200
        assert [(await guesser.get("/frameworks")).status_code for _ in range(5)] == [401] * 3 + [429] * 2
        assert (await program.get("/frameworks")).status_code == 200
    async with asking(limited, "k-x.guess", "192.0.2.9") as elsewhere:
        told = await elsewhere.get("/frameworks")
        assert (told.status_code, told.headers["ratelimit"]) == (401, '"client";r=2;t=20')


async def test_reading_writes_nothing(limited: RateLimit, sqlite_database: Database, key: str) -> None:
    before = everything(sqlite_database)
    async with asking(limited, key) as program:
        for _ in range(8):
            await program.get("/frameworks")
    assert everything(sqlite_database) == before


@given(st.lists(st.floats(0, 200)), st.integers(1, 50))
def test_in_any_minute_no_more_pass_than_twice_the_quota(pauses: list[float], most: int) -> None:
    """A full bucket at once, and what fills it meanwhile."""
    clock = Clock()
    quota = Quota("key", most, clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        for _ in range(3):
            if quota.left("somebody") >= 1:
                quota.take("somebody")
                passed.append(clock.now)
    for at in passed:
        assert sum(at <= other < at + 60 for other in passed) <= 2 * most


def test_those_not_heard_of_for_long_are_forgotten() -> None:
    quota = Quota("key", 5, Clock())
    for number in range(MOST_REMEMBERED + 1):
        quota.take(str(number))
    assert (quota.left("0"), quota.left("1")) == (5, 4)


async def test_a_request_in_parts_is_counted_while_it_arrives(sqlite_database: Database) -> None:
    """Without a length said beforehand."""
    api, sent = idle_api(sqlite_database), 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 64 * 1024
            yield b" " * 64 * 1024

    async with asking(api) as program:
        answer = await program.post("/cases", content=parts(), headers={"Content-Type": "application/json"})
    assert code_of(answer) == (413, "request_too_large")
    assert sent <= BODY_LIMIT_BYTES + 64 * 1024
