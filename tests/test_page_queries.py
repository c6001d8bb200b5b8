"""Every page that lists things asks the database as often for many things as for few."""

import datetime as dt
import re
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imprimatur.history.verify import verify_all
from imprimatur.store.engine import Database
from imprimatur.store.reviews_reading import review_lines
from imprimatur.web.reviews import PAGE_LENGTH
from tests.facts import OFFICE, Play, furnish
from tests.many import Original, fill, originals
from tests.many_lists import LISTS, SINGLE, WHOLE, add_likenesses, fill_lists, named
from tests.pages import counted
from tests.web import Site

NOW = dt.datetime.now(dt.UTC)
MOST_QUERIES = 30


@dataclass
class Filled:
    site: Site
    known: list[Original]


@pytest.fixture
def another_database(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copyfile(migrated_file, tmp_path / "originals.db")
    database = Database(f"sqlite:///{tmp_path / 'originals.db'}")
    yield database
    database.close()


@pytest.fixture
def filled(sqlite_database: Database, another_database: Database, tmp_path: Path) -> Filled:
    known = originals(another_database, tmp_path, NOW)
    furnish(sqlite_database)
    add_likenesses(sqlite_database)
    fill([sqlite_database], known, 100)
    fill_lists(sqlite_database, 3, NOW)
    return Filled(Site(Play(sqlite_database, tmp_path)), known)


async def asked(site: Site) -> dict[tuple[str, str | None], int]:
    found, names = {}, named(site.play.database)
    for address, person in [page for pages in LISTS.values() for page in pages]:
        path = address.format(**names)
        async with site.signed_in(person) if person else site.visitor() as visitor:
            await visitor.get(path)
            with counted(site.play.database) as statements:
                answer = await visitor.get(path)
            assert answer.status_code == 200, (path, answer.text[:500])
            found[address, person] = len([text for text in statements if not text.startswith(("BEGIN", "PRAGMA"))])
    return found


def test_likenesses_of_cases_have_ledgers_that_verify(filled: Filled) -> None:
    checked = verify_all(filled.site.play.database)
    assert checked.problems == []
    assert (checked.cases, checked.events > 2000) == (100, True)


async def test_a_list_asks_as_often_whatever_it_shows(filled: Filled) -> None:
    few = await asked(filled.site)
    database = filled.site.play.database
    fill([database], filled.known, 120, first=100)
    fill_lists(database, 25, NOW, first=3)
    assert await asked(filled.site) == few
    assert max(few.values()) <= MOST_QUERIES, few


async def test_reviews_are_listed_a_page_at_a_time(filled: Filled) -> None:
    lines = review_lines(filled.site.play.database, NOW)
    assert len(lines) > PAGE_LENGTH
    seen: list[str] = []
    async with filled.site.signed_in(OFFICE) as visitor:
        for first in range(0, len(lines), PAGE_LENGTH):
            text = (await visitor.get(f"/reviews?first={first}")).text
            seen += re.findall(r'href="/cases/(mc-[^"/]+)"', text)
            assert (f"first={first + PAGE_LENGTH}" in text) == (first + PAGE_LENGTH < len(lines))
    assert sorted(seen) == sorted(line.case_id for line in lines)


async def test_every_page_is_known_as_a_list_or_as_none(sqlite_database: Database, tmp_path: Path) -> None:
    """A new page is to be put into the table of lists, or among those whose length nothing adds to."""
    site = Site(Play(sqlite_database, tmp_path))
    with warnings.catch_warnings():
        # A page that answers GET and HEAD alike has one name for both.
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        routes = {path for path, ways in site.app.openapi()["paths"].items() if "get" in ways}
    assert routes == {*LISTS} | SINGLE | WHOLE
    assert not {*LISTS} & (SINGLE | WHOLE) and not SINGLE & WHOLE
