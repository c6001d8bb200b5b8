"""The event log of requests for payment, and what each of its events means as an act on a case."""

import csv
import datetime as dt
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from models.vocabulary import CaseStatus

EMPLOYEE, PAYMENT_OFFICE = "employee", "payment_office"
# Their stages bear their names.
DESKS = ("administration", "pre_approver", "budget_owner", "supervisor", "director")
PAYMENT_REQUEST, PAYMENT = "payment_request", "payment"


class Did(StrEnum):
    HANDED_IN = "handed in"
    KEPT = "kept as a draft"
    GAVE_UP = "gave up"
    APPROVED = "approved"
    FINALLY_APPROVED = "finally approved"
    SENT_BACK = "sent back"
    ORDERED = "ordered the payment"
    PAID = "paid"


@dataclass(frozen=True)
class Act:
    """Who did what: of this a trace consists, in the log and in the ledger."""

    role: str
    did: Did

    def __str__(self) -> str:
        return f"{self.role} {self.did}"


@dataclass(frozen=True)
class Entry:
    at: dt.datetime
    activity: str


@dataclass(frozen=True)
class Trace:
    case: str
    entries: tuple[Entry, ...]

    @property
    def variant(self) -> tuple[str, ...]:
        return tuple(entry.activity for entry in self.entries)


@dataclass(frozen=True)
class Wanted:
    """An act to be repeated: ``stages`` that it can answer; ``desks`` that are asked about what is handed in."""

    at: dt.datetime
    act: Act
    stages: tuple[str, ...] = ()
    desks: frozenset[str] = frozenset()


class UnknownActivity(Exception):
    """The log says something that has no meaning here."""


_HANDED_IN, _REFUSED = "Request For Payment SUBMITTED by EMPLOYEE", "Request For Payment REJECTED by EMPLOYEE"
_VERBS = {"APPROVED": Did.APPROVED, "FINAL_APPROVED": Did.FINALLY_APPROVED, "REJECTED": Did.SENT_BACK}
MEANINGS: dict[str, tuple[Act, tuple[str, ...]]] = {
    _HANDED_IN: (Act(EMPLOYEE, Did.HANDED_IN), ()),
    "Request For Payment SAVED by EMPLOYEE": (Act(EMPLOYEE, Did.KEPT), ()),
    _REFUSED: (Act(EMPLOYEE, Did.KEPT), ()),
    # Only ever after the final approval: whoever it was, the payment was theirs to make.
    "Request For Payment REJECTED by MISSING": (Act(PAYMENT_OFFICE, Did.SENT_BACK), (PAYMENT_REQUEST, PAYMENT)),
    "Request Payment": (Act(PAYMENT_OFFICE, Did.ORDERED), (PAYMENT_REQUEST,)),
    "Payment Handled": (Act(PAYMENT_OFFICE, Did.PAID), (PAYMENT,)),
} | {
    f"Request For Payment {verb} by {desk.replace('_', separator).upper()}": (Act(desk, did), (desk,))
    for verb, did in _VERBS.items()
    for desk in DESKS
    for separator in "_ "
}
_OUTCOMES = {
    Did.PAID: CaseStatus.PUBLISHED,
    Did.GAVE_UP: CaseStatus.WITHDRAWN,
    Did.KEPT: CaseStatus.INCOMPLETE,
    Did.SENT_BACK: CaseStatus.REVISING,
}


def read_log(path: Path) -> list[Trace]:
    """Cases in the order in which the file first names them; a name that ends in .gz is unpacked.

    Raises OSError, ValueError where it is no text or an instant is none, KeyError where a column is missing.
    """
    entries: dict[str, list[Entry]] = {}
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    for row in csv.DictReader(io.StringIO(text, newline="")):
        entry = Entry(dt.datetime.fromisoformat(row["time:timestamp"]), row["concept:name"])
        entries.setdefault(row["case:concept:name"], []).append(entry)
    return [Trace(case, tuple(found)) for case, found in entries.items()]


def one_of_each_variant(traces: Iterable[Trace]) -> list[Trace]:
    found: dict[tuple[str, ...], Trace] = {}
    for trace in traces:
        found.setdefault(trace.variant, trace)
    return list(found.values())


def wanted(trace: Trace) -> list[Wanted]:
    """Raises UnknownActivity."""
    acts: list[Wanted] = []
    for number, entry in enumerate(trace.entries):
        if entry.activity not in MEANINGS:
            raise UnknownActivity(entry.activity)
        act, stages = MEANINGS[entry.activity]
        if entry.activity == _REFUSED and number + 1 == len(trace.entries):
            act = Act(EMPLOYEE, Did.GAVE_UP)
        acts.append(Wanted(entry.at, act, stages, _desks_asked(trace.variant[number:])))
    return acts


def _desks_asked(rest: tuple[str, ...]) -> frozenset[str]:
    """Those who say something about what is handed in, before it is handed in anew."""
    if rest[0] != _HANDED_IN:
        return frozenset()
    end = rest.index(_HANDED_IN, 1) if _HANDED_IN in rest[1:] else len(rest)
    return frozenset(stage for name in rest[1:end] for stage in MEANINGS.get(name, (None, ()))[1]).intersection(DESKS)


def outcome(acts: list[Act]) -> CaseStatus:
    """How a case stands after these acts."""
    return _OUTCOMES.get(acts[-1].did, CaseStatus.IN_REVIEW)
