"""Signing in with the institution's account: against a provider on loopback, and against one that forges."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from imprimatur.errors import ImprimaturError, InputError
from imprimatur.settings import Settings
from imprimatur.store.engine import Database
from imprimatur.web.oidc import Provider
from imprimatur.web.oidc_pages import ATTEMPT_SECONDS
from tests.facts import BASE_URL, OFFICE, Play, furnish
from tests.provider import CLIENT_ID, CLIENT_SECRET, Op, provider
from tests.signing_in import SESSIONS, events, rows
from tests.web import Site

OURS = f"{BASE_URL}/sign-in/oidc/answer"
KNOWN = {"sub": "diana", "email": OFFICE, "email_verified": True}


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Op]:
    with provider(tmp_path_factory.mktemp("provider"), OURS, {}) as found:
        yield found


@pytest.fixture
def site(op: Op, sqlite_database: Database, tmp_path: Path) -> Site:
    op.claims.clear()
    op.claims |= KNOWN
    op.seen.clear()
    op.broken = False
    furnish(sqlite_database)
    return Site(Play(sqlite_database, tmp_path), provider=Provider(f"{op.issuer}/", CLIENT_ID, CLIENT_SECRET, OURS))


async def answered(visitor: httpx.AsyncClient, next_page: str = "/cases") -> dict[str, str]:
    """The form on the page to which the provider has sent the browser back."""
    begun = await visitor.get("/sign-in/oidc", params={"next": next_page})
    assert begun.status_code == 303
    async with httpx.AsyncClient() as outside:
        back = await outside.get(begun.headers["location"])
    assert back.headers["location"].startswith(OURS)
    page = await visitor.get(back.headers["location"])
    assert page.status_code == 200
    return dict(re.findall(r'name="(code|state)" value="([^"]+)"', page.text))


async def refused(visitor: httpx.AsyncClient, form: dict[str, str]) -> str:
    answer = await visitor.post("/sign-in/oidc/answer", data=form, headers={"Accept": "application/json"})
    assert answer.status_code >= 400 and "set-cookie" not in answer.headers
    return str(answer.json()["error"]["code"])


async def test_whoever_the_institution_vouches_for_is_signed_in(site: Site, op: Op) -> None:
    async with site.visitor() as visitor:
        assert "/sign-in/oidc?next=%2Fcases" in (await visitor.get("/sign-in?next=/cases")).text
        form = await answered(visitor)
        assert rows(site, SESSIONS) == [], "looking at the answer begins nothing"
        entered = await visitor.post("/sign-in/oidc/answer", data=form)
        assert (entered.status_code, entered.headers["location"]) == (303, "/cases")
        assert "Omar Haddad" in (await visitor.get("/account")).text
    [session] = rows(site, SESSIONS)
    assert (session["email"], session["strength"]) == (OFFICE, "oidc")
    asked = next(parse_qs(query) for path, query in op.seen if path == "/authorization")
    assert (asked["code_challenge_method"], asked["scope"]) == (["S256"], ["openid email"])
    redeemed = next(parse_qs(body) for path, body in op.seen if path == "/token")
    assert "client_secret" not in redeemed and len(redeemed["code_verifier"][0]) >= 43


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (KNOWN | {"email_verified": False}, "oidc_email_unverified"),
        ({"sub": "diana", "email": OFFICE}, "oidc_email_unverified"),
        ({"sub": "diana"}, "oidc_email_unverified"),
        (KNOWN | {"email": "nobody@example.edu"}, "oidc_person_unknown"),
        (KNOWN | {"email": "tove.reviewer@example.edu"}, "oidc_person_unknown"),
    ],
)
async def test_whoever_is_not_vouched_for_or_not_known_stays_outside(
    site: Site, op: Op, claims: dict[str, Any], code: str
) -> None:
    op.claims.clear()
    op.claims |= claims
    async with site.visitor() as visitor:
        assert await refused(visitor, await answered(visitor)) == code
    assert rows(site, SESSIONS) == []
    assert events(site)[-1][0::2] == ("sign_in_failed", code)


async def test_an_answer_is_used_once(site: Site) -> None:
    async with site.visitor() as visitor:
        form = await answered(visitor)
        kept = dict(visitor.cookies)
        assert (await visitor.post("/sign-in/oidc/answer", data=form)).status_code == 303
        visitor.cookies.clear()
        visitor.cookies.update(kept)
        assert await refused(visitor, form) == "oidc_refused"


async def test_an_answer_to_another_browser_or_to_another_attempt_is_refused(site: Site) -> None:
    async with site.visitor() as victim, site.visitor() as attacker:
        form = await answered(attacker)
        assert await refused(victim, form) == "oidc_state_wrong"
        await answered(victim)
        assert await refused(victim, form) == "oidc_state_wrong"
        assert await refused(victim, {"code": form["code"]}) == "oidc_state_wrong"


async def test_a_code_of_somebody_else_s_attempt_is_refused(site: Site) -> None:
    async with site.visitor() as one, site.visitor() as other:
        stolen, own = await answered(one), await answered(other)
        assert await refused(other, {"code": stolen["code"], "state": own["state"]}) == "oidc_refused"


async def test_a_provider_that_does_not_answer_is_told_and_mail_still_works(site: Site, op: Op) -> None:
    op.broken = True
    async with site.visitor() as visitor:
        answer = await visitor.get("/sign-in/oidc")
        assert answer.status_code == 503 and "oidc_unavailable" in answer.text
        assert (await visitor.post("/sign-in", data={"email": OFFICE})).status_code == 200


async def test_a_refusal_there_is_told_here(site: Site) -> None:
    async with site.visitor() as visitor:
        page = await visitor.get("/sign-in/oidc/answer?error=access_denied&state=x")
    assert page.status_code == 200 and "did not let you in" in page.text and "<form method" not in page.text


async def test_without_a_provider_nothing_of_it_is_there(sqlite_database: Database, tmp_path: Path) -> None:
    async with Site(Play(sqlite_database, tmp_path)).visitor() as visitor:
        assert "/sign-in/oidc" not in (await visitor.get("/sign-in")).text
        assert (await visitor.get("/sign-in/oidc")).status_code == 404


async def test_the_attempt_is_kept_from_scripts_and_for_a_short_time(site: Site) -> None:
    async with site.visitor() as visitor:
        cookie = (await visitor.get("/sign-in/oidc")).headers["set-cookie"]
    assert cookie.startswith("__Secure-imprimatur-oidc=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/sign-in/oidc", f"Max-Age={ATTEMPT_SECONDS}"):
        assert part in cookie


# --- what a provider's word must be like ------------------------------------------------------------------------------

ISSUER = "https://login.example.edu"
SIGNING, FOREIGN = (RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"}) for _ in range(2))


class Forger(httpx.AsyncBaseTransport):
    """A provider that answers whatever a test wants."""

    def __init__(self, **change: Any) -> None:
        self.claims: dict[str, Any] = {}
        self.change = change
        self.key: Any = SIGNING
        self.algorithm = "RS256"
        self.issuer = ISSUER
        self.nonce = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/.well-known/openid-configuration":
                names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
                return self._json({"issuer": self.issuer} | {key: f"{ISSUER}/{path}" for key, path in names.items()})
            case "/keys":
                return self._json(dict(KeySet([SIGNING]).as_dict(private=False)))
            case _:
                return self._json({"access_token": "x", "token_type": "Bearer", "id_token": self._token()})

    def _token(self) -> str:
        now = int(dt.datetime.now(dt.UTC).timestamp())
        claims = {"iss": ISSUER, "sub": "1", "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": self.nonce}
        claims |= {"email": OFFICE.upper(), "email_verified": True}
        claims = {name: value for name, value in (claims | self.change).items() if value is not None}
        if self.algorithm == "none":
            return _unsigned(claims)
        return jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, self.key)

    def _json(self, document: dict[str, Any]) -> httpx.Response:
        return httpx.Response(200, json=document)


def _unsigned(claims: dict[str, Any]) -> str:
    from itsdangerous.encoding import base64_encode

    parts = (base64_encode(json.dumps(part)).decode() for part in ({"alg": "none", "kid": "one"}, claims))
    return ".".join(parts) + "."


async def finish(forger: Forger) -> str:
    provider = Provider(ISSUER, CLIENT_ID, None, OURS, forger)
    address, attempt = await provider.begin("/")
    forger.nonce = parse_qs(urlsplit(address).query)["nonce"][0]
    return await provider.finish("code", attempt)


async def test_a_word_that_is_whole_is_taken() -> None:
    assert await finish(Forger()) == OFFICE
    assert await finish(Forger(aud=[CLIENT_ID], email_verified="true")) == OFFICE


LONG_AGO = 1_700_000_000


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example.edu"},
        {"aud": "somebody-else"},
        {"aud": [CLIENT_ID, "other"], "azp": "other"},
        {"exp": LONG_AGO},
        {"exp": None},
        {"nonce": "of-another-attempt"},
        {"nonce": None},
        {"sub": None},
        {"iat": None},
    ],
    ids=str,
)
async def test_a_word_for_somebody_else_or_of_another_time_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ImprimaturError) as error:
        await finish(Forger(**change))
    assert error.value.code == "oidc_refused"


@pytest.mark.parametrize("how", ["another key", "a shared secret", "unsigned"])
async def test_a_word_that_nobody_known_has_signed_is_refused(how: str) -> None:
    forger = Forger()
    if how == "another key":
        forger.key = FOREIGN
    else:
        forger.algorithm = "HS256" if how == "a shared secret" else "none"
        forger.key = OctKey.import_key("x" * 64)
    with pytest.raises(ImprimaturError) as error:
        await finish(forger)
    assert error.value.code == "oidc_refused"


async def test_whoever_answers_for_an_issuer_must_be_that_issuer() -> None:
    forger = Forger()
    forger.issuer = "https://other.example.edu"
    with pytest.raises(ImprimaturError) as error:
        await finish(forger)
    assert error.value.code == "oidc_unavailable"


def test_half_of_the_settings_are_not_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OIDC_ISSUER", ISSUER)
    with pytest.raises(InputError) as error:
        Provider.from_settings(Settings(), BASE_URL)
    assert error.value.code == "oidc_settings_incomplete"
    monkeypatch.setenv("OIDC_CLIENT_ID", CLIENT_ID)
    found = Provider.from_settings(Settings(), BASE_URL)
    assert found is not None and found.issuer == ISSUER
    monkeypatch.delenv("OIDC_ISSUER")
    monkeypatch.delenv("OIDC_CLIENT_ID")
    assert Provider.from_settings(Settings(), BASE_URL) is None
