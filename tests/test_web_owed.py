"""Conditions on the pages of whoever is to see to them, whatever else they may see; and imports that name cases."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur import imports
from imprimatur.rules.condition_words import condition
from imprimatur.store import import_jobs
from imprimatur.store.engine import Database
from imprimatur.store.import_jobs import lines_of
from models.tables import ImportLineRow
from models.vocabulary import Conditions, ConditionStatus
from tests.facts import PROPOSER, Play, amended, example, furnish
from tests.pages import ELSEWHERE, HERE, PEOPLE, REVIEWER, UNIT, of_unit, populated
from tests.test_web_publication import hidden
from tests.web import Site

OWNER = "ivo.adviser@example.org"
TITLE = "Prototyping"


@pytest.fixture
def play(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    policy = amended(sqlite_database, "industry-credit", "proposal", conditions=Conditions.ALLOWED)
    found = Play(sqlite_database, tmp_path, policy, HERE)
    found.submit(of_unit("industry-credit", UNIT, TITLE))
    wanted = [condition("Name an assessor.", owner=OWNER), condition("Quite another matter.", owner=PROPOSER)]
    found.decide("proposal", comment="Nearly.", conditions=wanted, fit=4, no_duplication=3)
    return found


async def test_whoever_is_to_see_to_a_condition_does_it_on_its_page_and_sees_nothing_else(play: Play) -> None:
    site, path = Site(play), f"/cases/{HERE}/acts/fulfil"
    async with site.signed_in(OWNER) as visitor:
        assert path in (await visitor.get("/tasks")).text
        page = await visitor.get(path)
        assert page.status_code == 200 and "Name an assessor." in page.text and TITLE in page.text
        for secret in ("Quite another matter", "Nearly.", PROPOSER, f'href="/cases/{HERE}"'):
            assert secret not in page.text
        form = hidden(page.text) | {"condition": next(iter(owned(play))), "evidence": "Page 4."}
        unsaid = await visitor.post(path, data=form | {"evidence": " "})
        assert unsaid.status_code >= 400 and "Name an assessor." in unsaid.text
        for _ in range(2):
            answer = await visitor.post(path, data=form)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=yes")
        assert "Recorded." in (await visitor.get(f"{path}?done=yes")).text
        for other in (f"/cases/{HERE}", f"/cases/{HERE}/acts/judge", f"/cases/{HERE}/versions/1...1"):
            assert (await visitor.get(other)).status_code == 404
    assert [play.state.conditions[number].status for number in owned(play)] == [ConditionStatus.FULFILLED]


def owned(play: Play) -> list[str]:
    return [number for number, item in play.state.conditions.items() if item.owner == OWNER]


async def test_whose_condition_it_is_not_is_told_of_no_case(play: Play) -> None:
    async with Site(play).signed_in(REVIEWER) as visitor:
        found = await visitor.get(f"/cases/{HERE}/acts/fulfil")
        missing = await visitor.get("/cases/mc-unknown/acts/fulfil")
    assert found.status_code in (403, 404) and missing.status_code == 404


async def test_an_import_leads_to_no_case_that_its_maker_does_not_see(
    sqlite_database: Database, tmp_path: Path
) -> None:
    site = populated(sqlite_database, tmp_path)
    person, now = PEOPLE["nobody in particular"], dt.datetime.now(dt.UTC)
    text = example("non-credit").model_dump_json(exclude_none=True).encode()
    job = imports.prepare(sqlite_database, person, "non-credit", "records.jsonl", text, now)
    import_jobs.begin(sqlite_database, person, job, now)
    lines = ImportLineRow.__table__  # type: ignore[attr-defined]
    with sqlite_database.write() as connection:
        connection.execute(lines.update().values(result="skipped", case_id=ELSEWHERE))
    assert [line.case_id for line in lines_of(sqlite_database, job)] == [ELSEWHERE]
    async with site.signed_in(person) as visitor:
        page = await visitor.get(f"/imports/{job}")
        assert page.status_code == 200 and f"/cases/{ELSEWHERE}" not in page.text
