"""Access tokens for relay and mailbox: OAuth 2.0 by client credentials or by a refresh token (RFC 6749, 4.4 and 6)."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from imprimatur.errors import InputError, Unavailable
from imprimatur.settings import Settings

TIMEOUT_SECONDS = 30.0
# A token is not used any more this long before its end: a login takes a while, and clocks differ.
MARGIN_SECONDS = 60.0
ASSUMED_LIFE_SECONDS = 300.0
_SAYABLE = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True)
class Grant:
    """With a refresh token it is redeemed; without one the client speaks for itself."""

    token_url: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scope: str | None = None
    refresh_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Grant | None":
        """None when no token endpoint is set. Raises InputError ``mail_oauth_incomplete``."""
        if settings.mail_oauth_token_url is None:
            return None
        secret, refresh = settings.mail_oauth_client_secret, settings.mail_oauth_refresh_token
        if settings.mail_oauth_client_id is None or (secret is None and refresh is None):
            raise InputError(
                "mail_oauth_incomplete",
                "MAIL_OAUTH_TOKEN_URL is set, and what is needed to ask there is not.",
                "Set MAIL_OAUTH_CLIENT_ID, and MAIL_OAUTH_CLIENT_SECRET or MAIL_OAUTH_REFRESH_TOKEN or both.",
            )
        return cls(
            settings.mail_oauth_token_url,
            settings.mail_oauth_client_id,
            secret.get_secret_value() if secret else None,
            settings.mail_oauth_scope,
            refresh.get_secret_value() if refresh else None,
        )


class Tokens:
    """The token in force, shared by all who log in. ``clock`` counts seconds."""

    def __init__(self, grant: Grant, clock: Callable[[], float] = time.monotonic) -> None:
        self._grant = grant
        self._clock = clock
        self._refresh_token = grant.refresh_token
        self._token = self._shown = ""
        self._until = 0.0
        self._turn = asyncio.Lock()

    async def token(self) -> str:
        """Raises Unavailable ``mail_token_unreachable`` or ``mail_token_refused``."""
        async with self._turn:
            if not self._token or self._clock() >= self._until:
                await self._renew()
            return self._token

    @property
    def shown(self) -> str:
        """The token that servers were shown last; empty when none was."""
        return self._shown

    def forget(self, token: str) -> None:
        """A server did not take the token, so the next login asks for another."""
        if token == self._token:
            self._token = ""

    async def _renew(self) -> None:
        answer = await self._ask()
        try:
            body = answer.json()
        except ValueError:
            body = None
        found = body if isinstance(body, dict) else {}
        token = found.get("access_token")
        if answer.status_code >= 500:
            raise _unreachable(f"it answers {answer.status_code}")
        if answer.status_code != httpx.codes.OK or not isinstance(token, str) or not token:
            raise Unavailable(
                "mail_token_refused",
                f"The token endpoint gives no token: {_reason(found) or answer.status_code}.",
                "Check MAIL_OAUTH_CLIENT_ID, the secret or refresh token, and MAIL_OAUTH_SCOPE.",
            )
        self._token = self._shown = token
        self._until = self._clock() + _life(found.get("expires_in")) - MARGIN_SECONDS
        # Some endpoints give a new one each time, and the old one ends.
        if isinstance(renewed := found.get("refresh_token"), str) and self._refresh_token:
            self._refresh_token = renewed

    async def _ask(self) -> httpx.Response:
        grant = self._grant
        form = {
            "grant_type": "refresh_token" if self._refresh_token else "client_credentials",
            "client_id": grant.client_id,
            "client_secret": grant.client_secret,
            "scope": grant.scope,
            "refresh_token": self._refresh_token,
        }
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                return await client.post(grant.token_url, data={k: v for k, v in form.items() if v})
        except httpx.HTTPError as error:
            raise _unreachable(type(error).__name__) from None


def _unreachable(why: str) -> Unavailable:
    return Unavailable(
        "mail_token_unreachable", f"The token endpoint does not answer: {why}.", "Check MAIL_OAUTH_TOKEN_URL."
    )


def _reason(body: dict[str, object]) -> str:
    """The code of RFC 6749 (5.2), with Microsoft's own; prose may repeat what was sent."""
    code = str(body.get("error", ""))
    found = re.search(r"\bAADSTS\d{1,9}\b", str(body.get("error_description", "")))
    told = [code] if _SAYABLE.fullmatch(code) else []
    return ", ".join([*told, *([found[0]] if found else [])])


def _life(value: object) -> float:
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return ASSUMED_LIFE_SECONDS
