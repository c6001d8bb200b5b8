"""Whether a message is signed by its sender's own domain (DKIM, RFC 6376 and RFC 8463), verified here.

Stricter than the standard asks, for a decision hangs on it: the whole body must be covered, and nothing that a reader
goes by may stand in the message twice.
"""

import logging
import re
import time
from collections.abc import Callable

import dkim
from dkim.util import InvalidTagValueList, parse_tag_value

from imprimatur.mail.replies.sender import covers

# Answers the text record of a name, None when there is none. What it raises ends the verification.
Lookup = Callable[[str], bytes | None]

SMALLEST_KEY_BITS = 1024
# A message may be signed by several; nobody is kept busy with more.
MOST_SIGNATURES = 5
ALGORITHMS = frozenset({b"rsa-sha256", b"ed25519-sha256"})
MUST_BE_SIGNED = frozenset({b"from", b"subject", b"date"})
# A second one, put in afterwards, could be what a reader sees.
ONCE = frozenset({*MUST_BE_SIGNED, b"sender", b"mime-version", b"content-type", b"content-transfer-encoding"})
_TESTING = re.compile(rb"(?:^|;)\s*t\s*=[^;]*\by\b")
# Two readers would not end the line, or the headers, at the same place.
_AMBIGUOUS = re.compile(rb"\r(?!\n)|\x00|\nFrom ")
_HEAD_END = re.compile(rb"\n\r?\n")
_silent = logging.getLogger("imprimatur.dkim")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


def is_signed_by_sender(raw: bytes, sender: str, lookup: Lookup) -> bool:
    """Whether a signature of the domain of ``sender``, or of one above it, covers the message as it came."""
    end = _HEAD_END.search(raw)
    if end is None or _AMBIGUOUS.search(raw, 0, end.end()):
        return False
    try:
        message = dkim.DKIM(raw, logger=_silent, minkey=SMALLEST_KEY_BITS)
    except (dkim.DKIMException, IndexError):
        return False
    names = [name.lower() for name, _ in message.headers]
    if any(names.count(name) > 1 for name in ONCE):
        return False
    signatures = [bytes(value) for name, value in message.headers if name.lower() == b"dkim-signature"]
    domain = sender.rpartition("@")[2]
    return any(
        _is_acceptable(value, domain, names) and _holds(message, number, lookup)
        for number, value in enumerate(signatures[:MOST_SIGNATURES])
    )


def _is_acceptable(value: bytes, domain: str, names: list[bytes]) -> bool:
    """What a signature says of itself, before anybody is asked for its key."""
    try:
        tags = parse_tag_value(value)
    except InvalidTagValueList:
        return False
    signed = {name.strip().lower() for name in tags.get(b"h", b"").split(b":")}
    wanted = {name for name in MUST_BE_SIGNED if name in names or name == b"from"}
    return (
        tags.get(b"a") in ALGORITHMS
        and b"l" not in tags
        and not _has_expired(tags.get(b"x"))
        and wanted <= signed
        and covers(tags.get(b"d", b"").decode("ascii", "replace").lower(), domain)
    )


def _has_expired(value: bytes | None) -> bool:
    """The library leaves ten hours for clocks that are wrong; a decision does not."""
    return value is not None and (not value.isdigit() or int(value) < time.time())


def _holds(message: dkim.DKIM, number: int, lookup: Lookup) -> bool:
    def record(name: bytes, timeout: float = 0) -> bytes | None:
        found = lookup(name.decode("ascii").rstrip(".")) if name.isascii() else None
        # Whoever is only trying signatures out does not want to be held to them: RFC 6376, 3.6.1.
        return None if found is not None and _TESTING.search(found) else found

    try:
        return bool(message.verify(idx=number, dnsfunc=record))
    except (dkim.DKIMException, ValueError, KeyError, IndexError, TypeError, AssertionError):
        # Built to be misread: the library raises many things over what it cannot read.
        return False
