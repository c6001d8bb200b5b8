"""The relay that takes our mail."""

import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiosmtplib

from imprimatur.errors import InputError
from imprimatur.settings import Settings

TIMEOUT_SECONDS = 30
DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True)
class Relay:
    """``smtp`` is plain (loopback or a trusted network), ``smtp+starttls`` and ``smtps`` check certificates."""

    scheme: Literal["smtp", "smtp+starttls", "smtps"]
    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "Relay":
        """Raises InputError ``smtp_url_missing`` or ``smtp_url_invalid``."""
        if settings.smtp_url is None:
            raise InputError(
                "smtp_url_missing", "SMTP_URL is not set.", "Set it, such as smtp+starttls://USER:PASSWORD@HOST:587."
            )
        return parse_smtp_url(settings.smtp_url.get_secret_value())

    def connection(self) -> aiosmtplib.SMTP:
        """A client that is not connected yet."""
        encrypted = ssl.create_default_context() if self.scheme != "smtp" else None
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.scheme == "smtps",
            start_tls=self.scheme == "smtp+starttls",
            tls_context=encrypted,
            timeout=TIMEOUT_SECONDS,
        )


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
