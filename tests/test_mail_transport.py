"""The way to the relay: its address, its certificate, its login; what is not sure is not used."""

import base64
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr
from structlog.testing import capture_logs

from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.errors import InputError
from imprimatur.mail.transport import Relay, parse_smtp_url
from imprimatur.settings import Settings
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.outbox import DEFERRALS, LAST_ATTEMPT, Result
from imprimatur.store.reading import show_case
from models.vocabulary import MailStatus
from tests.certificates import Authority, authority
from tests.relay import GUESTS, OFFICE, Post, Script, invite, relay

USER, PASSWORD = "imprimatur", "p@ss:wörd/1"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("trusted") / "ca", "localhost")


@pytest.fixture(scope="module")
def misnamed(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("misnamed") / "ca", "relay.example")


class Login:
    """Takes one user with one password; remembers every attempt."""

    def __init__(self) -> None:
        self.attempts: list[LoginPassword] = []

    def __call__(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.attempts.append(data)
        return AuthResult(success=data == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)


def url(scheme: str, port: int, host: str = LOOPBACK, password: str = "p%40ss%3Aw%C3%B6rd%2F1") -> str:
    return f"{scheme}://{USER}:{password}@{host}:{port}"


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_mail_goes_encrypted_and_with_a_login(
    sqlite_database: Database, tmp_path: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.file))
    invite(sqlite_database, tmp_path)
    script, login = Script(), Login()
    async with relay(script, **tls(scheme, trusted), authenticator=login, auth_required=True) as port:
        await Post(sqlite_database, parse_smtp_url(url(scheme, port))).run()
    assert sorted(script.recipients) == GUESTS
    assert login.attempts == [LoginPassword(USER.encode(), PASSWORD.encode())], "one login for the whole batch"


def tls(scheme: str, authority: Authority) -> dict[str, Any]:
    if scheme == "smtps":
        return {"smtps": authority.server, "auth_require_tls": False}
    return {"tls_context": authority.server, "require_starttls": True}


async def refused(database: Database, folder: Path, script: Script, reached: Relay) -> str:
    """Why no mail was sent; every mail must be waiting as before."""
    invite(database, folder)
    post = Post(database, reached)
    with capture_logs() as logs:
        await post.run(until=lambda: len(logs) >= 2)
    assert script.received == []
    assert {(row["status"], row["attempts"]) for row in post.rows()} == {("queued", 0)}
    return str(logs[0]["reason"])


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_a_certificate_of_unknown_origin_is_refused(
    sqlite_database: Database, tmp_path: Path, trusted: Authority, scheme: str
) -> None:
    script, login = Script(), Login()
    async with relay(script, **tls(scheme, trusted), authenticator=login) as port:
        reason = await refused(sqlite_database, tmp_path, script, parse_smtp_url(url(scheme, port)))
    assert "certificate" in reason.lower()
    assert login.attempts == [], "no password reaches a relay that is not known"


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_an_authority_that_is_named_is_believed(
    sqlite_database: Database, tmp_path: Path, trusted: Authority, scheme: str
) -> None:
    invite(sqlite_database, tmp_path)
    script, login = Script(), Login()
    async with relay(script, **tls(scheme, trusted), authenticator=login, auth_required=True) as port:
        settings = Settings(SMTP_URL=url(scheme, port), MAIL_CA_FILE=trusted.file, _env_file=None)
        await Post(sqlite_database, Relay.from_settings(settings)).run()
    assert sorted(script.recipients) == GUESTS


def test_an_authority_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate", encoding="utf-8")
    for file in (tmp_path / "none.pem", tmp_path / "empty.pem"):
        with pytest.raises(InputError) as caught:
            Relay.from_settings(Settings(SMTP_URL="smtps://relay.example", MAIL_CA_FILE=file, _env_file=None))
        assert caught.value.code == "mail_ca_file_unusable" and file.name in caught.value.message


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_a_certificate_for_another_host_is_refused(
    sqlite_database: Database, tmp_path: Path, misnamed: Authority, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(misnamed.file))
    script, login = Script(), Login()
    async with relay(script, **tls(scheme, misnamed), authenticator=login) as port:
        reason = await refused(sqlite_database, tmp_path, script, parse_smtp_url(url(scheme, port)))
    assert "certificate" in reason.lower() and login.attempts == []


async def test_a_relay_that_does_not_encrypt_is_refused(sqlite_database: Database, tmp_path: Path) -> None:
    script, login = Script(), Login()
    async with relay(script, authenticator=login, auth_require_tls=False) as port:
        reason = await refused(sqlite_database, tmp_path, script, parse_smtp_url(url("smtp+starttls", port)))
    assert "STARTTLS" in reason and login.attempts == []


async def test_a_wrong_password_loses_no_mail(
    sqlite_database: Database, tmp_path: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.file))
    script = Script()
    async with relay(script, **tls("smtps", trusted), authenticator=Login(), auth_required=True) as port:
        wrong = parse_smtp_url(url("smtps", port, password="wrong"))
        reason = await refused(sqlite_database, tmp_path, script, wrong)
        assert "wrong" not in reason
        await Post(sqlite_database, replace(wrong, password=PASSWORD)).run()
    assert sorted(script.recipients) == GUESTS


class Repeating(Login):
    """Says again what it was told, as it should not."""

    async def auth_PLAIN(self, server: SMTP, args: list[str]) -> AuthResult:
        await server.push(f"535 5.7.8 not {args[1]}, that is {base64.b64decode(args[1]).decode()[-20:]!r}")
        return AuthResult(success=False, handled=True)


async def test_a_relay_that_repeats_the_password_does_not_make_us_repeat_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    script = Script()
    script.auth_PLAIN = Repeating().auth_PLAIN  # type: ignore[attr-defined]
    async with relay(script, auth_require_tls=False, auth_required=True, auth_exclude_mechanism=["LOGIN"]) as port:
        reached = parse_smtp_url(url("smtp", port, password="repeated"))
        reason = await refused(sqlite_database, tmp_path, script, reached)
    assert reason.startswith("535") and "***" in reason
    for form in ("repeated", base64.b64encode(f"\0{USER}\0repeated".encode()).decode()):
        assert form not in reason
    assert "repeated" not in repr(reached)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtp://relay.example", Relay("smtp", "relay.example", 25)),
        ("smtp://127.0.0.1:2525", Relay("smtp", "127.0.0.1", 2525)),
        ("smtp+starttls://relay.example", Relay("smtp+starttls", "relay.example", 587)),
        ("smtps://relay.example", Relay("smtps", "relay.example", 465)),
        ("smtps://[::1]:465", Relay("smtps", "::1", 465)),
        (url("smtps", 465, "relay.example"), Relay("smtps", "relay.example", 465, USER, PASSWORD)),
        ("smtp://key@relay.example", Relay("smtp", "relay.example", 25, "key", None)),
    ],
)
def test_an_address_of_a_relay_is_read(text: str, expected: Relay) -> None:
    assert parse_smtp_url(text) == expected


@pytest.mark.parametrize(
    "text", ["", "relay.example:25", "http://x", "smtp://", "smtp://h:port", "smtp://h:99999", "smtps://u:secret@:465"]
)
def test_what_is_no_address_of_a_relay_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_smtp_url(text)
    assert caught.value.code == "smtp_url_invalid" and "smtp+starttls://" in caught.value.hint
    assert "secret" not in str(caught.value.as_dict())


def test_without_an_address_there_is_no_relay() -> None:
    with pytest.raises(InputError) as caught:
        Relay.from_settings(Settings(smtp_url=None, _env_file=None))
    assert caught.value.code == "smtp_url_missing"
    found = Relay.from_settings(Settings(smtp_url=SecretStr("smtp://relay.example"), _env_file=None))
    assert found.host == "relay.example"


async def test_a_relay_that_is_not_there_is_told_with_its_cause(sqlite_database: Database, tmp_path: Path) -> None:
    port = free_port()
    reason = await refused(sqlite_database, tmp_path, Script(), parse_smtp_url(f"smtp://{LOOPBACK}:{port}"))
    assert str(port) in reason and not reason.endswith(":")


def test_mail_that_can_never_be_handed_over_is_given_up_after_days(database: Database, tmp_path: Path) -> None:
    play = invite(database, tmp_path, GUESTS[0])
    post, begin = Post.at(database, 1), dt.datetime.now(dt.UTC)
    now, pauses = begin, []
    while post.row(GUESTS[0])["status"] != "bounced":
        [mail] = outbox.claim(database, 10, now)
        outbox.record(database, [Result(mail, MailStatus.DEFERRED, "451 greylisted")], now)
        pauses.append(post.row(GUESTS[0])["due_at"] - now)
        now += pauses[-1]
    assert tuple(pauses[: len(DEFERRALS)]) == DEFERRALS
    assert dt.timedelta(days=4) < now - begin < dt.timedelta(days=6)
    row = post.row(GUESTS[0])
    assert (row["attempts"], row["last_reply"]) == (
        LAST_ATTEMPT,
        f"given up after {LAST_ATTEMPT} attempts: 451 greylisted",
    )
    assert [incident.kind for incident in show_case(database, play.case_id).incidents] == ["mail_bounced"]
    assert sorted(mail.recipient for mail in outbox.claim(database, 10, now)) == OFFICE
