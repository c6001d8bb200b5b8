"""Logging in with access tokens: a token endpoint, a relay and a mailbox that want them, all real enough to refuse."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from structlog.testing import capture_logs

from imprimatur.cli.context import Environment
from imprimatur.cli.doctor import Check, examine
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.errors import InputError, Unavailable
from imprimatur.inbound.polling import Poller
from imprimatur.mail.mailbox import Folder, MailboxAddress
from imprimatur.mail.oauth import Grant, Tokens
from imprimatur.mail.transport import Relay, parse_smtp_url
from imprimatur.settings import Settings
from imprimatur.store.engine import Database
from tests.imap import REFUSAL, FakeMailbox, fake_mailbox
from tests.relay import GUESTS, Post, Script, invite, relay

SECRET, REFRESH, USER = "client-secret-1", "refresh-token-1", "replies@example.edu"
_Answer = tuple[int, dict[str, Any] | str]


@dataclass
class Endpoint:
    """Gives ``token-1``, ``token-2``, ... unless an answer is prepared; keeps what it was asked."""

    url: str = ""
    prepared: list[_Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    lives: object = 3600

    def answer(self, form: dict[str, str]) -> _Answer:
        self.asked.append(form)
        if self.prepared:
            return self.prepared.pop(0)
        return 200, {"access_token": f"token-{len(self.asked)}", "token_type": "Bearer", "expires_in": self.lives}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, answer = found.answer({name: values[0] for name, values in parse_qs(body).items()})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer.encode() if isinstance(answer, str) else json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's own name)
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        found.url = f"http://{LOOPBACK}:{server.server_address[1]}/token"
        yield found
        server.shutdown()
        thread.join()


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def tokens_of(endpoint: Endpoint, clock: Clock | None = None, **change: Any) -> Tokens:
    grant = Grant(endpoint.url, "client-1", SECRET, "mail.scope", **change)
    return Tokens(grant, clock or Clock())


# --- the token --------------------------------------------------------------------------------------------------------


async def test_a_token_is_asked_for_once_and_again_shortly_before_its_end(endpoint: Endpoint) -> None:
    clock = Clock()
    tokens = tokens_of(endpoint, clock)
    assert [await tokens.token() for _ in range(3)] == ["token-1"] * 3
    clock.now += 3500
    assert await tokens.token() == "token-1"
    clock.now += 50
    assert await tokens.token() == "token-2"


@pytest.mark.parametrize("lives", [None, "soon", "NaN", "inf", "3599", 0])
async def test_a_life_that_is_not_told_well_is_a_short_one(endpoint: Endpoint, lives: object) -> None:
    endpoint.lives, clock = lives, Clock()
    tokens = tokens_of(endpoint, clock)
    await tokens.token()
    clock.now += 3600
    assert await tokens.token() == "token-2"


async def test_what_a_server_did_not_take_is_not_shown_again(endpoint: Endpoint) -> None:
    tokens = tokens_of(endpoint)
    tokens.forget(await tokens.token())
    assert await tokens.token() == "token-2"
    tokens.forget("token-1")
    assert await tokens.token() == "token-2", "somebody else has renewed it already"


async def test_a_client_speaks_for_itself(endpoint: Endpoint) -> None:
    await tokens_of(endpoint).token()
    assert endpoint.asked == [
        {"grant_type": "client_credentials", "client_id": "client-1", "client_secret": SECRET, "scope": "mail.scope"}
    ]


async def test_a_refresh_token_is_redeemed_and_renewed(endpoint: Endpoint) -> None:
    clock = Clock()
    endpoint.prepared = [(200, {"access_token": "first", "expires_in": 3600, "refresh_token": "refresh-token-2"})]
    tokens = tokens_of(endpoint, clock, refresh_token=REFRESH)
    await tokens.token()
    clock.now += 3600
    await tokens.token()
    assert [asked["grant_type"] for asked in endpoint.asked] == ["refresh_token"] * 2
    assert [asked["refresh_token"] for asked in endpoint.asked] == [REFRESH, "refresh-token-2"]


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        ((401, {"error": "invalid_client", "error_description": f"AADSTS7000215: not {SECRET}"}), "mail_token_refused",
         "invalid_client, AADSTS7000215"),
        ((400, {"error": "invalid_grant"}), "mail_token_refused", "invalid_grant"),
        ((400, {"error": f"<script> {SECRET}"}), "mail_token_refused", "400"),
        ((403, "no"), "mail_token_refused", "403"),
        ((200, "<html>"), "mail_token_refused", "200"),
        ((200, {"access_token": 7}), "mail_token_refused", "200"),
        ((200, []), "mail_token_refused", "200"),
        ((503, "busy"), "mail_token_unreachable", "503"),
    ],
)  # fmt: skip
async def test_an_endpoint_that_gives_none_is_told_by_its_code(
    endpoint: Endpoint, answer: Any, code: str, told: str
) -> None:
    endpoint.prepared = [answer]
    tokens = tokens_of(endpoint)
    with pytest.raises(Unavailable) as refused:
        await tokens.token()
    assert refused.value.code == code and told in refused.value.message
    assert SECRET not in str(refused.value.as_dict())
    assert (await tokens.token()).startswith("token-"), "the next try may do better"


async def test_an_endpoint_that_is_not_there_is_told() -> None:
    grant = Grant(f"http://{LOOPBACK}:{free_port()}/token", "client-1", SECRET)
    with pytest.raises(Unavailable) as refused:
        await Tokens(grant).token()
    assert refused.value.code == "mail_token_unreachable"


def test_settings_make_a_grant_or_say_what_is_missing() -> None:
    asked = {"MAIL_OAUTH_TOKEN_URL": "https://login.example.edu/token"}
    assert Grant.from_settings(Settings(_env_file=None)) is None
    lacking: list[dict[str, str]] = [{}, {"MAIL_OAUTH_CLIENT_ID": "c"}, {"MAIL_OAUTH_CLIENT_SECRET": "s"}]
    for given in lacking:
        with pytest.raises(InputError) as refused:
            Grant.from_settings(Settings.model_validate(asked | given))
        assert refused.value.code == "mail_oauth_incomplete"
    grant = Grant.from_settings(
        Settings.model_validate(asked | {"MAIL_OAUTH_CLIENT_ID": "c", "MAIL_OAUTH_REFRESH_TOKEN": "r"})
    )
    assert grant == Grant("https://login.example.edu/token", "c", None, None, "r")
    assert "r'" not in repr(Grant("https://h", "c", "s", None, "r"))


# --- the relay --------------------------------------------------------------------------------------------------------


@dataclass
class Bearers(Script):
    """A relay that lets in by token only."""

    taken: set[str] = field(default_factory=set)
    shown: list[str] = field(default_factory=list)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        said = base64.b64decode(args[1]).decode()
        user, _, token = said.removesuffix("\1\1").partition("\1auth=Bearer ")
        self.shown.append(token)
        if user == f"user={USER}" and token in self.taken:
            return AuthResult(success=True)
        await server.challenge_auth(REFUSAL, encode_to_b64=False)
        await server.push(f"535 5.7.3 {token} is not welcome")
        return AuthResult(success=False, handled=True)


def way_out(port: int, tokens: Tokens) -> Relay:
    address = f"smtp://{USER.replace('@', '%40')}@{LOOPBACK}:{port}"
    return replace(parse_smtp_url(address), tokens=tokens)


def wants_tokens(script: Bearers) -> Any:
    return relay(script, auth_require_tls=False, auth_required=True, auth_exclude_mechanism=["LOGIN", "PLAIN"])


async def test_mail_goes_out_by_token(endpoint: Endpoint, sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path)
    script = Bearers(taken={"token-1"})
    async with wants_tokens(script) as port:
        await Post(sqlite_database, way_out(port, tokens_of(endpoint))).run()
    assert (sorted(script.recipients), script.shown) == (GUESTS, ["token-1"])


async def test_a_token_that_has_ended_is_renewed_at_once(
    endpoint: Endpoint, sqlite_database: Database, tmp_path: Path
) -> None:
    invite(sqlite_database, tmp_path)
    script = Bearers(taken={"token-2"})
    with capture_logs() as logs:
        async with wants_tokens(script) as port:
            await Post(sqlite_database, way_out(port, tokens_of(endpoint))).run()
    assert (sorted(script.recipients), script.shown, logs) == (GUESTS, ["token-1", "token-2"], [])


async def test_tokens_that_no_relay_takes_reach_no_log(
    endpoint: Endpoint, sqlite_database: Database, tmp_path: Path
) -> None:
    invite(sqlite_database, tmp_path)
    script = Bearers()
    with capture_logs() as logs:
        async with wants_tokens(script) as port:
            post = Post(sqlite_database, way_out(port, tokens_of(endpoint)))
            await post.run(until=lambda: len(logs) >= 2)
    assert {log["reason"] for log in logs} == {"535 5.7.3 *** is not welcome"}
    assert {row["status"] for row in post.rows()} == {"queued"}


async def test_mail_waits_while_there_is_no_token(
    endpoint: Endpoint, sqlite_database: Database, tmp_path: Path
) -> None:
    invite(sqlite_database, tmp_path)
    endpoint.prepared = [(400, {"error": "invalid_grant"}), (503, "busy")]
    script = Bearers(taken={"token-3"})
    with capture_logs() as logs:
        async with wants_tokens(script) as port:
            await Post(sqlite_database, way_out(port, tokens_of(endpoint))).run()
    assert [log["code"] for log in logs] == ["mail_token_refused", "mail_token_unreachable"]
    assert sorted(script.recipients) == GUESTS


# --- the mailbox ------------------------------------------------------------------------------------------------------


def address_of(mailbox: FakeMailbox, tokens: Tokens | None, password: str | None = None) -> MailboxAddress:
    return MailboxAddress("imap", LOOPBACK, mailbox.port, "INBOX", USER, password, tokens=tokens)


class Nobody:
    """Takes no message."""

    def takes(self, recipient: str) -> bool:
        return False


async def _poll(database: Database, address: MailboxAddress) -> int:
    return (await Poller(database, Nobody(), address).poll()).others  # type: ignore[arg-type]


async def test_a_mailbox_is_read_by_token(endpoint: Endpoint, sqlite_database: Database) -> None:
    with fake_mailbox(tokens={"token-1"}, messages=[b"Subject: x\r\n\r\ny"]) as mailbox:
        assert await _poll(sqlite_database, address_of(mailbox, tokens_of(endpoint))) == 1
    assert mailbox.shown == [f"user={USER}\1auth=Bearer token-1\1\1"]


async def test_a_token_that_a_mailbox_does_not_take_is_renewed(endpoint: Endpoint, sqlite_database: Database) -> None:
    with fake_mailbox(tokens={"token-2"}) as mailbox:
        await _poll(sqlite_database, address_of(mailbox, tokens_of(endpoint)))
    assert [shown.split(" ")[1] for shown in mailbox.shown] == ["token-1\1\1", "token-2\1\1"]
    assert mailbox.answers_to_refusals == [""], "the reason for a refusal is not answered by the token once more"


async def test_a_mailbox_that_takes_no_token_is_told_without_it(endpoint: Endpoint, sqlite_database: Database) -> None:
    with fake_mailbox(echoes=True) as mailbox, pytest.raises(Unavailable) as refused:
        await _poll(sqlite_database, address_of(mailbox, tokens_of(endpoint)))
    assert refused.value.code == "mailbox_login_refused"
    assert "token-" not in str(refused.value.as_dict()) and "***" in refused.value.message


def test_a_mailbox_that_repeats_a_password_does_not_make_us_repeat_it() -> None:
    with fake_mailbox(password="right", echoes=True) as mailbox, pytest.raises(Unavailable) as refused:
        Folder(address_of(mailbox, None, "wrong-password"))
    assert "wrong-password" not in str(refused.value.as_dict()) and "***" in refused.value.message


# --- doctor -----------------------------------------------------------------------------------------------------------


def _check(tmp_path: Path, **given: str) -> Check:
    settings = Settings.model_validate(given | {"IMPRIMATUR_HOME": tmp_path})
    found = examine(Environment(settings, None, None, "http://localhost", None, False))
    return next(check for check in found if check.name == "mailbox")


def test_doctor_looks_into_the_mailbox(endpoint: Endpoint, tmp_path: Path) -> None:
    oauth = {"MAIL_OAUTH_TOKEN_URL": endpoint.url, "MAIL_OAUTH_CLIENT_ID": "c", "MAIL_OAUTH_CLIENT_SECRET": SECRET}
    assert _check(tmp_path).ok, "nobody needs one"
    with fake_mailbox(tokens={"token-1"}, password="right") as mailbox:
        assert _check(tmp_path, IMAP_URL=mailbox.url("replies", "right")).ok
        assert _check(tmp_path, IMAP_URL=mailbox.url("replies"), **oauth).ok
        wrong = _check(tmp_path, IMAP_URL=mailbox.url("replies", "wrong"))
        assert not wrong.ok and "IMAP_URL" in wrong.detail
        missing = _check(tmp_path, IMAP_URL=mailbox.url("replies", "right"), IMAP_PROCESSED_FOLDER="Done")
        assert not missing.ok and "Done" in missing.detail
    gone = _check(tmp_path, IMAP_URL=mailbox.url("replies", "right"))
    assert not gone.ok and "does not answer" in gone.detail
