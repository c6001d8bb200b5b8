"""What the ledger tells of the reviews of a published micro-credential, of its figures, and of incidents. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from imprimatur import ids
from imprimatur.history.agreement import moment_of
from imprimatur.history.chain import Row
from imprimatur.history.facts import Facts
from models.vocabulary import EventType, RecordStatus

SYSTEM = "system"
Telling = Callable[[Facts, Row, Facts, Any], None]


def _events(rows: Sequence[Row]) -> Iterator[tuple[Row, Facts, Any]]:
    """Each event with its data, and when what it tells happened."""
    for index, row in enumerate(rows):
        if isinstance(row["data"], dict):
            yield row, row["data"], moment_of(rows, index)


# --- how the reviews of a micro-credential stand ----------------------------------------------------------------


def improvement_facts(rows: Sequence[Row]) -> Facts:
    """Empty where no review was ever scheduled; what can change without an event is left out.

    ``counted`` is no column: the due time that follows from ``since_at`` by the case's framework as it is now.
    """
    facts: Facts = {}
    for row, data, moment in _events(rows):
        tell = _STANDING.get(row["type"])
        if tell is not None and (facts or row["type"] == EventType.REVIEW_SCHEDULED):
            tell(facts, row, data, moment)
    return facts


def _scheduled(facts: Facts, row: Row, data: Facts, moment: Any) -> None:
    facts |= {"next_at": data.get("due_at"), "why": data.get("reason"), "open_review": None}
    if row["actor"] == SYSTEM:
        # The office only moves the day.
        facts |= {"since_at": moment, "counted": data.get("due_at")}
    facts.setdefault("number", 0)
    facts.setdefault("replacement", None)
    facts.setdefault("retire_on", None)


def _called(facts: Facts, row: Row, data: Facts, moment: Any) -> None:
    facts |= {"number": data.get("number"), "open_review": data.get("review"), "next_at": None, "why": ""}


def _carried_out(facts: Facts, row: Row, data: Facts, moment: Any) -> None:
    facts |= {"open_review": None, "next_at": None, "why": ""}
    if data.get("retire_on") is not None:
        facts["retire_on"] = data["retire_on"]
    else:
        _no_longer_told(facts)


def _status_changed(facts: Facts, row: Row, data: Facts, moment: Any) -> None:
    if data.get("status") != RecordStatus.TEACHING_OUT:
        _no_longer_told(facts)


def _no_longer_told(facts: Facts) -> None:
    """The end of teaching is taken off, when its day has come, without an event of its own."""
    if facts.get("retire_on") is not None:
        del facts["retire_on"]


def _framework_changed(facts: Facts, row: Row, data: Facts, moment: Any) -> None:
    facts.pop("counted", None)


def _drafted(facts: Facts, row: Row, data: Facts, moment: Any) -> None:
    facts["replacement"] = data.get("draft")


_STANDING: dict[str, Telling] = {
    EventType.REVIEW_SCHEDULED: _scheduled,
    EventType.REVIEW_CALLED: _called,
    EventType.REVIEW_CARRIED_OUT: _carried_out,
    EventType.RECORD_STATUS_CHANGED: _status_changed,
    EventType.REPLACEMENT_DRAFTED: _drafted,
    EventType.FRAMEWORK_CHANGED: _framework_changed,
}


# --- reviews ----------------------------------------------------------------------------------------------------


def review_facts(rows: Sequence[Row]) -> dict[str, Facts]:
    """What the ledger of a micro-credential tells of its reviews, by their cases."""
    found: dict[str, Facts] = {}
    for row, data, moment in _events(rows):
        review = str(data.get("review"))
        given = {"trigger": data.get("trigger"), "reason": data.get("reason")}
        if row["type"] == EventType.REVIEW_CALLED:
            called = {"number": data.get("number"), "called_by": row["actor"], "called_at": moment}
            found[review] = called | {"reasons": [given], "replacement": None}
        elif row["type"] == EventType.REVIEW_EVIDENCE_ADDED and review in found:
            found[review]["reasons"] = [*found[review]["reasons"], given]
        elif row["type"] == EventType.REPLACEMENT_DRAFTED:
            for name, facts in found.items():
                if ids.replacement_case_id(name) == data.get("draft"):
                    facts["replacement"] = data["draft"]
    return found


def held_facts(rows: Sequence[Row]) -> Facts:
    """What the ledger of a review's own case tells of it; empty for a case that is none."""
    facts: Facts = {}
    for row, data, _ in _events(rows):
        if row["type"] == EventType.REVIEW_BEGUN:
            facts = {"case_id": data.get("of"), "number": data.get("number"), "begun_at": row["at"]}
            facts |= {"concluded_at": None, "outcome": None, "teach_out_on": None, "reason": ""}
        elif row["type"] == EventType.REVIEW_CONCLUDED and facts:
            told = {name: data.get(name) for name in ("outcome", "teach_out_on", "reason")}
            facts |= told | {"concluded_at": row["at"]}
    return facts


# --- figures and incidents --------------------------------------------------------------------------------------


def indicator_facts(rows: Sequence[Row]) -> dict[str, Facts]:
    """The latest of each indicator and period."""
    found: dict[str, Facts] = {}
    for row, data, moment in _events(rows):
        values = data.get("values") if row["type"] == EventType.INDICATORS_RECEIVED else ()
        for item in values if isinstance(values, list) else ():
            if isinstance(item, dict):
                told = {name: item.get(name) for name in ("value", "source")}
                key = f"{item.get('indicator')} {item.get('period')}"
                found[key] = told | {"imported_by": row["actor"], "imported_at": moment}
    return found


def incident_facts(rows: Sequence[Row]) -> dict[str, Facts]:
    """Incidents that an event opened or somebody closed; by which act the case itself closed one, its events tell."""
    found: dict[str, Facts] = {}
    for row, data, _ in _events(rows):
        if (incident_id := data.get("incident_id")) is None:
            continue
        facts = found.setdefault(str(incident_id), {})
        if row["type"] == EventType.INCIDENT_OPENED:
            facts |= {name: data.get(name) for name in ("kind", "stage", "detail")} | {"opened_at": row["at"]}
        elif row["type"] == EventType.INCIDENT_RESOLVED:
            facts |= {name: data.get(name) for name in ("kind", "stage", "detail", "mail_id", "task_id")}
            facts |= {"resolved_at": row["at"], "resolved_by": row["actor"], "resolution": data.get("reason")}
    return found


def plain_reasons(reasons: Any) -> Any:
    """Why a review was called, without the instants, which may be earlier than their events."""
    if not isinstance(reasons, list):
        return reasons
    return [{n: v for n, v in item.items() if n != "at"} if isinstance(item, dict) else item for item in reasons]
