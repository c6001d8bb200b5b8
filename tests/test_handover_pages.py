"""Hand-overs on the pages: the task of whoever delivers, the two cases that name each other, and programs."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import rfc8785

from imprimatur.frameworks.loader import shipped
from imprimatur.store import handovers as store
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import handovers_of_case
from models.messages import HandoverEnd
from models.vocabulary import CaseStatus, Verdict
from tests.facts import OFFICE, PROPOSER, Play, example, furnish
from tests.handover import CREDENTIAL, FIRST, SECOND_OF_TEAM, TEAM, Handing, handing_framework, published, with_team
from tests.test_web_publication import pressed
from tests.web import Site, post


@pytest.fixture
async def handing(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Handing]:
    """People have been asked."""
    with_team(sqlite_database, tmp_path)
    found = Handing(published(sqlite_database, tmp_path, handing_framework(sqlite_database)))
    await found.begin()
    yield found


async def shown(site: Site, path: str, person: str | None = None) -> str:
    async with site.signed_in(person) if person else site.visitor() as visitor:
        answer = await visitor.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


def once_in(page: str) -> str:
    return page.split('name="once" value="')[1].split('"')[0]


async def test_whoever_delivers_reads_the_package_without_a_login(handing: Handing) -> None:
    site = Site(handing.case())
    link = site.link("taking_up")
    page = await shown(site, link)
    assert "What is handed over" in page and "Conditions still open" in page
    assert "Take it up" in page and "Send it back" in page
    assert f'href="{link}/package.json"' in page
    assert "Resembles what there is" not in page
    async with site.visitor() as visitor:
        answer = await visitor.get(f"{link}/package.json")
    [row] = _views(handing)
    assert hashlib.sha256(rfc8785.dumps(answer.json())).hexdigest() == row
    assert answer.headers["content-disposition"] == f'attachment; filename="{FIRST}.json"'


def _views(handing: Handing) -> list[str | None]:
    return [view.package_digest for view in handovers_of_case(handing.database, CREDENTIAL)]


async def test_a_task_of_another_kind_has_no_package(handing: Handing, tmp_path: Path) -> None:
    play = Play(handing.database, tmp_path, case_id="mc-another")
    play.submit(example("industry-credit"))
    site = Site(play)
    async with site.visitor() as visitor:
        answer = await visitor.get(f"{site.link('proposal')}/package.json")
    assert answer.status_code == 404


async def test_it_is_taken_up_on_the_page_and_sent_back_only_with_a_reason(handing: Handing) -> None:
    site = Site(handing.case())
    link = site.link("taking_up")
    refused = await post(site, link, {"once": once_in(await shown(site, link)), "verdict": "send_back", "comment": ""})
    assert refused.status_code == 422 and "Say why" in refused.text
    form = {"once": once_in(refused.text), "verdict": "take_up", "comment": "It is course DES-214."}
    assert (await post(site, link, form)).status_code == 200
    assert handing.case().state.status is CaseStatus.CONCLUDED


async def test_the_two_cases_name_each_other_and_the_answer(handing: Handing) -> None:
    handing.answer(Verdict.SEND_BACK, "There is no room in March.")
    site = Site(handing.case())
    page = await shown(site, f"/cases/{CREDENTIAL}", OFFICE)
    assert f'href="/cases/{FIRST}"' in page and "Sent back" in page and "There is no room in March." in page
    own = await shown(site, f"/cases/{FIRST}", OFFICE)
    assert f'href="/cases/{CREDENTIAL}"' in own and "This hand-over" in own
    assert f"by {TEAM}" in page or f"by {SECOND_OF_TEAM}" in page
    history = await shown(site, f"/cases/{CREDENTIAL}/history", OFFICE)
    assert "was sent back: There is no room in March." in history
    of_the_proposer = await shown(site, f"/cases/{CREDENTIAL}", PROPOSER)
    assert "There is no room in March." in of_the_proposer
    assert TEAM not in of_the_proposer and SECOND_OF_TEAM not in of_the_proposer
    assert "Dana Olsen" not in of_the_proposer and "Emil Novak" not in of_the_proposer


async def test_the_office_tries_again_what_failed_and_hands_over_once_more(handing: Handing) -> None:
    store.end(handing.database, HandoverEnd(handover=FIRST, failed="lms", reason="lms: 410 Gone"))
    async with Site(handing.case()).signed_in(OFFICE) as visitor:
        page = (await visitor.get(f"/cases/{CREDENTIAL}")).text
        assert f'href="/cases/{CREDENTIAL}/acts/retry_handover"' in page and "Lms: 410 Gone." in page
        assert "A hand-over waits for its answer already." in page
        retried = await pressed(visitor, CREDENTIAL, "retry_handover")
        assert (retried.status_code, retried.headers["location"]) == (303, f"/cases/{CREDENTIAL}#handovers")
        again = await visitor.get(f"/cases/{CREDENTIAL}/acts/retry_handover")
        assert again.status_code == 403 and "Nothing of a hand-over has failed." in again.text
        handing.answer(Verdict.SEND_BACK, "There is no room in March.")
        called = await pressed(visitor, CREDENTIAL, "hand_over_again", reason="There is a room now.")
        assert called.status_code == 303
        assert "There is a room now." in (await visitor.get(called.headers["location"])).text
        open_now = await visitor.get(f"/cases/{CREDENTIAL}/acts/hand_over_again")
    assert open_now.status_code == 403 and "waits for its answer already" in open_now.text
    assert [view.number for view in handovers_of_case(handing.database, CREDENTIAL)] == [1, 2]
    async with Site(handing.case()).signed_in(PROPOSER) as visitor:
        refused = await visitor.get(f"/cases/{CREDENTIAL}/acts/hand_over_again")
    assert refused.status_code == 403 and "Only the governance office can do this." in refused.text


async def test_under_a_framework_that_hands_nothing_over_the_office_is_told_so(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    play = published(sqlite_database, tmp_path, shipped()["non-credit"])
    async with Site(play).signed_in(OFFICE) as visitor:
        refused = await visitor.get(f"/cases/{CREDENTIAL}/acts/hand_over_again")
    assert refused.status_code == 403 and "Its framework hands nothing over." in refused.text
