"""The chain of a case's ledger rows: what is altered, missing, added or out of order. Pure."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pydantic import BaseModel

from imprimatur.rules.assignment import draw
from imprimatur.rules.ledger import GENESIS, event_digest
from models.vocabulary import EventType

Row = dict[str, Any]
# Telling which field was altered means trying; somebody else's file must not make us try for hours.
ROWS_EXPLAINED = 10
TRIES_A_ROW = 20_000


class LedgerProblem(BaseModel):
    """``where`` is ``case#position``, or the row of another table that disagrees with the ledger."""

    where: str
    problem: str


def check_chain(case_id: str, rows: Sequence[Row], head: str | None = None) -> list[LedgerProblem]:
    """Each row's digest, its place in the numbering, and its tie to the row before; ``head`` is what should come last.

    A row has position, at (an aware datetime), type, actor, data, previous and digest; values of any other kind are
    found as alterations.
    """
    problems: list[LedgerProblem] = []
    explained = 0
    previous, expected = GENESIS, 1
    for index, row in enumerate(rows):
        position, digest = row["position"], digest_of(case_id, row)
        following = rows[index + 1]["previous"] if index + 1 < len(rows) else head
        found = list(_place_problems(position, expected))
        if digest != row["digest"]:
            others_agree = digest is not None and digest == following
            found.append(_altered(case_id, row, rows, others_agree, explained < ROWS_EXPLAINED))
            explained += 1
        if row["previous"] != previous and not found:
            found.append("it does not follow from the event before it")
        problems += [LedgerProblem(where=f"{case_id}#{position}", problem=text) for text in found]
        previous = digest if digest is not None and digest == following else row["digest"]
        expected = position + 1 if _is_position(position) else expected + 1
    return problems


def _is_position(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _place_problems(position: Any, expected: int) -> Iterator[str]:
    if not _is_position(position) or position < expected:
        yield "it is out of order, or there twice"
    elif position == expected + 1:
        yield f"event {expected} is missing before it"
    elif position > expected:
        yield f"events {expected} to {position - 1} are missing before it"


def check_draws(case_id: str, rows: Sequence[Row]) -> Iterator[LedgerProblem]:
    """Every lottery, drawn once more: its seed must be older than the draw, and must lead to who was drawn."""
    older = {GENESIS}
    for row in rows:
        if row["type"] == EventType.REVIEWERS_DRAWN:
            data = row["data"]
            try:
                drawn = list(draw(data["seed"], data["pool"], len(data["drawn"])))
                honest = data["seed"] in older and drawn == data["drawn"]
            except (TypeError, KeyError, AttributeError):
                honest = False
            if not honest:
                yield LedgerProblem(where=f"{case_id}#{row['position']}", problem="its seed does not lead to this draw")
        older.add(row["digest"])


def _altered(case_id: str, row: Row, rows: Sequence[Row], others_agree: bool, explain: bool) -> str:
    if others_agree:
        return "its digest was altered"
    if not explain:
        return "its content does not match its digest"
    for field, value in islice(_restorations(rows), TRIES_A_ROW):
        if digest_of(case_id, row | {field: value}) == row["digest"]:
            return f"its {field} was altered; it was {value}"
    return "its data or its instant was altered, or several of its fields: its content does not match its digest"


def _restorations(rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
    """One field put back to what it may have been: hashes tell that a row was altered, trying tells where."""
    yield from (("position", position) for position in range(1, len(rows) + 2))
    yield from (("type", str(type_)) for type_ in EventType)
    for field in ("previous", "actor", "at"):
        candidates = [other["digest"] if field == "previous" else other[field] for other in rows]
        written = [value for value in candidates if isinstance(value, str | dt.datetime)]
        yield from ((field, value) for value in dict.fromkeys([GENESIS, "system", *written]))


def digest_of(case_id: str, row: Row) -> str | None:
    """The digest that belongs to a row's content; None when the content has no canonical form, so is not ours."""
    if not isinstance(row["at"], dt.datetime):
        return None
    try:
        return event_digest(
            case_id, row["position"], row["at"], row["type"], row["actor"], row["data"], row["previous"]
        )
    except (ValueError, TypeError, RecursionError):
        return None
