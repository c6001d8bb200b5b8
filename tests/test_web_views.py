"""Saved views of the list of cases: one's own, and those that the office shares with its unit."""

import re
from pathlib import Path

import httpx
import pytest

from imprimatur.store.engine import Database
from imprimatur.store.saved_views import FILTERS
from tests.admin import words
from tests.facts import OFFICE, PROPOSER, SECOND
from tests.pages import PEOPLE, REVIEWER, populated
from tests.test_web_acts import code_of
from tests.web import Site, form_token

LATE = {"need": "overdue", "status": "in_review"}


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


async def send(visitor: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    token = form_token((await visitor.get("/account")).text)
    return await visitor.post(path, data={"form_token": token} | form)


def listed(page: httpx.Response) -> list[str]:
    found = page.text.partition('aria-label="Saved views"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="/cases[^"]*"[^>]*>([^<]+)</a>', found)


def view_id(page: httpx.Response) -> str:
    return str(re.findall(r'href="/views/(v-\w+)"', page.text)[0])


async def test_a_view_is_saved_listed_opened_renamed_and_removed(site: Site) -> None:
    async with site.signed_in(PROPOSER) as visitor:
        saved = await send(visitor, "/views", name="  Late   ones ", **LATE)
        assert (saved.status_code, saved.headers["location"]) == (303, "/cases?status=in_review&need=overdue")
        page = await visitor.get(saved.headers["location"])
        assert 'value="in_review" selected' in page.text and 'value="overdue" selected' in page.text
        assert listed(page) == listed(await visitor.get("/")) == ["Late ones"]
        number = view_id(page)
        assert "Late ones" in words((await visitor.get(f"/views/{number}")).text)
        assert (await send(visitor, f"/views/{number}", name="Pressing")).status_code == 303
        assert listed(await visitor.get("/cases")) == ["Pressing"]
        assert (await send(visitor, f"/views/{number}/remove")).status_code == 303
        assert listed(await visitor.get("/cases")) == []
        assert (await visitor.get(f"/views/{number}")).status_code == 404


async def test_the_same_view_again_is_one_and_a_name_means_one_thing(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        for _ in range(2):
            assert (await send(visitor, "/views", name="Late", **LATE)).status_code == 303
        assert listed(await visitor.get("/cases")) == ["Late"]
        taken = await send(visitor, "/views", name="Late", status="rejected")
        assert (taken.status_code, code_of(taken)) == (409, "view_name_taken")
        assert 'value="Late"' in taken.text and 'name="status" value="rejected"' in taken.text
        for name in ("", "  ", "x" * 61):
            wrong = await send(visitor, "/views", name=name, status="rejected")
            assert (wrong.status_code, code_of(wrong)) == (422, "view_name")
        assert (await send(visitor, "/views", name="Rejected", status="rejected")).status_code == 303
        other = view_id(await visitor.get("/cases?status=rejected"))
        names = dict(await own(visitor))
        clash = await send(visitor, f"/views/{other}", name=next(n for i, n in names.items() if i != other))
        assert (clash.status_code, code_of(clash)) == (409, "view_name_taken")


async def own(visitor: httpx.AsyncClient) -> list[tuple[str, str]]:
    page = (await visitor.get("/cases")).text
    return [
        (number, name)
        for number, name in re.findall(r'href="/views/(v-\w+)" aria-label="Change the view ([^"]+)"', page)
    ]


async def test_what_the_office_shares_is_seen_by_its_unit_and_changed_by_nobody_else(site: Site) -> None:
    async with site.signed_in(PEOPLE["office of the unit"]) as visitor:
        await send(visitor, "/views", name="Ours", shared="yes", **LATE)
        [(of_unit, _)] = await own(visitor)
    async with site.signed_in(OFFICE) as visitor:
        await send(visitor, "/views", name="All of us", shared="yes", **LATE)
        await send(visitor, "/views", name="Mine alone", status="rejected")
    seen = {}
    for name, person in PEOPLE.items():
        async with site.signed_in(person) as visitor:
            seen[name] = set(listed(await visitor.get("/cases")))
            if name != "office of the unit":
                assert (await visitor.get(f"/views/{of_unit}")).status_code in (403, 404)
                assert (await send(visitor, f"/views/{of_unit}/remove")).status_code in (403, 404)
                assert (await send(visitor, f"/views/{of_unit}", name="Taken over")).status_code in (403, 404)
    assert seen["office"] == {"Ours", "All of us", "Mine alone"}
    assert seen["office of the unit"] == seen["auditor of the unit"] == seen["admin"] == {"Ours", "All of us"}
    assert seen["office of another unit"] == seen["auditor of another unit"] == {"All of us"}
    assert seen["proposer"] == {"Ours"}, "she belongs to the unit"
    assert seen["reviewer"] == seen["nobody in particular"] == set()


async def test_only_the_office_shares(site: Site) -> None:
    async with site.signed_in(REVIEWER) as visitor:
        answer = await send(visitor, "/views", name="For all", shared="yes", **LATE)
        assert (answer.status_code, code_of(answer)) == (403, "not_the_office")
        assert "Share it with" not in (await visitor.get("/cases?status=in_review")).text
        foreign = await visitor.post("/views", data={"name": "x", "form_token": "0" * 64})
        assert (foreign.status_code, code_of(foreign)) == (403, "form_token_wrong")
    async with site.signed_in(SECOND) as visitor:
        assert "Share it with the whole office" in (await visitor.get("/cases?status=in_review")).text


async def test_a_person_saves_so_many_views_and_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imprimatur.store.saved_views.MOST", 2)
    async with site.signed_in(OFFICE) as visitor:
        for name in "ab":
            assert (await send(visitor, "/views", name=name, **LATE)).status_code == 303
        more = await send(visitor, "/views", name="c", **LATE)
        assert (more.status_code, code_of(more)) == (409, "too_many_views")


async def test_a_view_holds_every_filter_of_the_list(site: Site) -> None:
    everything = {"q": "a & b", "status": "in_review", "need": "overdue", "framework": "non-credit", "unit": "X"}
    assert set(everything) == set(FILTERS)
    async with site.signed_in(OFFICE) as visitor:
        saved = await send(visitor, "/views", name="All", **everything)
        assert dict(httpx.URL(saved.headers["location"]).params) == everything
