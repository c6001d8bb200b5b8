"""Proves that a ledger is whole: finds any altered, missing, added or reordered row, and rows that disagree with it."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import rfc8785
from pydantic import BaseModel
from sqlalchemy import Connection

from imprimatur.errors import InputError
from imprimatur.frameworks.documents import read_text
from imprimatur.history.agreement import differences
from imprimatur.history.chain import LedgerProblem, Row, check_chain, check_draws
from imprimatur.history.facts import (
    EXPORT_FORMAT,
    case_facts,
    condition_facts,
    export_document,
    publication_facts,
    version_facts,
)
from imprimatur.history.handover_checks import check_handovers
from imprimatur.history.improvement_checks import check_improvement, check_incidents
from imprimatur.history.records import Records, all_case_ids, is_named, read_records
from imprimatur.rules.ledger import GENESIS
from imprimatur.store.engine import Database
from imprimatur.store.reading import unknown_case
from models.proposal import Proposal
from models.vocabulary import EventType

SIZE_LIMIT_BYTES = 200 * 1024 * 1024
CASES_AT_ONCE = 200


class Verification(BaseModel):
    """``head`` is the last digest of the one case that was verified; of several cases each has its own."""

    ok: bool
    cases: int
    events: int
    head: str
    problems: list[LedgerProblem]


def verify_case(database: Database, case_id: str) -> Verification:
    """Raises NotFound ``case_unknown`` when no row of any table bears the id."""
    with database.read() as connection:
        if not is_named(_snapshot(connection), case_id):
            raise unknown_case(connection, case_id)
        return _verify(connection, [case_id])


def verify_all(database: Database) -> Verification:
    """Every case, and every row that belongs to none; a few hundred cases are held in memory at a time."""
    total = Verification(ok=True, cases=0, events=0, head="", problems=[])
    with database.read() as connection:
        ids = all_case_ids(_snapshot(connection))
        for start in range(0, len(ids), CASES_AT_ONCE):
            _add(total, _verify(connection, ids[start : start + CASES_AT_ONCE]))
    return total


def _snapshot(connection: Connection) -> Connection:
    """One instant for all queries: a commit between two of them would look like tampering."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _add(total: Verification, part: Verification) -> None:
    total.cases += part.cases
    total.events += part.events
    total.problems += part.problems
    total.ok = not total.problems
    total.head = part.head if total.cases == 1 else ""


def _verify(connection: Connection, case_ids: Sequence[str]) -> Verification:
    try:
        records = read_records(connection, case_ids)
    except (ValueError, TypeError) as error:
        if len(case_ids) == 1:
            problem = LedgerProblem(where=case_ids[0], problem=f"one of its rows cannot be read: {error}")
            return Verification(ok=False, cases=1, events=0, head="", problems=[problem])
        total = Verification(ok=True, cases=0, events=0, head="", problems=[])
        for case_id in case_ids:
            _add(total, _verify(connection, [case_id]))
        return total
    problems = [problem for case_id in case_ids for problem in _check(case_id, records)]
    heads = [chain[-1]["digest"] for chain in records.chains.values()]
    return Verification(
        ok=not problems,
        cases=len(records.cases),
        events=sum(map(len, records.chains.values())),
        head=str(heads[0]) if len(heads) == 1 else "",
        problems=problems,
    )


def _check(case_id: str, records: Records) -> Iterator[LedgerProblem]:
    if not records.knows(case_id):
        return
    case, chain = records.cases.get(case_id), records.chains.get(case_id, [])
    yield from check_chain(case_id, chain, case["head"] if case else None)
    yield from _check_case(case_id, case, chain, records)
    yield from _check_decisions(case_id, chain, records.decisions.get(case_id, []))
    yield from check_draws(case_id, chain)
    yield from _check_conditions(case_id, chain, records.conditions.get(case_id, []))
    yield from _check_versions(case_id, chain, records)
    yield from _check_publication(case_id, chain, records.publications.get(case_id, []))
    yield from check_improvement(case_id, chain, records)
    yield from check_incidents(case_id, chain, records)
    yield from check_handovers(case_id, chain, records)


def _check_case(case_id: str, case: Row | None, chain: list[Row], records: Records) -> Iterator[LedgerProblem]:
    if case is None:
        yield LedgerProblem(where=case_id, problem="rows without a case")
        return
    if case["events"] != len(chain):
        text = f"the case counts {case['events']} events, the ledger holds {len(chain)}"
        yield LedgerProblem(where=case_id, problem=text)
    if case["head"] != (chain[-1]["digest"] if chain else GENESIS):
        yield LedgerProblem(where=case_id, problem="the case's head is not the ledger's last digest")
    yield from differences(case_id, "the case", case, case_facts(chain))
    yield from _check_title(case_id, case, records.documents.get(case["digest"]))
    body = records.frameworks.get(case["framework_digest"])
    if body is None or _digest_of_json(body) != case["framework_digest"]:
        text = f"its framework is {'missing' if body is None else 'altered'}"
        yield LedgerProblem(where=f"{case_id} framework {case['framework_id']}", problem=text)


def _check_title(case_id: str, case: Row, body: str | None) -> Iterator[LedgerProblem]:
    """Title and unit stand in the document under review; whether that is whole is told of its version."""
    try:
        proposal = Proposal.model_validate_json(body or "")
    except ValueError:
        return
    told = {"title": proposal.display_title, "unit": proposal.unit}
    differing = [name for name, value in told.items() if case[name] != value]
    if differing:
        yield LedgerProblem(where=case_id, problem=f"the case differs from its proposal in {', '.join(differing)}")


DECISION_FIELDS = (
    "decision_id", "task_id", "stage", "round", "verdict", "comment", "scores", "digest", "channel",
    "stage_outcome", "case_status", "statement", "logo", "strength",
)  # fmt: skip


def _check_decisions(case_id: str, chain: list[Row], decisions: list[Row]) -> Iterator[LedgerProblem]:
    events = {str(event["data"].get("decision_id")): event for event in _of_type(chain, EventType.DECISION_RECORDED)}
    annulled = {event["data"].get("task_id"): event["at"] for event in _of_type(chain, EventType.DECISION_ANNULLED)}
    for decision in decisions:
        where = f"{case_id} decision {decision['decision_id']}"
        event = events.pop(decision["decision_id"], None)
        if event is None:
            yield LedgerProblem(where=where, problem="the ledger knows no such decision")
            continue
        told = {name: event["data"].get(name) for name in DECISION_FIELDS}
        told |= {name: event[column] for name, column in _DECISION_PROOF.items()}
        told["annulled_at"] = annulled.get(decision["task_id"])
        yield from differences(where, "it", decision, told)
    for decision_id, event in events.items():
        text = f"its decision {decision_id} is missing"
        yield LedgerProblem(where=f"{case_id}#{event['position']}", problem=text)


_DECISION_PROOF = {"actor": "actor", "decided_at": "at", "position": "position", "ledger_digest": "digest"}


def _check_conditions(case_id: str, chain: list[Row], conditions: list[Row]) -> Iterator[LedgerProblem]:
    told = condition_facts(chain)
    for row in conditions:
        where = f"{case_id} condition {row['condition_id']}"
        facts = told.pop(row["condition_id"], None)
        if facts is None:
            yield LedgerProblem(where=where, problem="the ledger knows no such condition")
        else:
            yield from differences(where, "it", row, facts)
    for condition_id in told:
        yield LedgerProblem(where=f"{case_id} condition {condition_id}", problem="it is missing")


def _check_versions(case_id: str, chain: list[Row], records: Records) -> Iterator[LedgerProblem]:
    told = version_facts(chain)
    for row in records.versions.get(case_id, []):
        where = f"{case_id} version {row['version']}"
        facts = told.pop(row["version"], None)
        if facts is None:
            yield LedgerProblem(where=where, problem="the ledger knows no such version")
        else:
            yield from differences(where, "it", row, facts)
        body = records.documents.get(row["digest"])
        if body is None:
            yield LedgerProblem(where=where, problem="its document is missing")
        elif hashlib.sha256(str(body).encode()).hexdigest() != row["digest"]:
            yield LedgerProblem(where=where, problem="its document was altered")
    for version in told:
        yield LedgerProblem(where=f"{case_id} version {version}", problem="it is missing")


def _check_publication(case_id: str, chain: list[Row], publications: list[Row]) -> Iterator[LedgerProblem]:
    events = _of_type(chain, EventType.CREDENTIAL_PUBLISHED)
    for row in publications:
        where = f"{case_id} publication {row['slug']}"
        if not events:
            yield LedgerProblem(where=where, problem="the ledger knows no publication")
            continue
        told = events[-1]["data"]
        yield from differences(where, "it", row, told | {"published_at": events[-1]["at"]})
        for column, digest in (("achievement", told.get("digest")), ("page", told.get("page_digest"))):
            if _digest_of_json(row[column]) != digest:
                yield LedgerProblem(where=where, problem=f"its {column} was altered")
        yield from differences(where, "it", row, publication_facts(chain))
        if isinstance(row["page"], dict) and row["title"] != row["page"].get("title"):
            yield LedgerProblem(where=where, problem="its title is not the one of its page")
    if events and not publications:
        yield LedgerProblem(where=f"{case_id}#{events[-1]['position']}", problem="its publication is missing")


def _of_type(chain: list[Row], type_: EventType) -> list[Row]:
    return [row for row in chain if row["type"] == type_ and isinstance(row["data"], dict)]


def _digest_of_json(value: Any) -> str | None:
    try:
        return hashlib.sha256(rfc8785.dumps(value)).hexdigest()
    except (ValueError, TypeError, RecursionError):
        return None


def verify_export(path: Path) -> Verification:
    """Checks an exported history (JSON) by itself. Raises InputError ``evidence_unreadable``.

    Events cut off at the end, with all else made to fit, are found only against the database's own head.
    """
    try:
        document = json.loads(read_text(path, SIZE_LIMIT_BYTES), object_pairs_hook=_unambiguous)
        case_id, head, items = str(document["case_id"]), str(document["head"]), list(document["events"])
        rows = [_export_row(item) for item in items]
        format_ = document["format"]
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise InputError(
            "evidence_unreadable",
            f"{path.name} is no exported history.",
            "Make one with `starter.py history CASE --format json`.",
        ) from error
    if format_ != EXPORT_FORMAT:
        raise InputError(
            "evidence_format_unknown",
            f"{path.name} is written in a format of history that this version does not know.",
            "Verify it with the version that exported it.",
        )
    problems = [
        *check_chain(case_id, rows, head),
        *_check_items(case_id, rows, items),
        *_check_frame(case_id, rows, document),
    ]
    return Verification(ok=not problems, cases=1, events=len(rows), head=head, problems=problems)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that stands twice, readers disagree which counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _export_row(item: dict[str, Any]) -> Row:
    at: Any = str(item["at"])
    try:
        instant = dt.datetime.fromisoformat(at)
        at = instant if instant.tzinfo else at
    except ValueError:
        # No instant that we ever wrote: the chain's check will say so.
        pass
    texts = {name: str(item[name]) for name in ("case_id", "type", "actor", "previous", "digest")}
    return {"position": item["position"], "at": at, "data": item["data"]} | texts


def _check_items(case_id: str, rows: Sequence[Row], items: Sequence[Any]) -> Iterator[LedgerProblem]:
    written = export_document(case_id, rows, None)["events"]
    for row, item, event in zip(rows, items, written, strict=True):
        where = f"{case_id}#{row['position']}"
        if row["case_id"] != case_id:
            yield LedgerProblem(where=where, problem=f"it belongs to another case, {row['case_id']}")
        elif not _same(item, event):
            yield LedgerProblem(where=where, problem="it is not written as an export writes it")


def _check_frame(case_id: str, rows: Sequence[Row], document: dict[str, Any]) -> Iterator[LedgerProblem]:
    """What an export says around its events."""
    as_of, last_at = _instant_of(document.get("as_of")), rows[-1]["at"] if rows else None
    if document.get("as_of") is not None and (as_of is None or (isinstance(last_at, dt.datetime) and as_of < last_at)):
        yield LedgerProblem(where=case_id, problem="its as_of is not an instant after all of its events")
    written = export_document(case_id, rows, None)
    for name, told in written.items():
        if name not in ("events", "as_of") and not _same(document.get(name), told):
            yield LedgerProblem(where=case_id, problem=f"its {name} is not what the events tell")
    for name in sorted(document.keys() - written.keys()):
        yield LedgerProblem(where=case_id, problem=f"it says {name}, which no export does")


def _same(one: Any, other: Any) -> bool:
    """As JSON: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _instant_of(value: Any) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else None
