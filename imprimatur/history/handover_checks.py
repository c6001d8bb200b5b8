"""Rows of hand-overs against the ledgers that tell of them. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import rfc8785

from imprimatur.history.agreement import compared, differences, moment_of
from imprimatur.history.chain import LedgerProblem, Row
from imprimatur.history.facts import Facts
from imprimatur.history.records import Records
from models.vocabulary import EventType

_CALLED = ("number", "version", "targets", "reason")


def check_handovers(case_id: str, chain: Sequence[Row], records: Records) -> Iterator[LedgerProblem]:
    """Of what is published: each of its hand-overs; of a hand-over: what it began with, and its package."""
    rows = {row["handover_case"]: row for row in records.handovers.get(case_id, [])}
    yield from compared(rows, handover_facts(chain), case_id, "hand-over")
    for name, row in rows.items():
        if row["package"] is not None and _digest(row["package"]) != row["package_digest"]:
            yield LedgerProblem(where=f"{case_id} hand-over {name}", problem="its package does not have its digest")
    told, own = begun_facts(chain), records.handed.get(case_id)
    if told and own is not None:
        yield from differences(f"{case_id} hand-over", "it", own, told)
    elif told:
        yield LedgerProblem(where=f"{case_id} hand-over", problem="it is missing")


def handover_facts(rows: Sequence[Row]) -> dict[str, Facts]:
    """What the ledger of a micro-credential tells of its hand-overs, by their cases."""
    found: dict[str, Facts] = {}
    for index, row in enumerate(rows):
        data = row["data"]
        if not isinstance(data, dict) or row["type"] not in _TELLING:
            continue
        name = str(data.get("handover"))
        if row["type"] == EventType.HANDOVER_CALLED:
            called = {key: data.get(key) for key in _CALLED}
            found[name] = called | {"called_by": row["actor"], "called_at": moment_of(rows, index), "outcome": None}
            found[name] |= {"concluded_by": None, "concluded_at": None, "comment": ""}
        elif name in found and row["type"] == EventType.HANDOVER_SENT:
            found[name]["package_digest"] = data.get("package")
        elif name in found:
            answer = {key: data.get(key) for key in ("outcome", "comment")}
            found[name] |= answer | {"concluded_by": row["actor"], "concluded_at": moment_of(rows, index)}
    return found


_TELLING = (EventType.HANDOVER_CALLED, EventType.HANDOVER_SENT, EventType.HANDOVER_CONCLUDED)


def begun_facts(rows: Sequence[Row]) -> Facts:
    """What the ledger of a hand-over's own case tells of it; empty for a case that is none."""
    for row in rows:
        if row["type"] == EventType.HANDOVER_BEGUN and isinstance(row["data"], dict):
            told = {name: row["data"].get(name) for name in ("number", "version")}
            return told | {
                "case_id": row["data"].get("of"),
                "package_digest": row["data"].get("package"),
                "begun_at": row["at"],
            }
    return {}


def _digest(package: Any) -> str | None:
    try:
        return hashlib.sha256(rfc8785.dumps(package)).hexdigest()
    except (ValueError, TypeError):
        return None
