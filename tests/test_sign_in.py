"""Signing in by a link in a mail: what it takes, what it tells, and what it leaves."""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from imprimatur.mail.sign_in import SignInContext
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.leave import leave
from imprimatur.store.sign_in_links import VALID_FOR
from imprimatur.store.sign_in_record import LINKS_FOR_AN_ADDRESS, TRIES_OF_A_CLIENT
from models.tables import IncidentRow, OutboxRow
from models.vocabulary import MailKind, MailStatus, Strength
from tests.facts import OFFICE, Play, furnish
from tests.signing_in import (
    COOKIE,
    SESSIONS,
    age_everything,
    asked,
    contexts,
    events,
    mails,
    rows,
)
from tests.web import Site

INCIDENTS = IncidentRow.__table__  # type: ignore[attr-defined]
OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
INACTIVE = "tove.reviewer@example.edu"


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    furnish(database)
    return Site(Play(database, tmp_path))


async def test_a_link_in_a_mail_signs_in_and_leads_on(site: Site) -> None:
    async with site.visitor() as visitor:
        turned_away = await visitor.get("/cases?q=a&need=overdue")
        assert turned_away.status_code == 303
        form = await visitor.get(turned_away.headers["location"])
        next_page = re.findall(r'name="next" value="([^"]+)"', form.text)[0].replace("&amp;", "&")
        assert next_page == "/cases?q=a&need=overdue"
        link = await asked(site, visitor, f" {OFFICE.upper()} ", next_page)
        opened = await visitor.get(link)
        assert (opened.status_code, rows(site, SESSIONS)) == (200, [])
        entered = await visitor.post(link)
        assert (entered.status_code, entered.headers["location"]) == (303, next_page)
        page = await visitor.get(next_page)
        assert page.status_code == 200 and "Omar Haddad" in page.text
    [session] = rows(site, SESSIONS)
    assert (session["email"], session["strength"]) == (OFFICE, Strength.SESSION)
    assert visitor.cookies[COOKIE].split(".")[0] not in str(session), (
        "the database does not hold what the browser holds"
    )
    assert [event for event, _, _ in events(site)] == ["link_asked", "signed_in"]


async def test_the_answer_never_tells_whether_an_address_is_known(site: Site) -> None:
    told = []
    async with site.visitor() as visitor:
        for email in (OFFICE, "nobody@example.edu", INACTIVE, "no address"):
            answer = await visitor.post("/sign-in", data={"email": email})
            text = answer.text.replace(email, "X").replace(quote_plus(email), "X")
            told.append((answer.status_code, text, sorted(answer.headers)))
    assert told.count(told[0]) == len(told)
    assert [row["recipient"] for row in rows(site, OUTBOX)] == [OFFICE]
    assert [(event, detail) for event, _, detail in events(site)] == [
        ("link_asked", ""),
        ("link_withheld", "person_unknown"),
        ("link_withheld", "person_inactive"),
        ("link_withheld", "person_unknown"),
    ]


async def test_a_link_is_used_once(site: Site) -> None:
    async with site.visitor() as visitor:
        link = await asked(site, visitor)
        for _ in range(3):
            assert (await visitor.get(link)).status_code == (await visitor.head(link)).status_code == 200
        assert (await visitor.post(link)).status_code == 303
    async with site.visitor() as thief:
        again = await thief.post(link, headers={"Accept": "application/json"})
        assert (again.status_code, again.json()["error"]["code"]) == (410, "sign_in_link_used")
        assert "set-cookie" not in again.headers
    assert len(rows(site, SESSIONS)) == 1
    assert events(site)[-1] == ("sign_in_failed", OFFICE, "sign_in_link_used")


async def test_a_link_that_is_too_old_signs_nobody_in(site: Site) -> None:
    async with site.visitor() as visitor:
        link = await asked(site, visitor)
        age_everything(site, VALID_FOR + dt.timedelta(seconds=1))
        late = await visitor.post(link)
    assert late.status_code == 410 and "sign_in_link_expired" in late.text
    assert rows(site, SESSIONS) == []


@pytest.mark.parametrize("change", [lambda t: t[:-2], lambda t: "x" + t, lambda t: t.split(".")[0], lambda t: "none"])
async def test_a_link_that_is_not_ours_signs_nobody_in(site: Site, change: Callable[[str], str]) -> None:
    async with site.visitor() as visitor:
        token = (await asked(site, visitor)).rpartition("/")[2]
        for answer in (await visitor.get(f"/sign-in/{change(token)}"), await visitor.post(f"/sign-in/{change(token)}")):
            assert answer.status_code == 404 and "sign_in_link_unknown" in answer.text
    assert rows(site, SESSIONS) == []


async def test_a_link_of_somebody_who_is_no_longer_active_signs_nobody_in(site: Site) -> None:
    async with site.visitor() as visitor:
        link = await asked(site, visitor)
        leave(site.play.database, OFFICE, dt.datetime.now(dt.UTC))
        refused = await visitor.post(link)
    assert refused.status_code == 409 and "person_inactive" in refused.text
    assert rows(site, SESSIONS) == []


async def test_what_lies_in_the_outbox_signs_nobody_in(site: Site) -> None:
    async with site.visitor() as visitor:
        await visitor.post("/sign-in", data={"email": OFFICE})
        [mail] = rows(site, OUTBOX)
        assert (mail["kind"], mail["case_id"]) == (MailKind.SIGN_IN, "")
        assert (await visitor.post(f"/sign-in/{mail['data']['link_id']}")).status_code == 404


async def test_an_address_gets_so_many_links_and_no_more(site: Site) -> None:
    async with site.visitor() as visitor:
        answers = [await visitor.post("/sign-in", data={"email": OFFICE}) for _ in range(LINKS_FOR_AN_ADDRESS + 2)]
        assert len({answer.text for answer in answers}) == 1
        assert len(rows(site, OUTBOX)) == LINKS_FOR_AN_ADDRESS
        assert events(site)[-1] == ("link_withheld", OFFICE, "too_many_tries")
        age_everything(site, dt.timedelta(minutes=16))
        await visitor.post("/sign-in", data={"email": OFFICE})
    assert len(rows(site, OUTBOX)) == LINKS_FOR_AN_ADDRESS + 1


async def test_a_client_tries_so_often_and_no_more(site: Site) -> None:
    async with site.visitor() as visitor:
        for number in range(TRIES_OF_A_CLIENT):
            assert (await visitor.post("/sign-in", data={"email": f"n{number}@example.edu"})).status_code == 200
        stopped = await visitor.post("/sign-in", data={"email": OFFICE})
        assert stopped.status_code == 429 and "too_many_tries" in stopped.text
        token = site.links.sign_in_url("x").rpartition("/")[2]
        assert (await visitor.post(f"/sign-in/{token}")).status_code == 429
        age_everything(site, dt.timedelta(minutes=16))
        assert (await visitor.post("/sign-in", data={"email": OFFICE})).status_code == 200


async def test_the_mail_is_whole_and_says_what_it_is(site: Site) -> None:
    async with site.visitor() as visitor:
        await visitor.post("/sign-in", data={"email": OFFICE})
    [message] = mails(site)
    text = message.content.decode()
    assert message.recipient == OFFICE
    for told in ("Subject: Sign in to Imprimatur", "Auto-Submitted: auto-generated", "Omar Haddad", "within 15"):
        assert told in text
    assert text.count("Content-Type: text/plain") == text.count("Content-Type: text/html") == 1
    assert "Reply-To" not in text and "Case " not in text


async def test_a_mail_that_comes_too_late_is_not_sent(site: Site) -> None:
    async with site.visitor() as visitor:
        await visitor.post("/sign-in", data={"email": OFFICE})
    [context] = contexts(site, dt.datetime.now(dt.UTC))
    assert isinstance(context, SignInContext)
    asked_at = context.mail.created_at
    assert dataclasses.replace(context, now=asked_at).stale is None
    assert dataclasses.replace(context, now=asked_at + VALID_FOR).stale == "the link has expired"


async def test_a_mail_that_bounces_opens_no_incident(site: Site) -> None:
    async with site.visitor() as visitor:
        await visitor.post("/sign-in", data={"email": OFFICE})
    now = dt.datetime.now(dt.UTC)
    [mail] = outbox.claim(site.play.database, 1, now)
    outbox.record(site.play.database, [outbox.Result(mail, MailStatus.BOUNCED, "550 no such mailbox")], now)
    assert [row["status"] for row in rows(site, OUTBOX)] == [MailStatus.BOUNCED]
    assert rows(site, INCIDENTS) == []
