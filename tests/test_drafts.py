"""Proposals that are written on the pages: begun, saved as they are typed, looked over, handed in once; and revised."""

import asyncio
import datetime as dt
import re
from pathlib import Path

import httpx
import pytest

from imprimatur import ids
from imprimatur.errors import Refused, Unavailable
from imprimatur.frameworks.forms import typed
from imprimatur.store import drafts
from imprimatur.store.engine import Database
from models.vocabulary import CaseStatus, Verdict
from tests.facts import OFFICE, PROPOSER, add_people, example, everything
from tests.test_web_pages import ELSEWHERE, HERE, PEOPLE, populated
from tests.web import Site, form_token

AUDITOR = PEOPLE["auditor"]


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


def hidden(page: str) -> dict[str, str]:
    """What the page of a draft sends along unseen."""
    found = dict(re.findall(r'type="hidden" name="(revision|tab|form_token)" value="([^"]*)"', page))
    assert {"revision", "tab", "form_token"} <= found.keys()
    return found


def filled(name: str) -> dict[str, str]:
    """An example as the fields of the form."""
    found: dict[str, str] = {}

    def put(value: object, at: str) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                put(part, f"{at}.{key}" if at else key)
        elif isinstance(value, list):
            for number, entry in enumerate(value):
                put(entry, f"{at}.{number}")
        else:
            found[at] = str(value)

    put(typed(example(name)), "")
    return {name: value for name, value in found.items() if not name.startswith("credential_kind")}


async def begun(visitor: httpx.AsyncClient, framework: str = "industry-credit", **more: str) -> str:
    """The path of a new draft."""
    token = form_token((await visitor.get("/proposals/new")).text)
    answer = await visitor.post("/proposals/new", data={"form_token": token, "framework": framework} | more)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def sent(visitor: httpx.AsyncClient, path: str, said: dict[str, str], act: str = "save") -> httpx.Response:
    page = (await visitor.get(path)).text
    return await visitor.post(path, data=hidden(page) | said | {"act": act})


async def test_a_proposal_is_written_looked_over_and_submitted_once(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        path = await begun(visitor)
        assert re.search(r"[01] of \d+ required things said", (await visitor.get(path)).text)
        answer = await sent(visitor, path, filled("industry-credit"), "review")
        assert answer.headers["location"] == f"{path}/review"
        review = (await visitor.get(f"{path}/review")).text
        assert "misses nothing" in review and example("industry-credit").display_title in review
        form = {"form_token": form_token(review), "case": ""}
        first, second = await asyncio.gather(
            *(visitor.post(f"{path}/submit", data=form) for _ in range(2))
        )
        third = await visitor.post(f"{path}/submit", data=form)
        case_id = ids.drafted_case_id(path.rpartition("/")[2])
        assert {answer.headers["location"] for answer in (first, second, third)} == {f"/cases/{case_id}"}
        assert (await visitor.get(f"/cases/{case_id}")).status_code == 200
        assert (await visitor.get(path)).status_code == 404
        assert "You have no draft" in (await visitor.get("/drafts")).text
    assert site.cases.plays[case_id].state.digest == example("industry-credit").digest
