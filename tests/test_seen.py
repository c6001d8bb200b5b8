"""That a mail was seen is told by what its reader does: never by opening a page."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.store import outbox
from imprimatur.store.deliveries import list_mails
from imprimatur.store.engine import Database
from imprimatur.store.outbox import Result
from models.vocabulary import MailStatus
from tests.engine import Engine
from tests.facts import event_types, everything
from tests.replying import Post
from tests.web import Site, post, under_review

BUTTON = "I have seen this and answer later"


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    """All mail of the case has gone out."""
    found = under_review(sqlite_database, tmp_path)
    now = dt.datetime.now(dt.UTC)
    mails = outbox.claim(sqlite_database, 100, now)
    outbox.record(sqlite_database, [Result(mail, MailStatus.SENT) for mail in mails], now)
    return found


def seen(site: Site) -> list[str]:
    return [mail.recipient for mail in list_mails(site.play.database, state="seen")]


def holder(site: Site) -> str:
    return site.play.state.open_tasks("quality")[0].assignee


async def test_a_scanner_that_opens_the_page_has_seen_nothing(site: Site) -> None:
    before = everything(site.play.database)
    async with site.visitor() as visitor:
        for _ in range(3):
            assert BUTTON in (await visitor.get(site.link("quality"))).text
            await visitor.head(site.link("quality"))
    assert everything(site.play.database) == before


async def test_the_button_tells_that_the_mail_has_arrived(site: Site) -> None:
    events = event_types(site.play.database, site.play.case_id)
    answer = await post(site, site.link("quality"), {"act": "seen"})
    assert (answer.status_code, answer.headers["location"]) == (303, site.link("quality"))
    assert seen(site) == [holder(site)], "and nobody else's"
    async with site.visitor() as visitor:
        assert BUTTON not in (await visitor.get(site.link("quality"))).text
    assert (site.decider.asked, event_types(site.play.database, site.play.case_id)) == ([], events), "nothing else"


@pytest.mark.parametrize("form", [{"verdict": "reject"}, {"verdict": "approve", "score.outcomes": "3"}])
async def test_an_answer_shows_it_too_even_one_that_is_not_taken(site: Site, form: dict[str, str]) -> None:
    person = holder(site)
    await post(site, site.link("quality"), form)
    assert seen(site) == [person]


async def test_a_link_that_is_not_ours_shows_nothing(site: Site) -> None:
    answer = await post(site, site.link("quality")[:-3] + "xxx", {"act": "seen"})
    assert (answer.status_code, seen(site)) == (404, [])


async def test_a_reply_shows_it_once_its_sender_is_attested(live: Engine) -> None:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("seen"))).case_id
    now = dt.datetime.now(dt.UTC)
    mails = outbox.claim(live.database, 100, now)
    outbox.record(live.database, [Result(mail, MailStatus.SENT) for mail in mails], now)
    way_in, task = Post(live), live.tasks(case_id)[0]
    await way_in.reply(task, "approve", headers=[])
    assert list_mails(live.database, state="seen") == []
    await way_in.reply(task, "I think about it.")
    assert [mail.recipient for mail in list_mails(live.database, state="seen")] == [task.assignee]
