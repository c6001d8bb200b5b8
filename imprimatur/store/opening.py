"""Incidents that no step of a case opens: of what becomes of it once the case itself is over."""

import datetime as dt

from sqlalchemy import Connection, select

from imprimatur import ids
from imprimatur.store.ledger import append_event
from imprimatur.store.people import holders
from models.tables import IncidentRow, OutboxRow, StageRow
from models.vocabulary import EventType, IncidentKind, MailKind, StageOutcome

_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]
_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
SYSTEM, OFFICE_ROLE = "system", "governance_office"


def open_incident(
    connection: Connection, case_id: str, kind: IncidentKind, about: str, detail: str, now: dt.datetime
) -> None:
    """Of a published case, once for each ``about``, with its event and a mail to everybody in the office."""
    incident_id = ids.incident_id(case_id, about, 0, kind)
    if connection.execute(select(_INCIDENT.c.kind).where(_INCIDENT.c.incident_id == incident_id)).first() is not None:
        return
    stage = (
        connection.execute(
            select(_STAGE.c.stage)
            .where(_STAGE.c.case_id == case_id, _STAGE.c.outcome == str(StageOutcome.PUBLISHED))
            .order_by(_STAGE.c.round.desc())
        )
        .scalars()
        .first()
    )
    told = {"incident_id": incident_id, "kind": str(kind), "stage": stage}
    at = append_event(connection, case_id, EventType.INCIDENT_OPENED, SYSTEM, now, **told, detail=detail)
    connection.execute(_INCIDENT.insert().values(**told, case_id=case_id, detail=detail, opened_at=at, told_at=now))
    for number, person in enumerate(holders(connection, OFFICE_ROLE)):
        values = {
            "mail_id": ids.publication_mail_id(about, number),
            "case_id": case_id,
            "kind": str(MailKind.INCIDENT),
            "recipient": person.email,
            "recipient_name": person.name,
            "data": {"kind": str(kind), "detail": detail, "stage": stage},
            "created_at": at,
            "status": "queued",
            "due_at": now,
            "attempts": 0,
            "last_reply": "",
        }
        connection.execute(_OUTBOX.insert().values(values))


def close_incidents(
    connection: Connection, case_id: str, kind: IncidentKind, resolution: str, now: dt.datetime
) -> None:
    """What came later has done what an earlier attempt could not."""
    still_open = (_INCIDENT.c.case_id == case_id, _INCIDENT.c.kind == str(kind), _INCIDENT.c.resolved_at.is_(None))
    values = {"resolved_at": now, "resolved_by": SYSTEM, "resolution": resolution}
    connection.execute(_INCIDENT.update().where(*still_open).values(values))
