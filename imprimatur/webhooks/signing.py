"""Webhook messages and their signatures, after the Standard Webhooks specification (version 1).

A webhook's secret is derived from the installation's own keys and is stored nowhere. Where these are rotated, or the
secret is, a message bears a signature by each that is still good, as the specification provides for.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from standardwebhooks import Webhook

PREFIX = "whsec_"
_SALT = b"imprimatur.webhook"
# How long the secret before the present one is good, so that receivers can change over in peace.
OLD_SECRET_GOOD_FOR = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Message:
    """``identifier`` is the same whenever the message is sent, so that a receiver takes it once."""

    identifier: str
    type: str
    at: dt.datetime
    data: dict[str, Any]

    def body(self) -> str:
        document = {"type": self.type, "timestamp": self.at.astimezone(dt.UTC).isoformat(), "data": self.data}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)


def secret(secret_key: str, webhook_id: str, generation: int) -> str:
    """As a receiver is told it: ``whsec_`` and 32 bytes in base64."""
    derived = hmac.new(secret_key.encode(), _SALT + f" {webhook_id} {generation}".encode(), hashlib.sha256)
    return PREFIX + base64.b64encode(derived.digest()).decode()


def secrets_of(
    secret_keys: Sequence[str],
    webhook_id: str,
    generation: int,
    old_secret_until: dt.datetime | None,
    now: dt.datetime,
) -> list[str]:
    """Every secret that is good now, the present one of the first key first."""
    generations = [generation]
    if generation > 1 and old_secret_until is not None and now < old_secret_until:
        generations.append(generation - 1)
    return [secret(key, webhook_id, number) for number in generations for key in secret_keys]


def headers(message: Message, secrets: Sequence[str], now: dt.datetime) -> dict[str, str]:
    """``webhook-id``, ``webhook-timestamp`` (seconds) and ``webhook-signature``, one for each secret."""
    signed = [Webhook(given).sign(message.identifier, now, message.body()) for given in secrets]
    return {
        "webhook-id": message.identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
        "content-type": "application/json",
        "user-agent": "Imprimatur-Webhooks/1",
    }
