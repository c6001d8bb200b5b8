"""The relay that takes our mail."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiosmtplib

from imprimatur.errors import InputError
from imprimatur.mail.encryption import trusting, without
from imprimatur.mail.oauth import Grant, Tokens
from imprimatur.settings import Settings

TIMEOUT_SECONDS = 30
DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True)
class Relay:
    """``smtp`` is plain (loopback or a trusted network), ``smtp+starttls`` and ``smtps`` check certificates.

    A user without a password logs in with an access token, where there are ``tokens``.
    """

    scheme: Literal["smtp", "smtp+starttls", "smtps"]
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    tokens: Tokens | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_settings(cls, settings: Settings, tokens: Tokens | None = None) -> "Relay":
        """Raises InputError ``smtp_url_missing``, ``smtp_url_invalid`` or ``mail_oauth_incomplete``."""
        if settings.smtp_url is None:
            raise InputError(
                "smtp_url_missing", "SMTP_URL is not set.", "Set it, such as smtp+starttls://USER:PASSWORD@HOST:587."
            )
        return parse_smtp_url(settings.smtp_url.get_secret_value()).completed(settings, tokens)

    def completed(self, settings: Settings, tokens: Tokens | None = None) -> "Relay":
        """With what the address does not say; ``tokens`` are those that others use already.

        Raises InputError ``mail_ca_file_unusable`` or ``mail_oauth_incomplete``.
        """
        trusting(settings.mail_ca_file)
        return replace(self, ca_file=settings.mail_ca_file, tokens=tokens or tokens_from(settings))

    async def connect(self) -> aiosmtplib.SMTP:
        """A client that is connected, encrypted and logged in.

        Raises SMTPException, OSError, Unavailable (no token) or InputError ``mail_ca_file_unusable``.
        """
        if self.tokens is None or self.username is None or self.password is not None:
            client = self._client()
            await client.connect()
            return client
        token = await self.tokens.token()
        try:
            return await self._connect_with(token)
        except aiosmtplib.SMTPAuthenticationError:
            # Tokens can end before their time.
            self.tokens.forget(token)
            return await self._connect_with(await self.tokens.token())

    async def _connect_with(self, token: str) -> aiosmtplib.SMTP:
        async def given() -> str:
            return token

        client = self._client(given)
        await client.connect()
        return client

    def without_secrets(self, text: str) -> str:
        return without(text, self.username, self.password, self.tokens.shown if self.tokens else None)

    def _client(self, token: Callable[[], Awaitable[str]] | None = None) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            oauth_token_generator=token,
            use_tls=self.scheme == "smtps",
            start_tls=self.scheme == "smtp+starttls",
            tls_context=trusting(self.ca_file) if self.scheme != "smtp" else None,
            timeout=TIMEOUT_SECONDS,
        )


def tokens_from(settings: Settings) -> Tokens | None:
    """None when no token endpoint is set. Raises InputError ``mail_oauth_incomplete``."""
    grant = Grant.from_settings(settings)
    return Tokens(grant) if grant else None


def parse_smtp_url(url: str) -> Relay:
    """Raises InputError ``smtp_url_invalid``; the message never repeats a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise InputError(
            "smtp_url_invalid",
            "SMTP_URL is not an address of a mail relay.",
            "Use smtp://HOST:PORT, smtp+starttls://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST.",
        )
    return Relay(
        parts.scheme,  # type: ignore[arg-type]
        parts.hostname,
        port or DEFAULT_PORTS[parts.scheme],
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )
