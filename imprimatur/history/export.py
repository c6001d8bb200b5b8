"""The history of a case: as a story, as JSON that can be verified elsewhere, as CSV."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from imprimatur.errors import NotFound
from imprimatur.history.ledger import instant_text
from imprimatur.store.engine import Database
from models.tables import CaseRow, LedgerRow
from models.vocabulary import EventType

EXPORT_FORMAT = 1
_LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]


class LedgerEvent(BaseModel):
    case_id: str
    position: int
    at: dt.datetime
    type: EventType
    actor: str
    data: dict[str, Any]
    previous: str
    digest: str


def history(database: Database, case_id: str, as_of: dt.datetime | None = None) -> list[LedgerEvent]:
    """Events in order, up to and including ``as_of``. Raises NotFound ``case_unknown``."""
    query = select(_LEDGER).where(_LEDGER.c.case_id == case_id).order_by(_LEDGER.c.position)
    if as_of is not None:
        query = query.where(_LEDGER.c.at <= as_of)
    with database.read() as connection:
        events = [LedgerEvent.model_validate(dict(row)) for row in connection.execute(query).mappings()]
        known = connection.execute(select(_CASE.c.case_id).where(_CASE.c.case_id == case_id)).first()
    if known is None:
        raise NotFound("case_unknown", f"There is no case {case_id}.", "See `starter.py list`.")
    return events


def as_json_document(database: Database, case_id: str, as_of: dt.datetime | None = None) -> dict[str, Any]:
    """Self-contained: whoever holds it can check the chain with ``verify --file``."""
    events = history(database, case_id, as_of)
    return {
        "format": EXPORT_FORMAT,
        "case_id": case_id,
        "events": [event.model_dump(mode="json") | {"at": instant_text(event.at)} for event in events],
        "count": len(events),
        "head": events[-1].digest if events else "",
    }


CSV_COLUMNS = ("position", "at", "type", "actor", "story", "data", "digest")


def as_csv(events: Sequence[LedgerEvent]) -> str:
    """One line an event. Cells that a spreadsheet would run as a formula are made text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for event in events:
        data = json.dumps(event.data, ensure_ascii=False, sort_keys=True)
        cells = (event.position, instant_text(event.at), event.type, event.actor, sentence(event), data, event.digest)
        writer.writerow([_harmless(str(cell)) for cell in cells])
    return buffer.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def sentence(event: LedgerEvent) -> str:
    """What happened, in one readable sentence."""
    return _SENTENCES[event.type](event.data)


def _names(values: Sequence[str]) -> str:
    return ", ".join(values) or "nobody"


def _of_round(data: dict[str, Any]) -> str:
    return f"{data['stage']} (round {data['round']})"


def _decision(data: dict[str, Any]) -> str:
    scores = ", ".join(f"{name} {value}" for name, value in data["scores"].items())
    text = f"Decided {data['verdict']} in {_of_round(data)}"
    if scores:
        text += f" with scores {scores}"
    return f"{text}: {data['comment']}" if data["comment"] else text


def _missing(data: dict[str, Any]) -> str:
    lacking = "; ".join(f"{item['field']} {item['problem']}" for item in data["missing"])
    return f"Returned to the proposer as incomplete: {lacking}"


_SENTENCES: dict[EventType, Callable[[dict[str, Any]], str]] = {
    EventType.CASE_SUBMITTED: lambda d: f"Submitted {d['title']!r} under {d['framework']} {d['version']}",
    EventType.CASE_RETURNED: _missing,
    EventType.PROPOSAL_VERSION_ADDED: lambda d: (
        f"Version {d['version']} of the proposal" + (f", changing {', '.join(d['changed'])}" if d["changed"] else "")
    ),
    EventType.STAGE_OPENED: lambda d: f"Opened {_of_round(d)}" + (f", due {d['due_at'][:16]}Z" if d["due_at"] else ""),
    EventType.STAGE_SKIPPED: lambda d: f"Skipped {d['stage']}: {d['reason']}",
    EventType.STAGE_CLOSED: lambda d: f"Closed {_of_round(d)} as {d['outcome']}: {d['reason']}",
    EventType.STAGE_LAPSED: lambda d: f"The approval of {d['stage']} lapsed: {', '.join(d['changed'])} changed",
    EventType.STAGE_KEPT: lambda d: f"The approval of {d['stage']} stays valid: nothing material to it changed",
    EventType.TASK_ASSIGNED: lambda d: f"Asked {d['assignee']} for {_of_round(d)}, by {d['reason']}",
    EventType.TASK_CLOSED: lambda d: f"Closed the task of {d['assignee']} ({d['closure']}, after {d['closed_by']})",
    EventType.DECISION_RECORDED: _decision,
    EventType.REVISION_REQUESTED: lambda d: f"Asked the proposer for a revision, after {_of_round(d)}",
    EventType.REMINDER_SENT: lambda d: f"Reminded {d['assignee']} of {_of_round(d)}",
    EventType.SLA_BREACHED: lambda d: (
        f"{_of_round(d)} was due {d['due_at'][:16]}Z and is late; waiting for {_names(d['waiting_for'])}"
    ),
    EventType.STAGE_ESCALATED: lambda d: f"Escalated {_of_round(d)} to {_names(d['to'])} ({d['cause']})",
    EventType.CASE_SLA_BREACHED: lambda d: f"The whole case was due {d['due_at'][:16]}Z and is late",
    EventType.CLOCK_PAUSED: lambda d: f"Stopped the clock with {d['remaining_seconds'] / 3600:.1f} business hours left",
    EventType.CLOCK_RESUMED: lambda d: f"The clock runs again, to {d['due_at'][:16]}Z",
    EventType.INCIDENT_OPENED: lambda d: f"Incident ({d['kind']}) in {d['stage']}: {d['detail']}",
    EventType.CREDENTIAL_PUBLISHED: lambda d: f"Published version {d['version']} as {d['slug']}",
    EventType.CASE_CLOSED: lambda d: f"Closed the case as {d['status']}: {d['reason']}",
}
