"""The directory: who proposes, who reviews, who holds which role."""

import csv
import difflib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel
from sqlalchemy import Connection, Select, func, select

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.frameworks.loader import read_text
from imprimatur.store.engine import Database
from models.tables import PersonRoleRow, PersonRow, PersonUnitRow, TaskRow
from models.vocabulary import TaskStatus

_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_ROLE = PersonRoleRow.__table__  # type: ignore[attr-defined]
_UNIT = PersonUnitRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]

SIZE_LIMIT_BYTES = 20 * 1024 * 1024
COLUMNS = ("email", "name", "roles", "units", "organisation", "active")
YES = frozenset({"", "yes", "y", "true", "1", "active", "ja", "oui"})
NO = frozenset({"no", "n", "false", "0", "inactive", "nein", "non"})


class PersonEntry(BaseModel):
    email: str
    name: str
    roles: list[str] = []
    units: list[str] = []
    organisation: str = ""
    active: bool = True


class Rejected(BaseModel):
    line: int
    field: str
    problem: str


class PeopleImport(BaseModel):
    created: int
    updated: int
    rejected: list[Rejected]


def import_people(database: Database, path: Path) -> PeopleImport:
    """Takes every good line of a CSV file in one transaction; a bad line never blocks the others.

    Raises InputError ``people_columns_missing`` when there is no email or no name column.
    """
    people, rejected = _read_people(read_text(path, SIZE_LIMIT_BYTES))
    with database.write() as connection:
        known = set(connection.execute(select(_PERSON.c.email)).scalars())
        put_people(connection, people, known)
    updated = sum(person.email in known for person in people)
    return PeopleImport(created=len(people) - updated, updated=updated, rejected=rejected)


def put_people(connection: Connection, people: Sequence[PersonEntry], known: set[str]) -> None:
    """Writes people and their roles and units; ``known`` are the addresses already there."""
    for person in people:
        for index in (_ROLE, _UNIT):
            connection.execute(index.delete().where(index.c.email == person.email))
        values = person.model_dump()
        if person.email in known:
            connection.execute(_PERSON.update().where(_PERSON.c.email == person.email).values(values))
        else:
            connection.execute(_PERSON.insert(), values)
        if person.roles:
            connection.execute(_ROLE.insert(), [{"email": person.email, "role": role} for role in person.roles])
        if person.units:
            connection.execute(_UNIT.insert(), [{"email": person.email, "unit": unit} for unit in person.units])


def _read_people(text: str) -> tuple[list[PersonEntry], list[Rejected]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="surplus")
    names = {(name or "").strip().lower() for name in reader.fieldnames or ()}
    if not {"email", "name"} <= names:
        raise InputError(
            "people_columns_missing",
            "The file has no columns named email and name.",
            f"Its first line must name the columns: {','.join(COLUMNS)}.",
        )
    people: dict[str, PersonEntry] = {}
    rejected: list[Rejected] = []
    try:
        for row in reader:
            _take_line(reader.line_num, row, people, rejected)
    except csv.Error as error:
        rejected.append(Rejected(line=reader.line_num, field="", problem=f"not readable as CSV: {error}"))
    return list(people.values()), rejected


def _take_line(line: int, row: dict[str, str | None], people: dict[str, PersonEntry], rejected: list[Rejected]) -> None:
    cells = {(key or "").strip().lower(): (value or "") for key, value in row.items() if isinstance(value, str | None)}
    email, name = cells.get("email", "").strip(), cells.get("name", "").strip()
    active = cells.get("active", "").strip().lower()
    problem = None
    if "surplus" in row:
        problem = ("", "more cells than columns")
    elif (trouble := _address_problem(email)) is not None:
        problem = ("email", trouble)
    elif not name:
        problem = ("name", "is missing")
    elif active not in YES | NO:
        problem = ("active", f"{active!r} is neither yes nor no")
    elif email.lower() in people:
        problem = ("email", f"{email} stands in an earlier line too")
    if problem is not None:
        rejected.append(Rejected(line=line, field=problem[0], problem=problem[1]))
        return
    people[email.lower()] = PersonEntry(
        email=email.lower(),
        name=name,
        roles=_parts(cells.get("roles", "")),
        units=_parts(cells.get("units", "")),
        organisation=cells.get("organisation", "").strip(),
        active=active in YES,
    )


def _address_problem(email: str) -> str | None:
    if not email:
        return "is missing"
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return f"{email!r} is no mail address: {error}"
    return None


def _parts(cell: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in cell.split(";") if part.strip()))


def list_people(database: Database) -> list[PersonEntry]:
    with database.read() as connection:
        return _entries(connection, select(_PERSON))


def people_by_email(connection: Connection, emails: Iterable[str]) -> list[PersonEntry]:
    return _entries(connection, select(_PERSON).where(_PERSON.c.email.in_(list(emails))))


def holders(connection: Connection, role: str, unit: str | None = None) -> list[PersonEntry]:
    """Active people who hold a role, within a unit when one is named."""
    query = select(_PERSON).join(_ROLE, _ROLE.c.email == _PERSON.c.email).where(_ROLE.c.role == role, _PERSON.c.active)
    if unit is not None:
        query = query.join(_UNIT, _UNIT.c.email == _PERSON.c.email).where(_UNIT.c.unit == unit)
    return _entries(connection, query)


def unit_members(connection: Connection, unit: str) -> list[PersonEntry]:
    query = select(_PERSON).join(_UNIT, _UNIT.c.email == _PERSON.c.email).where(_UNIT.c.unit == unit, _PERSON.c.active)
    return _entries(connection, query)


def has_role(connection: Connection, email: str, role: str) -> bool:
    return any(person.email == email for person in holders(connection, role))


def open_task_counts(connection: Connection, emails: Sequence[str]) -> dict[str, int]:
    query = (
        select(_TASK.c.assignee, func.count())
        .where(_TASK.c.assignee.in_(emails), _TASK.c.status == str(TaskStatus.OPEN))
        .group_by(_TASK.c.assignee)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def active_person(connection: Connection, email: str) -> PersonEntry:
    """Raises NotFound ``person_unknown`` or Refused ``person_inactive``."""
    wanted = email.strip().lower()
    found = people_by_email(connection, [wanted])
    if not found:
        known = connection.execute(select(_PERSON.c.email)).scalars().all()
        near = difflib.get_close_matches(wanted, known, 1)
        raise NotFound(
            "person_unknown",
            f"{wanted} is not in the directory.",
            f"Did you mean {near[0]}?" if near else "Add them with `starter.py people import FILE.csv`.",
        )
    if not found[0].active:
        raise Refused(
            "person_inactive", f"{wanted} is no longer active.", "Choose someone else, or set them active again."
        )
    return found[0]


def default_proposer(database: Database) -> str:
    """Who submits when nobody is named: the first active proposer, else the governance office.

    Raises InputError ``proposer_required``.
    """
    with database.read() as connection:
        for role in ("proposer", "governance_office"):
            if found := holders(connection, role):
                return found[0].email
    raise InputError(
        "proposer_required",
        "Nobody in the directory can propose.",
        "Name the proposer with --as EMAIL, after `starter.py people import FILE.csv`.",
    )


def _entries(connection: Connection, query: Select[tuple[object, ...]]) -> list[PersonEntry]:
    rows = connection.execute(query.order_by(_PERSON.c.email)).mappings()
    return [PersonEntry.model_validate(dict(row)) for row in rows]
