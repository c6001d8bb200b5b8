"""Whether a row says what the ledger tells. Pure."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imprimatur.history.chain import LedgerProblem, Row
from imprimatur.history.facts import Facts, plain


@dataclass(frozen=True)
class NotAfter:
    """An instant that may be earlier than its event, which was put off to the one before it in the chain."""

    at: dt.datetime


def moment_of(rows: Sequence[Row], index: int) -> Any:
    """When what an event tells happened: its own instant, unless it may have had to wait for the one before it."""
    at, before = rows[index]["at"], rows[index - 1]["at"] if index else None
    return NotAfter(at) if isinstance(at, dt.datetime) and at == before else at


def agrees(value: Any, told: Any) -> bool:
    if isinstance(told, NotAfter):
        return isinstance(value, dt.datetime) and value <= told.at
    return bool(plain(value) == plain(told))


def differences(where: str, what: str, row: Row, facts: Facts) -> Iterator[LedgerProblem]:
    differing = [name for name, told in facts.items() if name in row and not agrees(row[name], told)]
    if differing:
        yield LedgerProblem(where=where, problem=f"{what} differs from the ledger in {', '.join(differing)}")


def compared(rows: Mapping[str, Row], told: Mapping[str, Facts], place: str, what: str) -> Iterator[LedgerProblem]:
    """Rows that the ledger tells one by one, by their keys; ``what`` is the word for one of them."""
    for key, row in rows.items():
        where = f"{place} {what} {key}"
        if key in told:
            yield from differences(where, "it", row, told[key])
        else:
            yield LedgerProblem(where=where, problem=f"the ledger knows no such {what}")
    for key in told:
        if key not in rows:
            yield LedgerProblem(where=f"{place} {what} {key}", problem="it is missing")
