"""Incidents as the office works on them: listed, found, closed by somebody for a reason."""

import datetime as dt

from pydantic import BaseModel
from sqlalchemy import select

from imprimatur.errors import Gone, InputError, NotFound
from imprimatur.store.engine import Database
from imprimatur.store.reading import unknown_case
from models.tables import CaseRow, IncidentRow
from models.vocabulary import IncidentKind

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
        row = connection.execute(select(_INCIDENT).where(_INCIDENT.c.incident_id == incident_id)).mappings().first()
    if row is None:
        raise NotFound("incident_unknown", f"There is no incident {incident_id}.", "See `starter.py incident list`.")
    return IncidentEntry.model_validate(dict(row))


def open_incident(database: Database, incident_id: str) -> IncidentEntry:
    """Raises NotFound ``incident_unknown`` and Gone ``incident_resolved``."""
    found = incident(database, incident_id)
    if found.resolved_at is not None:
        raise _resolved(found)
    return found


def resolve_incident(database: Database, incident_id: str, actor: str, reason: str, now: dt.datetime) -> IncidentEntry:
    """Written once; who was first stands. Raises what :func:`open_incident` raises."""
    open_incident(database, incident_id)
    with database.write() as connection:
        still_open = _INCIDENT.c.incident_id == incident_id, _INCIDENT.c.resolved_at.is_(None)
        values = {"resolved_at": now, "resolved_by": actor, "resolution": reason}
        changed = connection.execute(_INCIDENT.update().where(*still_open).values(values)).rowcount
    found = incident(database, incident_id)
    if not changed:
        raise _resolved(found)
    return found


def _resolved(found: IncidentEntry) -> Gone:
    by = f" by {found.resolved_by}" if found.resolved_by else ""
    why = f": {found.resolution}" if found.resolution else ""
    return Gone("incident_resolved", f"This incident was closed{by}{why}.", "Nothing is left to do about it.")
