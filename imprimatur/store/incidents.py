"""Incidents as the office works on them: listed, found, closed by somebody for a reason."""

import datetime as dt

from pydantic import BaseModel
from sqlalchemy import Connection, select

from imprimatur.errors import Gone, InputError, NotFound
from imprimatur.store.engine import Database
from imprimatur.store.ledger import append_event
from imprimatur.store.reading import unknown_case
from models.tables import CaseRow, IncidentRow
from models.vocabulary import EventType, IncidentKind

_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]


class IncidentEntry(BaseModel):
    """``resolved_by`` is a person or ``system``; nobody is named where the case itself closed it."""

    incident_id: str
    case_id: str
    stage: str | None
    kind: IncidentKind
    detail: str
    opened_at: dt.datetime
    mail_id: str | None
    task_id: str | None
    resolved_at: dt.datetime | None
    resolved_by: str | None
    resolution: str | None


def list_incidents(
    database: Database, *, case_id: str | None = None, kind: str | None = None, closed: bool = False
) -> list[IncidentEntry]:
    """Oldest first; open ones only, unless the ``closed`` are wanted too.

    Raises NotFound ``case_unknown`` and InputError ``incident_kind_unknown``.
    """
    if kind is not None and kind not in list(IncidentKind):
        raise InputError(
            "incident_kind_unknown",
            f"There is no kind {kind!r} of incidents.",
            f"Choose one of: {', '.join(IncidentKind)}.",
        )
    query = select(_INCIDENT).order_by(_INCIDENT.c.opened_at, _INCIDENT.c.incident_id)
    if not closed:
        query = query.where(_INCIDENT.c.resolved_at.is_(None))
    if kind is not None:
        query = query.where(_INCIDENT.c.kind == kind)
    with database.read() as connection:
        if case_id is not None:
            if connection.execute(select(_CASE.c.case_id).where(_CASE.c.case_id == case_id)).first() is None:
                raise unknown_case(connection, case_id)
            query = query.where(_INCIDENT.c.case_id == case_id)
        return [IncidentEntry.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def incident(database: Database, incident_id: str) -> IncidentEntry:
    """Raises NotFound ``incident_unknown``."""
    with database.read() as connection:
        return _incident(connection, incident_id)


def _incident(connection: Connection, incident_id: str) -> IncidentEntry:
    row = connection.execute(select(_INCIDENT).where(_INCIDENT.c.incident_id == incident_id)).mappings().first()
    if row is None:
        raise NotFound("incident_unknown", f"There is no incident {incident_id}.", "See `starter.py incident list`.")
    return IncidentEntry.model_validate(dict(row))


def open_incident(database: Database, incident_id: str) -> IncidentEntry:
    """Raises NotFound ``incident_unknown`` and Gone ``incident_resolved``."""
    with database.read() as connection:
        return _still_open(connection, incident_id)


def _still_open(connection: Connection, incident_id: str) -> IncidentEntry:
    found = _incident(connection, incident_id)
    if found.resolved_at is not None:
        raise _resolved(found)
    return found


def resolve_incident(database: Database, incident_id: str, actor: str, reason: str, now: dt.datetime) -> IncidentEntry:
    """Closes an incident, in its case's ledger too, whether the case is in motion or over; who was first stands.

    One that is about no case is in no ledger: it keeps itself who closed it, when and why. Raises what
    :func:`open_incident` raises.
    """
    with database.write() as connection:
        found = _still_open(connection, incident_id)
        if found.case_id:
            # The case's row is locked by this, and another one who closes it meanwhile is seen.
            now = append_event(
                connection, found.case_id, EventType.INCIDENT_RESOLVED, actor, now, **told_of(found, reason)
            )
            _still_open(connection, incident_id)
        values = {"resolved_at": now, "resolved_by": actor, "resolution": reason}
        still_open = _INCIDENT.c.incident_id == incident_id, _INCIDENT.c.resolved_at.is_(None)
        connection.execute(_INCIDENT.update().where(*still_open).values(values))
        return _incident(connection, incident_id)


def told_of(found: IncidentEntry, reason: str) -> dict[str, str]:
    """What the ledger says of a closed incident; of one about a mail, nothing else in it does."""
    about = {"stage": found.stage, "mail_id": found.mail_id, "task_id": found.task_id}
    named = {name: value for name, value in about.items() if value is not None}
    kept = {"incident_id": found.incident_id, "kind": str(found.kind), "detail": found.detail, "reason": reason}
    return kept | named


def _resolved(found: IncidentEntry) -> Gone:
    by = f" by {found.resolved_by}" if found.resolved_by else ""
    why = f": {found.resolution.rstrip('.')}" if found.resolution else ""
    return Gone("incident_resolved", f"This incident was closed{by}{why}.", "Nothing is left to do about it.")
