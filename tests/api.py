"""The programming interface over a running engine, called as programs call it; for tests."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
from fastapi import FastAPI
from temporalio.client import Client

from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.publication.keys import Keyring
from imprimatur.publication.vault import Vault
from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from imprimatur.web.api.app import create_api
from imprimatur.web.api.limits import Rates
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from models.vocabulary import KeyScope
from tests.engine import Engine
from tests.facts import BASE_URL, PROPOSER, example
from tests.web import KEY

UNTIRING = Rates(requests=100_000, failures=100_000)
ALL = tuple(map(str, KeyScope))


@dataclass
class Program:
    """``keys`` are made once for each person and set of scopes."""

    live: Engine
    rates: Rates = UNTIRING

    def __post_init__(self) -> None:
        async def ready() -> dict[str, str]:
            return {}

        house = House(self.live.database, Links([KEY], BASE_URL), self.live.gateway)
        self.api = create_api(house, Keyring(self.live.database, Vault([KEY]), BASE_URL), self.rates)
        self.app = create_app(house, ready=ready, api=self.api)

    def key(self, email: str, scopes: Sequence[str] = ALL) -> str:
        return make_key(self.live.database, "a program", email, scopes, dt.datetime.now(dt.UTC))[1]

    @asynccontextmanager
    async def of(self, email: str, scopes: Sequence[str] = ALL) -> AsyncIterator[httpx.AsyncClient]:
        """Calls with a key of somebody's."""
        async with self.anonymous() as client:
            client.headers["Authorization"] = f"Bearer {self.key(email, scopes)}"
            yield client

    @asynccontextmanager
    async def anonymous(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"{BASE_URL}/api/v1") as client:
            yield client


def idle_api(database: Database) -> FastAPI:
    """For whatever asks no running case."""
    keyring = Keyring(database, Vault([KEY]), BASE_URL)
    gateway = Gateway(cast(Client, None), database)
    return create_api(House(database, Links([KEY], BASE_URL), gateway), keyring)


def proposal(name: str = "industry-credit", **change: Any) -> dict[str, Any]:
    """An example as JSON."""
    return example(name).model_copy(update=change).model_dump(mode="json", exclude_none=True)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Of a failure, which has to be told as one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code and body["title"] and body["type"].endswith(f"#{body['code']}")
    return answer.status_code, body["code"]


async def submitted(program: Program, name: str = "industry-credit") -> str:
    """An example, by a program of its proposer's; the case."""
    async with program.of(PROPOSER) as client:
        answer = await client.post("/cases", json={"proposal": proposal(name)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])
