"""Declared interests: what a person cannot decide about, and the open tasks that they touch."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import Connection, select

from imprimatur.errors import InputError, NotFound
from imprimatur.rules.standing import Interest, Matter, folded
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.people import known_person
from models.tables import CaseRow, InterestRow, TaskRow
from models.vocabulary import InterestKind, TaskStatus

_INTEREST = InterestRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
SUBJECT_LIMIT = 500


class InterestEntry(BaseModel):
    person: str
    kind: InterestKind
    subject: str
    reason: str
    declared_at: dt.datetime


@dataclass(frozen=True)
class Touched:
    """An open task whose holder has an interest, and which (the end of a sentence). What is on offer nobody holds."""

    case_id: str
    task_id: str
    stage: str
    why: str


def subject_of(partner: str | None, unit: str | None, person: str | None) -> Interest:
    """Raises InputError ``interest_subject`` unless exactly one subject is named."""
    named = {InterestKind.PARTNER: partner, InterestKind.UNIT: unit, InterestKind.PERSON: person}
    given = {kind: " ".join(subject.split()) for kind, subject in named.items() if subject is not None}
    if len(given) != 1 or not all(0 < len(subject) <= SUBJECT_LIMIT for subject in given.values()):
        raise InputError(
            "interest_subject",
            "An interest is in one partner, one unit or one person.",
            "Give exactly one of --partner, --unit and --person.",
        )
    [(kind, subject)] = given.items()
    return Interest(kind, subject.lower() if kind is InterestKind.PERSON else subject)


def add_interest(
    database: Database, email: str, interest: Interest, reason: str, at: dt.datetime
) -> tuple[InterestEntry, list[Touched]]:
    """Declares an interest; answers the open tasks that it touches. Declared again, only the reason changes.

    Raises NotFound ``person_unknown``.
    """
    with database.write() as connection:
        person = known_person(connection, email).email
        known = _same(_of(connection, person), interest)
        entry = InterestEntry(
            person=person,
            kind=interest.kind,
            subject=known.subject if known else interest.subject,
            reason=reason.strip(),
            declared_at=known.declared_at if known else at,
        )
        connection.execute(_INTEREST.delete().where(*_key(entry)))
        connection.execute(_INTEREST.insert(), entry.model_dump() | {"kind": str(entry.kind)})
        return entry, _touched(connection, person, interest)


def remove_interest(database: Database, email: str, interest: Interest) -> InterestEntry:
    """Raises NotFound ``interest_unknown``."""
    person = email.strip().lower()
    with database.write() as connection:
        known = _same(_of(connection, person), interest)
        if known is None:
            raise NotFound(
                "interest_unknown",
                f"{person} has declared no interest in the {interest.kind} {interest.subject}.",
                "See `starter.py people interest list`.",
            )
        connection.execute(_INTEREST.delete().where(*_key(known)))
        return known


def list_interests(database: Database, email: str | None = None) -> list[InterestEntry]:
    with database.read() as connection:
        return _of(connection, email.strip().lower() if email else None)


def _of(connection: Connection, person: str | None) -> list[InterestEntry]:
    query = select(_INTEREST).order_by(_INTEREST.c.person, _INTEREST.c.kind, _INTEREST.c.subject)
    if person is not None:
        query = query.where(_INTEREST.c.person == person)
    return [InterestEntry.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def _same(entries: Sequence[InterestEntry], interest: Interest) -> InterestEntry | None:
    wanted = (interest.kind, folded(interest.subject))
    return next((entry for entry in entries if (entry.kind, folded(entry.subject)) == wanted), None)


def _key(entry: InterestEntry) -> tuple[object, ...]:
    return (
        _INTEREST.c.person == entry.person,
        _INTEREST.c.kind == str(entry.kind),
        _INTEREST.c.subject == entry.subject,
    )


def _touched(connection: Connection, person: str, interest: Interest) -> list[Touched]:
    query = (
        select(_TASK.c.task_id, _TASK.c.case_id, _TASK.c.stage, _CASE.c.proposer, _CASE.c.digest)
        .join(_CASE, _CASE.c.case_id == _TASK.c.case_id)
        .where(_TASK.c.assignee == person, _TASK.c.status == str(TaskStatus.OPEN))
        .order_by(_TASK.c.case_id, _TASK.c.task_id)
    )
    touched = []
    for row in connection.execute(query).all():
        why = Matter.of(row.proposer, proposal_by_digest(connection, row.digest)).conflict([interest])
        if why is not None:
            touched.append(Touched(row.case_id, row.task_id, row.stage, why))
    return touched
