"""Reads frameworks and proposals from YAML or JSON, and reports every problem at its place."""

import difflib
import json
import types
import typing
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from imprimatur.errors import DocumentInvalid, InputError, Problem
from models.framework import Framework
from models.proposal import Proposal

SIZE_LIMIT_BYTES = 1024 * 1024
DEPTH_LIMIT = 40
Place = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)
SHIPPED = ("industry-credit", "coursework-credit", "non-credit")


@dataclass
class Document:
    """What a file holds, and on which line each value stands."""

    data: Any
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Place) -> int | None:
        """The line of the value, or of the nearest thing around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_text(path: Path, limit_bytes: int = SIZE_LIMIT_BYTES) -> str:
    """Raises InputError ``document_too_large`` (before reading) or ``document_not_utf8``."""
    size = path.stat().st_size
    if size > limit_bytes:
        raise InputError(
            "document_too_large",
            f"{path.name} has {size:,} bytes; at most {limit_bytes:,} are read.",
            "Attach large material by digest instead of writing it into the document.",
        )
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "document_not_utf8",
            f"{path.name} is not UTF-8 text (byte {error.start}).",
            "Save it again with the encoding UTF-8.",
        ) from error


def load_framework(path: Path) -> Framework:
    """Raises DocumentInvalid ``framework_invalid`` with all problems."""
    return _load(path, Framework, "framework_invalid", "framework")


def load_proposal(path: Path) -> Proposal:
    """Raises DocumentInvalid ``proposal_invalid`` with all problems."""
    return _load(path, Proposal, "proposal_invalid", "proposal")


def _load(path: Path, model: type[Model], code: str, what: str) -> Model:
    document = parse(read_text(path), path)
    found, problems = validate(document, model, path.name)
    if found is None:
        number = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        raise DocumentInvalid(
            code, f"{path.name} is no usable {what}: {number}.", problems, "Correct them and try again."
        )
    return found


def validate(document: Document, model: type[Model], file: str) -> tuple[Model | None, list[Problem]]:
    """The document as a model, or every problem with its line."""
    problems = list(document.problems)
    if not isinstance(document.data, dict):
        return None, [Problem("", "the document is not a mapping of keys to values", "keys and values", file, 1)]
    try:
        found = model.model_validate(document.data)
    except ValidationError as error:
        problems += [_problem(item, document, model, file) for item in error.errors()]
        return None, problems
    return (None if problems else found), problems


def _problem(item: ErrorDetails, document: Document, model: type[BaseModel], file: str) -> Problem:
    path = tuple(part for part in item["loc"] if part != "[key]")
    text, expected = item["msg"].removeprefix("Value error, "), ""
    code = "invalid"
    if item["type"] == "extra_forbidden":
        known = sorted(_keys_at(model, path[:-1]))
        near = difflib.get_close_matches(str(path[-1]), known, 1)
        text = f"there is no key {path[-1]!r} here" + (f"; did you mean {near[0]!r}?" if near else "")
        expected, code = f"one of {', '.join(known)}", "unknown_key"
    elif item["type"] == "missing":
        text, expected, code = "this key is missing", "a value", "missing_key"
    elif "expected" in (context := item.get("ctx") or {}):
        expected = str(context["expected"])
    if item["type"] == "string_type" and isinstance(item["input"], int | float):
        text = f"{item['input']!r} is a number here"
        expected = f'text in quotes: "{item["input"]}"'
    return Problem(spelled(path), text, expected, file, document.line_of(path), code)


def _keys_at(model: type[BaseModel], path: Place) -> set[str]:
    current: Any = model
    for part in path:
        if isinstance(part, str) and isinstance(current, type) and issubclass(current, BaseModel):
            info = current.model_fields.get(part)
            current = model_in(info.annotation) if info else None
    return set(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else set()


def model_in(annotation: Any) -> Any:
    """The model inside ``tuple[Model, ...]``, ``dict[str, Model]``, ``Model | None`` and the like."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    return next(filter(None, map(model_in, typing.get_args(annotation))), None)


def spelled(path: Place) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


# --- parsing ------------------------------------------------------------------------------------------------


def parse(text: str, path: Path) -> Document:
    """YAML, or JSON when the file is named so. Raises DocumentInvalid ``document_malformed``."""
    if path.suffix.lower() == ".json":
        return _parse_json(text, path.name)
    return _parse_yaml(text, path.name)


def _malformed(file: str, line: int | None, problem: str) -> DocumentInvalid:
    place = f"{file}, line {line}" if line else file
    return DocumentInvalid(
        "document_malformed",
        f"{place}: {problem}.",
        [Problem("", problem, "", file, line, "malformed")],
        "Correct the notation and try again.",
    )


def _parse_json(text: str, file: str) -> Document:
    document = Document(None)

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in items]
        for name in {name for name in names if names.count(name) > 1}:
            document.problems.append(Problem(name, f"the key {name!r} is given twice", "", file, None, "duplicate_key"))
        return dict(items)

    try:
        document.data = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise _malformed(file, error.lineno, f"not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise _malformed(file, None, "nested too deeply") from error
    return document


def _parse_yaml(text: str, file: str) -> Document:
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _malformed(file, mark.line + 1 if mark else None, f"not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _malformed(file, None, f"not valid YAML: {str(error).splitlines()[0]}") from error
    document = Document(None)
    if root is not None:
        document.data = _YamlReader(document, file).value(root, ())
    return document


class _YamlReader:
    """Builds plain values from YAML nodes. Aliases are refused: a policy has no use for them, a bomb has."""

    def __init__(self, document: Document, file: str) -> None:
        self._document = document
        self._file = file
        self._seen: set[int] = set()
        self._constructor = yaml.SafeLoader("")

    def value(self, node: yaml.Node, path: Place) -> Any:
        line = node.start_mark.line + 1
        if id(node) in self._seen:
            raise _malformed(self._file, line, "aliases (&, *) are not used in these documents")
        if len(path) > DEPTH_LIMIT:
            raise _malformed(self._file, line, "nested too deeply")
        self._seen.add(id(node))
        self._document.lines[path] = line
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _entries(self, node: yaml.MappingNode, path: Place) -> Iterator[tuple[Hashable, Any]]:
        names: set[Hashable] = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise _malformed(self._file, line, "a key must be a word")
            # Keys are words: `on` and `no` are not true and false here.
            name = key_node.value
            if name in names:
                self._document.problems.append(
                    Problem(
                        spelled((*path, name)),
                        f"the key {name!r} is given twice",
                        "",
                        self._file,
                        line,
                        "duplicate_key",
                    )
                )
            names.add(name)
            yield name, self.value(value_node, (*path, name))
            self._document.lines[(*path, name)] = line

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary"):
            return node.value
        try:
            # 09:00 is a time of day here; YAML 1.1 would read it as a number to the base of sixty.
            if node.tag == "tag:yaml.org,2002:int" and ":" in node.value:
                return node.value
            return self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            line = node.start_mark.line + 1
            raise _malformed(self._file, line, f"the value {node.value!r} cannot be read") from error


# --- what is shipped ----------------------------------------------------------------------------------------


def shipped_path(framework_id: str) -> Path:
    return Path(__file__).with_name(f"{framework_id}.yaml")


@cache
def shipped() -> dict[str, Framework]:
    """The frameworks that come with Imprimatur, by id."""
    return {name: load_framework(shipped_path(name)) for name in SHIPPED}
