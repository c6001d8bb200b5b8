"""Signing in by a link in a mail: what it takes, what it tells, what it leaves, and how sessions end."""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import select
from starlette.requests import Request

from imprimatur.mail.context import Readable, Unready, load
from imprimatur.mail.message import Message, Sender
from imprimatur.mail.rendering import render
from imprimatur.mail.sign_in import SignInContext
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.leave import leave
from imprimatur.store.sessions import IDLE, LASTS
from imprimatur.store.sign_in_links import VALID_FOR
from imprimatur.store.sign_in_record import LINKS_FOR_AN_ADDRESS, TRIES_OF_A_CLIENT
from imprimatur.web.gate import DATED_ANEW_AFTER, SESSION_SALT, local_path
from models.tables import IncidentRow, OutboxRow, SessionRow, SignInLinkRow, SignInRecordRow
from models.vocabulary import MailKind, MailStatus, Strength
from tests.facts import BASE_URL, OFFICE, PROPOSER, Play, add_people, furnish
from tests.web import KEY, Site, form_token

LINKS = SignInLinkRow.__table__  # type: ignore[attr-defined]
SESSIONS = SessionRow.__table__  # type: ignore[attr-defined]
RECORDS = SignInRecordRow.__table__  # type: ignore[attr-defined]
INCIDENTS = IncidentRow.__table__  # type: ignore[attr-defined]
OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
INACTIVE = "tove.reviewer@example.edu"
COOKIE = "__Host-imprimatur"


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    furnish(database)
    return Site(Play(database, tmp_path))


def rows(site: Site, table: Any) -> list[dict[str, Any]]:
    with site.play.database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def events(site: Site) -> list[tuple[str, str, str]]:
    return [(row["event"], row["email"], row["detail"]) for row in rows(site, RECORDS)]


def age_everything(site: Site, by: dt.timedelta) -> None:
    """As if that much time had passed since."""
    with site.play.database.write() as connection:
        for table, names in (
            (LINKS, ("asked_at", "expires_at")),
            (SESSIONS, ("began_at", "expires_at")),
            (RECORDS, ("at",)),
        ):
            [key] = table.primary_key.columns
            for row in connection.execute(select(table)).mappings().all():
                connection.execute(table.update().where(key == row[key.name]).values({n: row[n] - by for n in names}))


def contexts(site: Site, now: dt.datetime) -> list[Readable | Unready]:
    claimed = outbox.claim(site.play.database, 100, now)
    return load(site.play.database, [mail for mail in claimed if mail.kind is MailKind.SIGN_IN], now=now)


def mails(site: Site) -> list[Message]:
    """What the mailer would hand over."""
    now = dt.datetime.now(dt.UTC)
    sender = Sender("Credentials <credentials@example.edu>", "example.edu")
    return [
        render(context, site.links, sender, now) for context in contexts(site, now) if not isinstance(context, Unready)
    ]


def link_in(message: Message) -> str:
    text = message.content.decode().replace("=\r\n", "")
    found: str = re.findall(rf"{BASE_URL}(/sign-in/\S+)", text)[0]
    return found


async def asked(site: Site, visitor: httpx.AsyncClient, email: str = OFFICE, next_page: str = "/tasks") -> str:
    """A link, asked for and read in the mail."""
    answer = await visitor.post("/sign-in", data={"email": email, "next": next_page})
    assert answer.status_code == 200
    return link_in(mails(site)[-1])


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


# --- sessions ---------------------------------------------------------------------------------------------------------


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites(site: Site) -> None:
    async with site.visitor() as visitor:
        entered = await visitor.post(await asked(site, visitor))
    name, _, rest = entered.headers["set-cookie"].partition("=")
    parts = {part.strip().lower() for part in rest.split(";")[1:]}
    assert name == COOKIE
    assert {"httponly", "samesite=lax", "secure", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)


async def is_in(visitor: httpx.AsyncClient) -> bool:
    return (await visitor.get("/account")).status_code == 200


class Earlier(TimestampSigner):
    """Signs as if it were that long ago."""

    ago = dt.timedelta()

    def get_timestamp(self) -> int:
        return super().get_timestamp() - int(self.ago.total_seconds())


def older(site: Site, cookie: str, ago: dt.timedelta) -> str:
    signer = Earlier([KEY], salt=SESSION_SALT, sep=".")
    signer.ago = ago
    return signer.sign(site.links.signer(SESSION_SALT).unsign(cookie)).decode()


async def test_a_session_left_alone_ends(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        cookie = visitor.cookies[COOKIE]
        visitor.cookies.set(COOKIE, older(site, cookie, IDLE - dt.timedelta(minutes=1)))
        assert await is_in(visitor)
        visitor.cookies.clear()
        visitor.cookies.set(COOKIE, older(site, cookie, IDLE + dt.timedelta(minutes=1)))
        assert not await is_in(visitor)


async def test_a_session_in_use_is_dated_anew_now_and_then(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        cookie = visitor.cookies[COOKIE]
        assert "set-cookie" not in (await visitor.get("/account")).headers
        visitor.cookies.clear()
        visitor.cookies.set(COOKIE, older(site, cookie, DATED_ANEW_AFTER + dt.timedelta(minutes=1)))
        assert COOKIE in (await visitor.get("/account")).headers["set-cookie"]


async def test_a_session_ends_in_the_end(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        age_everything(site, LASTS - dt.timedelta(minutes=1))
        assert await is_in(visitor)
        age_everything(site, dt.timedelta(minutes=2))
        assert not await is_in(visitor)


async def test_signing_out_ends_the_session_and_not_only_the_cookie(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor:
        kept = dict(visitor.cookies)
        token = form_token((await visitor.get("/account")).text)
        answer = await visitor.post("/sign-out", data={"form_token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        visitor.cookies.update(kept)
        assert not await is_in(visitor)
    assert [event for event, _, _ in events(site)] == ["signed_in", "signed_out"]


async def test_each_session_can_be_ended_from_another_and_only_one_s_own(site: Site) -> None:
    async with site.signed_in(OFFICE) as first, site.signed_in(OFFICE) as second, site.signed_in(PROPOSER) as other:
        page = (await first.get("/account")).text
        own = {row["session_id"] for row in rows(site, SESSIONS) if row["email"] == OFFICE}
        assert set(re.findall(r"/account/sessions/([\w-]+)/end", page)) == own
        token = form_token((await other.get("/account")).text)
        for session in own:
            answer = await other.post(f"/account/sessions/{session}/end", data={"form_token": token})
            assert answer.status_code == 404
        newest = max(rows(site, SESSIONS)[:2], key=lambda row: row["began_at"])["session_id"]
        ended = await first.post(f"/account/sessions/{newest}/end", data={"form_token": form_token(page)})
        assert ended.status_code == 303
        assert (await is_in(first), await is_in(second), await is_in(other)) == (True, False, True)


async def test_signing_out_everywhere_ends_all_of_one_s_own(site: Site) -> None:
    async with site.signed_in(OFFICE) as first, site.signed_in(OFFICE) as second, site.signed_in(PROPOSER) as other:
        token = form_token((await first.get("/account")).text)
        await first.post("/account/sign-out-everywhere", data={"form_token": token})
        assert (await is_in(first), await is_in(second), await is_in(other)) == (False, False, True)
    assert ("sessions_ended", OFFICE, OFFICE) in events(site)


@pytest.mark.parametrize("how", ["imported as inactive", "left"])
async def test_whoever_is_no_longer_active_loses_all_sessions_at_once_and_for_good(
    site: Site, tmp_path: Path, how: str
) -> None:
    async with site.signed_in(OFFICE) as visitor:
        assert await is_in(visitor)
        if how == "left":
            leave(site.play.database, OFFICE, dt.datetime.now(dt.UTC))
        else:
            add_people(site.play.database, tmp_path, f"{OFFICE},Omar Haddad,governance_office,no")
        assert not await is_in(visitor)
        add_people(site.play.database, tmp_path, f"{OFFICE},Omar Haddad,governance_office,yes")
        assert not await is_in(visitor)
    assert ("sessions_ended", OFFICE, "inactive") in events(site)


async def test_a_form_without_the_session_s_own_token_does_nothing(site: Site) -> None:
    async with site.signed_in(OFFICE) as visitor, site.signed_in(OFFICE) as other:
        foreign = form_token((await other.get("/account")).text)
        for data in ({}, {"form_token": ""}, {"form_token": foreign}, {"form_token": "ü"}):
            for path in ("/sign-out", "/account/sign-out-everywhere", "/account/sessions/s-x/end"):
                answer = await visitor.post(path, data={"x": "y"} | data)
                assert answer.status_code == 403 and "form_token_wrong" in answer.text
        assert await is_in(visitor) and await is_in(other)


@pytest.mark.parametrize("relation", ["cross-site", "same-site"])
async def test_a_form_of_another_site_signs_nobody_in(site: Site, relation: str) -> None:
    async with site.visitor() as visitor:
        link = await asked(site, visitor)
        for path, data in ((link, {}), ("/sign-in", {"email": OFFICE})):
            answer = await visitor.post(path, data=data, headers={"Sec-Fetch-Site": relation})
            assert answer.status_code == 403 and "form_of_another_site" in answer.text
    assert rows(site, SESSIONS) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/cases?q=a&b=c", "/cases?q=a&b=c"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/a b", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours(given: str, kept: str) -> None:
    assert local_path(given) == kept


async def test_whoever_asks_for_data_or_a_part_is_told_to_sign_in(site: Site) -> None:
    async with site.visitor() as visitor:
        machine = await visitor.get("/cases", headers={"Accept": "application/json"})
        assert (machine.status_code, machine.json()["error"]["code"]) == (401, "sign_in_required")
        part = await visitor.get("/cases?q=x", headers={"HX-Request": "true"})
        assert (part.status_code, part.headers["hx-redirect"]) == (204, "/sign-in?next=%2Fcases%3Fq%3Dx")
        posted = await visitor.post("/sign-out", data={"form_token": "x"})
        assert (posted.status_code, posted.headers["location"]) == (303, "/sign-in?next=%2F")


async def test_who_has_signed_in_is_offered_to_other_pages(site: Site) -> None:
    [(name, value)] = site.session(OFFICE, Strength.OIDC).items()
    scope = {"type": "http", "headers": [(b"cookie", f"{name}={value}".encode())]}
    gate = site.app.state.gate
    assert gate.signed_in(Request(scope)) == (OFFICE, Strength.OIDC)
    assert gate.signed_in(Request({"type": "http", "headers": []})) is None


async def test_where_nobody_can_be_looked_up_that_is_told(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    site = Site(Play(sqlite_database, tmp_path))
    async with site.signed_in(OFFICE) as visitor:
        with sqlite_database.write() as connection:
            connection.exec_driver_sql("DROP TABLE web_session")
        answer, public = await visitor.get("/cases"), await visitor.get("/catalogue")
    assert answer.status_code == 503 and "database_unavailable" in answer.text
    assert public.status_code == 200 and "Published micro-credentials" in public.text
