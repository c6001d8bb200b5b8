"""The public catalogue: pages for people, Open Badges and JSON-LD for machines, and nothing about persons."""

import json
import re
from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from tests.facts import Play, example, furnish, whole_story
from tests.web import Site

ROOT = "/catalogue"


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    furnish(sqlite_database)
    return Site(whole_story(sqlite_database, tmp_path))


async def slug_of(site: Site) -> str:
    async with site.visitor() as visitor:
        [slug] = re.findall(r'href="/catalogue/([a-z0-9-]+)"', (await visitor.get(ROOT)).text)
    return str(slug)


async def test_what_is_published_is_listed_and_shown(site: Site) -> None:
    slug = await slug_of(site)
    proposal = example("industry-credit.revised")
    async with site.visitor() as visitor:
        page = (await visitor.get(f"{ROOT}/{slug}")).text
    for text in (proposal.title, *proposal.learning_outcomes, "390 hours", "15 ECTS", "EQF 6", "1,450 NZD"):
        assert str(text).replace("'", "&#39;") in page, text
    assert "Who assured its quality" in page
    assert "2 approvals by quality reviewer" in page
    assert site.play.case_id in page


async def test_an_empty_catalogue_says_so(sqlite_database: Database, tmp_path: Path) -> None:
    async with Site(Play(sqlite_database, tmp_path)).visitor() as visitor:
        assert "Nothing has been published yet" in (await visitor.get(ROOT)).text
        machine = await visitor.get(ROOT, headers={"Accept": "application/json"})
    assert machine.json()["achievements"] == []


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/ld+json, application/json;q=0.5", "application/ld+json"),
        ("application/vnd.api+json, application/json", "application/json"),
        ("*/*", "text/html"),
        ("", "text/html"),
        ("text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8", "text/html"),
        ("image/png", "text/html"),
    ],
)
async def test_machines_and_people_get_what_they_ask_for_at_one_address(site: Site, accept: str, kind: str) -> None:
    slug = await slug_of(site)
    async with site.visitor() as visitor:
        for path in (ROOT, f"{ROOT}/{slug}"):
            answer = await visitor.get(path, headers={"Accept": accept})
            assert answer.headers["content-type"].split(";")[0] == kind
            assert answer.headers["vary"].split(", ")[0] == "Accept"
            if kind != "text/html":
                assert answer.json()["@context"].startswith("https://purl.imsglobal.org/spec/ob/v3p0/")
                assert answer.headers["access-control-allow-origin"] == "*"


async def test_the_machine_s_answer_is_the_published_file(site: Site, tmp_path: Path) -> None:
    slug = await slug_of(site)
    async with site.visitor() as visitor:
        served = (await visitor.get(f"{ROOT}/{slug}", headers={"Accept": "application/json"})).json()
        listed = (await visitor.get(ROOT, headers={"Accept": "application/json"})).json()
    kept = json.loads((tmp_path / slug / "achievement.json").read_text(encoding="utf-8"))
    assert served == {"@context": served["@context"]} | kept
    assert listed["achievements"] == [{name: value for name, value in kept.items() if name != "@context"}]


async def test_nothing_public_names_or_reaches_a_person(site: Site, tmp_path: Path) -> None:
    slug = await slug_of(site)
    async with site.visitor() as visitor:
        for path in (ROOT, f"{ROOT}/{slug}"):
            for accept in ("text/html", "application/json", "application/ld+json"):
                text = (await visitor.get(path, headers={"Accept": accept})).text
                assert not re.findall(r"[\w.+-]+@[\w-]+\.\w+", text)
                for name in ("Quinn", "Rosa", "Lena", "Mere", "Jonas", "Ana Matai"):
                    assert name not in text
    assert not re.findall(r"[\w.+-]+@[\w-]+\.\w+", (tmp_path / slug / "achievement.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("slug", ["unknown", "%2e%2e", "a%00b", "x" * 5000, "%ff"])
async def test_an_unknown_credential_is_told(site: Site, slug: str) -> None:
    async with site.visitor() as visitor:
        shown = await visitor.get(f"{ROOT}/{slug}")
        machine = await visitor.get(f"{ROOT}/{slug}", headers={"Accept": "application/json"})
    assert (shown.status_code, machine.status_code) == (404, 404)
    assert machine.json()["error"]["code"] in ("publication_unknown", "page_unknown")


async def test_what_is_not_published_is_not_public(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    async with Site(play).visitor() as visitor:
        page = await visitor.get(ROOT)
    assert str(example("industry-credit").title) not in page.text
