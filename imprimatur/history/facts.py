"""What the ledger alone says of a case: the measure for every row that repeats it. Pure."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from imprimatur.history.chain import Row
from imprimatur.rules.ledger import instant_text
from models.vocabulary import CaseStatus, ConditionStatus, EventType, RecordStatus

Facts = dict[str, Any]
EXPORT_FORMAT = 1


def case_facts(rows: Sequence[Row]) -> Facts:
    """Columns of the case row as the ledger tells them; a column that no event speaks of is left out."""
    facts: Facts = {}
    for row in rows:
        tell = _TELLING.get(row["type"])
        if tell is not None and isinstance(row["data"], dict):
            tell(facts, row, row["data"])
        facts["updated_at"] = row["at"]
    return facts


def version_facts(rows: Sequence[Row]) -> dict[int, Facts]:
    """Rows of the proposal's versions by number; an event that names none is found by its digest."""
    versions: dict[int, Facts] = {}
    last: Facts = {}
    for row in rows:
        if not isinstance(row["data"], dict):
            continue
        if row["type"] == EventType.PROPOSAL_VERSION_ADDED and isinstance(row["data"].get("version"), int):
            last = {
                "digest": row["data"].get("digest"),
                "submitted_by": row["actor"],
                "submitted_at": row["at"],
                "complete": True,
                "changed": row["data"].get("changed"),
            }
            versions[row["data"]["version"]] = last
        elif row["type"] == EventType.CASE_RETURNED:
            last["complete"] = False
    return versions


def _submitted(facts: Facts, row: Row, data: Facts) -> None:
    facts |= {
        "framework_id": data.get("framework"),
        "framework_version": data.get("version"),
        "framework_digest": data.get("digest"),
        "proposer": row["actor"],
        "opened_at": row["at"],
        "closed_at": None,
        "breached_at": None,
        "closing_reason": "",
        "round": 0,
        "track": None,
        "due_at": None,
        "clock_remaining_seconds": None,
    }


def _track_selected(facts: Facts, row: Row, data: Facts) -> None:
    facts["track"] = data.get("track")


def _readdressed(facts: Facts, row: Row, data: Facts) -> None:
    facts["proposer"] = data.get("to")


def _version_added(facts: Facts, row: Row, data: Facts) -> None:
    facts |= {
        "version": data.get("version"),
        "digest": data.get("digest"),
        "status": CaseStatus.IN_REVIEW,
        "round": facts.get("round", 0) + 1,
    }


def _returned(facts: Facts, row: Row, data: Facts) -> None:
    # An incomplete version starts no round.
    facts |= {"status": CaseStatus.INCOMPLETE, "round": facts.get("round", 1) - 1}


def _revision_requested(facts: Facts, row: Row, data: Facts) -> None:
    facts["status"] = CaseStatus.REVISING


def _held(facts: Facts, row: Row, data: Facts) -> None:
    facts["status"] = CaseStatus.ON_HOLD


def _taken_up_again(facts: Facts, row: Row, data: Facts) -> None:
    facts["status"] = CaseStatus.IN_REVIEW


def _sent_back(facts: Facts, row: Row, data: Facts) -> None:
    facts["round"] = data.get("round")


def _framework_changed(facts: Facts, row: Row, data: Facts) -> None:
    to = data.get("to")
    version, digest = (to.get(name) if isinstance(to, dict) else None for name in ("version", "digest"))
    facts |= {"framework_version": version, "framework_digest": digest, "round": data.get("round")}


def _started(facts: Facts, row: Row, data: Facts) -> None:
    facts |= {"due_at": data.get("due_at"), "clock_remaining_seconds": None}


def _paused(facts: Facts, row: Row, data: Facts) -> None:
    facts |= {"due_at": None, "clock_remaining_seconds": data.get("remaining_seconds")}


def _breached(facts: Facts, row: Row, data: Facts) -> None:
    facts["breached_at"] = data.get("due_at")


def _closed(facts: Facts, row: Row, data: Facts) -> None:
    facts |= {"status": data.get("status"), "closed_at": row["at"], "closing_reason": data.get("reason")}


_TELLING: dict[str, Callable[[Facts, Row, Facts], None]] = {
    EventType.CASE_SUBMITTED: _submitted,
    EventType.PROPOSAL_VERSION_ADDED: _version_added,
    EventType.TRACK_SELECTED: _track_selected,
    EventType.PROPOSER_READDRESSED: _readdressed,
    EventType.CASE_RETURNED: _returned,
    EventType.REVISION_REQUESTED: _revision_requested,
    EventType.CASE_HELD: _held,
    EventType.CASE_RESUMED: _taken_up_again,
    EventType.STAGE_SENT_BACK: _sent_back,
    EventType.APPROVAL_EXPIRED: _sent_back,
    EventType.FRAMEWORK_CHANGED: _framework_changed,
    EventType.CLOCK_STARTED: _started,
    EventType.CLOCK_PAUSED: _paused,
    EventType.CLOCK_RESUMED: _started,
    EventType.CASE_SLA_BREACHED: _breached,
    EventType.CASE_CLOSED: _closed,
}


EVENT_FIELDS = ("case_id", "position", "at", "type", "actor", "data", "previous", "digest")
CASE_FACTS = ("proposer", "status", "version", "digest", "round", "opened_at", "closed_at", "closing_reason")


def export_document(case_id: str, rows: Sequence[Row], as_of: str | None) -> dict[str, Any]:
    """An exported history: the events, and what those very events tell of the case and its framework."""
    facts = {name: plain(value) for name, value in case_facts(rows).items()}
    return {
        "format": EXPORT_FORMAT,
        "case_id": case_id,
        "as_of": as_of,
        "case": {name: facts[name] for name in CASE_FACTS if name in facts},
        "framework": {name: facts.get(f"framework_{name}") for name in ("id", "version", "digest")},
        "events": [{name: plain(row[name]) for name in EVENT_FIELDS} for row in rows],
        "count": len(rows),
        "head": rows[-1]["digest"] if rows else "",
    }


def plain(value: Any) -> Any:
    """Instants and days as the ledger's data spells them."""
    if isinstance(value, dt.datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def publication_facts(rows: Sequence[Row]) -> Facts:
    """What the published record says of itself, as the ledger tells it; the last word counts."""
    facts: Facts = {"status": RecordStatus.OFFERED, "status_at": None, "status_reason": None, "replaced_by": None}
    facts["replaces"] = None
    for row in rows:
        if row["type"] == EventType.CREDENTIAL_PUBLISHED and isinstance(row["data"], dict):
            facts["replaces"] = row["data"].get("replaces")
        if row["type"] == EventType.RECORD_STATUS_CHANGED and isinstance(row["data"], dict):
            facts |= {"status": row["data"].get("status"), "status_at": row["at"]}
            facts["status_reason"] = row["data"].get("reason")
            facts["replaced_by"] = row["data"].get("replaced_by", facts["replaced_by"])
    return facts


_JUDGED = {
    EventType.CONDITION_ACCEPTED: ConditionStatus.ACCEPTED,
    EventType.CONDITION_REOPENED: ConditionStatus.OPEN,
    EventType.CONDITION_WAIVED: ConditionStatus.WAIVED,
    EventType.CONDITION_LAPSED: ConditionStatus.LAPSED,
}


def condition_facts(rows: Sequence[Row]) -> dict[Any, Facts]:
    """Rows of the approvals' conditions by id."""
    found: dict[Any, Facts] = {}
    for row in rows:
        data = row["data"]
        if not isinstance(data, dict):
            continue
        if row["type"] == EventType.DECISION_RECORDED:
            for given in data.get("conditions", ()):
                found[given.get("id")] = _proposed(row, data, given)
        elif row["type"] == EventType.PROPOSER_READDRESSED:
            _follow(found.values(), data)
        elif data.get("condition_id") in found:
            found[data["condition_id"]] |= _changed(row, data)
    return found


def _proposed(row: Row, data: Facts, given: Facts) -> Facts:
    copied = {name: data.get(name) for name in ("decision_id", "task_id", "stage", "round")}
    asked = {"text": given.get("text"), "blocking": given.get("blocking"), "set_by": row["actor"]}
    return copied | asked | {"status": ConditionStatus.PROPOSED, "proposed_at": row["at"], "evidence": "", "reason": ""}


def _follow(conditions: Iterable[Facts], data: Facts) -> None:
    """What waits for the proposer does so under the new address; an owner that no event has told yet is not known."""
    for facts in conditions:
        if facts.get("owner") == data.get("from") and not ConditionStatus(facts["status"]).is_settled:
            facts["owner"] = data.get("to")


def _changed(row: Row, data: Facts) -> Facts:
    if row["type"] == EventType.CONDITION_SET:
        named = {"owner": data.get("owner"), "due_at": data.get("due_at")}
        return named | {"status": ConditionStatus.OPEN, "opened_at": row["at"]}
    if row["type"] == EventType.CONDITION_FULFILLED:
        evidence = data.get("evidence")
        return {"status": ConditionStatus.FULFILLED, "fulfilled_at": row["at"], "evidence": evidence}
    if row["type"] == EventType.CONDITION_BREACHED:
        return {"breached_at": data.get("due_at")}
    if (status := _JUDGED.get(row["type"])) is None:
        return {}
    settled = {"settled_by": row["actor"], "settled_at": row["at"]} if status.is_settled else {}
    return {"status": status, "reason": data.get("reason")} | settled
