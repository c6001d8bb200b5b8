"""The catalogue in a real browser: served, and exported and opened from the disk, with scripts and without."""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from imprimatur.mail.links import Links
from imprimatur.publication.catalogue.choice import Choice
from imprimatur.publication.catalogue.collection import Collection
from imprimatur.publication.catalogue.shelf import Shelf
from imprimatur.store.engine import Database
from imprimatur.web.site.export import export
from tests.catalogues import DEGREE
from tests.chromium import (
    DARK,
    DESKTOP,
    NAMELESS,
    OVERFLOW,
    PHONE,
    WITHOUT_SCRIPTS,
    Opened,
    Visits,
    barriers,
    browser,
)
from tests.facts import BASE_URL, Play
from tests.sites import stocked
from tests.test_pages_browser import COLOURS, EVERY_RULE, serving
from tests.web import KEY, Site

__all__ = ["browser"]

NUMBER = 45
# What stands in a drawing has a name, but none that this looks for.
NAMELESS_FIELDS = NAMELESS.replace(" a,", " a:not(svg a),")


@dataclass
class Catalogue:
    """The same catalogue, served at ``base_url`` and exported into ``folder``."""

    collection: Collection
    base_url: str
    folder: Path

    def file(self, path: str, query: str = "") -> str:
        return f"{(self.folder / path).as_uri()}{'?' * bool(query)}{query}"


@pytest.fixture(scope="module")
def catalogue(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    folder = tmp_path_factory.mktemp("catalogue")
    shutil.copyfile(migrated_file, folder / "x.db")
    database = Database(f"sqlite:///{folder / 'x.db'}")
    stocked(database, folder / "published", NUMBER)
    export(database, BASE_URL, folder / "site")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site = Site(Play(database, folder), embedded=False, links=Links([KEY], base_url))
        with serving(site, listener):
            yield Catalogue(Shelf(database).collection(), base_url, folder / "site")
    database.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens an address on a device; nothing may be wrong on a page, and the exported one asks no server."""
    visits = Visits(browser)
    yield lambda address, **device: visits.page(address, device)
    visits.end()


ONLINE, FREE = {"mode": "online"}, {"mode": "online", "price": "free"}
ASKED = [
    Choice(),
    Choice(page=2, sort="price"),
    Choice(sort="workload"),
    Choice(sort="title", chosen=ONLINE),
    Choice(chosen=FREE),
    Choice(chosen={"level": "nowhere"}),
    Choice(query="water"),
    Choice(query="analitics", chosen=ONLINE),
    Choice(query="Negociation practice"),
    Choice(query="the supply", sort="title"),
    Choice(query="foods cyb", sort="newest"),
    Choice(query="nothing-at-all"),
]


@dataclass(frozen=True)
class Shown:
    """What a list says, however it came to be."""

    count: str
    titles: list[str]
    facets: list[str]
    chips: list[str]


def shown(page: Page) -> Shown:
    def texts(selector: str) -> list[str]:
        return [" ".join(text.split()) for text in page.locator(selector).all_text_contents()]

    return Shown(texts("#count")[0], texts(".offers h3"), texts(".narrowing h3, .narrowing li"), texts(".chips li"))


def test_the_script_finds_what_the_app_finds(opened: Opened, catalogue: Catalogue) -> None:
    served, exported = opened(f"{catalogue.base_url}/catalogue"), opened(catalogue.file("catalogue/index.html"))
    for choice in ASKED:
        query = urlencode(choice.parameters)
        served.goto(f"{catalogue.base_url}/catalogue?{query}")
        exported.goto(catalogue.file("catalogue/index.html", query))
        assert shown(exported) == shown(served), query


def test_without_a_server_one_searches_narrows_and_takes_back(opened: Opened, catalogue: Catalogue) -> None:
    page = opened(catalogue.file("index.html"))
    expect(page).to_have_url(catalogue.file("catalogue/index.html"))
    expect(page.get_by_role("heading", level=2).first).to_have_text(f"{NUMBER + 1} micro-credentials")
    page.get_by_role("searchbox").fill("analitics")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Shown is what has analytics")).to_be_visible()
    page.get_by_role("complementary").get_by_role("link", name="Online").click()
    sought = catalogue.collection.find(Choice(query="analitics", chosen={"mode": "online"}))
    expect(page.locator(".offers>li")).to_have_count(sought.total)
    page.get_by_role("link", name="Remove the search").click()
    expect(page.get_by_role("searchbox")).to_have_value("")
    online = catalogue.collection.find(Choice(chosen={"mode": "online"}))
    expect(page.locator("#count")).to_have_text(f"{online.total} micro-credentials")
    page.locator(".offers a").first.click()
    expect(page.get_by_role("heading", name="Who assured its quality")).to_be_visible()
    page.get_by_role("link", name="All micro-credentials").click()
    expect(page.locator("#count")).to_have_text(f"{NUMBER + 1} micro-credentials")


def test_the_script_goes_on_from_the_page_of_a_heading(opened: Opened, catalogue: Catalogue) -> None:
    page = opened(catalogue.file("catalogue/by/mode/online/index.html"))
    page.get_by_role("complementary").get_by_role("link", name="Free of charge").click()
    both = catalogue.collection.find(Choice(chosen={"mode": "online", "price": "free"}))
    expect(page.locator(".chips li")).to_have_count(3)
    assert page.locator("#count").inner_text().split()[0] == str(both.total)


def test_without_server_and_scripts_each_heading_has_its_pages(opened: Opened, catalogue: Catalogue) -> None:
    page = opened(catalogue.file("catalogue/index.html"), **WITHOUT_SCRIPTS)
    expect(page.get_by_role("searchbox")).to_be_hidden()
    page.get_by_role("complementary").get_by_role("link", name="Blended").click()
    found = catalogue.collection.find(Choice(chosen={"mode": "blended"}))
    expect(page.locator("#count")).to_have_text(f"{found.total} micro-credentials")
    titles = [entry.title for entry in found.entries]
    assert page.locator(".offers h3").all_text_contents() == titles
    page.get_by_role("link", name="Remove Mode: Blended").click()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    page.locator(".offers a").first.click()
    expect(page.get_by_role("heading", name="Who assured its quality")).to_be_visible()
    page.get_by_role("link", name="Pathways").click()
    page.get_by_role("link", name=DEGREE.title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(DEGREE.title)


def test_the_app_needs_no_scripts_to_search_and_narrow(opened: Opened, catalogue: Catalogue) -> None:
    page = opened(f"{catalogue.base_url}/catalogue", **WITHOUT_SCRIPTS)
    page.get_by_role("searchbox").fill("analitics")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("complementary").get_by_role("link", name="Online").click()
    sought = catalogue.collection.find(Choice(query="analitics", chosen={"mode": "online"}))
    assert page.locator("#count").inner_text().split()[0] == str(sought.total)
    assert "q=analitics" in page.url and "mode=online" in page.url
    page.get_by_role("link", name="Remove Mode: Online").click()
    expect(page.get_by_role("searchbox")).to_have_value("analitics")


def addresses(catalogue: Catalogue) -> list[str]:
    story = next(entry.slug for entry in catalogue.collection.entries if entry.slug.startswith("product"))
    stacked = next(e.slug for e in catalogue.collection.entries if any(m.key.startswith("towards") for m in e.marks))
    lists = ["/catalogue", "/catalogue?q=analitics&mode=online", "/catalogue?q=nothing-at-all"]
    found = [f"{catalogue.base_url}{path}" for path in (*lists, f"/catalogue/{story}", f"/catalogue/{stacked}")]
    files = ["catalogue/index.html", "catalogue/by/mode/online/index.html", f"catalogue/{story}/index.html"]
    files += ["pathways/index.html", f"pathways/{DEGREE.id}/index.html"]
    found += [catalogue.file(path) for path in files]
    return [*found, catalogue.file("catalogue/index.html", "q=analitics&mode=online")]


@pytest.mark.parametrize(
    ("device", "rules"),
    [(DESKTOP, EVERY_RULE), (DARK, COLOURS), (PHONE, EVERY_RULE)],
    ids=["light", "dark", "phone"],
)
def test_no_page_has_a_barrier(
    opened: Opened, catalogue: Catalogue, device: dict[str, Any], rules: dict[str, Any]
) -> None:
    found = []
    page = opened(f"{catalogue.base_url}/catalogue", **device)
    for address in addresses(catalogue):
        page.goto(address)
        found += [(address, *item) for item in barriers(page, rules)]
        assert page.evaluate(OVERFLOW) == [], address
        assert page.evaluate(NAMELESS_FIELDS) == [], address
    assert found == []


def test_paper_shows_the_credential_and_its_proof(opened: Opened, catalogue: Catalogue) -> None:
    slug = catalogue.collection.entries[0].slug
    page = opened(f"{catalogue.base_url}/catalogue/{slug}")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("heading", name="Who assured its quality")).to_be_visible()
    expect(page.get_by_text("Issued by")).to_be_visible()
    # On paper nothing can be unfolded.
    folded = "details => details.querySelector('p, ul').checkVisibility({contentVisibilityAuto: true})"
    assert page.locator("details").count() > 1
    assert all(found.evaluate(folded) for found in page.locator("details").all())
