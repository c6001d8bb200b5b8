"""A directory as a CSV file: what each line says, and which lines cannot be used."""

import re
from collections.abc import Sequence
from typing import NamedTuple, NotRequired, cast

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel

from imprimatur.delimited import read_rows, repeated
from imprimatur.errors import InputError
from imprimatur.store.preferences import NO, PREFERENCES, YES, PreferenceInvalid, Preferred, preferences_said

COLUMNS = ("email", "name", "roles", "units", "organisation", "active", *PREFERENCES, "aliases", "formerly")
LINES_OF_ONE_ROW = 5
CELL_LIMIT = 2000
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Rejected(BaseModel):
    """``line`` counts from 1, the heading included."""

    line: int
    field: str
    problem: str


class PersonLine(Preferred):
    """What a line says; cells that the line does not have are left out."""

    email: str
    name: str
    roles: NotRequired[list[str]]
    units: NotRequired[list[str]]
    organisation: NotRequired[str]
    active: NotRequired[bool]
    aliases: NotRequired[list[str]]
    formerly: NotRequired[str | None]


class PeopleFile(NamedTuple):
    """Good lines, one per person; the others with what is wrong; columns that a directory does not have.

    ``numbers`` are those of the good lines, in their order.
    """

    people: list[PersonLine]
    rejected: list[Rejected]
    ignored: list[str]
    numbers: list[int]


def read_people(text: str) -> PeopleFile:
    """Raises InputError ``people_columns_missing`` or ``people_columns_repeated``."""
    names, rows = read_rows(text, LINES_OF_ONE_ROW)
    _check_columns(names)
    people: dict[str, PersonLine] = {}
    numbers: list[int] = []
    rejected: list[Rejected] = []
    for number, cells in rows:
        person = _read_line(names, cells)
        if isinstance(person, tuple):
            rejected.append(Rejected(line=number, field=person[0], problem=person[1]))
        elif person["email"] in people:
            problem = f"{person['email']} stands in an earlier line too"
            rejected.append(Rejected(line=number, field="email", problem=problem))
        else:
            people[person["email"]] = person
            numbers.append(number)
    ignored = [name for name in names if name and name not in COLUMNS]
    return PeopleFile(list(people.values()), rejected, ignored, numbers)


def _check_columns(names: Sequence[str]) -> None:
    if not {"email", "name"} <= set(names):
        raise InputError(
            "people_columns_missing",
            "The file has no columns named email and name.",
            f"Its first line must name the columns: {','.join(COLUMNS)}.",
        )
    if twice := repeated(names):
        raise InputError(
            "people_columns_repeated",
            f"The file has more than one column named {', '.join(twice)}.",
            "Leave one of each; several roles or units stand in one cell, with a semicolon between them.",
        )


def _read_line(names: Sequence[str], cells: Sequence[str] | None) -> PersonLine | tuple[str, str]:
    if cells is None:
        return "", "is not readable as CSV: a quote is not closed, or stands where none may"
    if len(cells) > len(names):
        return "", f"has {len(cells)} cells for {len(names)} columns"
    said = {name: " ".join(cell.split()) for name, cell in zip(names, cells, strict=False)}
    for name, cell in said.items():
        if len(cell) > CELL_LIMIT or _CONTROL_CHARACTERS.search(cell):
            return name, f"is longer than {CELL_LIMIT} characters, or holds characters that cannot be printed"
    problem = address_problem(said.get("email", ""))
    if problem is not None:
        return "email", problem
    former = said.get("formerly", "").lower()
    if former and (problem := _former_problem(former, said["email"].lower())):
        return "formerly", problem
    if not said.get("name"):
        return "name", "is missing"
    active = said.get("active", "").lower()
    if active not in YES | NO:
        return "active", f"{active!r} is neither yes nor no"
    try:
        preferred = preferences_said(said)
    except PreferenceInvalid as error:
        return error.name, error.problem
    person = cast(PersonLine, {"email": said["email"].lower(), "name": said["name"], **preferred})
    if "roles" in said:
        person["roles"] = _parts(said["roles"])
    if "units" in said:
        person["units"] = _parts(said["units"])
    if "organisation" in said:
        person["organisation"] = said["organisation"]
    if "active" in said:
        person["active"] = active in YES
    if "aliases" in said:
        person["aliases"] = _parts(said["aliases"].lower())
        if wrong := [problem for alias in person["aliases"] if (problem := address_problem(alias))]:
            return "aliases", wrong[0]
    if former:
        person["formerly"] = former
    return person


def _former_problem(former: str, email: str) -> str | None:
    return "is the same address" if former == email else address_problem(former)


def address_problem(email: str) -> str | None:
    """The end of a sentence about the address; None when it can be one."""
    if not email:
        return "is missing"
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return f"{email!r} is no mail address: {error}"
    return None


def _parts(cell: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in re.split("[;|]", cell) if part.strip()))
