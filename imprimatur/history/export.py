"""The history of a case: as a story, as JSON that can be verified elsewhere, as CSV."""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from imprimatur.errors import Refused
from imprimatur.history.facts import export_document
from imprimatur.history.records import CASE, LEDGER
from imprimatur.history.sentences import sentence
from imprimatur.rules.ledger import instant_text
from imprimatur.store.engine import Database
from imprimatur.store.reading import unknown_case
from models.vocabulary import EventType

__all__ = ["LedgerEvent", "as_csv", "as_json_document", "history", "sentence"]


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
    """Events in order, up to and including ``as_of``.

    Raises NotFound ``case_unknown``, or Refused ``ledger_unreadable`` when somebody has damaged the rows.
    """
    query = select(LEDGER).where(LEDGER.c.case_id == case_id).order_by(LEDGER.c.position)
    if as_of is not None:
        query = query.where(LEDGER.c.at <= as_of)
    with database.read() as connection:
        known = connection.execute(select(CASE.c.case_id).where(CASE.c.case_id == case_id)).first()
        if known is None:
            raise unknown_case(connection, case_id)
        try:
            return [LedgerEvent.model_validate(dict(row)) for row in connection.execute(query).mappings()]
        except (ValidationError, ValueError, TypeError) as error:
            raise Refused(
                "ledger_unreadable",
                f"The ledger of {case_id} holds rows that were never written so.",
                f"Run `starter.py verify {case_id}`: it names them.",
            ) from error


def events_after(database: Database, case_id: str, position: int) -> tuple[list[LedgerEvent], str]:
    """Events later than a position, at most 500, and the case's status, as they stand together."""
    query = select(LEDGER).where(LEDGER.c.case_id == case_id, LEDGER.c.position > position).order_by(LEDGER.c.position)
    with database.read() as connection:
        status = connection.execute(select(CASE.c.status).where(CASE.c.case_id == case_id)).scalar_one()
        rows = connection.execute(query.limit(500)).mappings()
        return [LedgerEvent.model_validate(dict(row)) for row in rows], str(status)


def event_by(database: Database, case_id: str, position: int, actor: str) -> LedgerEvent | None:
    """What somebody brought about at the moment of a position: its first event. None for everybody else."""
    at = select(LEDGER.c.at).where(LEDGER.c.case_id == case_id, LEDGER.c.position == position).scalar_subquery()
    query = select(LEDGER).where(LEDGER.c.case_id == case_id, LEDGER.c.actor == actor, LEDGER.c.at == at)
    with database.read() as connection:
        row = connection.execute(query.order_by(LEDGER.c.position).limit(1)).mappings().first()
    return LedgerEvent.model_validate(dict(row)) if row is not None else None


def as_json_document(database: Database, case_id: str, as_of: dt.datetime | None = None) -> dict[str, Any]:
    """Self-contained: whoever holds it can check the chain with ``verify --file``.

    ``case`` and ``framework`` say what the events in this very document tell, so also as of then.
    """
    events = history(database, case_id, as_of)
    return export_document(case_id, [event.model_dump() for event in events], instant_text(as_of) if as_of else None)


CSV_COLUMNS = ("position", "at", "type", "actor", "story", "data", "digest")
# Where a spreadsheet may see a formula begin: at the start of a cell, or behind what it takes for the end of one where
# semicolons or tabs part cells; full-width forms of the signs included.
_FORMULA = re.compile('(^|[;\t\r\n])(?="*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])')


def as_csv(events: Sequence[LedgerEvent]) -> str:
    """One line an event. Cells that a spreadsheet would run as a formula are made text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for event in events:
        data = json.dumps(event.data, ensure_ascii=False, sort_keys=True)
        cells = (event.position, instant_text(event.at), event.type, event.actor, sentence(event), data, event.digest)
        writer.writerow([harmless_cell(str(cell)) for cell in cells])
    return buffer.getvalue()


def harmless_cell(cell: str) -> str:
    """As text, also for a spreadsheet."""
    return _FORMULA.sub(r"\1'", cell)
