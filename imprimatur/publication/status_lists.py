"""Revocation in public: a Bitstring Status List (W3C), one bit a badge, signed like the badges."""

import base64
import datetime as dt
import gzip
from collections.abc import Iterable
from typing import Any

from imprimatur.publication.endorsements import CREDENTIALS_CONTEXT, instant
from imprimatur.publication.openbadges import profile
from imprimatur.publication.record import PublishedCredential

# The least that the standard allows: so that an entry says nothing of whose it is.
SIZE = 131_072
_STEP, _OFFSET = 48_271, 11


def place_of(position: int) -> tuple[int, int]:
    """The list's number and the index in it; neighbours are strewn, so that an index does not tell the order."""
    return position // SIZE + 1, (position % SIZE * _STEP + _OFFSET) % SIZE


def status_entry(record: PublishedCredential, position: int) -> dict[str, Any]:
    number, index = place_of(position)
    address = list_address(record, number)
    return {
        "id": f"{address}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(index),
        "statusListCredential": address,
    }


def list_address(record: PublishedCredential, number: int) -> str:
    return f"{record.address}/status/{number}"


def status_list_credential(
    record: PublishedCredential, number: int, revoked: Iterable[int], at: dt.datetime
) -> dict[str, Any]:
    """``revoked`` are the positions of badges of this list."""
    address = list_address(record, number)
    return {
        "@context": [CREDENTIALS_CONTEXT],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": profile(record)["id"],
        "validFrom": instant(at),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded(place_of(position)[1] for position in revoked),
        },
    }


def encoded(indexes: Iterable[int]) -> str:
    """Multibase base64url of the compressed bits; index 0 is the leftmost bit."""
    bits = bytearray(SIZE // 8)
    for index in indexes:
        bits[index // 8] |= 0x80 >> index % 8
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).decode().rstrip("=")


def is_set(encoded_list: str, index: int) -> bool:
    text = encoded_list[1:]
    bits = gzip.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return bool(bits[index // 8] & 0x80 >> index % 8)
