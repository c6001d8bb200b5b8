"""Skills of published frameworks such as ESCO and O*NET, imported from their CSV files."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel
from rapidfuzz import fuzz
from sqlalchemy import Connection, delete, func, or_, select

from imprimatur.delimited import read_rows
from imprimatur.errors import InputError
from imprimatur.rules.completeness import FieldProblem
from imprimatur.store.engine import Database
from models.proposal import Proposal
from models.tables import SkillRow

_SKILL = SkillRow.__table__  # type: ignore[attr-defined]
# Columns as ESCO (skills_en.csv), O*NET (Content Model Reference and its lists) and plain lists call them.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": ("preferredlabel", "element name", "title", "name", "label"),
    "url": ("concepturi", "uri", "url"),
    "code": ("element id", "o*net-soc code", "code", "id"),
    "others": ("altlabels", "alternative labels", "alternatives"),
    "description": ("description", "definition"),
}
FILE_LIMIT_BYTES = 64 * 1024 * 1024
LINES_OF_ONE_ROW = 200
LONGEST_TITLE, LONGEST_DESCRIPTION = 500, 4000
MOST_FOUND = 20
_ADDRESS = re.compile(r"https?://\S{1,1000}")
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Skill(BaseModel):
    framework: str
    title: str
    url: str | None
    code: str | None
    description: str


class RejectedLine(NamedTuple):
    line: int
    problem: str


class SkillImport(NamedTuple):
    """``removed`` were there before and are no longer in the file."""

    imported: int
    removed: int
    rejected: list[RejectedLine]


def import_skills(database: Database, framework: str, file: Path, at: dt.datetime, address: str = "") -> SkillImport:
    """As :func:`take_skills`. Raises InputError ``document_too_large`` or ``document_not_utf8``, and OSError."""
    if file.stat().st_size > FILE_LIMIT_BYTES:
        raise InputError(
            "document_too_large",
            f"{file.name} has more than {FILE_LIMIT_BYTES:,} bytes.",
            "Import its skills in one file, without other tables.",
        )
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "document_not_utf8", f"{file.name} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8."
        ) from error
    return take_skills(database, framework, text, at, address)


def take_skills(database: Database, framework: str, text: str, at: dt.datetime, address: str = "") -> SkillImport:
    """Makes the skills of a CSV file those of the framework, all or none.

    ``address`` makes an address of a code, which stands in it as ``{code}``, where the file has no addresses.
    Raises InputError ``framework_name_missing``, ``skills_columns_missing`` or ``skills_address_invalid``.
    """
    framework = " ".join(framework.split())
    if not framework:
        raise InputError("framework_name_missing", "The framework has no name.", "Name it, such as ESCO.")
    if address and ("{code}" not in address or not _ADDRESS.fullmatch(address)):
        raise InputError(
            "skills_address_invalid",
            f"{address} is no address with {{code}} in it.",
            "Write it like https://skills.example.org/{code}.",
        )
    found: dict[str, dict[str, object]] = {}
    rejected: list[RejectedLine] = []
    for line, said in _read(text):
        skill = _skill(said, address)
        if isinstance(skill, str):
            rejected.append(RejectedLine(line, skill))
        elif skill["key"] in found:
            rejected.append(RejectedLine(line, f"{skill['key']} stands in an earlier line too"))
        else:
            found[str(skill["key"])] = skill | {"framework": framework, "imported_at": at}
    with database.write() as connection:
        of_framework = _SKILL.c.framework == framework
        before = set(connection.execute(select(_SKILL.c.key).where(of_framework)).scalars())
        if found:
            connection.execute(delete(_SKILL).where(of_framework))
            connection.execute(_SKILL.insert(), list(found.values()))
    return SkillImport(len(found), len(before - found.keys()) if found else 0, rejected)


def _read(text: str) -> Iterator[tuple[int, dict[str, str] | None]]:
    names, rows = read_rows(text, LINES_OF_ONE_ROW)
    places = {
        field: next((names.index(name) for name in spellings if name in names), None)
        for field, spellings in COLUMNS.items()
    }
    if places["title"] is None or (places["url"] is None and places["code"] is None):
        raise InputError(
            "skills_columns_missing",
            "The file has no column for the skill's name, or none for its address or code.",
            "ESCO's skills file has preferredLabel and conceptUri, O*NET's has Element Name and Element ID.",
        )
    for line, cells in rows:
        yield line, None if cells is None else _said(cells, places)


def _said(cells: Sequence[str], places: Mapping[str, int | None]) -> dict[str, str]:
    found = ((field, place) for field, place in places.items() if place is not None and place < len(cells))
    return {field: cells[place].strip() for field, place in found}


def _skill(said: Mapping[str, str] | None, address: str) -> dict[str, object] | str:
    """A row of the table without its framework, or what is wrong with the line."""
    if said is None:
        return "is not readable as CSV"
    title, code = " ".join(said.get("title", "").split()), said.get("code", "")
    url = said.get("url", "") or (address.replace("{code}", code) if address and code else "")
    if not title:
        return "has no name"
    if not (url or code):
        return "has neither address nor code"
    if url and not _ADDRESS.fullmatch(url):
        return f"{url!r} is no address"
    others = said.get("others", "")
    if len(title) > LONGEST_TITLE or _NOT_PRINTABLE.search(title + code):
        return f"has a name of more than {LONGEST_TITLE} characters, or one that cannot be printed"
    return {
        "key": url or code,
        "title": title,
        "words": " ".join(f"{title} {others}".casefold().split())[:LONGEST_DESCRIPTION],
        "description": " ".join(said.get("description", "").split())[:LONGEST_DESCRIPTION],
        "url": url or None,
        "code": code or None,
    }


def skill_frameworks(database: Database) -> list[tuple[str, int, dt.datetime]]:
    """Name, number of skills and time of import of each framework."""
    query = select(_SKILL.c.framework, func.count(), func.max(_SKILL.c.imported_at)).group_by(_SKILL.c.framework)
    with database.read() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query.order_by(_SKILL.c.framework))]


def search_skills(database: Database, text: str, framework: str | None = None) -> list[Skill]:
    """Skills whose name or other names hold every word, the nearest first, at most 20.

    Raises InputError ``search_empty``.
    """
    words = text.casefold().split()
    if not words:
        raise InputError("search_empty", "There is nothing to look for.", "Give some words of the skill's name.")
    query = select(_SKILL).where(*(_SKILL.c.words.contains(word, autoescape=True) for word in words[:10]))
    if framework is not None:
        query = query.where(_SKILL.c.framework == framework)
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
    sought = " ".join(words)
    nearest = sorted(rows, key=lambda row: (-fuzz.ratio(sought, row["title"].casefold()), row["title"], row["key"]))
    return [Skill.model_validate(dict(row)) for row in nearest[:MOST_FOUND]]


def skill_by_key(database: Database, framework: str, key: str) -> Skill:
    """By its address, or its code where it has none. Raises InputError ``skill_unknown``."""
    query = select(_SKILL).where(_SKILL.c.framework == framework, _SKILL.c.key == key)
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise InputError("skill_unknown", f"{framework} has no such skill.", "Search for it anew.")
    return Skill.model_validate(dict(row))


def unknown_skills(connection: Connection, proposal: Proposal) -> Sequence[FieldProblem]:
    """Skills that their framework does not have, as far as it was imported."""
    if not proposal.skills:
        return ()
    names = {skill.framework for skill in proposal.skills}
    imported = set(
        connection.execute(select(_SKILL.c.framework).where(_SKILL.c.framework.in_(names)).distinct()).scalars()
    )
    keys = {key for skill in proposal.skills for key in (skill.url, skill.code) if key}
    query = select(_SKILL.c.framework, _SKILL.c.url, _SKILL.c.code).where(
        or_(_SKILL.c.url.in_(keys), _SKILL.c.code.in_(keys))
    )
    known = {(row[0], key) for row in connection.execute(query) for key in (row[1], row[2])} if imported else set()
    return [
        FieldProblem("skills", f"names {skill.title!r}, which {skill.framework} does not have, in entry {number}")
        for number, skill in enumerate(proposal.skills, 1)
        if skill.framework in imported
        and not any((skill.framework, key) in known for key in (skill.url, skill.code) if key)
    ]
