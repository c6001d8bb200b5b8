"""Cases that still name a former address of their proposer, and mail that still waits to go to one."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from imprimatur.store.bounced import SYSTEM, name_of, present_address
from imprimatur.store.engine import Database
from imprimatur.store.ledger import append_event
from imprimatur.store.mail_journal import Entry, note
from models.tables import CaseRow, ConditionRow, OutboxRow, PersonRow
from models.vocabulary import CaseStatus, ConditionStatus, EventType, MailKind, MailState, MailStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_CONDITION = ConditionRow.__table__  # type: ignore[attr-defined]
_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
READDRESSED = EventType.PROPOSER_READDRESSED
MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Readdressed:
    """``is_over``: nothing runs any more that could be told."""

    case_id: str
    former: str
    to: str
    is_over: bool


def readdressed(database: Database) -> Sequence[Readdressed]:
    """Whose proposer the directory has under another address by now, and no longer under the one that is named."""
    newer = _PERSON.alias("newer")
    settled = [str(status) for status in ConditionStatus if status.is_settled]
    waits = (
        select(_CONDITION.c.condition_id)
        .where(_CONDITION.c.case_id == _CASE.c.case_id, _CONDITION.c.status.not_in(settled))
        .exists()
    )
    query = (
        select(_CASE.c.case_id, _CASE.c.proposer, _CASE.c.status, waits.label("waits"))
        .join(newer, newer.c.formerly == _CASE.c.proposer)
        .where(~_still_reached(_CASE.c.proposer))
        .distinct()
        .order_by(_CASE.c.case_id)
        .limit(MOST_AT_ONCE)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
        found = {row.proposer: present_address(connection, row.proposer) for row in rows}
    return [
        Readdressed(row.case_id, row.proposer, found[row.proposer], CaseStatus(row.status).is_final and not row.waits)
        for row in rows
        if found[row.proposer] != row.proposer
    ]


def readdress_over(connection: Connection, item: Readdressed, now: dt.datetime) -> bool:
    """Of a case that is over: in its ledger and its row; False where somebody else was faster."""
    of_it = _CASE.c.case_id == item.case_id
    named = connection.execute(select(_CASE.c.proposer).where(of_it).with_for_update()).scalar()
    if named != item.former:
        return False
    append_event(connection, item.case_id, READDRESSED, SYSTEM, now, **{"from": item.former, "to": item.to})
    connection.execute(_CASE.update().where(of_it).values(proposer=item.to))
    return True


def move_waiting_mail(database: Database, now: dt.datetime) -> int:
    """Mail that has not left yet goes to where its reader is reached by now; answers how many did.

    What asks for an answer stays with its task, and a link to sign in with the address that it was asked for.
    """
    newer = _PERSON.alias("newer")
    waits = _MAIL.c.status.in_([str(MailStatus.QUEUED), str(MailStatus.DEFERRED)])
    # What was tried together with other mail is tried again as the same message.
    free = (_MAIL.c.task_id.is_(None), _MAIL.c.carried_by.is_(None), _MAIL.c.kind != str(MailKind.SIGN_IN))
    query = (
        select(_MAIL.c.mail_id, _MAIL.c.recipient)
        .join(newer, newer.c.formerly == _MAIL.c.recipient)
        .where(waits, *free, ~_still_reached(_MAIL.c.recipient))
        .distinct()
        .order_by(_MAIL.c.mail_id)
        .limit(MOST_AT_ONCE)
    )
    with database.read() as connection:
        found = [(*row, present_address(connection, row.recipient)) for row in connection.execute(query).all()]
    # Whose newer address is not in use either waits where it is, and no transaction is begun for that.
    if not (going := [(mail_id, former, to) for mail_id, former, to in found if to != former]):
        return 0
    moved = []
    with database.write() as connection:
        for mail_id, former, to in going:
            named = {"recipient": to, "recipient_name": name_of(connection, to)}
            of_it = (_MAIL.c.mail_id == mail_id, _MAIL.c.recipient == former, waits)
            if connection.execute(_MAIL.update().where(*of_it).values(**named)).rowcount:
                moved.append(Entry(mail_id, MailState.QUEUED, now, f"to {to}, for {former} was given up"))
        note(connection, moved)
    return len(moved)


def _still_reached(email: ColumnElement[str]) -> ColumnElement[bool]:
    present = _PERSON.alias("present")
    return select(present.c.email).where(present.c.email == email, present.c.active).exists()
