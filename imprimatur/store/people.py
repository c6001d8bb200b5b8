"""The directory: who proposes, who reviews, who holds which role."""

import csv
import datetime as dt
import difflib
import io
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, or_, select

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.frameworks.documents import read_text
from imprimatur.store.aliases import IMPORT, officer, put_aliases, sort_out
from imprimatur.store.cursors import read_cursor, write_cursor
from imprimatur.store.engine import Database
from imprimatur.store.moving import move
from imprimatur.store.people_file import PersonLine, Rejected, read_people
from imprimatur.store.sessions import shut_out_inactive
from models.tables import PersonRoleRow, PersonRow, PersonUnitRow, TaskRow
from models.vocabulary import Digest, TaskStatus

_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_ROLE = PersonRoleRow.__table__  # type: ignore[attr-defined]
_UNIT = PersonUnitRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]

SIZE_LIMIT_BYTES = 20 * 1024 * 1024
PAGE_LENGTH, SUGGESTED = 50, 10


class PersonEntry(BaseModel):
    """Of what is None, from ``time_zone`` to ``receipts``, the institution's default holds."""

    email: str
    name: str
    roles: list[str] = []
    units: list[str] = []
    organisation: str = ""
    active: bool = True
    time_zone: str | None = None
    quiet_hours: str | None = None
    digest: Digest | None = None
    receipts: bool | None = None
    language: str | None = None
    formerly: str | None = None


class PeopleImport(BaseModel):
    """``ignored`` are columns of the file that a directory does not have."""

    created: int
    updated: int
    rejected: list[Rejected]
    ignored: list[str] = []


class PersonChange(BaseModel):
    """What a line of a file does: ``changed`` has old and new words by column; ``former`` is the address given up."""

    email: str
    name: str
    new: bool
    changed: dict[str, tuple[str, str]]
    former: str | None = None


class PeoplePreview(BaseModel):
    """``unchanged`` counts lines that say what is known already."""

    changes: list[PersonChange]
    unchanged: int
    rejected: list[Rejected]
    ignored: list[str] = []


def import_people(database: Database, path: Path, by: str | None = None) -> PeopleImport:
    """Takes every good line of a CSV file: see :func:`take_people`. Raises what ``read_text`` raises as well."""
    return take_people(database, read_text(path, SIZE_LIMIT_BYTES), by)


def take_people(database: Database, text: str, by: str | None = None) -> PeopleImport:
    """Takes every good line of a CSV text in one transaction; a bad line never blocks the others.

    A cell that the file does not have leaves what is known as it is. A former address is given up for the new one, with
    everything that was declared under it. ``by`` is whoever of the office imports it.
    Raises NotAllowed ``not_the_office``, InputError ``people_columns_missing``
    when there is no email or no name column, and ``people_columns_repeated``.
    """
    found = read_people(text)
    with database.write() as connection:
        office = officer(connection, by) if by is not None else IMPORT
        if not database.is_sqlite:
            # Two imports at once would insert the same person; on SQLite writers queue anyway.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7203115)")
        lines, doubtful = sort_out(connection, list(zip(found.numbers, found.people, strict=True)))
        known = {person.email: person for person in _entries(connection, select(_PERSON))}
        people = [_merged(line, known) for line in lines]
        _put_people(connection, people, known)
        for line in lines:
            if former := line.get("formerly"):
                move(connection, former, line["email"])
        shut_out_inactive(connection, dt.datetime.now(dt.UTC))
        put_aliases(connection, lines, office, dt.datetime.now(dt.UTC))
    updated = sum(person.email in known for person in people)
    rejected = sorted([*found.rejected, *doubtful], key=lambda line: line.line)
    return PeopleImport(created=len(people) - updated, updated=updated, rejected=rejected, ignored=found.ignored)


def take_person(database: Database, fields: Mapping[str, str], by: str | None = None) -> PeopleImport:
    """One person, by the columns of a file: what a form says is checked as a file is.

    Raises InputError ``person_invalid`` naming the field, and what :func:`take_people` raises.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(fields)
    writer.writerow([" ".join(value.split()) for value in fields.values()])
    result = take_people(database, buffer.getvalue(), by)
    if result.rejected:
        wrong = result.rejected[0]
        raise InputError("person_invalid", f"{wrong.field.capitalize()} {wrong.problem}.", "Correct it and send again.")
    return result


def is_empty(database: Database) -> bool:
    """Whether the directory knows nobody yet."""
    with database.read() as connection:
        return connection.execute(select(_PERSON.c.email).limit(1)).first() is None


def preview_people(database: Database, text: str) -> PeoplePreview:
    """What :func:`take_people` would do now; changes nothing. Raises what that raises of the text."""
    found = read_people(text)
    with database.read() as connection:
        lines, doubtful = sort_out(connection, list(zip(found.numbers, found.people, strict=True)))
        known = {person.email: person for person in _entries(connection, select(_PERSON))}
    changes = [_change(line, known.get(line["email"]), _merged(line, known)) for line in lines]
    telling = [change for change in changes if change.new or change.changed or change.former]
    rejected = sorted([*found.rejected, *doubtful], key=lambda line: line.line)
    unchanged = len(changes) - len(telling)
    return PeoplePreview(changes=telling, unchanged=unchanged, rejected=rejected, ignored=found.ignored)


def _change(line: PersonLine, before: PersonEntry | None, after: PersonEntry) -> PersonChange:
    old, new = (before.model_dump() if before else {}), after.model_dump()
    said = {name: (_shown(old.get(name)), _shown(new[name])) for name in new if name not in ("email", "formerly")}
    changed = {name: words for name, words in said.items() if words[0] != words[1]}
    former = line.get("formerly") if before is None or before.formerly != line.get("formerly") else None
    return PersonChange(email=after.email, name=after.name, new=before is None, changed=changed, former=former)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {None: "", True: "yes", False: "no"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]


def _merged(line: PersonLine, known: Mapping[str, PersonEntry]) -> PersonEntry:
    """Whoever is new under this address keeps what was known of them under the former one."""
    if (same := known.get(line["email"])) is not None:
        return PersonEntry.model_validate(same.model_dump() | line)
    former = known.get(line.get("formerly") or "")
    return PersonEntry.model_validate((former.model_dump(exclude={"active"}) if former else {}) | line)


def _put_people(connection: Connection, people: Sequence[PersonEntry], known: Container[str]) -> None:
    values = [person.model_dump() for person in people]
    old = [row | {"key": row["email"]} for row in values if row["email"] in known]
    new = [row for row in values if row["email"] not in known]
    if old:
        keys = [{"key": row["email"]} for row in old]
        for index in (_ROLE, _UNIT):
            connection.execute(index.delete().where(index.c.email == bindparam("key")), keys)
        connection.execute(_PERSON.update().where(_PERSON.c.email == bindparam("key")), old)
    if new:
        connection.execute(_PERSON.insert(), new)
    roles = [{"email": person.email, "role": role} for person in people for role in person.roles]
    units = [{"email": person.email, "unit": unit} for person in people for unit in person.units]
    for index, rows in ((_ROLE, roles), (_UNIT, units)):
        if rows:
            connection.execute(index.insert(), rows)


def list_people(database: Database) -> list[PersonEntry]:
    with database.read() as connection:
        return _entries(connection, select(_PERSON))


@dataclass(frozen=True)
class PeoplePage:
    """By address; ``cursor`` is where the next page begins, None on the last one."""

    people: Sequence[PersonEntry]
    cursor: str | None


def people_page(database: Database, words: str, cursor: str | None, length: int = PAGE_LENGTH) -> PeoplePage:
    """Those whose name or address has all the words. Raises InputError ``cursor_malformed``."""
    query = _called(select(_PERSON), words)
    if cursor:
        [last] = read_cursor(cursor, 1)
        query = query.where(_PERSON.c.email > last)
    with database.read() as connection:
        found = _entries(connection, query.limit(length + 1))
    return PeoplePage(found[:length], write_cursor(found[length - 1].email) if len(found) > length else None)


def suggested(database: Database, words: str) -> list[PersonEntry]:
    """The first few active people whose name or address has what is typed so far."""
    with database.read() as connection:
        return _entries(connection, _called(select(_PERSON).where(_PERSON.c.active), words).limit(SUGGESTED))


def _called(query: Select[tuple[object, ...]], words: str) -> Select[tuple[object, ...]]:
    # No name that is stored has the character that databases cannot compare.
    for word in words.replace("\0", " ").split()[:8]:
        query = query.where(or_(*(_has(text, word) for text in (_PERSON.c.email, _PERSON.c.name))))
    return query


def _has(text: ColumnElement[str], word: str) -> ColumnElement[bool]:
    # Of letters beyond ASCII, SQLite does not know which is the capital of which.
    forms = [word] if word.isascii() else [word.lower(), word.upper(), word.capitalize()]
    return or_(*(text.icontains(form, autoescape=True) for form in forms))


def active_people(database: Database) -> list[PersonEntry]:
    with database.read() as connection:
        return _entries(connection, select(_PERSON).where(_PERSON.c.active))


def people_by_email(connection: Connection, emails: Iterable[str]) -> list[PersonEntry]:
    return _entries(connection, select(_PERSON).where(_PERSON.c.email.in_(list(emails))))


_INACTIVE = select(_PERSON.c.email).where(_PERSON.c.email.in_(bindparam("emails", expanding=True)), ~_PERSON.c.active)


def inactive_among(connection: Connection, emails: Sequence[str]) -> set[str]:
    """Those who are in the directory and no longer active."""
    return set(connection.execute(_INACTIVE, {"emails": emails}).scalars())


def holders(connection: Connection, role: str, unit: str | None = None) -> list[PersonEntry]:
    """Active people who hold a role, within a unit when one is named."""
    query = select(_PERSON).join(_ROLE, _ROLE.c.email == _PERSON.c.email).where(_ROLE.c.role == role, _PERSON.c.active)
    if unit is not None:
        query = query.join(_UNIT, _UNIT.c.email == _PERSON.c.email).where(_UNIT.c.unit == unit)
    return _entries(connection, query)


def unit_members(connection: Connection, unit: str) -> list[PersonEntry]:
    query = select(_PERSON).join(_UNIT, _UNIT.c.email == _PERSON.c.email).where(_UNIT.c.unit == unit, _PERSON.c.active)
    return _entries(connection, query)


def role_counts(connection: Connection) -> dict[str, int]:
    """How many active people hold each role that anyone holds."""
    query = select(_ROLE.c.role, func.count()).join(_PERSON, _PERSON.c.email == _ROLE.c.email).where(_PERSON.c.active)
    return {row.role: row[1] for row in connection.execute(query.group_by(_ROLE.c.role))}


def open_task_counts(connection: Connection, emails: Sequence[str]) -> dict[str, int]:
    query = (
        select(_TASK.c.assignee, func.count())
        .where(_TASK.c.assignee.in_(emails), _TASK.c.status == str(TaskStatus.OPEN))
        .group_by(_TASK.c.assignee)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def known_person(connection: Connection, email: str) -> PersonEntry:
    """Raises NotFound ``person_unknown``."""
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
    return found[0]


def active_person(connection: Connection, email: str) -> PersonEntry:
    """Raises NotFound ``person_unknown`` or Refused ``person_inactive``."""
    found = known_person(connection, email)
    if not found.active:
        raise Refused(
            "person_inactive", f"{found.email} is no longer active.", "Choose someone else, or set them active again."
        )
    return found


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
