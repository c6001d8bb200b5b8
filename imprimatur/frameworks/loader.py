"""Frameworks and proposals from documents; every problem at its place."""

import difflib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from imprimatur.errors import DocumentInvalid, Problem
from imprimatur.frameworks.documents import Document, parse, read_text, spelled
from imprimatur.frameworks.fields import model_in
from imprimatur.frameworks.json_lines import Place
from models.framework import Framework
from models.proposal import Proposal

Model = TypeVar("Model", bound=BaseModel)
SHIPPED = ("industry-credit", "coursework-credit", "non-credit")
# Nobody reads further, and looking for near words takes time.
PROBLEM_LIMIT = 200


def load_framework(path: Path) -> Framework:
    """Raises DocumentInvalid ``framework_invalid`` with all problems, and what ``read_text`` and ``parse`` raise."""
    return _load(path, Framework, "framework_invalid", "framework")


def load_proposal(path: Path) -> Proposal:
    """Raises DocumentInvalid ``proposal_invalid`` with all problems, and what ``read_text`` and ``parse`` raise."""
    return _load(path, Proposal, "proposal_invalid", "proposal")


def _load(path: Path, model: type[Model], code: str, what: str) -> Model:
    document = parse(read_text(path), path)
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
        text = f"the document is not a mapping of keys to values but {_shown(document.data)}"
        return None, [Problem("", text, "keys and values", file, 1, "not_a_mapping")]
    try:
        found = model.model_validate(document.data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
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


# --- problems in the words of the person who wrote the document -------------------------------------------------


def _problem(item: ErrorDetails, document: Document, model: type[BaseModel], file: str) -> Problem:
    path = tuple(part for part in item["loc"] if part != "[key]")
    describe = _DESCRIPTIONS.get(item["type"], _other)
    code, text, expected = describe(item, model, path)
    return Problem(spelled(path), text, expected, file, document.line_of(path), code)


Description = tuple[str, str, str]


def _unknown_key(item: ErrorDetails, model: type[BaseModel], path: Place) -> Description:
    known = sorted(_keys_at(model, path[:-1]))
    near = difflib.get_close_matches(str(path[-1])[:80], known, 1)
    text = f"there is no key {str(path[-1])[:80]!r} here" + (f"; did you mean {near[0]!r}?" if near else "")
    return "unknown_key", text, f"one of {', '.join(known)}"


def _missing_key(item: ErrorDetails, model: type[BaseModel], path: Place) -> Description:
    return "missing_key", "this key is missing", "a value"


def _no_text(item: ErrorDetails, model: type[BaseModel], path: Place) -> Description:
    value = item["input"]
    if isinstance(value, bool | int | float):
        kind = "a truth value" if isinstance(value, bool) else "a number"
        return "wrong_type", f"{_shown(value)} is {kind} here", f'text in quotes: "{_shown(value)}"'
    return "wrong_type", f"{_shown(value)} is not text", "text"


def _not_allowed(item: ErrorDetails, model: type[BaseModel], path: Place) -> Description:
    expected = str(item["ctx"]["expected"])
    near = difflib.get_close_matches(str(item["input"])[:80], expected.replace("'", " ").split(), 1)
    text = f"{_shown(item['input'])} is not allowed here" + (f"; did you mean {near[0]!r}?" if near else "")
    return "not_allowed", text, f"one of {expected}"


def _wrong_form(item: ErrorDetails, model: type[BaseModel], path: Place) -> Description:
    meaning = PATTERN_MEANINGS[item["ctx"]["pattern"]]
    return "wrong_form", f"{_shown(item['input'])} is not {meaning}", meaning


def _wrong_type(expected: str) -> Callable[[ErrorDetails, type[BaseModel], Place], Description]:
    def describe(item: ErrorDetails, model: type[BaseModel], path: Place) -> Description:
        return "wrong_type", f"{_shown(item['input'])} is not {expected}", expected

    return describe


def _other(item: ErrorDetails, model: type[BaseModel], path: Place) -> Description:
    text = (
        item["msg"].removeprefix("Value error, ").replace("Input should", "this should").replace("String", "this text")
    )
    return "invalid", text, ""


_WHOLE_NUMBER, _NUMBER = _wrong_type("a whole number"), _wrong_type("a number")
_MAPPING, _LIST = _wrong_type("a mapping of keys to values"), _wrong_type("a list")
_TIME, _DATE = _wrong_type('a time of day such as "09:00"'), _wrong_type('a date such as "2026-12-24"')
_DESCRIPTIONS: dict[str, Callable[[ErrorDetails, type[BaseModel], Place], Description]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "string_type": _no_text,
    "enum": _not_allowed,
    "literal_error": _not_allowed,
    "string_pattern_mismatch": _wrong_form,
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bool_type": _wrong_type("true or false"),
    "bool_parsing": _wrong_type("true or false"),
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": _LIST,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
}
# A test holds these together with the patterns of the models.
PATTERN_MEANINGS = {
    r"^[a-z][a-z0-9_-]{0,62}$": "a short name: a small letter, then small letters, digits, - or _",
    r"^[a-z_]+(\.[a-z_]+)?$": "a field of a proposal such as title or workload.hours",
    r"^[A-Z]{2}$": "a country code of two capital letters such as NZ",
    r"^[A-Z]{3}$": "a currency code of three capital letters such as EUR",
    r"^https?://[^\s]{1,1000}$": "a web address that begins with https:// or http://",
    r"^[0-9]{1,6}(\.[0-9]{1,6}){0,2}$": 'a version such as "1.0"',
    r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": "a language code such as en or pt-BR",
    r"^[0-9a-f]{64}$": "a SHA-256 digest of 64 hexadecimal digits",
}


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _keys_at(model: type[BaseModel], path: Place) -> set[str]:
    current: Any = model
    for part in path:
        if isinstance(part, str) and isinstance(current, type) and issubclass(current, BaseModel):
            info = current.model_fields.get(part)
            current = model_in(info.annotation) if info else None
    return set(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else set()


# --- what is shipped ----------------------------------------------------------------------------------------


def shipped_path(framework_id: str) -> Path:
    return Path(__file__).with_name(f"{framework_id}.yaml")


@cache
def shipped() -> dict[str, Framework]:
    """The frameworks that come with Imprimatur, by id."""
    return {name: load_framework(shipped_path(name)) for name in SHIPPED}
