"""Learners as a CSV file: who is to be awarded, and which lines cannot be used."""

import datetime as dt
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, TypeAdapter, ValidationError

from imprimatur.delimited import read_rows, repeated
from imprimatur.errors import InputError
from imprimatur.publication.badges import Learner
from models.texts import Day, OneLine

COLUMNS = ("email", "name", "valid_until")
LINES_OF_ONE_ROW = 5
NAME_LENGTH = 200
_LINE, _DAY = TypeAdapter(OneLine), TypeAdapter(Day)


class Rejected(BaseModel):
    """``line`` counts from 1, the heading included."""

    line: int
    problem: str


class LearnersFile(NamedTuple):
    learners: list[tuple[int, Learner]]
    rejected: list[Rejected]


def read_learners(text: str) -> LearnersFile:
    """Raises InputError ``learners_columns``."""
    names, rows = read_rows(text, LINES_OF_ONE_ROW)
    if "email" not in names or repeated(names):
        raise InputError(
            "learners_columns",
            "The file needs a column named email, and no two of one name.",
            f"Its first line names the columns: {','.join(COLUMNS)}.",
        )
    found = LearnersFile([], [])
    for line, cells in rows:
        try:
            if cells is None:
                raise InputError("learner_invalid", "The line is no CSV: a quote is not closed.")
            row = dict(zip(names, cells, strict=False))
            found.learners.append((line, learner_of(*(row.get(name, "") for name in COLUMNS))))
        except InputError as error:
            found.rejected.append(Rejected(line=line, problem=error.message))
    return found


def learner_of(email: str, name: str = "", valid_until: str = "") -> Learner:
    """``valid_until`` is the last day, in UTC. Raises InputError ``learner_invalid``."""
    try:
        address = validate_email(email.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InputError("learner_invalid", f"{email.strip()[:100]!r} is no mail address.") from error
    try:
        shown = _LINE.validate_python(name)
        last = _DAY.validate_python(valid_until.strip()) if valid_until.strip() else None
    except ValidationError as error:
        raise InputError(
            "learner_invalid", "A name is one line of text, and a date is written like 2026-12-24."
        ) from error
    if len(shown) > NAME_LENGTH:
        raise InputError("learner_invalid", f"A name has at most {NAME_LENGTH} characters.")
    until = dt.datetime.combine(last, dt.time(23, 59, 59), dt.UTC) if last else None
    return Learner(address.lower(), shown, until)
