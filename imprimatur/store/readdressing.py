"""Cases that still name a former address of their proposer."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from imprimatur.store.bounced import SYSTEM, present_address
from imprimatur.store.engine import Database
from imprimatur.store.ledger import append_event
from models.tables import CaseRow, ConditionRow, PersonRow
from models.vocabulary import CaseStatus, ConditionStatus, EventType

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_CONDITION = ConditionRow.__table__  # type: ignore[attr-defined]
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
    present = _PERSON.alias("present")
    still_there = select(present.c.email).where(present.c.email == _CASE.c.proposer, present.c.active).exists()
    settled = [str(status) for status in ConditionStatus if status.is_settled]
    waits = (
        select(_CONDITION.c.condition_id)
        .where(_CONDITION.c.case_id == _CASE.c.case_id, _CONDITION.c.status.not_in(settled))
        .exists()
    )
    query = (
        select(_CASE.c.case_id, _CASE.c.proposer, _CASE.c.status, waits.label("waits"))
        .join(newer, newer.c.formerly == _CASE.c.proposer)
        .where(~still_there)
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
