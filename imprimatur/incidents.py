"""Incidents worked on by the office: closed for a reason, and mail sent again to whoever it did not reach."""

import asyncio
import datetime as dt

from pydantic import BaseModel

from imprimatur.desk import Acting
from imprimatur.errors import Gone, Refused
from imprimatur.store.bounced import Undelivered, heirs_of, present_address, undelivered
from imprimatur.store.deliveries import mail_row
from imprimatur.store.engine import Database
from imprimatur.store.incidents import IncidentEntry, open_incident, resolve_incident
from imprimatur.store.office import check_office
from imprimatur.store.people import active_person
from imprimatur.store.resending import requeue
from models.events import PassedOn
from models.vocabulary import MailStatus


class Resent(BaseModel):
    """``passed_on``: the task went to the same person at their new address, who gets a task mail of their own."""

    incident_id: str
    mail_id: str
    recipient: str
    passed_on: bool


class Incidents:
    """Whether somebody belongs to the office is looked up when they act."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resolve(self, incident_id: str, *, actor: str, reason: str) -> IncidentEntry:
        """Raises NotAllowed ``not_the_office``, Refused ``reason_required``, and what the incident itself says."""
        email = self._office(actor)
        if not reason.strip():
            raise Refused("reason_required", "This act needs a reason.", "Give one with --reason; it is recorded.")
        return resolve_incident(self._database, incident_id, email, reason.strip(), dt.datetime.now(dt.UTC))

    async def resend(self, incident_id: str, gateway: Acting, *, actor: str) -> Resent:
        """To the address that the directory has for its reader by now.

        Raises NotAllowed ``not_the_office``, Refused ``incident_without_mail``, Gone ``mail_not_bounced``, and what
        the incident and the case say.
        """
        email = await asyncio.to_thread(self._office, actor)
        found = await asyncio.to_thread(open_incident, self._database, incident_id)
        if found.mail_id is None:
            raise Refused(
                "incident_without_mail", "This incident is about no mail.", "See docs/operations.md for what to do."
            )
        row = await asyncio.to_thread(mail_row, self._database, found.mail_id)
        if row["status"] != MailStatus.BOUNCED:
            raise Gone(
                "mail_not_bounced",
                f"The mail is {row['status']}: it is on its way, or has gone out, again.",
                f"See `starter.py mail show {found.mail_id}`.",
            )
        return await self._again(found, dict(row), gateway, email)

    async def _again(self, found: IncidentEntry, row: dict[str, object], gateway: Acting, actor: str) -> Resent:
        mail, now = undelivered(row), dt.datetime.now(dt.UTC)
        recipient, heirs = await asyncio.to_thread(self._readers, mail, now)
        passes = recipient != mail.recipient and recipient in heirs
        if passes and mail.task_id is not None:
            reason = f"{mail.recipient} is reached at another address"
            event = PassedOn(actor=actor, task_id=mail.task_id, to=recipient, reason=reason, by_office=True)
            await gateway.act(mail.case_id, event)
        else:
            await asyncio.to_thread(requeue, self._database, found, recipient, actor, now)
        return Resent(incident_id=found.incident_id, mail_id=mail.mail_id, recipient=recipient, passed_on=passes)

    def _readers(self, mail: Undelivered, now: dt.datetime) -> tuple[str, tuple[str, ...]]:
        """Where the mail's reader is reached by now, and who could answer in their place."""
        with self._database.read() as connection:
            return present_address(connection, mail.recipient), heirs_of(connection, mail, now)

    def _office(self, actor: str) -> str:
        with self._database.read() as connection:
            email = active_person(connection, actor).email
            check_office(connection, email)
        return email
