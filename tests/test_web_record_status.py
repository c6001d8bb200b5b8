"""What visitors of the catalogue see of a record that is not, or no longer, on offer."""

from pathlib import Path

import pytest

from imprimatur.publishing import Publishing
from imprimatur.store.engine import Database
from imprimatur.store.record_status import set_record_status
from models.vocabulary import RecordStatus
from tests.facts import OFFICE
from tests.published import approved, with_targets
from tests.web import Site

JSON = {"Accept": "application/json"}


def site_of(database: Database, folder: Path, *targets: str) -> tuple[Site, str]:
    play = approved(database, folder, with_targets(database, *targets))
    return Site(play), f"/catalogue/{Publishing(database).show(play.case_id).slug}"


async def test_a_record_that_waits_for_its_targets_is_nowhere(sqlite_database: Database, tmp_path: Path) -> None:
    site, address = site_of(sqlite_database, tmp_path, "website")
    async with site.visitor() as visitor:
        pictures = f"{address}/badge.png", f"{address}/badge.svg"
        for path in (address, f"{address}/ctdl.json", f"{address}?format=elm", *pictures):
            assert (await visitor.get(path)).status_code == 404, path
        assert (await visitor.get(address, headers=JSON)).status_code == 404
        assert address not in (await visitor.get("/catalogue")).text
        assert address not in (await visitor.get("/catalogue/catalogue.jsonl")).text


async def test_a_retracted_record_is_gone_and_says_why(sqlite_database: Database, tmp_path: Path) -> None:
    site, address = site_of(sqlite_database, tmp_path)
    Publishing(sqlite_database).retract(site.play.case_id, actor=OFFICE, reason="it promised credits")
    async with site.visitor() as visitor:
        page = await visitor.get(address)
        assert page.status_code == 410 and "It promised credits." in page.text
        assert (await visitor.get(address, headers=JSON)).status_code == 200
        assert "credentialStat:Ceased" in (await visitor.get(f"{address}/ctdl.json")).text
        assert address not in (await visitor.get("/catalogue")).text


@pytest.mark.parametrize(
    ("status", "words", "listed"),
    [
        (RecordStatus.PAUSED, "Nobody new is taken in for the time being", True),
        (RecordStatus.TEACHING_OUT, "Whoever has begun can finish", True),
        (RecordStatus.RETIRED, "This is no longer taught", False),
        (RecordStatus.REPLACED, "A later version has taken its place", False),
    ],
)
async def test_a_page_tells_how_its_record_stands(
    sqlite_database: Database, tmp_path: Path, status: RecordStatus, words: str, listed: bool
) -> None:
    site, address = site_of(sqlite_database, tmp_path)
    with sqlite_database.write() as connection:
        set_record_status(connection, site.play.case_id, status, actor=OFFICE, reason="decided by the board")
    async with site.visitor() as visitor:
        page = await visitor.get(address)
        assert page.status_code == 200 and words in page.text and "Decided by the board." in page.text
        assert (address in (await visitor.get("/catalogue")).text) is listed
