"""Settings as they are in force: each is told with its source, and no secret ever is."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from imprimatur.in_force import in_force, without_secrets
from imprimatur.settings import Settings

PASSWORD = "do-not-tell-this-to-anybody-at-all"
SECRETS = [
    str(info.alias) for info in Settings.model_fields.values() if SecretStr in getattr(info.annotation, "__args__", ())
]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for info in Settings.model_fields.values():
        monkeypatch.delenv(str(info.alias), raising=False)


def test_every_setting_is_told_once_and_by_its_name() -> None:
    assert [found.name for found in in_force(Settings(), {}, {})] == [
        str(info.alias) for info in Settings.model_fields.values()
    ]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_told_to_be_set_and_nothing_more(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, PASSWORD)
    found = {one.name: one for one in in_force(Settings(), {name: PASSWORD}, {})}
    assert (found[name].secret, found[name].is_set, found[name].value) == (True, True, "")
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (f"postgresql://imp:{PASSWORD}@db:5432/imp", "postgresql://imp@db:5432/imp"),
        (f"postgresql://imp@db/imp?password={PASSWORD}", "postgresql://imp@db/imp?password=***"),
        (f"postgresql://imp@db/imp?sslmode=require&password={PASSWORD}",
         "postgresql://imp@db/imp?sslmode=require&password=***"),
        ("sqlite:////var/lib/imprimatur.db", "sqlite:////var/lib/imprimatur.db"),
        ("https://credentials.example.edu", "https://credentials.example.edu"),
        ("Credentials <credentials@example.edu>", "Credentials <credentials@example.edu>"),
    ],
)  # fmt: skip
def test_an_address_is_told_without_its_password(address: str, told: str) -> None:
    assert without_secrets(address) == told


def test_each_source_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("MAIL_LANGUAGE=de\n", encoding="utf-8")
    environment = {"TEMPORAL_NAMESPACE": "ours", "TEMPORAL_ADDRESS": "127.0.0.1:7233"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stack = {"TEMPORAL_ADDRESS": "127.0.0.1:7233", "DATABASE_URL": "sqlite:///x.db"}
    found = {one.name: one for one in in_force(Settings(), environment, stack)}
    assert {name: found[name].source for name in (*environment, "MAIL_LANGUAGE", "DATABASE_URL", "IMAP_URL")} == {
        "TEMPORAL_NAMESPACE": "environment",
        "TEMPORAL_ADDRESS": "stack",
        "MAIL_LANGUAGE": "file",
        "DATABASE_URL": "stack",
        "IMAP_URL": "default",
    }
    assert found["DATABASE_URL"].value == "sqlite:///x.db" and not found["IMAP_URL"].is_set
