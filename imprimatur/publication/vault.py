"""Private keys at rest: encrypted with AES-256-GCM under keys that are derived from IMPRIMATUR_SECRET_KEYS."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from imprimatur.errors import Unavailable

NONCE_BYTES = 12


class Vault:
    """The first secret seals, every secret opens, so that secrets can be rotated."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._ciphers = [AESGCM(_derived(secret, b"imprimatur.signing-key")) for secret in secret_keys]
        self._marking = [_derived(secret, b"imprimatur.learner") for secret in secret_keys]

    def seal(self, kid: str, private: dict[str, Any]) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        # Bound to its id: one key's private part does not open in another's place.
        sealed = self._ciphers[0].encrypt(nonce, json.dumps(private).encode(), kid.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, kid: str, sealed: str) -> dict[str, Any]:
        """Raises Unavailable ``signing_key_unreadable``."""
        content = base64.b64decode(sealed)
        for cipher in self._ciphers:
            try:
                opened = cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], kid.encode())
            except InvalidTag:
                continue
            found: dict[str, Any] = json.loads(opened)
            return found
        raise Unavailable(
            "signing_key_unreadable",
            f"The signing key {kid} was sealed with a secret that is not set any more, or was altered.",
            "Add the older secret to IMPRIMATUR_SECRET_KEYS, behind the newer one; or make a new key: `keys rotate`.",
        )

    def marks(self, text: str) -> list[str]:
        """What stands for a text that is not kept: the first is written, each may have been written before."""
        return [hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in self._marking]


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
