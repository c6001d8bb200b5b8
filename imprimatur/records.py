"""Records of many proposals in one file: catalogue records or whole proposals, JSON Lines or CSV."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imprimatur.delimited import read_rows, repeated
from imprimatur.errors import DocumentInvalid, InputError, Problem
from imprimatur.frameworks.documents import Document, parse, read_text, text_of
from imprimatur.frameworks.fields import kind_of
from imprimatur.frameworks.loader import validate
from models.proposal import Proposal

SIZE_LIMIT_BYTES = 20 * 1024 * 1024
# A quoted cell may hold a long text of several paragraphs.
LINES_OF_ONE_ROW = 200
# Columns of published catalogues, and where they go in a proposal.
ALIASES = {
    "field": "field_of_study",
    "outcomes": "learning_outcomes",
    "url": "source_url",
    "ects": "workload.credits",
    "hours": "workload.hours",
    "start": "delivery.starts_on",
    "registration_deadline": "delivery.registration_deadline_on",
}
NOT_PART_OF_A_PROPOSAL = frozenset({"id", "source"})
_ONE_LINE = Path("record.json")


@dataclass(frozen=True)
class Record:
    """``key`` is the same when the record comes again; ``problems`` tell why it cannot be read."""

    line: int
    key: str
    data: dict[str, Any]
    problems: tuple[Problem, ...] = ()


def read_records(path: Path) -> list[Record]:
    """Raises InputError for a file that cannot be read at all; a bad line is a record with a problem."""
    return _records(path, read_text(path, SIZE_LIMIT_BYTES))


def records_of(content: bytes, name: str) -> list[Record]:
    """As ``read_records`` reads a file of that name and content."""
    path = Path(name)
    return _records(path, text_of(content, path, SIZE_LIMIT_BYTES))


def _records(path: Path, text: str) -> list[Record]:
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            lines = enumerate(re.split("\r\n|\r|\n", text), 1)
            return [_json_record(number, line) for number, line in lines if line.strip()]
        case ".csv":
            return list(_csv_records(text))
    raise InputError(
        "import_format_unknown", f"{path.name} is neither .jsonl nor .csv.", "Save the records as JSON Lines or CSV."
    )


def _json_record(number: int, line: str) -> Record:
    try:
        document = parse(line, _ONE_LINE)
    except DocumentInvalid as error:
        return Record(number, "", {}, error.problems)
    if not isinstance(document.data, dict):
        return _unusable(number, "is not a JSON object")
    return Record(number, _key_of(document.data), document.data, tuple(document.problems))


def _unusable(number: int, problem: str) -> Record:
    return Record(number, "", {}, (Problem("", problem),))


def _csv_records(text: str) -> Iterator[Record]:
    names, rows = read_rows(text, LINES_OF_ONE_ROW)
    if twice := repeated(names):
        raise InputError(
            "import_columns_repeated",
            f"The file has more than one column named {', '.join(twice)}.",
            "Leave one of each; several outcomes stand in one cell, with | between them.",
        )
    for number, cells in rows:
        if cells is None:
            yield _unusable(number, "is not readable as CSV: a quote is not closed, or stands where none may")
        elif len(cells) > len(names):
            yield _unusable(number, f"has {len(cells)} cells for {len(names)} columns")
        else:
            data = {name: _cell(name, cell) for name, cell in zip(names, cells, strict=False) if cell.strip()}
            yield Record(number, _key_of(data), data)


def _cell(name: str, cell: str) -> str | list[str]:
    if kind_of(ALIASES.get(name, name)) != "texts":
        return cell
    return [part.strip() for part in cell.split("|") if part.strip()]


def _key_of(data: dict[str, Any]) -> str:
    """What makes a record the same record when it comes again: its own id, else its content."""
    if data.get("id") not in (None, ""):
        return str(data["id"])
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def proposal_of(record: dict[str, Any]) -> Proposal:
    """Raises DocumentInvalid ``proposal_invalid``; unknown columns are problems, never dropped in silence."""
    document, problems = _document_of(record)
    proposal, more = validate(Document(document), Proposal, "")
    if proposal is None or problems:
        raise DocumentInvalid("proposal_invalid", "The record is no usable proposal.", [*problems, *more])
    return proposal


def _document_of(record: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    document: dict[str, Any] = {}
    problems = []
    said_by: dict[str, str] = {}
    for name, value in record.items():
        if name in NOT_PART_OF_A_PROPOSAL or value in (None, "", []):
            continue
        path = ALIASES.get(name, name)
        same = next((said for said in said_by if _overlap(path, said)), None)
        if same is not None:
            problem = f"is said twice, by the columns {said_by[same]!r} and {name!r}"
            problems.append(Problem(path, problem, "one of the two", code="duplicate_key"))
            continue
        said_by[path] = name
        head, _, part = path.partition(".")
        if part:
            document.setdefault(head, {})[part] = value
        else:
            document[path] = value
    if said_by.get("workload.credits") == "ects":
        document["workload"].setdefault("credit_system", "ects")
    return document, problems


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
