"""Proves that a ledger is whole: finds any altered, missing, added or reordered row."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, select

from imprimatur.errors import InputError, NotFound
from imprimatur.frameworks.loader import read_text
from imprimatur.history.export import LedgerEvent
from imprimatur.history.ledger import GENESIS, event_digest
from imprimatur.store.engine import Database
from models.proposal import Proposal
from models.tables import CaseRow, DecisionRow, DocumentRow, LedgerRow, VersionRow
from models.vocabulary import EventType

SIZE_LIMIT_BYTES = 200 * 1024 * 1024
CASES_AT_ONCE = 200
_LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]
_VERSION = VersionRow.__table__  # type: ignore[attr-defined]
_DOCUMENT = DocumentRow.__table__  # type: ignore[attr-defined]


class LedgerProblem(BaseModel):
    """``where`` is ``case#position``, or the row of another table that disagrees with the ledger."""

    where: str
    problem: str


class Verification(BaseModel):
    ok: bool
    cases: int
    events: int
    head: str
    problems: list[LedgerProblem]


def verify_case(database: Database, case_id: str) -> Verification:
    """Raises NotFound ``case_unknown`` when neither a case nor any ledger row bears the id."""
    with database.read() as connection:
        result = _verify(connection, [case_id])
    if result.cases == 0 and result.events == 0:
        raise NotFound("case_unknown", f"There is no case {case_id}.", "See `starter.py list`.")
    return result


def verify_all(database: Database) -> Verification:
    """Every case, and every ledger row that belongs to none; memory stays flat."""
    total = Verification(ok=True, cases=0, events=0, head="", problems=[])
    with database.read() as connection:
        ids = set(connection.execute(select(_CASE.c.case_id)).scalars())
        ids |= set(connection.execute(select(_LEDGER.c.case_id).distinct()).scalars())
        ordered = sorted(ids)
        for start in range(0, len(ordered), CASES_AT_ONCE):
            part = _verify(connection, ordered[start : start + CASES_AT_ONCE])
            total.cases += part.cases
            total.events += part.events
            total.problems += part.problems
    total.ok = not total.problems
    return total


def _verify(connection: Connection, case_ids: Sequence[str]) -> Verification:
    problems: list[LedgerProblem] = []
    cases = {
        row["case_id"]: row for row in connection.execute(select(_CASE).where(_CASE.c.case_id.in_(case_ids))).mappings()
    }
    rows = connection.execute(
        select(_LEDGER).where(_LEDGER.c.case_id.in_(case_ids)).order_by(_LEDGER.c.case_id, _LEDGER.c.position)
    ).mappings()
    chains = {case_id: [dict(row) for row in group] for case_id, group in groupby(rows, lambda row: row["case_id"])}
    decisions = _rows_by_case(connection, _DECISION, case_ids)
    versions = _rows_by_case(connection, _VERSION, case_ids)
    for case_id in case_ids:
        chain = chains.get(case_id, [])
        problems += check_chain(case_id, chain)
        problems += _check_case(case_id, cases.get(case_id), chain)
        problems += _check_decisions(case_id, chain, decisions.get(case_id, []))
        problems += _check_versions(case_id, chain, versions.get(case_id, []))
    problems += _check_documents(connection, versions)
    heads = [chain[-1]["digest"] for chain in chains.values()]
    return Verification(
        ok=not problems,
        cases=len(cases),
        events=sum(map(len, chains.values())),
        head=heads[0] if len(heads) == 1 else "",
        problems=problems,
    )


def _rows_by_case(connection: Connection, table: Any, case_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(select(table).where(table.c.case_id.in_(case_ids))).mappings():
        found.setdefault(row["case_id"], []).append(dict(row))
    return found


def check_chain(case_id: str, rows: Iterable[dict[str, Any]]) -> list[LedgerProblem]:
    """Each row's digest, its place in the numbering, and its tie to the row before."""
    problems = []
    previous, expected = GENESIS, 1
    for row in rows:
        where = f"{case_id}#{row['position']}"
        if row["position"] != expected:
            missing = f"{expected}" if row["position"] == expected + 1 else f"{expected} to {row['position'] - 1}"
            text = f"event {missing} is missing before it" if row["position"] > expected else "it is out of order"
            problems.append(LedgerProblem(where=where, problem=text))
        elif row["previous"] != previous:
            problems.append(LedgerProblem(where=where, problem="it does not follow from the event before it"))
        digest: str | None
        try:
            digest = event_digest(
                case_id, row["position"], row["at"], row["type"], row["actor"], row["data"], row["previous"]
            )
        except (ValueError, TypeError):
            # Content that has no canonical form was not written by us.
            digest = None
        if digest != row["digest"]:
            problems.append(LedgerProblem(where=where, problem="its content does not match its digest: it was altered"))
        previous, expected = row["digest"], row["position"] + 1
    return problems


def _check_case(case_id: str, case: Any, chain: list[dict[str, Any]]) -> list[LedgerProblem]:
    if case is None:
        return [LedgerProblem(where=case_id, problem="ledger rows without a case")] if chain else []
    problems = []
    if case["events"] != len(chain):
        text = f"the case counts {case['events']} events, the ledger holds {len(chain)}"
        problems.append(LedgerProblem(where=case_id, problem=text))
    if case["head"] != (chain[-1]["digest"] if chain else GENESIS):
        problems.append(LedgerProblem(where=case_id, problem="the case's head is not the ledger's last digest"))
    closing = next((row for row in chain if row["type"] == EventType.CASE_CLOSED), None)
    recorded = closing["data"].get("status") if closing else None
    is_closed = case["closed_at"] is not None
    if is_closed != (closing is not None) or (closing is not None and case["status"] != recorded):
        text = f"the case says {case['status']}, the ledger says {recorded or 'not closed'}"
        problems.append(LedgerProblem(where=case_id, problem=text))
    return problems


DECISION_FIELDS = ("decision_id", "task_id", "stage", "round", "verdict", "comment", "scores", "digest", "channel")


def _check_decisions(case_id: str, chain: list[dict[str, Any]], decisions: list[dict[str, Any]]) -> list[LedgerProblem]:
    events = {row["data"].get("decision_id"): row for row in chain if row["type"] == EventType.DECISION_RECORDED}
    problems = []
    for decision in decisions:
        where = f"{case_id} decision {decision['decision_id']}"
        event = events.pop(decision["decision_id"], None)
        if event is None:
            problems.append(LedgerProblem(where=where, problem="the ledger knows no such decision"))
            continue
        facts = {name: decision[name] for name in DECISION_FIELDS} | {"actor": decision["actor"]}
        told = {name: event["data"].get(name) for name in DECISION_FIELDS} | {"actor": event["actor"]}
        differing = [name for name in facts if facts[name] != told[name]]
        if decision["decided_at"] != event["at"]:
            differing.append("decided_at")
        if differing:
            text = f"differs from ledger event {event['position']} in {', '.join(differing)}"
            problems.append(LedgerProblem(where=where, problem=text))
    for decision_id, event in events.items():
        where = f"{case_id}#{event['position']}"
        problems.append(LedgerProblem(where=where, problem=f"its decision {decision_id} is missing"))
    return problems


def _check_versions(case_id: str, chain: list[dict[str, Any]], versions: list[dict[str, Any]]) -> list[LedgerProblem]:
    told = {
        (row["data"].get("version"), row["data"].get("digest"))
        for row in chain
        if row["type"] == EventType.PROPOSAL_VERSION_ADDED
    }
    held = {(row["version"], row["digest"]) for row in versions}
    return [
        LedgerProblem(where=f"{case_id} version {version}", problem="proposal versions and ledger disagree")
        for version, _ in sorted(told ^ held, key=str)
    ]


def _check_documents(connection: Connection, versions: dict[str, list[dict[str, Any]]]) -> list[LedgerProblem]:
    wanted = {
        row["digest"]: f"{case_id} version {row['version']}" for case_id, rows in versions.items() for row in rows
    }
    found: dict[str, str] = dict(
        tuple(row)
        for row in connection.execute(
            select(_DOCUMENT.c.digest, _DOCUMENT.c.body).where(_DOCUMENT.c.digest.in_(list(wanted)))
        ).all()
    )
    problems = []
    for digest, where in wanted.items():
        if digest not in found:
            problems.append(LedgerProblem(where=where, problem="its document is missing"))
        elif _document_digest(found[digest]) != digest:
            problems.append(LedgerProblem(where=where, problem="its document was altered"))
    return problems


def _document_digest(body: str) -> str | None:
    try:
        proposal = Proposal.model_validate_json(body)
    except ValidationError:
        return None
    return proposal.digest if proposal.canonical.decode() == body else None


def verify_export(path: Path) -> Verification:
    """Checks an exported history (JSON). Raises InputError ``evidence_unreadable``."""
    try:
        document = json.loads(read_text(path, SIZE_LIMIT_BYTES))
        case_id, head, count = str(document["case_id"]), str(document["head"]), int(document["count"])
        rows = [_export_row(item) for item in document["events"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            "evidence_unreadable",
            f"{path.name} is no exported history.",
            "Make one with `starter.py history CASE --format json`.",
        ) from error
    problems = check_chain(case_id, rows)
    if len(rows) != count:
        problems.append(LedgerProblem(where=case_id, problem=f"{count} events were exported, {len(rows)} are here"))
    if head != (rows[-1]["digest"] if rows else ""):
        problems.append(LedgerProblem(where=case_id, problem="the head named is not the last event's digest"))
    return Verification(ok=not problems, cases=1, events=len(rows), head=head, problems=problems)


def _export_row(item: dict[str, Any]) -> dict[str, Any]:
    LedgerEvent.model_validate(item)
    return item | {"at": dt.datetime.fromisoformat(item["at"])}
