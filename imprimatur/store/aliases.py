"""Further addresses of people. A reply from one of them is a reply of the person, for the office has recorded it so."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, select

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.store.office import check_office
from imprimatur.store.people_file import PersonLine, Rejected, address_problem
from models.tables import PersonAliasRow, PersonRow

_ALIAS = PersonAliasRow.__table__  # type: ignore[attr-defined]
_ALIASES_OF = select(_ALIAS.c.alias).where(_ALIAS.c.email == bindparam("person"))
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
# Who recorded what came with a file, and nobody was named.
IMPORT = "people import"


class AliasEntry(BaseModel):
    """``email`` is the address that the directory knows the person by."""

    alias: str
    email: str
    recorded_by: str
    recorded_at: dt.datetime


def add_alias(database: Database, email: str, alias: str, *, by: str, at: dt.datetime) -> AliasEntry:
    """Recorded again, it stays as it was.

    Raises NotFound ``person_unknown``, NotAllowed ``not_the_office``, InputError ``alias_malformed``, Refused
    ``alias_taken``.
    """
    person, wanted = email.strip().lower(), alias.strip().lower()
    if (problem := address_problem(wanted)) is not None:
        raise InputError("alias_malformed", f"The address {problem}.", "Give one such as name@example.org.")
    with database.write() as connection:
        office = officer(connection, by)
        if connection.execute(select(_PERSON.c.email).where(_PERSON.c.email == person)).first() is None:
            raise NotFound("person_unknown", f"{person} is not in the directory.", "See `starter.py people list`.")
        known = {entry.alias: entry for entry in _entries(connection)}
        if wanted in known and known[wanted].email == person:
            return known[wanted]
        people = set(connection.execute(select(_PERSON.c.email)).scalars())
        if (owner := wanted if wanted in people else known[wanted].email if wanted in known else None) is not None:
            raise Refused(
                "alias_taken",
                f"{wanted} belongs to {'the directory already' if owner == wanted else owner}.",
                "An address leads to one person; take it from whoever has it first.",
            )
        entry = AliasEntry(alias=wanted, email=person, recorded_by=office, recorded_at=at)
        connection.execute(_ALIAS.insert(), entry.model_dump())
        return entry


def remove_alias(database: Database, email: str, alias: str, *, by: str) -> AliasEntry:
    """Raises NotFound ``alias_unknown`` or NotAllowed ``not_the_office``."""
    person, wanted = email.strip().lower(), alias.strip().lower()
    with database.write() as connection:
        officer(connection, by)
        found = next((e for e in _entries(connection) if (e.alias, e.email) == (wanted, person)), None)
        if found is None:
            raise NotFound("alias_unknown", f"{wanted} is no alias of {person}.", "See `starter.py people alias list`.")
        connection.execute(_ALIAS.delete().where(_ALIAS.c.alias == wanted))
        return found


def list_aliases(database: Database, person: str | None = None) -> list[AliasEntry]:
    with database.read() as connection:
        return [e for e in _entries(connection) if person is None or e.email == person.strip().lower()]


def aliases_of(connection: Connection, email: str) -> list[str]:
    return list(connection.execute(_ALIASES_OF, {"person": email}).scalars())


def officer(connection: Connection, actor: str) -> str:
    """The address of an active member of the office. Raises NotAllowed ``not_the_office``."""
    person = actor.strip().lower()
    check_office(connection, person)
    return person


def sort_out(
    connection: Connection, lines: Sequence[tuple[int, PersonLine]]
) -> tuple[list[PersonLine], list[Rejected]]:
    """Lines of a file whose addresses lead to one person each, and the others."""
    people = set(connection.execute(select(_PERSON.c.email)).scalars()) | {line["email"] for _, line in lines}
    replaced = {line["email"] for _, line in lines if "aliases" in line}
    kept = {entry.alias: entry.email for entry in _entries(connection)}
    taken = {alias: email for alias, email in kept.items() if email not in replaced}
    good: list[PersonLine] = []
    rejected: list[Rejected] = []
    for number, line in lines:
        problems = list(_problems(line, people, taken))
        rejected += [Rejected(line=number, field=field, problem=problem) for field, problem in problems[:1]]
        if not problems:
            taken |= dict.fromkeys(line.get("aliases", ()), line["email"])
            good.append(line)
    return good, rejected


def _problems(line: PersonLine, people: set[str], taken: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if line["email"] in taken:
        yield "email", f"{line['email']} is an alias of {taken[line['email']]}"
    for alias in line.get("aliases", ()):
        if alias in people:
            yield "aliases", f"{alias} is an address of the directory itself"
        elif alias in taken:
            yield "aliases", f"{alias} belongs to {taken[alias]}"


def put_aliases(connection: Connection, lines: Sequence[PersonLine], by: str, at: dt.datetime) -> None:
    """What a file says of a person replaces what was known; an alias that stays keeps who recorded it and when."""
    said = {line["email"]: line["aliases"] for line in lines if "aliases" in line}
    known = {entry.alias: entry.email for entry in _entries(connection)}
    gone = [alias for alias, email in known.items() if email in said and alias not in said[email]]
    if gone:
        connection.execute(_ALIAS.delete().where(_ALIAS.c.alias.in_(gone)))
    rows = [
        AliasEntry(alias=alias, email=email, recorded_by=by, recorded_at=at).model_dump()
        for email, aliases in said.items()
        for alias in aliases
        if known.get(alias) != email
    ]
    if rows:
        connection.execute(_ALIAS.insert(), rows)


def _entries(connection: Connection) -> list[AliasEntry]:
    rows = connection.execute(select(_ALIAS).order_by(_ALIAS.c.email, _ALIAS.c.alias)).mappings()
    return [AliasEntry.model_validate(dict(row)) for row in rows]
