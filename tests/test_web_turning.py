"""Lists that are turned page by page: people, keys, and the lines of a figure. Nothing twice, and nothing lost."""

import datetime as dt
import html
import re
from pathlib import Path

import httpx
import pytest

from imprimatur.access.viewer import viewer_of
from imprimatur.errors import InputError
from imprimatur.store.api_keys import KeyEntry, key_page, list_keys, make_key
from imprimatur.store.case_listing import Filters, case_page
from imprimatur.store.cursors import read_cursor, read_instant, write_cursor, write_instant
from imprimatur.store.engine import Database
from imprimatur.store.people import PAGE_LENGTH, PersonEntry, list_people, people_page, suggested
from imprimatur.web.sla import LINES_A_PAGE
from models.vocabulary import Strength
from tests.admin import ADMIN, at_desk, words
from tests.bench.many_cases import fill
from tests.facts import OFFICE, START, Play, add_people, furnish
from tests.pages import REVIEWER, populated
from tests.web import Site


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


def further(page: str, path: str) -> list[str]:
    """Where the next page is said to be."""
    found = re.findall(rf'href="({path}[^"]*)"[^>]*>Next page', page)
    return [html.unescape(address) for address in found]


async def turned(visitor: httpx.AsyncClient, path: str) -> list[str]:
    """Every page of a list, from the address on."""
    found = [(await visitor.get(path)).text]
    while address := further(found[-1], re.escape(path.partition("?")[0])):
        found.append((await visitor.get(address[0])).text)
    return found


# --- cursors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [("ana@example.edu",), ("Zoë Ümit", "\N{GRADUATION CAP}"), ("", "a" * 320)])
def test_a_cursor_says_again_what_it_was_made_of(parts: tuple[str, ...]) -> None:
    cursor = write_cursor(*parts)
    assert read_cursor(cursor, len(parts)) == list(parts)
    assert re.fullmatch(r"[\w-]+", cursor, re.ASCII)


@pytest.mark.parametrize(
    "at", [START, dt.datetime(2026, 3, 1, 13, 5, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=13)))]
)
def test_a_cursor_tells_the_instant(at: dt.datetime) -> None:
    assert read_instant(write_instant(at, "k-1")) == (at, "k-1")


MEANINGLESS = ["x", "eA", "\N{SNOWMAN}", "WyJh", write_cursor(), write_cursor("a", "b", "c"), write_cursor("a\0"),
               "eyJhIjoxfQ", "ImEi", "WzFd", "W251bGxd", "WyJcdWQ4MDAiXQ", "W1tb" * 20_000]  # fmt: skip


@pytest.mark.parametrize("cursor", MEANINGLESS)
def test_what_is_no_cursor_is_refused(database: Database, cursor: str) -> None:
    scope = viewer_of(OFFICE, "", ["admin"], [], has_tasks=False, strength=Strength.OIDC).scope
    for ask in (
        lambda: people_page(database, "", cursor),
        lambda: key_page(database, cursor),
        lambda: case_page(database, scope, Filters(), cursor, START),
    ):
        with pytest.raises(InputError) as refused:
            ask()
        assert refused.value.code == "cursor_malformed"


@pytest.mark.parametrize("at", ["yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", ""])
def test_an_instant_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(InputError, match="cannot be found again"):
        read_instant(write_cursor(at, "k-1"))


# --- people -----------------------------------------------------------------------------------------------------------


def of_pages(database: Database, length: int, words: str = "") -> list[PersonEntry]:
    page = people_page(database, words, None, length)
    found = list(page.people)
    while page.cursor:
        page = people_page(database, words, page.cursor, length)
        assert 1 <= len(page.people) <= length
        found += page.people
    return found


@pytest.mark.parametrize("length", [1, 4, 7, PAGE_LENGTH])
def test_people_are_each_on_one_page_and_by_address(database: Database, tmp_path: Path, length: int) -> None:
    furnish(database)
    add_people(database, tmp_path, *(f"p_{number % 7}{number}@example.edu,P {number},x,yes" for number in range(20)))
    everybody = list_people(database)
    assert of_pages(database, length) == everybody
    assert len(everybody) > 20


def test_who_is_added_meanwhile_moves_nobody(database: Database, tmp_path: Path) -> None:
    furnish(database)
    before, page = list_people(database), people_page(database, "", None, 4)
    seen = list(page.people)
    add_people(database, tmp_path, "a.first@example.edu,First,x,yes", "zz.last@example.edu,Last,x,yes")
    while page.cursor:
        page = people_page(database, "", page.cursor, 4)
        seen += page.people
    assert [person for person in seen if person in before] == before
    # Whoever comes before what was read already is found at the first page; nobody is listed twice.
    assert [person.name for person in seen if person not in before] == ["Last"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("élodie", ["Élodie Çelik"]),
        ("ÇELIK", ["Élodie Çelik"]),
        ("el@", ["Élodie Çelik"]),
        ("çelik élodie", ["Élodie Çelik"]),
        ("MÜLLER", ["Jörg Müller"]),
        ("jörg el@", []),
        ("%", []),
        ("_", []),
        ("\0", ["Jörg Müller", "Élodie Çelik"]),
        ("   ", ["Jörg Müller", "Élodie Çelik"]),
    ],
)
def test_people_are_found_by_words_of_name_and_address(
    database: Database, tmp_path: Path, words: str, names: list[str]
) -> None:
    add_people(database, tmp_path, "z.el@example.edu,Élodie Çelik,x,yes", "jm@example.edu,Jörg Müller,x,yes")
    assert [person.name for person in of_pages(database, 1, words)] == names


async def test_a_search_among_people_is_kept_on_every_page(site: Site, tmp_path: Path) -> None:
    add_people(site.play.database, tmp_path, *(f"lee.{n:03d}@example.edu,Sam & Lee {n},x,yes" for n in range(120)))
    async with site.signed_in(OFFICE) as visitor:
        pages = await turned(visitor, "/people?q=lee+sam")
        listed = [re.findall(r'href="/people/([^"]+@[^"]+)"', page) for page in pages]
        assert [len(found) for found in listed] == [PAGE_LENGTH, PAGE_LENGTH, 20]
        assert [email for found in listed for email in found] == [f"lee.{n:03d}@example.edu" for n in range(120)]
        assert all('name="q" type="search" value="lee sam"' in page for page in pages)
        assert ["First page" in page for page in pages] == [False, True, True]
        assert 'href="/people?q=lee+sam"' in pages[1]
        assert "Nobody is called that" in (await visitor.get("/people?q=nobody+at+all")).text
        wrong = await visitor.get("/people?cursor=nonsense")
        assert (wrong.status_code, "cursor_malformed" in wrong.text) == (422, True)


async def test_whoever_is_typed_is_suggested(site: Site, tmp_path: Path) -> None:
    add_people(site.play.database, tmp_path, "gone@example.edu,Quinn Gone,x,no",
               *(f"many.{n}@example.edu,<b>Many</b>,x,yes" for n in range(30)))  # fmt: skip
    async with site.signed_in(OFFICE) as visitor:
        assert await options(visitor, "to=QUINN") == [REVIEWER]
        assert await options(visitor, "email=" + REVIEWER) == [REVIEWER]
        assert len(await options(visitor, "to=many")) == 10
        assert "<b>" not in (await visitor.get("/people/suggested?to=many")).text
        for nothing in ("", "to=", "to=+", "to=nobody"):
            assert await options(visitor, nothing) == []
    assert [person.email for person in suggested(site.play.database, "quinn")] == [REVIEWER]


async def options(visitor: httpx.AsyncClient, query: str) -> list[str]:
    return re.findall(r'<option value="([^"]+)">', (await visitor.get(f"/people/suggested?{query}")).text)


async def test_pages_of_one_thing_do_not_grow_with_the_directory(site: Site, tmp_path: Path) -> None:
    desk = await at_desk(site, ADMIN)
    paths = ("/admin/keys", f"/people/{REVIEWER}")
    few = [len(await desk.page(path)) for path in paths]
    add_people(site.play.database, tmp_path, *(f"p{number}@example.edu,P{number},x,yes" for number in range(100)))
    assert [len(await desk.page(path)) for path in paths] == few


async def test_what_no_name_can_have_is_only_looked_for(postgres_database: Database, tmp_path: Path) -> None:
    async with populated(postgres_database, tmp_path).signed_in(ADMIN) as visitor:
        for path, status in (("/people?q=%00", 200), ("/people/suggested?to=%00", 200), ("/people?cursor=%00", 422),
                             ("/admin/keys?cursor=WyJcdTAwMDAiXQ", 422), ("/people/x%00@y.edu", 404)):  # fmt: skip
            assert (await visitor.get(path)).status_code == status, path


# --- keys -------------------------------------------------------------------------------------------------------------


def with_keys(database: Database, number: int, first: int = 0) -> list[KeyEntry]:
    """Some made at the same time; the newest first."""
    for n in range(first, first + number):
        make_key(database, f"Key {n}", OFFICE if n % 3 else ADMIN, ["read"], START + dt.timedelta(minutes=n // 3))
    return list_keys(database)


@pytest.mark.parametrize("length", [1, 4, 25])
def test_keys_are_each_on_one_page_and_the_newest_first(database: Database, length: int) -> None:
    furnish(database)
    known = with_keys(database, 14)
    for of in (None, OFFICE, ADMIN):
        page = key_page(database, None, length, of)
        seen = list(page.keys)
        while page.cursor:
            page = key_page(database, page.cursor, length, of)
            seen += page.keys
        assert seen == [key for key in known if of in (None, key.email)]
    assert sorted(known, key=lambda key: (-key.made_at.timestamp(), key.key_id)) == known


def test_a_key_that_is_made_meanwhile_moves_no_other(database: Database) -> None:
    furnish(database)
    known = with_keys(database, 9)
    page = key_page(database, None, 4)
    seen = list(page.keys)
    with_keys(database, 5, first=9)
    while page.cursor:
        page = key_page(database, page.cursor, 4)
        seen += page.keys
    assert seen == known


async def test_a_key_is_revoked_on_the_page_on_which_it_stands(site: Site) -> None:
    known = with_keys(site.play.database, 60)
    desk = await at_desk(site, ADMIN)
    pages = await turned(desk.visitor, "/admin/keys")
    listed = [key_id for page in pages for key_id in re.findall(r"<code>(k-[^<]+)</code>", page)]
    assert listed == [key.key_id for key in known]
    assert len(pages) == 3 and all(len(page) < 20_000 for page in pages)
    [address] = [action for action in re.findall(r'action="([^"]+)"', pages[1]) if known[30].key_id in action]
    revoked = await desk.send(pages[1], html.unescape(address), {})
    assert revoked.status_code == 303
    after = await desk.page(revoked.headers["location"])
    assert "The key is revoked" in words(after) and re.findall(r"<code>(k-[^<]+)</code>", after) == listed[25:50]
    assert [key.key_id for key in list_keys(site.play.database) if key.revoked_at] == [known[30].key_id]
    wrong = await desk.visitor.get("/admin/keys?cursor=nonsense")
    assert (wrong.status_code, "cursor_malformed" in wrong.text) == (422, True)


# --- lines of a figure ------------------------------------------------------------------------------------------------


async def test_the_workload_is_turned_page_by_page_and_its_file_is_whole(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    fill(sqlite_database, 130, dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC), months=12)
    site, period = Site(Play(sqlite_database, tmp_path)), "from=2026-01-01&to=2026-11-20"
    async with site.signed_in(OFFICE) as visitor:
        whole = [
            line.split(",")[0] for line in (await visitor.get(f"/sla/workload.csv?{period}")).text.splitlines()[1:]
        ]
        assert len(whole) > LINES_A_PAGE
        listed: list[str] = []
        address = f"/sla/workload?{period}"
        while address:
            page = (await visitor.get(address)).text
            assert page.count("<svg class") == 1 and "Download as CSV" in page
            listed += re.findall(r"<tr><td>([^<]+@[^<]+)</td>", page)
            found = re.search(r'href="([^"]*)" rel="next"', page)
            assert found is None or {"from=2026-01-01", "to=2026-11-20"} <= set(
                re.split("[?&#]", html.unescape(found[1]))
            )
            address = f"/sla/workload{html.unescape(found[1])}" if found else ""
        assert listed == whole
        beyond = (await visitor.get(f"/sla/workload?{period}&page=99")).text
        assert "No line on this page" in beyond and 'rel="prev"' in beyond and 'rel="next"' not in beyond
        for wrong in ("0", "two", "-1"):
            refused = await visitor.get(f"/sla/workload?page={wrong}")
            assert (refused.status_code, "page_malformed" in refused.text) == (422, True)
