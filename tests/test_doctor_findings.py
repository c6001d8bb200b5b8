"""What `doctor` says of parts that are there and yet of no use: each is found, and hides no other."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from imprimatur.cli.context import Environment
from imprimatur.cli.doctor import Check, examine
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.settings import Settings
from tests.engine import connected, temporal_server


def _examine(
    tmp_path: Path, *, namespace: str = "default", temporal: str | None = None, smtp: str | None = None
) -> dict[str, Check]:
    settings = Settings(IMPRIMATUR_HOME=tmp_path, TEMPORAL_NAMESPACE=namespace, _env_file=None)
    environment = Environment(settings, None, temporal, "http://localhost", smtp, False)
    return {check.name: check for check in examine(environment)}


def test_a_namespace_that_is_not_there_fails_its_checks_and_no_other(tmp_path: Path) -> None:
    with temporal_server(tmp_path) as address:
        asyncio.run(connected(address))
        checks = _examine(tmp_path, namespace="nowhere", temporal=address)
    assert not checks["temporal"].ok
    assert "nowhere" in checks["temporal"].detail
    assert checks["calendars"].ok


class _Guarded:
    """Takes mail from one user only."""

    def __call__(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raise AssertionError("doctor sends no mail")


@pytest.fixture
def guarded_relay() -> Iterator[str]:
    """HOST:PORT of a relay that wants a password."""
    guard = _Guarded()
    relay = Controller(guard, LOOPBACK, free_port(), authenticator=guard, auth_require_tls=False)
    relay.start()
    yield f"{LOOPBACK}:{relay.port}"
    relay.stop()


@pytest.mark.parametrize(("password", "ok"), [("right", True), ("wrong", False)])
def test_a_relay_that_refuses_our_password_is_found(
    tmp_path: Path, guarded_relay: str, password: str, ok: bool
) -> None:
    check = _examine(tmp_path, smtp=f"smtp://mailer:{password}@{guarded_relay}")["mail"]
    assert check.ok is ok
    assert password not in check.detail


def test_a_relay_that_does_not_speak_tls_is_found_when_it_should(tmp_path: Path, guarded_relay: str) -> None:
    assert not _examine(tmp_path, smtp=f"smtps://{guarded_relay}")["mail"].ok
