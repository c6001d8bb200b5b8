"""A mail that did not arrive, sent anew by the office."""

import datetime as dt
from typing import Any

from sqlalchemy import select

from imprimatur.store.bounced import name_of
from imprimatur.store.engine import Database
from imprimatur.store.incidents import IncidentEntry
from imprimatur.store.ledger import append_event
from imprimatur.store.mail_journal import Entry, note
from models.tables import OutboxRow
from models.vocabulary import EventType, MailState, MailStatus

_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]


def requeue(database: Database, incident: IncidentEntry, recipient: str, by: str, now: dt.datetime) -> None:
    """Sends the mail of an incident anew, perhaps to another address; under the same Message-ID.

    In the ledger of its case too, unless it is about none.
    """
    mail_id = incident.mail_id
    assert mail_id is not None, "asked only of an incident about a mail"
    with database.write() as connection:
        if incident.case_id:
            told = {"mail_id": mail_id, "incident_id": incident.incident_id, "to": recipient}
            told |= {"stage": incident.stage} if incident.stage else {}
            append_event(connection, incident.case_id, EventType.MAIL_RESENT, by, now, **told)
        row = connection.execute(select(_MAIL).where(_MAIL.c.mail_id == mail_id).with_for_update()).mappings().one()
        changes: dict[str, Any] = {"status": str(MailStatus.QUEUED), "due_at": now, "attempts": 0, "sent_at": None}
        if recipient != row["recipient"]:
            name = name_of(connection, recipient) or row["recipient_name"]
            changes |= {"recipient": recipient, "recipient_name": name, "returned": None}
        connection.execute(_MAIL.update().where(_MAIL.c.mail_id == mail_id).values(**changes))
        note(connection, [Entry(mail_id, MailState.RESENT, now, f"by {by}, to {recipient}")])
