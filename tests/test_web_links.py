"""Links to task pages: good, broken, expired, overtaken; a link that is no longer good says why."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner

from imprimatur.mail.links import LINK_DAYS, Links
from imprimatur.store.engine import Database
from models.vocabulary import Verdict
from tests.facts import BASE_URL, OFFICE, PROPOSER, Play, example, ledger_rows
from tests.web import KEY, Site, post, under_review

GOOD = {"verdict": "approve", "comment": "Well made.", "score.outcomes": "3", "score.assessment": "4"}


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return under_review(sqlite_database, tmp_path)


def forged(site: Site) -> str:
    return site.link("quality").replace("/t/", "/t/x")


def of_another_key(site: Site) -> str:
    task = site.play.state.open_tasks("quality")[0]
    return f"/t/{Links(['k' * 40], BASE_URL).token(task.id, task.assignee)}"


def cut_off(site: Site) -> str:
    return site.link("quality")[:-3]


def wrapped(site: Site) -> str:
    return site.link("quality") + "%3E."


def without_signature(site: Site) -> str:
    return site.link("quality").split(".")[0]


def of_another_purpose(site: Site) -> str:
    token = site.link("quality").removeprefix("/t/").split(".")[0]
    return f"/t/{TimestampSigner([KEY], salt=b'imprimatur.reply-address', sep='.').sign(token).decode()}"


@pytest.mark.parametrize("broken", [forged, of_another_key, cut_off, wrapped, without_signature, of_another_purpose])
async def test_a_link_that_is_not_whole_and_ours_opens_nothing(site: Site, broken: Callable[[Site], str]) -> None:
    async with site.visitor() as visitor:
        for answer in (await visitor.get(broken(site)), await visitor.post(broken(site), data=GOOD)):
            assert answer.status_code == 404
            assert "link_invalid" in answer.text
            assert example("industry-credit").title not in answer.text  # type: ignore[operator]
    assert site.decider.asked == []


class Late(TimestampSigner):
    """Signs as it did long ago."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - int(dt.timedelta(days=LINK_DAYS, hours=1).total_seconds())


async def test_an_expired_link_says_so(site: Site) -> None:
    payload = site.link("quality").removeprefix("/t/").split(".")[0]
    old = Late([KEY], salt=b"imprimatur.task-link", sep=".").sign(payload).decode()
    async with site.visitor() as visitor:
        for answer in (await visitor.get(f"/t/{old}"), await visitor.post(f"/t/{old}", data=GOOD)):
            assert answer.status_code == 410
            assert "link_expired" in answer.text
            assert "governance office" in answer.text


async def test_links_of_an_older_key_go_on_working(site: Site) -> None:
    link = site.link("quality")
    rotated = Site(site.play, links=Links(["n" * 40, KEY], BASE_URL))
    assert (await post(rotated, link, GOOD)).status_code == 200


@pytest.mark.parametrize("whose", [("t-aaaaaaaaaaaaaaaa", OFFICE), (None, OFFICE)])
async def test_a_signed_link_to_no_task_of_that_person_opens_nothing(site: Site, whose: tuple[str | None, str]) -> None:
    task = whose[0] or site.play.state.open_tasks("quality")[0].id
    async with site.visitor() as visitor:
        answer = await visitor.get(f"/t/{site.links.token(task, whose[1])}")
    assert answer.status_code == 404
    assert "task_unknown" in answer.text


def decide_without_them(play: Play) -> None:
    for _ in range(2):
        play.decide("quality", outcomes=4, assessment=4)


def send_back(play: Play) -> None:
    for _ in range(2):
        play.decide("quality", Verdict.REQUEST_CHANGES, "More.", outcomes=1, assessment=1)


def send_back_elsewhere(play: Play) -> None:
    for _ in range(2):
        play.decide("industry", Verdict.REQUEST_CHANGES, "Show the job.", need=1)


def reject_elsewhere(play: Play) -> None:
    for _ in range(2):
        play.decide("industry", Verdict.REJECT, "No need.", need=0)


def reject_here(play: Play) -> None:
    for _ in range(2):
        play.decide("quality", Verdict.REJECT, "No.", outcomes=0, assessment=0)


def withdraw(play: Play) -> None:
    play.withdraw("No budget.")


CLOSURES = {
    "decided": (decide_without_them, "The stage was decided, by the decision of"),
    "revision": (send_back, "The stage was decided, by the decision of"),
    "rejected": (reject_here, "The stage was decided, by the decision of"),
    "revision elsewhere": (send_back_elsewhere, "Changes were requested and a new version is awaited"),
    "rejected elsewhere": (reject_elsewhere, "The proposal was rejected"),
    "withdrawn": (withdraw, f"The proposal was withdrawn by {PROPOSER}"),
}


@pytest.mark.parametrize("how", CLOSURES)
async def test_a_closed_task_says_why_and_takes_no_answer(site: Site, how: str) -> None:
    close, told = CLOSURES[how]
    link = site.link("quality", 2)
    close(site.play)
    before = ledger_rows(site.play.database, site.play.case_id)
    async with site.visitor() as visitor:
        shown, late = await visitor.get(link), await visitor.post(link, data=GOOD)
    assert (shown.status_code, late.status_code) == (200, 410)
    for page in (shown.text, late.text):
        assert "Nothing is asked of you any more" in page
        assert told in page
        assert "<form" not in page
    assert ledger_rows(site.play.database, site.play.case_id) == before


async def test_a_new_round_voids_the_links_of_the_last_one(site: Site) -> None:
    old = site.link("quality")
    send_back(site.play)
    site.play.revise(example("industry-credit.revised"))
    new = site.link("quality")
    async with site.visitor() as visitor:
        assert "<form" not in (await visitor.get(old)).text
        assert (await visitor.post(old, data=GOOD)).status_code == 410
        page = (await visitor.get(new)).text
        assert "round 2" in page and "More." in page and "<form" in page
        assert (await visitor.post(new, data=GOOD)).status_code == 200
