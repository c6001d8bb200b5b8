"""The list of cases: filters, pages of it, what needs the office; and how many queries a page takes."""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from imprimatur.access.viewer import viewer_of
from imprimatur.store.access import facts_of
from imprimatur.store.case_listing import PAGE_LENGTH, SOON, Filters, Need, case_page
from imprimatur.store.engine import Database
from models.vocabulary import Strength
from tests.facts import OFFICE, START, Play, add_people, example, furnish
from tests.pages import CLOSED, ELSEWHERE, HERE, REVIEWER, counted, populated
from tests.web import Site


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


# --- the list of cases ------------------------------------------------------------------------------------------------


def many(database: Database, folder: Path, number: int) -> list[str]:
    """Cases that differ in when they began; some began together."""
    found = []
    for index in range(number):
        case_id = f"mc-{index:012d}".replace("0", "a").replace("1", "b")
        play = Play(database, folder, "non-credit", case_id, at=START + dt.timedelta(minutes=index // 3))
        play.submit(example("non-credit"))
        found.append(case_id)
    return found


@pytest.mark.parametrize("length", [1, 4, 7, PAGE_LENGTH])
def test_paging_shows_each_case_once_and_in_order(database: Database, tmp_path: Path, length: int) -> None:
    furnish(database)
    cases = many(database, tmp_path, 14)
    scope = viewer_of(OFFICE, "", ["governance_office"], [], has_tasks=False, strength=Strength.OIDC).scope
    seen: list[tuple[dt.datetime, str]] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        found = case_page(database, scope, Filters(), cursor, START, length)
        assert len(found.cases) <= length
        seen += [(line.opened_at, line.case_id) for line in found.cases]
        cursor, pages = found.cursor, pages + 1
    assert [case_id for _, case_id in seen] == [
        case_id for _, case_id in sorted(seen, key=lambda item: (-item[0].timestamp(), item[1]))
    ]
    assert sorted(case_id for _, case_id in seen) == sorted(cases)
    assert pages == -(-14 // length)


async def test_filters_and_the_way_on_live_in_the_address(site: Site, tmp_path: Path) -> None:
    many(site.play.database, tmp_path, PAGE_LENGTH + 3)
    async with site.signed_in(OFFICE) as visitor:
        first = (await visitor.get("/cases?framework=non-credit&q=wellbeing")).text
        [further] = re.findall(r'href="(/cases\?[^"]*cursor=[^"]*)"', first)
        second = (await visitor.get(further.replace("&amp;", "&"))).text
        seen = [set(re.findall(r'href="/cases/(mc-\w+)"', text)) for text in (first, second)]
        assert [len(cases) for cases in seen] == [PAGE_LENGTH, 3] and not seen[0] & seen[1]
        assert 'value="wellbeing"' in second and '<option value="non-credit" selected>' in second
        assert (await visitor.get("/cases?cursor=nonsense")).status_code == 422
        assert (await visitor.get("/cases?status=nonsense")).status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=PROTO", {HERE}),
        ("q=hereshe", {HERE}),
        ("q=ana+secret", {ELSEWHERE}),
        ("q=%25", set()),
        ("q=_", set()),
        ("status=in_review", {HERE, ELSEWHERE}),
        ("status=published", set()),
        ("unit=Student+Success", {ELSEWHERE}),
        ("framework=industry-credit", {HERE}),
    ],
)
async def test_cases_are_found_by_what_is_asked(site: Site, query: str, found: set[str]) -> None:
    async with site.signed_in(OFFICE) as visitor:
        page = await visitor.get(f"/cases?{query}")
    assert set(re.findall(r'href="/cases/(mc-\w+)"', page.text)) == found


def needing(database: Database, need: Need, now: dt.datetime) -> set[str]:
    scope = viewer_of(OFFICE, "", ["admin"], [], has_tasks=False, strength=Strength.OIDC).scope
    return {line.case_id for line in case_page(database, scope, Filters(need=need), None, now).cases}


def test_what_needs_the_office_is_found(database: Database, tmp_path: Path) -> None:
    site = populated(database, tmp_path)
    due_at = site.play.state.stages["quality"].due_at
    assert due_at is not None
    incomplete = Play(database, tmp_path, "industry-credit", "mc-incompletexx")
    incomplete.submit(example("industry-credit").model_copy(update={"learning_outcomes": ()}))
    early = START + dt.timedelta(hours=1)
    assert needing(database, Need.INCOMPLETE, early) == {"mc-incompletexx"}
    assert needing(database, Need.OVERDUE, early) == needing(database, Need.NOBODY, early) == set()
    assert HERE not in needing(database, Need.AT_RISK, due_at - SOON - dt.timedelta(minutes=1))
    assert HERE in needing(database, Need.AT_RISK, due_at - SOON + dt.timedelta(minutes=1))
    assert HERE not in needing(database, Need.OVERDUE, due_at)
    assert HERE in needing(database, Need.OVERDUE, due_at + dt.timedelta(minutes=1))
    assert HERE not in needing(database, Need.AT_RISK, due_at + dt.timedelta(minutes=1))
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE task SET status = 'closed' WHERE case_id = '{HERE}'")
    assert needing(database, Need.NOBODY, early) == {HERE}


def test_facts_about_a_case_are_counted_for_whoever_asks(database: Database, tmp_path: Path) -> None:
    site = populated(database, tmp_path)
    reviewer = viewer_of(REVIEWER, "", [], [], has_tasks=True, strength=Strength.SESSION)
    office = viewer_of(OFFICE, "", ["governance_office"], [], has_tasks=False, strength=Strength.SESSION)
    with database.read() as connection:
        theirs, others = (facts_of(connection, viewer, HERE) for viewer in (reviewer, office))
    assert (theirs.asked, theirs.open_tasks, theirs.offered) == (True, 1, 0)
    assert others.open_tasks == 0
    assert (others.stage_open, others.reached, others.tasks_open) == (True, True, True)
    assert not others.answered_in_open_stage
    site.play.decide("quality", outcomes=4, assessment=4)
    with database.read() as connection:
        assert facts_of(connection, office, HERE).answered_in_open_stage


# --- how many queries -------------------------------------------------------------------------------------------------


async def queries(site: Site, paths: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for path, person in paths.items():
        async with site.signed_in(person) as visitor:
            await visitor.get(path)
            with counted(site.play.database) as statements:
                assert (await visitor.get(path)).status_code == 200
            found[path] = len([text for text in statements if not text.startswith(("BEGIN", "PRAGMA"))])
    return found


async def test_a_page_asks_as_often_whatever_it_shows(site: Site, tmp_path: Path) -> None:
    paths = {f"/cases/{HERE}/acts/hold": OFFICE, f"/cases/{HERE}/versions/1...1": OFFICE, "/bulks": OFFICE,
             "/": OFFICE, "/cases": OFFICE, f"/cases/{HERE}": OFFICE, "/tasks": REVIEWER, "/incidents": OFFICE,
             "/people": OFFICE, "/frameworks": OFFICE, "/account": OFFICE}  # fmt: skip
    few = await queries(site, paths)
    many(site.play.database, tmp_path, 12)
    more = Play(site.play.database, tmp_path, case_id=CLOSED)
    more.submit(example("industry-credit"))
    more.decide("proposal", fit=4, no_duplication=3)
    site.play.decide("quality", comment="Good.", outcomes=4, assessment=4)
    add_people(site.play.database, tmp_path, *(f"p{number}@example.edu,P{number},x,yes" for number in range(30)))
    assert await queries(site, paths) == few
    assert few["/account"] == few["/people"] == 2
    assert max(few.values()) < 25
