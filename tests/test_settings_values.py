"""Settings: from the environment and `.env`; blank is unset; what cannot be used is told by name, without its value."""

from pathlib import Path

import pytest

from imprimatur.settings import Settings, is_loopback
from tests.command import Command

ALIASES = [str(field.alias) for field in Settings.model_fields.values()]


def test_without_any_the_defaults_hold(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPRIMATUR_HOME")
    settings = Settings()
    assert settings.home == Path("imprimatur-home")
    assert settings.given() == {}


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
@pytest.mark.parametrize("in_file", [False, True])
def test_blank_is_unset(command: Command, monkeypatch: pytest.MonkeyPatch, blank: str, in_file: bool) -> None:
    untouched = {name: getattr(Settings.model_construct(), name) for name in Settings.model_fields}
    monkeypatch.delenv("IMPRIMATUR_HOME")
    if in_file:
        Path(".env").write_text("".join(f'{name}="{blank}"\n' for name in ALIASES), encoding="utf-8")
    else:
        for name in ALIASES:
            monkeypatch.setenv(name, blank)
    assert Settings().model_dump() == untouched


def test_the_environment_goes_before_the_file(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("TEMPORAL_NAMESPACE=of-file\nMAIL_REPLY_DOMAIN=reply.example.edu\n", encoding="utf-8")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "of-environment")
    settings = Settings()
    assert (settings.temporal_namespace, settings.mail_reply_domain) == ("of-environment", "reply.example.edu")


@pytest.mark.parametrize("name", sorted({name.upper() for name in Settings.model_fields} - set(ALIASES)))
def test_no_setting_is_read_under_another_name(command: Command, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = Settings()
    monkeypatch.setenv(name, "https://elsewhere.example")
    assert Settings() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMPRIMATUR_BASE_URL", "registry.invalid"),
        ("IMPRIMATUR_BASE_URL", "javascript://x"),
        ("IMPRIMATUR_BASE_URL", "http://"),
        ("IMPRIMATUR_BASE_URL", "http://[x"),
        ("TEMPORAL_ADDRESS", "somewhere"),
        ("TEMPORAL_ADDRESS", "http://temporal:port"),
        ("IMAP_POLL_SECONDS", "soon"),
        ("IMAP_POLL_SECONDS", "00"),
        ("SMTP_MAILS_PER_MINUTE", "-3"),
        ("API_REQUESTS_PER_MINUTE", "0"),
        ("API_FAILURES_PER_MINUTE", "many"),
        ("SMTP_MAILS_PER_MINUTE", "2.5"),
        ("MAIL_OAUTH_TOKEN_URL", "http://login.example.edu/token"),
        ("MAIL_OAUTH_TOKEN_URL", "login.elsewhere.edu"),
        ("MAIL_FROM", "Imprimatur"),
        ("MAIL_REPLY_DOMAIN", "reply example"),
        ("MAIL_REPLY_DOMAIN", "@example.edu"),
        ("MAIL_TIME_ZONE", "Mars/Olympus"),
        ("MAIL_QUIET_HOURS", "20-7"),
        ("MAIL_DIGEST", "hourly"),
        ("MAIL_RECEIPTS", "perhaps"),
        ("MAIL_COMBINE_SECONDS", "5000"),
        ("MAIL_COMBINE_SECONDS", "-1"),
        ("ATTACHMENT_MEBIBYTES", "0"),
        ("ATTACHMENT_MEBIBYTES", "100"),
        ("ATTACHMENT_TYPES", "portable"),
    ],
)
def test_a_bad_value_is_told_by_name(command: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    for arguments in (["list"], ["doctor"], ["up"], ["web"]):
        answer = command(*arguments, "--json")
        assert (answer.status, answer.code) == (2, "settings_invalid")
        assert name in answer.document["error"]["message"]
        assert value not in answer.document["error"]["message"]


def test_every_bad_value_is_told_at_once(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_FROM", "nobody")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "nowhere")
    message = command("list", "--json").document["error"]["message"]
    assert "MAIL_FROM" in message and "TEMPORAL_ADDRESS" in message


def test_a_settings_file_that_is_no_text_is_told(command: Command) -> None:
    Path(".env").write_bytes(b"MAIL_FROM=\xff\xfe\n")
    assert command("list", "--json").code == "settings_invalid"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("IMPRIMATUR_SECRET_KEYS", "short", "secret_keys_missing"),
        ("PAYLOAD_KEYS", "bm90IGEga2V5", "payload_keys_invalid"),
        ("SMTP_URL", "mail.example.edu", "smtp_url_invalid"),
        ("IMAP_URL", "imap://replies:hunter2@mail.example.edu", "imap_url_invalid"),
    ],
)
def test_a_key_or_relay_that_cannot_be_used_is_found_by_doctor(
    command: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: str
) -> None:
    monkeypatch.setenv(name, value)
    checks = {check["name"]: check for check in command("doctor", "--json").document["checks"]}
    check = checks[{"SMTP_URL": "mail", "IMAP_URL": "mailbox"}.get(name, "keys")]
    assert not check["ok"]
    assert name in check["detail"]
    assert value not in check["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.example.edu", "10.0.0.1", "127.example.edu", "::2", "mail.example.edu"]
)
def test_no_other_machine_is_taken_for_it(host: str) -> None:
    assert not is_loopback(host)
