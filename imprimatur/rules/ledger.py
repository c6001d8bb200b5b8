"""The ledger: an append-only record of every event of a case, each row bound to the one before by SHA-256.

The digest covers the canonical JSON (RFC 8785) of case, position, instant, type, actor, data and the digest before.
The case row keeps the number of events and the last digest, so that rows missing at the end are noticed too.
"""

import datetime as dt
import hashlib
from typing import Any

import rfc8785

GENESIS = "0" * 64


def instant_text(at: dt.datetime) -> str:
    """RFC 3339 in UTC with microseconds: one spelling for one instant."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event_digest(
    case_id: str, position: int, at: dt.datetime, type_: str, actor: str, data: dict[str, Any], previous: str
) -> str:
    """SHA-256 (hex) of one ledger event; ``position`` counts from 1, ``previous`` of the first is 64 zeros."""
    content: dict[str, Any] = {
        "case_id": case_id,
        "position": position,
        "at": instant_text(at),
        "type": type_,
        "actor": actor,
        "data": data,
        "previous": previous,
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()
