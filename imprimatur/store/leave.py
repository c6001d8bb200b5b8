"""Who is away, who stands in for whom, and whose work nobody does any more."""

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, or_, select

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.store.people import active_person, known_person
from imprimatur.store.sessions import shut_out_inactive
from models.tables import AbsenceRow, CaseRow, DelegationRow, PersonRow, TaskRow
from models.vocabulary import CaseStatus, TaskStatus

_DELEGATION = DelegationRow.__table__  # type: ignore[attr-defined]
_ABSENCE = AbsenceRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]
PENDING = (TaskStatus.OPEN, TaskStatus.OFFERED)


class DelegationEntry(BaseModel):
    """Both dates are included; scopes that are not named mean everywhere."""

    delegation_id: str
    person: str
    deputy: str
    first_on: dt.date
    last_on: dt.date
    framework: str | None = None
    stage: str | None = None
    unit: str | None = None
    declared_at: dt.datetime
    ended_at: dt.datetime | None = None


class AbsenceEntry(BaseModel):
    person: str
    first_on: dt.date
    last_on: dt.date
    reason: str = ""


@dataclass(frozen=True)
class Scope:
    """Where a standing delegation holds; what is None does not narrow it."""

    framework: str | None = None
    stage: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Work:
    """One pending task of somebody."""

    task_id: str
    case_id: str
    stage: str
    round: int
    assignee: str
    on_offer: bool


def _check_dates(first_on: dt.date, last_on: dt.date) -> None:
    if last_on < first_on:
        raise InputError("dates_reversed", "The last day lies before the first.", "Both days are included.")


def add_delegation(
    database: Database, person: str, deputy: str, first_on: dt.date, last_on: dt.date, scope: Scope, at: dt.datetime
) -> DelegationEntry:
    """Raises InputError ``dates_reversed``, ``person_unknown``, ``person_inactive``, ``own_deputy``."""
    _check_dates(first_on, last_on)
    with database.write() as connection:
        entry = DelegationEntry(
            delegation_id=f"del-{secrets.token_hex(5)}",
            person=active_person(connection, person).email,
            deputy=active_person(connection, deputy).email,
            first_on=first_on,
            last_on=last_on,
            framework=scope.framework,
            stage=scope.stage,
            unit=scope.unit,
            declared_at=at,
        )
        if entry.person == entry.deputy:
            raise Refused("own_deputy", "Nobody is their own deputy.", "Name someone else with --to.")
        connection.execute(_DELEGATION.insert(), entry.model_dump())
    return entry


def end_delegation(database: Database, delegation_id: str, at: dt.datetime) -> DelegationEntry:
    """Raises NotFound ``delegation_unknown``, also for one that has ended already."""
    with database.write() as connection:
        found = connection.execute(
            select(_DELEGATION).where(_DELEGATION.c.delegation_id == delegation_id, _DELEGATION.c.ended_at.is_(None))
        )
        row = found.mappings().first()
        if row is None:
            raise NotFound(
                "delegation_unknown",
                f"No delegation {delegation_id} is in force.",
                "See `starter.py people delegations`.",
            )
        _end(connection, at, _DELEGATION.c.delegation_id == delegation_id)
        return DelegationEntry.model_validate(dict(row) | {"ended_at": at})


def _end(connection: Connection, at: dt.datetime, *which: Any) -> None:
    connection.execute(_DELEGATION.update().where(*which).values(ended_at=at))


def list_delegations(database: Database, person: str | None = None) -> list[DelegationEntry]:
    """Those that have not been ended, given by or to a person when one is named."""
    query = select(_DELEGATION).where(_DELEGATION.c.ended_at.is_(None))
    if person is not None:
        wanted = person.strip().lower()
        query = query.where(or_(_DELEGATION.c.person == wanted, _DELEGATION.c.deputy == wanted))
    ordered = query.order_by(_DELEGATION.c.person, _DELEGATION.c.first_on, _DELEGATION.c.delegation_id)
    with database.read() as connection:
        return [DelegationEntry.model_validate(dict(row)) for row in connection.execute(ordered).mappings()]


def add_absence(database: Database, person: str, first_on: dt.date, last_on: dt.date, reason: str) -> AbsenceEntry:
    """Of two absences that begin on the same day the later one counts.

    Raises InputError ``dates_reversed`` and NotFound ``person_unknown``.
    """
    _check_dates(first_on, last_on)
    with database.write() as connection:
        email = known_person(connection, person).email
        entry = AbsenceEntry(person=email, first_on=first_on, last_on=last_on, reason=reason.strip())
        connection.execute(_ABSENCE.delete().where(_ABSENCE.c.person == email, _ABSENCE.c.first_on == first_on))
        connection.execute(_ABSENCE.insert(), entry.model_dump())
    return entry


def end_absences(database: Database, person: str, on: dt.date) -> int:
    """The person is back ``on`` this day: what would last longer is cut short; answers how many absences changed."""
    with database.write() as connection:
        email = known_person(connection, person).email
        lasting = (_ABSENCE.c.person == email, _ABSENCE.c.last_on >= on)
        gone = connection.execute(_ABSENCE.delete().where(*lasting, _ABSENCE.c.first_on >= on)).rowcount
        before = on - dt.timedelta(days=1)
        return int(gone + connection.execute(_ABSENCE.update().where(*lasting).values(last_on=before)).rowcount)


def list_absences(database: Database, person: str | None = None) -> list[AbsenceEntry]:
    query = select(_ABSENCE).order_by(_ABSENCE.c.first_on, _ABSENCE.c.person)
    if person is not None:
        query = query.where(_ABSENCE.c.person == person.strip().lower())
    with database.read() as connection:
        return [AbsenceEntry.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def leave(database: Database, person: str, at: dt.datetime) -> str:
    """Sets a person inactive and ends their delegations, given and received; answers the address.

    Raises NotFound ``person_unknown``.
    """
    with database.write() as connection:
        email = known_person(connection, person).email
        connection.execute(_PERSON.update().where(_PERSON.c.email == email).values(active=False))
        shut_out_inactive(connection, at)
        theirs = or_(_DELEGATION.c.person == email, _DELEGATION.c.deputy == email)
        _end(connection, at, theirs, _DELEGATION.c.ended_at.is_(None))
    return email


def work_of(database: Database, person: str) -> list[Work]:
    """Everything that waits for a person."""
    with database.read() as connection:
        return _work(connection, _TASK.c.assignee == person)


def abandoned_work(database: Database) -> list[Work]:
    """Everything that waits for people who are no longer active."""
    gone = select(_PERSON.c.email).where(_PERSON.c.active.is_(False))
    with database.read() as connection:
        return _work(connection, _TASK.c.assignee.in_(gone))


def asked_now(database: Database, work: Work) -> set[tuple[str, str]]:
    """Task and assignee of everything that is pending in the same stage and round."""
    same = (_TASK.c.case_id == work.case_id, _TASK.c.stage == work.stage, _TASK.c.round == work.round)
    with database.read() as connection:
        return {(found.task_id, found.assignee) for found in _work(connection, *same)}


def _work(connection: Connection, *which: Any) -> list[Work]:
    columns = (_TASK.c.task_id, _TASK.c.case_id, _TASK.c.stage, _TASK.c.round, _TASK.c.assignee, _TASK.c.status)
    query = select(*columns).where(_TASK.c.status.in_([str(status) for status in PENDING]), *which)
    return [
        Work(*row[:5], on_offer=row.status == TaskStatus.OFFERED)
        for row in connection.execute(query.order_by(_TASK.c.case_id, _TASK.c.task_id))
    ]


def open_proposals(database: Database, person: str) -> list[str]:
    """Cases in motion that the person has proposed."""
    final = [str(status) for status in CaseStatus if status.is_final]
    query = select(_CASE.c.case_id).where(_CASE.c.proposer == person, _CASE.c.status.not_in(final))
    with database.read() as connection:
        return list(connection.execute(query.order_by(_CASE.c.case_id)).scalars())
