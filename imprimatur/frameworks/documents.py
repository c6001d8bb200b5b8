"""Reads YAML and JSON documents that people write: plain values, and on which line each of them stands."""

import json
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from imprimatur.errors import DocumentInvalid, InputError, Problem
from imprimatur.frameworks.json_lines import JsonLines, Place, UnusableValue

SIZE_LIMIT_BYTES = 1024 * 1024
DEPTH_LIMIT = 40
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


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

    def note_repeated(self, path: Place, line: int, file: str) -> None:
        problem = f"the key {path[-1]!r} is given twice"
        self.problems.append(Problem(spelled(path), problem, "each key once", file, line, "duplicate_key"))


def spelled(path: Place) -> str:
    """A key path as people write it: ``stages[1].voting.quorum``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_text(path: Path, limit_bytes: int = SIZE_LIMIT_BYTES) -> str:
    """Raises InputError ``document_too_large`` (before reading) or ``document_not_utf8``, and OSError."""
    size = path.stat().st_size
    if size > limit_bytes:
        raise _too_large(path, f"has {size:,} bytes", limit_bytes)
    with path.open("rb") as file:
        # A pipe or a device has no size to look at beforehand.
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise _too_large(path, "does not end", limit_bytes)
    return text_of(content, path, limit_bytes)


def text_of(content: bytes, path: Path, limit_bytes: int = SIZE_LIMIT_BYTES) -> str:
    """The content of a file of that name. Raises InputError ``document_too_large`` or ``document_not_utf8``."""
    if len(content) > limit_bytes:
        raise _too_large(path, f"has {len(content):,} bytes", limit_bytes)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "document_not_utf8",
            f"{path.name} is not UTF-8 text (byte {error.start}).",
            "Save it again with the encoding UTF-8.",
        ) from error


def _too_large(path: Path, how: str, limit_bytes: int) -> InputError:
    return InputError(
        "document_too_large",
        f"{path.name} {how}; at most {limit_bytes:,} bytes are read.",
        "Attach large material by digest instead of writing it into the document.",
    )


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
    try:
        # The notation first: numbers are looked at where their line is known.
        json.loads(text, parse_int=str)
        walked = JsonLines(text, DEPTH_LIMIT)
        document = Document(json.loads(text), walked.lines)
    except json.JSONDecodeError as error:
        raise _malformed(file, error.lineno, f"not valid JSON: {error.msg}, column {error.colno}") from error
    except UnusableValue as error:
        raise _malformed(file, error.line, str(error)) from error
    except RecursionError as error:
        raise _malformed(file, None, "nested too deeply") from error
    for place, line in walked.repeated:
        document.note_repeated(place, line, file)
    return document


def _parse_yaml(text: str, file: str) -> Document:
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        column = f", column {mark.column + 1}" if mark else ""
        raise _malformed(file, mark.line + 1 if mark else None, f"not valid YAML: {error.problem}{column}") from error
    except UnicodeEncodeError as error:
        raise _malformed(file, text.count("\n", 0, error.start) + 1, "half of a surrogate pair stands alone") from error
    except (yaml.YAMLError, RecursionError) as error:
        found = _CONTROL_CHARACTER.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else None
        raise _malformed(file, line, f"not valid YAML: {str(error).splitlines()[0]}") from error
    document = Document(None)
    if root is not None:
        document.data = _YamlReader(document, file).value(root, ())
    return document


_TAG_PREFIX = "tag:yaml.org,2002:"
_TAGS: dict[type[yaml.Node], frozenset[str]] = {
    yaml.ScalarNode: frozenset({"null", "bool", "int", "float", "str", "timestamp", "merge", "value"}),
    yaml.SequenceNode: frozenset({"seq"}),
    yaml.MappingNode: frozenset({"map"}),
}
# YAML 1.1 has more ways to write these, each a trap: `no` is Norwegian, 010 is ten and 09:00 is a time of day.
_TRUTH_VALUES = {"true": True, "false": False}
_WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?[0-9]{1,300}(\.[0-9]*)?([eE][-+]?[0-9]{1,2})?")


class _YamlReader:
    """Builds plain values from YAML nodes. Aliases are refused: a policy has no use for them, a bomb has."""

    def __init__(self, document: Document, file: str) -> None:
        self._document = document
        self._file = file
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: Place) -> Any:
        line = self._checked(node)
        if len(path) > DEPTH_LIMIT:
            raise _malformed(self._file, line, "nested too deeply")
        self._document.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _checked(self, node: yaml.Node) -> int:
        """The node's line, when it is written plainly."""
        line: int = node.start_mark.line + 1
        if id(node) in self._seen:
            raise _malformed(self._file, line, "aliases (&, *) are not used in these documents")
        self._seen.add(id(node))
        tag = str(node.tag)
        if not tag.startswith(_TAG_PREFIX) or tag.removeprefix(_TAG_PREFIX) not in _TAGS[type(node)]:
            raise _malformed(self._file, line, f"the tag {tag} is not used in these documents")
        return line

    def _entries(self, node: yaml.MappingNode, path: Place) -> Iterator[tuple[Hashable, Any]]:
        names: set[Hashable] = set()
        for key_node, value_node in node.value:
            line = self._checked(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                raise _malformed(self._file, line, "a key must be a word")
            # Keys are words: `on` and `no` are not true and false here.
            name = key_node.value
            place = (*path, name)
            if name in names:
                self._document.note_repeated(place, line, self._file)
            names.add(name)
            self._document.lines[place] = line
            yield name, self.value(value_node, place)

    def _scalar(self, node: yaml.Node) -> Any:
        tag, text = str(node.tag).removeprefix(_TAG_PREFIX), str(node.value)
        if tag == "null":
            return None
        if tag == "bool":
            return _TRUTH_VALUES.get(text.lower(), text)
        if tag == "int" and _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        if tag == "float" and _NUMBER.fullmatch(text):
            return float(text)
        return text
