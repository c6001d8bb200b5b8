"""Delivery reports: which mail of ours they speak of, and whether they are believed.

An address for bounces names its mail and is signed, so nobody who was not sent that mail can report on it. What comes
to the reply address of a task may speak of mails about that task only. Nothing that fails changes anything, and each
failure leaves a trace.
"""

import re

from imprimatur.errors import NotAllowed, NotFound, Refused
from imprimatur.inbound.arriving import IGNORED, Outcome, arrival_of
from imprimatur.mail.bounces import Bounce, read_bounce
from imprimatur.mail.links import Links
from imprimatur.mail.replies.letter import Letter, take_apart
from imprimatur.store.deliveries import OutgoingMail, Report, outgoing, sent_together, settle_report
from imprimatur.store.engine import Database
from imprimatur.store.inbound import Also, Holder, result_of
from models.vocabulary import InboundKind

REPORTED = "reported"
_ADDRESS = re.compile(r"bounce\+(?P<mail>m-[a-z2-7]{16})\.(?P<signature>[a-z0-9_-]{22})@(?P<domain>[a-z0-9.-]+)", re.I)
NOTHING_CHANGED = "Nothing was changed by it."


class Returns:
    def __init__(self, database: Database, links: Links, reply_domain: str) -> None:
        self._database = database
        self._links = links
        self._reply_domain = reply_domain.lower()

    def takes(self, recipient: str) -> bool:
        """Whether an address has the form of one for bounces."""
        return self._parts(recipient) is not None

    def receive(self, raw: bytes, recipient: str, also: Also | None = None) -> Outcome:
        """Deals with what came to an address for bounces; the same message again changes nothing."""
        parts = self._parts(recipient)
        mail = outgoing(self._database, parts["mail"].lower()) if parts else None
        is_ours = parts is not None and self._links.is_bounce_secret(parts["mail"].lower(), parts["signature"])
        letter = take_apart(raw, with_content=False)
        if not is_ours:
            told = "The address is not the one to which this mail is reported on."
            forged = NotAllowed("bounce_secret_invalid", told, NOTHING_CHANGED)
            return self._settle(letter, raw, recipient, None, forged, keeps=False, also=also)
        if mail is None:
            return self._settle(letter, raw, recipient, None, _unknown_mail(), keeps=False, also=also)
        if letter.kind is not InboundKind.BOUNCE:
            # An absence note, as a rule: RFC 3834 has them sent to the envelope's sender.
            return self._settle(letter, raw, recipient, mail, None, keeps=True, also=also)
        return self._report(letter, raw, recipient, mail, read_bounce(raw), also)

    def receive_at_reply_address(
        self, letter: Letter, raw: bytes, recipient: str, task: Holder, also: Also | None = None
    ) -> Outcome:
        """A bounce that came where answers go, for some programs return mail there."""
        bounce = read_bounce(raw)
        for identifier in bounce.returned:
            mail = self._mail_of(identifier, task)
            if mail is not None and (mail.task_id, mail.recipient) == (task.task_id, task.assignee):
                return self._report(letter, raw, recipient, mail, bounce, also)
        return self._settle(letter, raw, recipient, None, _unknown_mail(), keeps=True, place=task, also=also)

    def _mail_of(self, identifier: str, task: Holder) -> OutgoingMail | None:
        """The mail that a Message-ID names: one by itself, or the one about the task in a message of several."""
        name, _, domain = identifier.strip("<>").rpartition("@")
        if domain.lower() != self._reply_domain or not name.startswith("m-"):
            return None
        return outgoing(self._database, name) or sent_together(self._database, name, task.task_id, task.assignee)

    def _report(
        self, letter: Letter, raw: bytes, recipient: str, mail: OutgoingMail, bounce: Bounce, also: Also | None
    ) -> Outcome:
        told = bounce.of(mail.recipient)
        if told is None:
            unread = Refused("bounce_unreadable", "The report does not say what became of the mail.", NOTHING_CHANGED)
            return self._settle(letter, raw, recipient, mail, unread, keeps=True, also=also)
        report = Report(told.action, told.status, told.diagnostic)
        return self._settle(letter, raw, recipient, mail, None, keeps=True, report=report, also=also)

    def _settle(
        self,
        letter: Letter,
        raw: bytes,
        recipient: str,
        mail: OutgoingMail | None,
        refused: Refused | None,
        *,
        keeps: bool,
        report: Report | None = None,
        place: Holder | None = None,
        also: Also | None = None,
    ) -> Outcome:
        result = refused.code if refused else REPORTED if report else IGNORED
        arrival = arrival_of(letter, raw, recipient, keeps=keeps)
        with self._database.read() as connection:
            known = result_of(connection, arrival.mail_key)
        written = known is None and settle_report(
            self._database, arrival, mail, result, report=report, refused=refused, place=place, also=also
        )
        about = mail or place
        case_id, task_id = (about.case_id, about.task_id) if about else (None, None)
        return Outcome(known or result, letter.kind, case_id, task_id, repeated=not written)

    def _parts(self, recipient: str) -> re.Match[str] | None:
        found = _ADDRESS.fullmatch(recipient.strip().strip("<>"))
        return found if found and found["domain"].lower() == self._reply_domain else None


def _unknown_mail() -> NotFound:
    return NotFound("bounce_mail_unknown", "The report speaks of no mail that was sent.", NOTHING_CHANGED)
