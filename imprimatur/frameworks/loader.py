"""Frameworks and proposals from documents; every problem at its place."""

import difflib
import typing
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from imprimatur.errors import DocumentInvalid, InputError, Problem
from imprimatur.frameworks.documents import Document, parse, read_text, spelled, text_of
from imprimatur.frameworks.fields import model_in
from imprimatur.frameworks.json_lines import Place
from imprimatur.frameworks.wording import described, is_consequence, shown
from models.framework import Framework
from models.proposal import Proposal
from models.sitting import SittingRecord
from models.stacking import Pathway

Model = TypeVar("Model", bound=BaseModel)
# Stored with the database, one for each kind of micro-credential.
SHIPPED = ("industry-credit", "coursework-credit", "non-credit")
# Stored with the database as well; its cases are reviews of what is published.
REVIEWS = ("improvement-review",)
# And one whose cases are hand-overs of it.
HANDOVERS = ("delivery-handover",)
# Stored only when somebody adds them.
INSTITUTIONS = ("acu", "buffalo", "kentucky", "msu-denver", "nzqa", "sydney", "ubc")
# Nobody reads further, and looking for near words takes time.
PROBLEM_LIMIT = 200


def load_framework(path: Path) -> Framework:
    """Raises DocumentInvalid ``framework_invalid`` with all problems, and what ``read_text`` and ``parse`` raise."""
    return _load(path, Framework, "framework_invalid", "framework")


def load_proposal(path: Path) -> Proposal:
    """Raises DocumentInvalid ``proposal_invalid`` with all problems, and what ``read_text`` and ``parse`` raise."""
    return _load(path, Proposal, "proposal_invalid", "proposal")


def load_pathway(path: Path) -> Pathway:
    """Raises DocumentInvalid ``pathway_invalid`` with all problems, and what ``read_text`` and ``parse`` raise."""
    return _load(path, Pathway, "pathway_invalid", "pathway")


def load_sitting_record(path: Path) -> SittingRecord:
    """Raises DocumentInvalid ``sitting_record_invalid`` with all problems, and what reading it raises."""
    return _load(path, SittingRecord, "sitting_record_invalid", "record of a sitting")


def proposal_of_text(content: bytes, name: str) -> Proposal:
    """As ``load_proposal`` reads a file of that name and content."""
    path = Path(name)
    return _made(parse(text_of(content, path), path), path, Proposal, "proposal_invalid", "proposal")


def _load(path: Path, model: type[Model], code: str, what: str) -> Model:
    return _made(parse(read_text(path), path), path, model, code, what)


def _made(document: Document, path: Path, model: type[Model], code: str, what: str) -> Model:
    found, problems = validate(document, model, path.name)
    if found is None:
        number = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        if problems[-1].code == "more_problems":
            number = f"more than {PROBLEM_LIMIT} problems"
        raise DocumentInvalid(
            code, f"{path.name} is no usable {what}: {number}.", problems, "Correct them and try again."
        )
    return found


def validate(document: Document, model: type[Model], file: str) -> tuple[Model | None, list[Problem]]:
    """The document as a model, or None and every problem with its line (the first 200, and how many more)."""
    problems = list(document.problems)
    if not isinstance(document.data, dict):
        text = f"the document is not a mapping of keys to values but {shown(document.data)}"
        return None, [Problem("", text, "keys and values", file, 1, "not_a_mapping")]
    try:
        found = model.model_validate(document.data)
    except ValidationError as error:
        errors = [item for item in error.errors(include_url=False) if not is_consequence(item)]
        problems += [_problem(item, document, model, file) for item in errors[:PROBLEM_LIMIT]]
        left_out = max(0, len(errors) - PROBLEM_LIMIT)
    else:
        left_out = 0
        if not problems:
            return found, []
    left_out += max(0, len(problems) - PROBLEM_LIMIT)
    problems = sorted(problems, key=lambda problem: problem.line or 0)[:PROBLEM_LIMIT]
    if left_out:
        problems.append(Problem("", f"there are {left_out} more problems", "", file, None, "more_problems"))
    return None, problems


def _problem(item: ErrorDetails, document: Document, model: type[BaseModel], file: str) -> Problem:
    path = tuple(part for part in item["loc"] if part != "[key]")
    code, text, expected = described(item, lambda: _keys_at(model, path[:-1]))
    return Problem(spelled(path), text, expected, file, document.line_of(path), code)


def _keys_at(model: type[BaseModel], path: Place) -> set[str]:
    current: type[BaseModel] | None = model
    named_freely = False
    for part in path:
        if isinstance(part, int) or named_freely:
            named_freely = False
            continue
        info = current.model_fields.get(part) if current else None
        current = model_in(info.annotation) if info else None
        named_freely = info is not None and typing.get_origin(info.annotation) is dict
    return set(current.model_fields) if current else set()


# --- what is shipped ----------------------------------------------------------------------------------------


def shipped_path(framework_id: str) -> Path:
    here = Path(__file__).parent
    return (here / "institutions" if framework_id in INSTITUTIONS else here) / f"{framework_id}.yaml"


@cache
def shipped() -> dict[str, Framework]:
    """The general frameworks that come with Imprimatur, by id."""
    return {name: load_framework(shipped_path(name)) for name in SHIPPED}


@cache
def reviews() -> dict[str, Framework]:
    """The frameworks of reviews that come with Imprimatur, by id."""
    return {name: load_framework(shipped_path(name)) for name in REVIEWS}


@cache
def handovers() -> dict[str, Framework]:
    """The frameworks of hand-overs that come with Imprimatur, by id."""
    return {name: load_framework(shipped_path(name)) for name in HANDOVERS}


@cache
def institutions() -> dict[str, Framework]:
    """The processes of real institutions that come with Imprimatur, by id."""
    return {name: load_framework(shipped_path(name)) for name in INSTITUTIONS}


def framework_file(named: str) -> Path:
    """A file, or a framework that comes with Imprimatur by its id; a file of that name comes first.

    Raises InputError ``framework_not_shipped`` for what can only be an id, and is none.
    """
    file = Path(named)
    if file.exists() and not file.is_dir():
        return file
    known = (*SHIPPED, *REVIEWS, *HANDOVERS, *INSTITUTIONS)
    if named in known:
        return shipped_path(named)
    if file.name == named and not file.suffix and not file.is_dir():
        near = difflib.get_close_matches(named, known, 1)
        hint = f"Did you mean {near[0]}?" if near else "See `framework list --shipped`, or name a file."
        raise InputError(
            "framework_not_shipped", f"There is no file {named}, and no framework of that name is shipped.", hint
        )
    return file
