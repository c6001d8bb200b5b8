"""How messages to Temporal are written: compact JSON by pydantic, encrypted when PAYLOAD_KEYS is set."""

import base64
import secrets
from collections.abc import Sequence
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions
from temporalio.converter import DataConverter, PayloadCodec

from imprimatur.errors import InputError, Unavailable

ENCODING = b"binary/encrypted"


class CompactConverter(PydanticPayloadConverter):
    """Leaves out what was not set: half the history of a case."""

    def __init__(self) -> None:
        # The SDK makes a converter for every task; what is costly about one is shared by all.
        self.__dict__.update(_shared().__dict__)


@cache
def _shared() -> PydanticPayloadConverter:
    return PydanticPayloadConverter(ToJsonOptions(exclude_unset=True))


class EncryptingCodec(PayloadCodec):
    """AES-256-GCM; the first key encrypts, every key decrypts, so keys can be rotated."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(key) for key in keys]

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            self._decrypt(payload) if payload.metadata.get("encoding") == ENCODING else payload for payload in payloads
        ]

    def _encrypt(self, payload: Payload) -> Payload:
        nonce = secrets.token_bytes(12)
        data = nonce + self._ciphers[0].encrypt(nonce, payload.SerializeToString(), None)
        return Payload(metadata={"encoding": ENCODING}, data=data)

    def _decrypt(self, payload: Payload) -> Payload:
        nonce, sealed = payload.data[:12], payload.data[12:]
        for cipher in self._ciphers:
            try:
                return Payload.FromString(cipher.decrypt(nonce, sealed, None))
            except (InvalidTag, ValueError):
                continue
        raise Unavailable(
            "payload_key_missing",
            "A message to Temporal was encrypted with a key that PAYLOAD_KEYS does not hold, or was altered.",
            "Add the older key behind the newer one.",
        )


def parse_keys(text: str) -> list[bytes]:
    """Keys of 32 bytes in base64, separated by commas; at least one. Raises InputError ``payload_keys_invalid``."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    keys = [_key(part) for part in parts]
    if not keys or any(len(key) != 32 for key in keys):
        raise InputError(
            "payload_keys_invalid",
            "PAYLOAD_KEYS must hold base64 of 32 random bytes for each key.",
            "Make one with: python -c 'import base64,os;print(base64.b64encode(os.urandom(32)).decode())'",
        )
    return keys


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def data_converter(payload_keys: str | None) -> DataConverter:
    keys = parse_keys(payload_keys) if payload_keys else []
    return DataConverter(
        payload_converter_class=CompactConverter, payload_codec=EncryptingCodec(keys) if keys else None
    )
