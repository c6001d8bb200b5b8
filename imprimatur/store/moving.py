"""Somebody has another address: what was declared under the former one holds under the new one."""

from typing import Any

from sqlalchemy import Connection, select

from imprimatur.store.inserting import insert_once
from models.tables import AbsenceRow, AttachmentHolderRow, DelegationRow, DraftRow, InterestRow, PersonRow
from models.vocabulary import InterestKind

_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_INTEREST = InterestRow.__table__  # type: ignore[attr-defined]
_ABSENCE = AbsenceRow.__table__  # type: ignore[attr-defined]
_HOLDER = AttachmentHolderRow.__table__  # type: ignore[attr-defined]
_DRAFT = DraftRow.__table__  # type: ignore[attr-defined]
_DELEGATION = DelegationRow.__table__  # type: ignore[attr-defined]


def move(connection: Connection, former: str, email: str) -> None:
    """Sets the former address inactive; interests and absences are copied, delegations name the new address.

    So are interests of others in the person, and files that they handed in; their drafts are theirs as before.
    """
    connection.execute(_PERSON.update().where(_PERSON.c.email == former).values(active=False))
    for table in (_INTEREST, _ABSENCE, _HOLDER):
        _copy(connection, table, former, email)
    in_person = _INTEREST.c.kind == str(InterestKind.PERSON), _INTEREST.c.subject == former
    for row in connection.execute(select(_INTEREST).where(*in_person)).mappings().all():
        insert_once(connection, _INTEREST, dict(row) | {"subject": email})
    connection.execute(_DRAFT.update().where(_DRAFT.c.owner == former).values(owner=email))
    for column in (_DELEGATION.c.person, _DELEGATION.c.deputy):
        in_force = column == former, _DELEGATION.c.ended_at.is_(None)
        connection.execute(_DELEGATION.update().where(*in_force).values({column: email}))


def _copy(connection: Connection, table: Any, former: str, email: str) -> None:
    for row in connection.execute(select(table).where(table.c.person == former)).mappings().all():
        insert_once(connection, table, dict(row) | {"person": email})
