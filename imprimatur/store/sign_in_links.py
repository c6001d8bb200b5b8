"""Links that sign in once: asked for by address, used by POST."""

import datetime as dt
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select

from imprimatur import ids
from imprimatur.errors import Gone, ImprimaturError, NotAllowed, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.store.people import people_by_email
from imprimatur.store.sessions import Client, begin
from imprimatur.store.sign_in_record import LINKS_FOR_AN_ADDRESS, check_client, links_sent, note
from models.tables import OutboxRow, SignInLinkRow
from models.vocabulary import MailKind, MailStatus, SignInEvent, Strength

_LINK = SignInLinkRow.__table__  # type: ignore[attr-defined]
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
VALID_FOR = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class Begun:
    """A session that has just begun: what its browser is to hold, and where its person wanted to go."""

    secret: str
    return_to: str


def ask_for_link(database: Database, address: str, return_to: str, client: Client, now: dt.datetime) -> None:
    """Puts a link into the outbox, if the address belongs to somebody active who has not asked too often.

    Nothing that is answered tells whether it does. Raises Refused ``too_many_tries``.
    """
    email = address.strip().lower()[:320]
    with database.write() as connection:
        check_client(connection, client.address, now)
        why_not = _why_not(connection, email, now)
        event = SignInEvent.LINK_WITHHELD if why_not else SignInEvent.LINK_ASKED
        note(connection, event, at=now, email=email, client=client.address, detail=why_not)
        if not why_not:
            _put(connection, email, return_to, now)


def _why_not(connection: Connection, email: str, now: dt.datetime) -> str:
    found = people_by_email(connection, [email])
    if not found:
        return "person_unknown"
    if not found[0].active:
        return "person_inactive"
    return "too_many_tries" if links_sent(connection, email, now) >= LINKS_FOR_AN_ADDRESS else ""


def _put(connection: Connection, email: str, return_to: str, now: dt.datetime) -> None:
    link_id, expires_at = secrets.token_urlsafe(18), now + VALID_FOR
    link = {"link_id": link_id, "email": email, "return_to": return_to, "asked_at": now, "expires_at": expires_at}
    connection.execute(_LINK.insert(), link)
    [person] = people_by_email(connection, [email])
    mail = {
        "mail_id": ids.mail_id(link_id, 0, 0),
        "case_id": "",
        "kind": str(MailKind.SIGN_IN),
        "recipient": email,
        "recipient_name": person.name,
        "data": {"link_id": link_id, "expires_at": expires_at.isoformat()},
        "created_at": now,
        "status": str(MailStatus.QUEUED),
        "due_at": now,
        "attempts": 0,
        "last_reply": "",
    }
    connection.execute(_OUTBOX.insert(), mail)


def use_link(database: Database, link_id: str, client: Client, now: dt.datetime) -> Begun:
    """Begins a session; a link does this once.

    Raises NotFound ``sign_in_link_unknown``, Gone ``sign_in_link_used`` or ``sign_in_link_expired``, Refused
    ``person_inactive`` or ``too_many_tries``.
    """
    with database.write() as connection:
        check_client(connection, client.address, now)
        unused = (_LINK.c.link_id == link_id) & _LINK.c.used_at.is_(None) & (_LINK.c.expires_at > now)
        taken = connection.execute(_LINK.update().where(unused).values(used_at=now)).rowcount == 1
        link = connection.execute(select(_LINK).where(_LINK.c.link_id == link_id)).mappings().first()
        email = link["email"] if link else ""
        active = any(person.active for person in people_by_email(connection, [email]))
        if link is not None and taken and active:
            return Begun(begin(connection, email, Strength.SESSION, client, now), link["return_to"])
        used = link is not None and link["used_at"] is not None and not taken
        refused = _refusal(known=link is not None, used=used, active=active or not taken)
        note(connection, SignInEvent.SIGN_IN_FAILED, at=now, email=email, client=client.address, detail=refused.code)
    raise refused


def _refusal(*, known: bool, used: bool, active: bool) -> ImprimaturError:
    again = "Ask for a new link."
    if not known:
        return NotFound("sign_in_link_unknown", "This link to sign in is not one of ours.", again)
    if used:
        return Gone("sign_in_link_used", "This link has signed in once already.", again)
    if active:
        return Gone("sign_in_link_expired", "This link to sign in is too old.", again)
    return Refused("person_inactive", "Your entry in the directory is not active.", "Ask the governance office.")


def enter_by_oidc(database: Database, email: str, client: Client, now: dt.datetime) -> str:
    """Begins a session for somebody whom the institution's sign-in vouches for; answers the browser's secret.

    Raises NotAllowed ``oidc_person_unknown`` or Refused ``too_many_tries``.
    """
    with database.write() as connection:
        check_client(connection, client.address, now)
        if any(person.active for person in people_by_email(connection, [email])):
            return begin(connection, email, Strength.OIDC, client, now)
    raise NotAllowed(
        "oidc_person_unknown",
        f"{email} is not in the directory, or not active.",
        "Ask the governance office.",
    )


def note_failure(database: Database, email: str, client: Client, code: str, now: dt.datetime) -> None:
    """Of a sign-in that came to nothing elsewhere."""
    with database.write() as connection:
        note(connection, SignInEvent.SIGN_IN_FAILED, at=now, email=email, client=client.address, detail=code)
