"""The figures' pages: who may see them, what they show, and that they keep to the pages' rules."""

import csv
import datetime as dt
import io
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree

import httpx
import pytest

from imprimatur.history.figures.catalogue import FIGURES
from imprimatur.history.figures.filters import Scope
from imprimatur.history.figures.titles import TITLES
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.web import sla
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from imprimatur.web.sla import ScopeOf
from tests.bench.many_cases import fill
from tests.facts import BASE_URL, furnish
from tests.web import KEY

PAGES = ["/sla", *(f"/sla/{name}" for name in FIGURES)]
PERIOD = "from=2026-02-15&to=2026-10-20"
LAW = Scope(frozenset({"Law"}))


class NobodyDecides:
    async def decide(self, **given: Any) -> Any:
        raise AssertionError("no figure decides anything")


async def _ready() -> dict[str, str]:
    return {}


def client(database: Database, scope_of: ScopeOf | None = None) -> httpx.AsyncClient:
    """Pages with somebody's scope; without one they lie behind the sign-in, as in the whole site."""
    app = create_app(House(database, Links([KEY], BASE_URL), decider=NobodyDecides()), ready=_ready)
    if scope_of is not None:
        # Of two routes for one address the first one answers.
        before = list(app.router.routes)
        app.router.routes.clear()
        app.include_router(sla.router(database, scope_of))
        app.router.routes.extend(before)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL)


@pytest.fixture(scope="module")
def filled(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    file = tmp_path_factory.mktemp("sla") / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    furnish(database)
    fill(database, 130, dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC), months=12)
    yield database
    database.close()


@pytest.fixture
async def pages(filled: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client(filled, lambda request: Scope()) as asking:
        yield asking


class Outline(HTMLParser):
    """Links, and attributes that the pages' policy would not let work."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forbidden: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in ("style", "script") or any(name == "style" or name.startswith("on") for name in given):
            self.forbidden.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    return found


# --- who may see them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, "/sla/on-time.csv", "/sla/on-time/cases"])
async def test_without_signing_in_nobody_sees_figures(filled: Database, path: str) -> None:
    async with client(filled) as stranger:
        answer = await stranger.get(path)
    assert (answer.status_code, answer.headers["location"][:14]) == (303, "/sign-in?next=")


async def test_whoever_sees_one_unit_sees_figures_of_it_alone(filled: Database, pages: httpx.AsyncClient) -> None:
    async with client(filled, lambda request: LAW) as lawyer:
        seen = (await lawyer.get(f"/sla/units?{PERIOD}")).text
        named = (await lawyer.get(f"/sla/units?{PERIOD}&unit=Arts")).text
        listed = (await lawyer.get(f"/sla/trend/cases?which=submitted&{PERIOD}")).text
    assert "Law" in seen
    assert "Arts" not in seen
    assert "There is nothing to show" in named
    assert "Arts" not in listed
    assert "Arts" in (await pages.get(f"/sla/units?{PERIOD}")).text


# --- what they show ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_shows_its_charts_with_table_and_file(pages: httpx.AsyncClient, path: str) -> None:
    answer = await pages.get(f"{path}?{PERIOD}")
    assert answer.status_code == 200
    drawn = re.findall(r"<svg class=\"chart\".*?</svg>(?=\s)", answer.text, re.DOTALL)
    assert drawn
    for svg in drawn:
        found = ElementTree.fromstring(svg)
        told = {child.tag: child for child in found if child.tag in ("title", "desc")}
        assert found.get("aria-labelledby") == f"{told['title'].get('id')} {told['desc'].get('id')}"
        assert told["title"].text
        assert told["desc"].text
    page = outline(answer.text)
    assert page.forbidden == []
    assert len(page.ids) == len(set(page.ids))
    assert answer.text.count("<table>") == answer.text.count("Download as CSV") == answer.text.count("<details")
    assert "None" not in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_every_link_of_a_page_leads_to_a_page(pages: httpx.AsyncClient, path: str) -> None:
    links = {link for link in outline((await pages.get(f"{path}?{PERIOD}")).text).links if link.startswith("/sla")}
    assert len(links) > len(FIGURES)
    for link in sorted(links)[:40]:
        assert (await pages.get(link)).status_code == 200, link


async def test_a_number_leads_to_as_many_cases(pages: httpx.AsyncClient) -> None:
    text = (await pages.get(f"/sla/rework?{PERIOD}")).text
    [(link, number), *_] = re.findall(r'<a href="([^"]*which=repeated)">(\d+)</a>', text)
    listed = (await pages.get(link.replace("&amp;", "&"))).text
    assert f"<h1>{number} case" in listed
    assert listed.count("/cases/mc-") == int(number)


async def test_a_long_list_is_turned_page_by_page(pages: httpx.AsyncClient) -> None:
    address, listed, turned = "/sla/trend/cases?which=submitted&from=2025-01-01", 0, 0
    while address and turned < 5:
        text = (await pages.get(address)).text
        listed, turned = listed + text.count("/cases/mc-"), turned + 1
        following = re.search(r'<a href="([^"]*)" rel="next"', text)
        address = urljoin("/sla/trend/cases", following[1].replace("&amp;", "&")) if following else ""
    assert (listed, turned) == (130, 2)


async def test_a_period_of_nothing_says_so(pages: httpx.AsyncClient) -> None:
    for path in PAGES:
        answer = await pages.get(f"{path}?from=2031-01-01&to=2031-02-01")
        assert answer.status_code == 200
    assert (
        "There is nothing to show in this period" in (await pages.get("/sla/times?from=2031-01-01&to=2031-02-01")).text
    )


async def test_filters_stay_in_the_form_and_in_the_links(pages: httpx.AsyncClient) -> None:
    query = "from=2026-03-01&to=2026-09-30&framework=non-credit&unit=Engineering&kind=non_credit"
    text = (await pages.get(f"/sla/times?{query}")).text
    assert 'value="2026-03-01"' in text
    for option in ('value="non-credit" selected', "<option selected>Engineering", 'value="non_credit" selected'):
        assert option in text
    for link in outline(text).links:
        assert not link.startswith("/sla") or "unit=Engineering" in link


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
async def test_a_figure_is_downloaded_as_csv(pages: httpx.AsyncClient, name: str) -> None:
    answer = await pages.get(f"/sla/{name}.csv?{PERIOD}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}-2026-02-15-2026-10-20.csv"'
    heading, *rows = csv.reader(io.StringIO(answer.text))
    assert rows
    assert all(len(row) == len(heading) for row in rows)
    for place, column in enumerate(heading):
        if column.endswith("_hours"):
            assert all(row[place] == "" or float(row[place]) >= 0 for row in rows)


# --- rules of all pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/sla?from=yesterday", 422, "period_malformed"),
        ("/sla?from=2026-05-01&to=2026-01-01", 422, "period_malformed"),
        ("/sla/times?kind=other", 422, "credential_kind_unknown"),
        ("/sla/nothing", 404, "figure_unknown"),
        ("/sla/nothing.csv", 404, "figure_unknown"),
        ("/sla/nothing/cases", 404, "figure_unknown"),
        ("/sla/trend/cases?which=other", 404, "figure_unknown"),
        ("/sla/trend/cases?page=0", 422, "page_malformed"),
        ("/sla/trend/cases?page=99999999", 422, "page_malformed"),
        ("/sla/trend/cases?page=\N{SUPERSCRIPT TWO}", 422, "page_malformed"),
    ],
)
async def test_what_cannot_be_meant_is_refused(pages: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    answer = await pages.get(path)
    assert (answer.status_code, code in answer.text) == (status, True)


@pytest.mark.parametrize(
    "value", ["%00", "'; DROP TABLE case_time; --", "<script>alert(1)</script>", "ü字🎓", "9" * 500]
)
async def test_whatever_stands_in_the_address_is_only_looked_for(pages: httpx.AsyncClient, value: str) -> None:
    given = {"framework": value, "unit": value, "stage": value, "reviewer": value, "age": value}
    for path in ("/sla/on-time", "/sla/on-time/cases", "/sla/workload/cases", "/sla/ageing/cases", "/sla/on-time.csv"):
        answer = await pages.get(path, params=given | ({"which": "open"} if "workload" in path else {}))
        assert answer.status_code == 200
        assert "<script>" not in answer.text


async def test_looking_at_the_head_alone_is_enough(pages: httpx.AsyncClient) -> None:
    for path in (*PAGES, "/sla/on-time.csv", "/sla/on-time/cases"):
        assert (await pages.head(path)).status_code == 200
    assert (await pages.post("/sla")).status_code == 405


async def test_pages_name_their_figures(pages: httpx.AsyncClient) -> None:
    for name, title in TITLES.items():
        assert f"<h1>{title}</h1>" in (await pages.get(f"/sla/{name}")).text
