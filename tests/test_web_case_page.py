"""The page of a case: its versions side by side, and its mail."""

import re
from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from tests.admin import words
from tests.facts import OFFICE, PROPOSER
from tests.pages import HERE, PEOPLE, REVIEWER, UNIT, of_unit, populated
from tests.web import Site


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


async def test_two_versions_are_compared_word_by_word(site: Site) -> None:
    for _ in range(2):
        site.play.decide("quality", "request_changes", "Show how.", outcomes=2, assessment=2)  # type: ignore[arg-type]
    changed = of_unit("industry-credit", UNIT, "Prototyping quickly")
    site.play.revise(changed.model_copy(update={"learning_outcomes": ("Quite another outcome.",)}))
    for person in (OFFICE, PROPOSER, REVIEWER):
        async with site.signed_in(person) as visitor:
            led = await visitor.get(f"/cases/{HERE}/versions?from=1&to=2")
            assert led.headers["location"] == f"/cases/{HERE}/versions/1...2"
            page = (await visitor.get(led.headers["location"])).text
            assert re.search(r"<ins>.*quickly.*</ins>", page)
            assert re.search(r"<del>", page) and "Quite another outcome." in page
            told = words(page)
            assert "Title" in told.partition("What did not")[0] and "Summary" in told.partition("What did not")[2]
            back = (await visitor.get(f"/cases/{HERE}/versions/2...1")).text
            assert re.search(r"<del>.*quickly.*</del>", back)
            assert "Nothing." in (await visitor.get(f"/cases/{HERE}/versions/2...2")).text
            for pair in ("1...3", "0...1", "a...b", "1..2"):
                assert (await visitor.get(f"/cases/{HERE}/versions/{pair}")).status_code == 404
            assert f"/cases/{HERE}/versions/1...2" in (await visitor.get(f"/cases/{HERE}")).text
    async with site.signed_in(PEOPLE["office of another unit"]) as visitor:
        assert (await visitor.get(f"/cases/{HERE}/versions/1...2")).status_code == 404


async def test_mail_and_what_became_of_it_is_shown_to_the_office_and_to_nobody_else(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        told = words((await visitor.get(f"/cases/{HERE}")).text)
    assert REVIEWER in told.partition(" Mail ")[2] and "Queued" in told.partition(" Mail ")[2]
    async with site.signed_in(PROPOSER) as visitor:
        assert REVIEWER not in (await visitor.get(f"/cases/{HERE}")).text
