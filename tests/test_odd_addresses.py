"""Addresses with characters in them that no name has: every page and operation answers, none of them with a fault."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from imprimatur.store.api_keys import make_key
from imprimatur.store.engine import Database
from models.vocabulary import KeyScope
from tests.api import idle_api
from tests.facts import BASE_URL, START
from tests.pages import HERE, populated
from tests.web import Site

ADMIN = "eva.admin@example.edu"
ODD = ("%00", "mc-%00", "a%00b", "%F0%9F%92%A9", "..%2f..%2fetc", "%ED%A0%80", "1e999", "-1", "%25", "'%20OR%201=1--")
PLACE = re.compile("{[^}]*}")
WORDS = (
    "q",
    "cursor",
    "status",
    "framework",
    "unit",
    "need",
    "state",
    "kind",
    "page",
    "next",
    "which",
    "stage",
    "from",
)


def gets(routes: Iterable[Any]) -> Iterator[str]:
    """Every address that can be looked at, with its placeholders, but streams of events, which go on for ever."""
    for route in routes:
        if router := getattr(route, "original_router", None):
            yield from gets(router.routes)
        elif "GET" in (getattr(route, "methods", None) or ()) and not route.path.endswith("/events"):
            yield route.path


def odd_addresses(routes: Iterable[Any]) -> list[str]:
    """Each placeholder odd; the case right and what follows odd; and an odd value for whatever can be asked."""
    known = sorted(set(gets(routes)))
    found = []
    for odd in ODD:
        query = "&".join(f"{word}={odd}" for word in WORDS)
        of_case = [path.replace("{case_id}", HERE) for path in known]
        found += [PLACE.sub(odd, path) for path in [*known, *of_case]]
        found += [f"{PLACE.sub('1', path)}?{query}" for path in of_case]
    return list(dict.fromkeys(found))


async def faults(client: httpx.AsyncClient, asked: list[str]) -> list[tuple[str, int]]:
    answers = [(address, (await client.get(address)).status_code) for address in asked]
    return [(address, status) for address, status in answers if status >= 500]


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return populated(database, tmp_path)


async def test_no_page_has_a_fault_at_an_odd_address(site: Site) -> None:
    asked = odd_addresses(site.app.routes)
    assert len(asked) > 1000
    async with site.signed_in(ADMIN) as visitor:
        assert await faults(visitor, asked) == []


async def test_no_operation_has_a_fault_at_an_odd_address(site: Site) -> None:
    api = idle_api(site.play.database)
    _, key = make_key(site.play.database, "a program", ADMIN, [str(scope) for scope in KeyScope], START)
    asked = odd_addresses(api.routes)
    assert len(asked) > 1000
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=BASE_URL) as program:
        program.headers["Authorization"] = f"Bearer {key}"
        assert await faults(program, asked) == []
