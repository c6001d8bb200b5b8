"""Sessions: what the cookie holds, how they end, and what no other site can do with them."""

import datetime as dt
import re
from pathlib import Path

import httpx
import pytest
from itsdangerous import TimestampSigner
from starlette.requests import Request

from imprimatur.store.engine import Database
from imprimatur.store.leave import leave
from imprimatur.store.sessions import IDLE, LASTS
from imprimatur.web.gate import DATED_ANEW_AFTER, SESSION_SALT, local_path
from models.vocabulary import Strength
from tests.facts import OFFICE, PROPOSER, Play, add_people, furnish
from tests.signing_in import COOKIE, SESSIONS, age_everything, asked, events, rows
from tests.web import KEY, Site, form_token


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    furnish(database)
    return Site(Play(database, tmp_path))


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
