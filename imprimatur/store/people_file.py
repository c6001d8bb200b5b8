"""A directory as a CSV file: what each line says, and which lines cannot be used."""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel

from imprimatur.errors import InputError

COLUMNS = ("email", "name", "roles", "units", "organisation", "active")
DELIMITERS = (",", ";", "\t")
YES = frozenset({"", "yes", "y", "true", "1", "active", "ja", "j", "oui", "si", "sí"})
NO = frozenset({"no", "n", "false", "0", "inactive", "nein", "non"})
# A quoted cell may run over several lines; a quote that is never closed must not swallow the rest of the file.
LINES_OF_ONE_CELL = 5
CELL_LIMIT = 2000
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Rejected(BaseModel):
    """``line`` counts from 1, the heading included."""

    line: int
    field: str
    problem: str


class PersonLine(TypedDict):
    """What a line says; columns that the file does not have are left out."""

    email: str
    name: str
    roles: NotRequired[list[str]]
    units: NotRequired[list[str]]
    organisation: NotRequired[str]
    active: NotRequired[bool]


def read_people(text: str) -> tuple[list[PersonLine], list[Rejected]]:
    """Good lines, one per person, and the others with what is wrong. Raises InputError ``people_columns_missing``."""
    lines = re.split("\r\n|\r|\n", text)
    delimiter = max(DELIMITERS, key=lambda mark: lines[0].count(mark))
    names = [name.strip().lower() for name in _cells(lines[0], delimiter) or []]
    if not {"email", "name"} <= set(names):
        raise InputError(
            "people_columns_missing",
            "The file has no columns named email and name.",
            f"Its first line must name the columns: {','.join(COLUMNS)}.",
        )
    people: dict[str, PersonLine] = {}
    rejected: list[Rejected] = []
    for number, cells in _records(lines, delimiter):
        person = _read_line(names, cells)
        if isinstance(person, tuple):
            rejected.append(Rejected(line=number, field=person[0], problem=person[1]))
        elif person["email"] in people:
            problem = f"{person['email']} stands in an earlier line too"
            rejected.append(Rejected(line=number, field="email", problem=problem))
        else:
            people[person["email"]] = person
    return list(people.values()), rejected


def _cells(line: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Line number and cells of each record after the heading; None for a line that is no CSV."""
    index = 1
    while index < len(lines):
        for count in range(1, LINES_OF_ONE_CELL + 1):
            cells = _cells("\n".join(lines[index : index + count]), delimiter)
            if cells is not None:
                break
        else:
            count = 1
        if cells is None or any(cell.strip() for cell in cells):
            yield index + 1, cells
        index += count


def _read_line(names: Sequence[str], cells: Sequence[str] | None) -> PersonLine | tuple[str, str]:
    if cells is None:
        return "", "is not readable as CSV: a quote is not closed, or stands where none may"
    if len(cells) > len(names):
        return "", f"has {len(cells)} cells for {len(names)} columns"
    said = {name: " ".join(cell.split()) for name, cell in zip(names, cells, strict=False)}
    for name, cell in said.items():
        if len(cell) > CELL_LIMIT or _CONTROL_CHARACTERS.search(cell):
            return name, f"is longer than {CELL_LIMIT} characters, or holds characters that cannot be printed"
    problem = _address_problem(said.get("email", ""))
    if problem is not None:
        return "email", problem
    if not said.get("name"):
        return "name", "is missing"
    active = said.get("active", "").lower()
    if active not in YES | NO:
        return "active", f"{active!r} is neither yes nor no"
    person = PersonLine(email=said["email"].lower(), name=said["name"])
    if "roles" in names:
        person["roles"] = _parts(said.get("roles", ""))
    if "units" in names:
        person["units"] = _parts(said.get("units", ""))
    if "organisation" in names:
        person["organisation"] = said.get("organisation", "")
    if "active" in names:
        person["active"] = active in YES
    return person


def _address_problem(email: str) -> str | None:
    if not email:
        return "is missing"
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return f"{email!r} is no mail address: {error}"
    return None


def _parts(cell: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in re.split("[;|]", cell) if part.strip()))
