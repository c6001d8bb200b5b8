"""Where the next page of a list begins: what its last line is ordered by, in a word that stands in an address."""

import base64
import datetime as dt
import json

from imprimatur.errors import InputError


def write_cursor(*parts: str) -> str:
    """``parts`` are what the lines of a list are ordered by, of the last line of a page."""
    text = json.dumps(parts, ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, number: int) -> list[str]:
    """The parts, so many of them. Raises InputError ``cursor_malformed``."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        text = "".join(parts)
        text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise lost() from error
    # No name that is stored has the character that databases cannot compare.
    if not isinstance(parts, list) or len(parts) != number or "\0" in text:
        raise lost()
    return parts


def write_instant(at: dt.datetime, name: str) -> str:
    """Of a list by time, in which ``name`` tells apart what came together."""
    return write_cursor(at.isoformat(), name)


def read_instant(cursor: str) -> tuple[dt.datetime, str]:
    """Raises InputError ``cursor_malformed``."""
    at, name = read_cursor(cursor, 2)
    try:
        return dt.datetime.fromisoformat(at).astimezone(dt.UTC), name
    except (ValueError, OverflowError) as error:
        raise lost() from error


def lost() -> InputError:
    return InputError("cursor_malformed", "This page of the list cannot be found again.", "Begin at its first page.")
