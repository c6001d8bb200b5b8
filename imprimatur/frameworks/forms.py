"""A proposal as a form holds it: texts as they were typed, under names such as ``partners.0.contact_email``. Pure.

What is typed is kept whether it can be used or not; what can be used of it is the proposal.
"""

import datetime as dt
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, EmailStr

from imprimatur.frameworks.documents import Document
from imprimatur.frameworks.json_lines import Place
from imprimatur.frameworks.loader import validate
from models.proposal import Logo, Proposal, Prose

Typed = Any
Body = dict[str, Typed]
# Set with the framework, and by uploading: no field that is typed into.
NOT_TYPED = frozenset({"credential_kind", "attachments"})
MOST_ROWS = 200
_PART = re.compile(r"([a-z_0-9]+)|\[(\d+)\]")
Kind = Literal["line", "prose", "number", "choice", "date", "yes_no", "check", "email", "picture", "group", "rows"]


@dataclass(frozen=True)
class Shape:
    """What may be typed at a place; ``parts`` of a group by name, ``entry`` of rows."""

    kind: Kind
    choices: tuple[str, ...] = ()
    parts: Mapping[str, "Shape"] = field(default_factory=dict)
    entry: "Shape | None" = None


@dataclass(frozen=True)
class Wrong:
    """``name`` is that of the field as the form has it; empty for the whole."""

    name: str
    problem: str
    expected: str = ""


@dataclass(frozen=True)
class Reading:
    """``usable``: the proposal, without what cannot be used, which ``wrong`` tells."""

    usable: Proposal
    wrong: tuple[Wrong, ...]


@cache
def shape() -> Shape:
    """Of a whole proposal, from its model."""
    return _group(Proposal)


def _group(model: type[BaseModel]) -> Shape:
    hints = typing.get_type_hints(model, include_extras=True)
    parts = {name: _shape(hints[name], info.is_required()) for name, info in model.model_fields.items()}
    return Shape("group", parts={n: s for n, s in parts.items() if model is not Proposal or n not in NOT_TYPED})


def _shape(annotation: Any, required: bool) -> Shape:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        annotation = next(choice for choice in typing.get_args(annotation) if choice is not type(None))
    if typing.get_origin(annotation) is tuple:
        return Shape("rows", entry=_shape(typing.get_args(annotation)[0], True))
    named: dict[Any, Kind] = {Prose: "prose", Logo: "picture", EmailStr: "email"}
    if annotation in named:
        return Shape(named[annotation])
    if typing.get_origin(annotation) is Literal:
        return Shape("choice", typing.get_args(annotation))
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if issubclass(annotation, BaseModel):
        return _group(annotation)
    if issubclass(annotation, StrEnum):
        return Shape("choice", tuple(annotation))
    if annotation is bool:
        return Shape("yes_no", ("yes", "no")) if required else Shape("check")
    kinds: dict[Any, Kind] = {float: "number", Decimal: "number", dt.date: "date", str: "line"}
    return Shape(kinds[annotation])


def spelled(place: Place) -> str:
    return ".".join(map(str, place))


def read(pairs: Iterable[tuple[str, str]], kept: Body) -> Body:
    """What a form says; of names that it does not have nothing is taken.

    ``kept`` is what was read before: what no form types is taken from there. Rows that say nothing keep their place.
    """
    said: dict[Place, str] = {}
    for name, value in pairs:
        place: Place = tuple(int(part) if part.isascii() and part.isdecimal() else part for part in name.split("."))
        said.setdefault(place, value)
    rows: dict[Place, set[int]] = {}
    for place in said:
        for length, part in enumerate(place):
            if isinstance(part, int) and part < MOST_ROWS:
                rows.setdefault(place[:length], set()).add(part)
    found: Body = _read(shape(), (), said, rows, kept)
    return found | {name: kept[name] for name in NOT_TYPED if name in kept}


def _read(of: Shape, at: Place, said: Mapping[Place, str], rows: Mapping[Place, set[int]], kept: Typed) -> Typed:
    if of.kind == "group":
        known = kept if isinstance(kept, dict) else {}
        return {name: _read(part, (*at, name), said, rows, known.get(name)) for name, part in of.parts.items()}
    if of.kind == "rows":
        assert of.entry is not None
        known_rows = kept if isinstance(kept, list) else []
        before = dict(enumerate(known_rows))
        return [_read(of.entry, (*at, n), said, rows, before.get(n)) for n in sorted(rows.get(at, ()))]
    if of.kind == "picture":
        return kept or ""
    return said.get(at, "")


def typed(proposal: Proposal) -> Body:
    """A proposal as its form would hold it."""
    found: Body = _typed(proposal)
    return found


def _typed(value: Any) -> Typed:
    match value:
        case BaseModel():
            fields = type(value).model_fields
            stated = {name: getattr(value, name) for name in fields if getattr(value, name) != fields[name].default}
            return {name: _typed(part) for name, part in stated.items()}
        case tuple():
            return [_typed(entry) for entry in value]
        case bool():
            return "yes" if value else "no"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def reading(body: Body) -> Reading:
    """What can be used of what was typed, and all that cannot."""
    document, places = stated(body)
    found, problems = validate(Document(document), Proposal, "")
    if found is not None:
        return Reading(found, ())
    wrong = tuple(Wrong(_typed_at(places, _place(item.where)), item.problem, item.expected) for item in problems)
    for keeps in (2, 1):
        for place in sorted({_place(item.where)[:keeps] for item in problems}, key=str, reverse=True):
            _drop(document, place)
        document, _ = stated(document)
        found, problems = validate(Document(document), Proposal, "")
        if found is not None:
            return Reading(found, wrong)
    return Reading(Proposal(), wrong)


def stated(body: Body) -> tuple[Body, dict[Place, Place]]:
    """What is not blank, and where each of it was typed: blank rows are left out."""
    places: dict[Place, Place] = {}
    return _stated(body, (), (), places) or {}, places


def _stated(value: Typed, at: Place, of: Place, places: dict[Place, Place]) -> Typed:
    places[at] = of
    if isinstance(value, dict):
        parts = {name: _stated(part, (*at, name), (*of, name), places) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part is not None} or None
    if isinstance(value, list | tuple):
        rows: list[Typed] = []
        for number, entry in enumerate(value):
            row = _stated(entry, (*at, len(rows)), (*of, number), places)
            if row is not None:
                rows.append(row)
        return rows or None
    return value if value is not None and str(value).strip() else None


def _place(where: str) -> Place:
    return tuple(int(number) if number else name for name, number in _PART.findall(where))


def _typed_at(places: Mapping[Place, Place], place: Place) -> str:
    """Where the form has it: a key that is missing was typed nowhere, but stands in something that was."""
    for length in range(len(place), -1, -1):
        if (known := places.get(place[:length])) is not None:
            return spelled((*known, *place[length:]))
    return spelled(place)


def _drop(document: Typed, place: Place) -> None:
    """Blanks what stands at a place, so that the places of the rest stay."""
    for part in place[:-1]:
        document = document.get(part) if isinstance(document, dict) else None
    match document, place[-1] if place else None:
        case dict(), str(name) if name in document:
            document[name] = None
        case list(), int(number) if number < len(document):
            document[number] = None


def with_row(body: Body, name: str) -> tuple[Body, str]:
    """One more row at a place, and the name of the row; unchanged where there are none to be had."""
    place = _place_of_rows(name)
    if place is None:
        return body, ""
    changed = _copied(body)
    rows, entry = _rows_at(changed, place)
    if len(rows) >= MOST_ROWS:
        return body, ""
    rows.append({} if entry.kind == "group" else "")
    return changed, f"{name}.{len(rows) - 1}"


def without_row(body: Body, name: str) -> Body:
    head, _, number = name.rpartition(".")
    place = _place_of_rows(head)
    if place is None or not number.isdecimal():
        return body
    changed: Body = _copied(body)
    rows, _ = _rows_at(changed, place)
    if int(number) < len(rows):
        del rows[int(number)]
    return changed


def _copied(value: Typed) -> Typed:
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    return [_copied(entry) for entry in value] if isinstance(value, list) else value


def _place_of_rows(name: str) -> Place | None:
    """A place that has rows, as the form names it; None for any other name."""
    place: Place = tuple(int(part) if part.isascii() and part.isdecimal() else part for part in name.split("."))
    found: Shape | None = shape()
    for part in place:
        if isinstance(part, int):
            found = found.entry if found is not None and part < MOST_ROWS else None
        else:
            found = found.parts.get(part) if found is not None else None
    return place if found is not None and found.kind == "rows" else None


def _rows_at(body: Body, place: Place) -> tuple[list[Typed], Shape]:
    """The rows at a place, made where there are none, and what stands in one."""
    here: Typed = body
    found = shape()
    for part, following in zip(place, (*place[1:], None), strict=True):
        if isinstance(part, int):
            assert found.entry is not None
            found = found.entry
            while len(here) <= part:
                here.append({})
        else:
            found = found.parts[part]
            empty: Typed = [] if following is None or isinstance(following, int) else {}
            if not isinstance(here.get(part), type(empty)):
                here[part] = empty
        here = here[part]
    assert found.entry is not None
    return here, found.entry
