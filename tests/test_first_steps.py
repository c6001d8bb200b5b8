"""What a new installation on one's own machine asks first: who is in its directory."""

from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from imprimatur.store.people import list_people
from tests.facts import PROPOSER, Play, furnish
from tests.web import Site, everything

YOURSELF = {"with": "yourself", "name": "Nora  Iwu", "email": "Nora@Example.edu", "organisation": "Example Institute"}


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return Site(Play(sqlite_database, tmp_path), embedded=True)


async def test_whoever_comes_first_is_led_to_the_first_steps(site: Site) -> None:
    async with site.visitor() as visitor:
        for path in ("/", "/sign-in"):
            assert 'href="/first-steps"' in (await visitor.get(path)).text
        asked = (await visitor.get("/first-steps")).text
    assert "Begin with example people" in asked and "Begin with yourself" in asked


async def test_one_begins_with_example_people_and_signs_in_as_one_of_them(site: Site) -> None:
    async with site.visitor() as visitor:
        answer = await visitor.post("/first-steps", data={"with": "examples"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        known = (await visitor.get("/sign-in")).text
        assert f'name="email" value="{PROPOSER}"' in known and "tove.reviewer" not in known
        assert "/first-steps" not in known and "/first-steps" not in (await visitor.get("/")).text
        sent = await visitor.post("/sign-in", data={"email": PROPOSER, "next": "/"})
    assert "/inbox?to=ana.proposer%40example.edu" in sent.text


async def test_one_begins_with_oneself_and_can_do_everything_there_is_to_do_first(site: Site) -> None:
    async with site.visitor() as visitor:
        assert (await visitor.post("/first-steps", data=YOURSELF)).status_code == 303
    [found] = list_people(site.play.database)
    assert (found.email, found.name, found.organisation) == ("nora@example.edu", "Nora Iwu", "Example Institute")
    assert set(found.roles) == {"governance_office", "admin", "proposer"}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"with": "yourself", "name": "Nora", "email": "nora"}, "person_invalid"),
        ({"with": "yourself", "name": " ", "email": "nora@example.edu"}, "person_invalid"),
        ({"with": "nobody"}, "first_step_unknown"),
        ({"name": "Nora"}, "first_step_unknown"),
    ],
)
async def test_what_cannot_be_taken_is_told_and_begins_nothing(site: Site, form: dict[str, str], code: str) -> None:
    before = everything(site.play.database)
    async with site.visitor() as visitor:
        answer = await visitor.post("/first-steps", data=form)
    assert (answer.status_code, code in answer.text) == (422, True)
    assert everything(site.play.database) == before


async def test_what_was_typed_is_not_lost_with_a_mistake(site: Site) -> None:
    async with site.visitor() as visitor:
        answer = await visitor.post("/first-steps", data=YOURSELF | {"email": "nora"})
    assert 'value="Nora  Iwu"' in answer.text and 'value="nora"' in answer.text


@pytest.mark.parametrize("form", [YOURSELF, {"with": "examples"}])
async def test_nobody_begins_what_others_have_begun(site: Site, form: dict[str, str]) -> None:
    furnish(site.play.database)
    before = everything(site.play.database)
    async with site.visitor() as visitor:
        answer = await visitor.post("/first-steps", data=form)
        looked = (await visitor.get("/first-steps")).text
    assert (answer.status_code, "directory_begun" in answer.text) == (409, True)
    assert 'href="/sign-in"' in looked and "<button" not in looked
    assert everything(site.play.database) == before


async def test_a_form_of_another_site_begins_nothing(site: Site) -> None:
    async with site.visitor() as visitor:
        answer = await visitor.post("/first-steps", data=YOURSELF, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and list_people(site.play.database) == []


async def test_elsewhere_nobody_is_told_who_is_in_the_directory(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    served = Site(Play(sqlite_database, tmp_path), embedded=False)
    async with served.visitor() as visitor:
        assert (await visitor.get("/first-steps")).status_code == 404
        assert (await visitor.post("/first-steps", data=YOURSELF)).status_code in (404, 405)
        assert PROPOSER not in (await visitor.get("/sign-in")).text
