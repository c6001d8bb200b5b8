"""Acts on many cases from the pages, on a real Temporal server: chosen, previewed, done, stopped, gone on with."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from imprimatur.bulk_acts import KINDS
from imprimatur.gateway import Gateway
from imprimatur.mail.links import Links
from imprimatur.store.bulk_reading import Chosen
from imprimatur.store.people import import_people
from imprimatur.web.app import create_app
from imprimatur.web.bulks.forms import fields
from imprimatur.web.house import House
from models.messages import CaseAnswer
from models.vocabulary import CaseStatus, EventType
from tests.admin import words
from tests.engine import Engine
from tests.facts import BASE_URL, OFFICE, PROPOSER, SECOND, example
from tests.test_web_acts import code_of, hidden
from tests.web import KEY, signed_in_to

WHY = "The register is closed."
ELSEWHERE = "off.elsewhere@example.edu"


class Stopping(Gateway):
    """The gateway, which comes no further than a number of acts."""

    def __init__(self, live: Engine, acts: int) -> None:
        self.__dict__.update(live.gateway.__dict__)
        self.left = acts
        self.stopped = asyncio.Event()

    async def act(self, case_id: str, event: Any, update_id: str | None = None) -> CaseAnswer:
        if self.left == 0:
            self.stopped.set()
            await asyncio.Event().wait()
        self.left -= 1
        return await super().act(case_id, event, update_id)


def website(live: Engine, gateway: Gateway | None = None) -> FastAPI:
    gateway = gateway or live.gateway

    async def ready() -> dict[str, str]:
        return {}

    links = Links([KEY], BASE_URL)
    house = House(live.database, links, gateway)
    app = create_app(house, ready=ready)
    app.state.bulks = house.bulks
    return app


@asynccontextmanager
async def visiting(app: FastAPI, live: Engine, person: str = OFFICE) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client:
        client.cookies.update(signed_in_to(app, live.database, person))
        yield client


@pytest.fixture
async def cases(live: Engine) -> list[str]:
    return [(await live.submit("non-credit")).case_id for _ in range(3)]


async def previewed(client: httpx.AsyncClient, act: str, chosen: list[str], **said: str) -> httpx.Response:
    page = await client.get("/bulks/new", params={"act": act, "case": chosen})
    assert page.status_code == 200, page.text
    return await client.post("/bulks/new", data=hidden(page.text) | said)


async def carried_out(client: httpx.AsyncClient, preview: httpx.Response, app: FastAPI) -> httpx.Response:
    answer = await client.post("/bulks", data=hidden("".join(bulk_form(preview.text))))
    assert answer.status_code == 303, answer.text
    await app.state.bulks.rest()
    return await client.get(answer.headers["location"])


def bulk_form(page: str) -> list[str]:
    """The form that carries out what was previewed."""
    return ['<main id="content">', page.partition('<form method="post" action="/bulks">')[2].partition("</form>")[0]]


async def test_a_preview_tells_case_by_case_and_what_is_possible_is_done(live: Engine, cases: list[str]) -> None:
    await live.gateway.withdraw(cases[0], actor=OFFICE, reason="No more.")
    app = website(live)
    async with visiting(app, live) as client:
        listed = (await client.get("/cases")).text
        assert all(f'name="case" value="{case_id}"' in listed for case_id in cases)
        preview = await previewed(client, "hold", cases, reason=WHY)
        told = words(preview.text)
        assert "2 possible" in told and "1 not" in told and "case_closed" in told and "hold case" in told
        assert {live.show(case_id).status for case_id in cases[1:]} == {CaseStatus.IN_REVIEW}, "a preview does nothing"
        report = words((await carried_out(client, preview, app)).text)
        assert "3 of 3 have come to a result" in report and "2 done" in report and "1 refused" in report
        assert {live.show(case_id).status for case_id in cases[1:]} == {CaseStatus.ON_HOLD}
        assert "2 of 3 done" in words((await client.get("/bulks")).text)
    live.assert_whole(*cases)


async def test_everything_that_a_filter_finds_can_be_chosen(live: Engine, cases: list[str]) -> None:
    other = (await live.submit("coursework-credit")).case_id
    async with visiting(website(live), live) as client:
        page = await client.get("/bulks/new", params={"act": "nudge", "all": "yes", "framework": "non-credit"})
        assert set(hidden(page.text)["cases"].split()) == set(cases)
        assert other not in page.text
        for params, status in (
            ({"act": "hold"}, 422),
            ({"act": "dance", "case": cases[0]}, 422),
            ({"act": "hold", "case": "mc-nowhere"}, 404),
        ):
            assert (await client.get("/bulks/new", params=params)).status_code == status


async def test_what_was_chosen_wrongly_is_told_in_place(live: Engine, cases: list[str]) -> None:
    async with visiting(website(live), live) as client:
        missing = await previewed(client, "extend", cases, amount="3", unit="d", reason="Keep <this>.")
        assert (missing.status_code, code_of(missing)) == (422, "choice_missing")
        assert "Keep &lt;this&gt;." in missing.text
        unknown = await previewed(client, "reassign", cases, **{"from": SECOND, "to": "x@y.example", "reason": WHY})
        assert (unknown.status_code, code_of(unknown)) == (404, "person_unknown")
        nobody = {"from": "ivo.adviser@example.org", "to": OFFICE, "reason": WHY}
        nothing = await previewed(client, "reassign", cases, **nobody)
        assert "nothing in these cases" in nothing.text and 'action="/bulks"' not in nothing.text


async def test_a_bulk_that_was_stopped_goes_on_in_another_process_and_does_nothing_twice(
    live: Engine, cases: list[str]
) -> None:
    stopping = Stopping(live, 1)
    dying = website(live, stopping)
    said = {"stage": "proposal", "amount": "2", "unit": "d", "reason": WHY}
    async with visiting(dying, live) as client:
        preview = await previewed(client, "extend", cases, **said)
        answer = await client.post("/bulks", data=hidden("".join(bulk_form(preview.text))))
        assert answer.status_code == 303, answer.text
        report = answer.headers["location"]
        await stopping.stopped.wait()
        assert "Look again" in (await client.get(report)).text
        dying.state.bulks.stop()
        await dying.state.bulks.rest()
    app = website(live)
    async with visiting(app, live, SECOND) as another:
        page = (await another.get(report)).text
        assert "Go on with it" not in page and "not being carried out" in page
        token = re.findall(r'name="form_token" value="(\w+)"', page)[0]
        assert (await another.post(f"{report}/go-on", data={"form_token": token})).status_code == 403
    async with visiting(app, live) as client:
        page = (await client.get(report)).text
        assert "Go on with it" in page
        token = re.findall(r'name="form_token" value="(\w+)"', page)[0]
        for _ in range(2):
            assert (await client.post(f"{report}/go-on", data={"form_token": token})).status_code == 303
        await app.state.bulks.rest()
        assert "3 done" in words((await client.get(report)).text)
    for case_id in cases:
        assert live.types(case_id).count(EventType.STAGE_EXTENDED) == 1
    live.assert_whole(*cases)


async def test_a_form_pressed_twice_is_one_bulk(live: Engine, cases: list[str]) -> None:
    app = website(live)
    async with visiting(app, live) as client:
        preview = await previewed(client, "nudge", cases, stage="")
        form = hidden("".join(bulk_form(preview.text)))
        answers = await asyncio.gather(*(client.post("/bulks", data=form) for _ in range(2)))
        await app.state.bulks.rest()
        later = await client.post("/bulks", data=form)
        assert len({answer.headers["location"] for answer in (*answers, later)}) == 1
        await app.state.bulks.rest()
    for case_id in cases:
        assert live.types(case_id).count(EventType.REMINDER_SENT) == len(live.tasks(case_id))


async def test_only_the_office_acts_and_only_on_its_own_units_cases(live: Engine, cases: list[str]) -> None:
    here = (await live.submit(example("coursework-credit").model_copy(update={"unit": "School of Law"}))).case_id
    file = live.folder / "more.csv"
    file.write_text(f"email,name,roles,units\n{ELSEWHERE},Off Else,governance_office,School of Law\n", encoding="utf-8")
    import_people(live.database, file)
    app = website(live)
    async with visiting(app, live, ELSEWHERE) as client:
        page = await client.get("/bulks/new", params={"act": "hold", "case": [here, *cases]})
        assert hidden(page.text)["cases"] == here, "what is not seen is not chosen"
        form = hidden(page.text) | {"cases": " ".join([here, *cases]), "reason": WHY}
        preview = await client.post("/bulks/new", data=form)
        assert all(case_id not in preview.text for case_id in cases)
        report = await carried_out(client, preview, app)
        assert "1 done" in words(report.text)
        bulk = str(report.url.path)
    assert {live.show(case_id).status for case_id in cases} == {CaseStatus.IN_REVIEW}
    for person, seen in ((OFFICE, 200), (PROPOSER, 404)):
        async with visiting(app, live, person) as client:
            assert (await client.get(bulk)).status_code == seen
    async with visiting(app, live, PROPOSER) as client:
        assert 'name="case"' not in (await client.get("/cases")).text
        for path in ("/bulks", f"/bulks/new?act=hold&case={here}"):
            assert (await client.get(path)).status_code == 403
        token = re.findall(r'name="form_token" value="(\w+)"', (await client.get("/account")).text)[0]
        form |= {"form_token": token}
        for path in ("/bulks", "/bulks/new"):
            assert (await client.post(path, data=form)).status_code == 403


def test_the_form_of_every_act_asks_for_what_the_act_needs() -> None:
    cases = Chosen({"mc-a": "A"}, ["mc-a"], [("quality", "Quality")], [("quality", "Quality")])
    for name, kind in KINDS.items():
        asked = {field.name for field in fields(name, cases)}
        asked = asked - {"amount", "unit"} | ({"by"} if "amount" in asked else set())
        assert asked == kind.needs | kind.takes, name
        assert {field.name for field in fields(name, cases) if field.required} - {"amount", "unit"} == kind.needs - {
            "by"
        }, name
