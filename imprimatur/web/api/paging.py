"""Lists a page at a time, for those that are short enough to be read whole."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from imprimatur.store.cursors import lost, read_cursor, write_cursor
from imprimatur.web.api.documents import Page

Entry = TypeVar("Entry")
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]
Word = Annotated[str, Query(max_length=200)]


def page_of(items: Sequence[Entry], name: Callable[[Entry], str], cursor: str | None, limit: int) -> Page[Entry]:
    """``name`` tells entries apart. Raises InputError ``cursor_malformed``, also when the entry is there no more."""
    start = 0
    if cursor:
        [last] = read_cursor(cursor, 1)
        found = next((place for place, item in enumerate(items) if name(item) == last), None)
        if found is None:
            raise lost()
        start = found + 1
    some = list(items[start : start + limit])
    more = start + limit < len(items)
    return Page(items=some, next_cursor=write_cursor(name(some[-1])) if more else None)


def number_in(cursor: str | None, first: int = 0) -> int:
    """A place that is a number. Raises InputError ``cursor_malformed``."""
    if cursor is None:
        return first
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 8 and int(cursor) >= first):
        raise lost()
    return int(cursor)
