"""The CEL library, given the types of our documents: the only place that knows it, loaded when an expression is used.

The library checks types against message descriptors, so the proposal's are drawn from its model. Values that may be
absent are wrapped, for then an unstated one is null and not zero or an empty text.
"""

import re
import threading
import typing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cel_expr_python.cel as cel
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2
from google.protobuf.message import Message
from pydantic import BaseModel

from imprimatur.errors import Problem
from imprimatur.frameworks.fields import model_in
from imprimatur.frameworks.situation import AGGREGATES, SCORES, Known, Situation, plain
from imprimatur.frameworks.wording import nearest
from models.proposal import Proposal

PACKAGE = "imprimatur"
MOST_LITERALS = 50
_FIELD = descriptor_pb2.FieldDescriptorProto
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?:\n|$)")
_OPERANDS = re.compile(r"no matching overload for '_(?P<operator>.+)_' applied to '\((?P<left>.+), (?P<right>.+)\)'$")
_NO_FIELD = re.compile(r"undefined field '(.+)' not found in struct '(.+)'")
_NO_NAME = re.compile(r"undeclared reference to '(.+?)'")
_NUMBER_AFTER = re.compile(r"\s*-?\s*\d+(?![\w.])")
_NUMBER_BEFORE = re.compile(r"(?<![\w.])\d+(?=\s*$)")
_DECIMALS = ("double", "wrapper(double)")
# Whether the library may be used by several threads at once is not promised.
_turn = threading.Lock()


@dataclass(frozen=True)
class Library:
    """An environment in which expressions are compiled, and the messages that it knows."""

    environment: Any
    pool: Any

    def message(self, name: str) -> Message:
        found: Message = message_factory.GetMessageClass(self.pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))()
        return found

    def fields_of(self, message: str) -> list[str]:
        return [found.name for found in self.pool.FindMessageTypeByName(message).fields]


@lru_cache(maxsize=256)
def _library(known: Known) -> Library:
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(_described(known))
    variables = {"proposal": cel.Type(f"{PACKAGE}.Proposal")}
    if known:
        variables |= {name: cel.Type(f"{PACKAGE}.Scores") for name in SCORES}
    return Library(cel.NewEnv(descriptor_pool=pool, variables=variables), pool)


def _described(known: Known) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{PACKAGE}.proto", package=PACKAGE, syntax="proto3", dependency=["google/protobuf/wrappers.proto"]
    )
    for model in _models(Proposal):
        message = file.message_type.add(name=model.__name__)
        for name, info in model.model_fields.items():
            _add_field(message, name, info.annotation)
    if known:
        scores = file.message_type.add(name="Scores")
        for number, (stage, criteria) in enumerate(known):
            answered = file.message_type.add(name=f"ScoresOfStage{number}")
            _add(scores, stage, f".{PACKAGE}.{answered.name}")
            for criterion in criteria:
                _add(answered, criterion, _wrapper("Double"))
    return file


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    inner = [found for info in model.model_fields.values() if (found := model_in(info.annotation)) is not None]
    return list(dict.fromkeys([model, *(deeper for found in inner for deeper in _models(found))]))


def _add_field(message: Any, name: str, annotation: Any) -> None:
    model, several = model_in(annotation), _is_list(annotation)
    if model is not None:
        _add(message, name, f".{PACKAGE}.{model.__name__}", several=several)
    elif several:
        message.field.add(
            name=name, number=len(message.field) + 1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_REPEATED
        )
    else:
        _add(message, name, _wrapper(_sort(annotation)))


def _add(message: Any, name: str, type_name: str, *, several: bool = False) -> None:
    label = _FIELD.LABEL_REPEATED if several else _FIELD.LABEL_OPTIONAL
    message.field.add(
        name=name, number=len(message.field) + 1, type=_FIELD.TYPE_MESSAGE, type_name=type_name, label=label
    )


def _wrapper(sort: str) -> str:
    return f".google.protobuf.{sort}Value"


def _is_list(annotation: Any) -> bool:
    return typing.get_origin(annotation) is tuple or any(map(_is_list, typing.get_args(annotation)))


def _sort(annotation: Any) -> str:
    names = {getattr(part, "__name__", "") for part in _parts(annotation)}
    if "bool" in names:
        return "Bool"
    return "Double" if names & {"int", "float", "Decimal"} else "String"


def _parts(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return []
    return [annotation, *(deeper for part in typing.get_args(annotation) for deeper in _parts(part))]


# --- compiling -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2000)
def compiled(expression: str, known: Known) -> Any:
    """The expression, ready to be evaluated; a Problem when it cannot be used."""
    library = _library(known)
    with _turn:
        found = _with_decimals(expression, library)
    if isinstance(found, RuntimeError):
        return _problem(found, library)
    if found.return_type() != cel.Type.BOOL:
        kind = _kind(found.return_type().name())
        return Problem(
            "", f"this is {kind}, not a condition", "something that is true or false", code="expression_not_boolean"
        )
    return found


def _with_decimals(expression: str, library: Library) -> Any:
    """Compiles; a whole number written beside a decimal is meant as one, which the language itself does not grant."""
    for _ in range(MOST_LITERALS):
        try:
            return library.environment.compile(expression)
        except RuntimeError as error:
            corrected = _corrected(expression, str(error))
            if corrected is None:
                return error
            expression = corrected
    return library.environment.compile(expression)


def _corrected(expression: str, message: str) -> str | None:
    found = _ERROR.search(message)
    operands = _OPERANDS.search(found[3]) if found else None
    if found is None or operands is None:
        return None
    start = sum(len(line) for line in expression.splitlines(keepends=True)[: int(found[1]) - 1]) + int(found[2]) - 1
    end = start + len(operands["operator"])
    if operands["left"] in _DECIMALS and operands["right"] == "int":
        number = _NUMBER_AFTER.match(expression, end)
    elif operands["left"] == "int" and operands["right"] in _DECIMALS:
        number = _NUMBER_BEFORE.search(expression[:start])
    else:
        return None
    return f"{expression[: number.end()]}.0{expression[number.end() :]}" if number else None


def _problem(error: RuntimeError, library: Library) -> Problem:
    found = _ERROR.search(str(error))
    if found is None:
        return Problem("", "it cannot be understood", "an expression in CEL", code="expression_malformed")
    place, told = f"line {found[1]}, column {found[2]} of the expression", found[3].removesuffix(" [INVALID_ARGUMENT]")
    if missing := _NO_FIELD.search(told):
        fields = library.fields_of(missing[2])
        text = f"there is no {missing[1]!r} at {place}{nearest(missing[1], fields)}"
        return Problem("", text, f"one of {', '.join(fields)}", code="expression_field_unknown")
    if missing := _NO_NAME.search(told):
        names = ["proposal", *(SCORES if "Scores" in _names(library) else ())]
        text = f"nothing is known here by the name {missing[1]!r}, {place}"
        return Problem("", text, f"one of {', '.join(names)}", code="expression_field_unknown")
    if operands := _OPERANDS.search(told):
        left, right = _kind(operands["left"]), _kind(operands["right"])
        text = f"{left} and {right} do not go together, {place}"
        return Problem("", text, "two of one kind, such as two numbers", code="expression_types_differ")
    if told.startswith("found no matching overload"):
        text = f"this cannot be done with a value of its kind, {place}"
        return Problem("", text, "an operation that the kind of value has", code="expression_types_differ")
    return Problem("", f"it cannot be read at {place}", "an expression in CEL", code="expression_malformed")


def _names(library: Library) -> set[str]:
    try:
        library.pool.FindMessageTypeByName(f"{PACKAGE}.Scores")
    except KeyError:
        return set()
    return {"Scores"}


def _kind(type_name: str) -> str:
    name = type_name.lower().removeprefix("wrapper(").removesuffix(")")
    if name.startswith(("list", "map")):
        return "a list"
    return _KINDS.get(name, "something else")


_KINDS = {
    "string": "a text",
    "double": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "null": "nothing",
    "timestamp": "an instant",
    "duration": "a duration",
}


# --- evaluating ----------------------------------------------------------------------------------------------------


def evaluated(expression: Any, situation: Situation, known: Known) -> bool | None:
    library = _library(known)
    proposal = library.message("Proposal")
    _fill(proposal, situation.proposal)
    data: dict[str, Message] = {"proposal": proposal}
    if known:
        data |= {name: _scores(library, situation, known, name) for name in SCORES}
    try:
        with _turn:
            value = expression.eval(data=data).value()
    except RuntimeError:
        # It takes more steps than the library allows.
        return None
    return value if isinstance(value, bool) else None


def _fill(message: Any, part: BaseModel) -> None:
    for name in type(part).model_fields:
        value, target = getattr(part, name), getattr(message, name)
        if value is None:
            continue
        if isinstance(value, BaseModel):
            target.SetInParent()
            _fill(target, value)
        elif isinstance(value, tuple):
            for entry in value:
                if isinstance(entry, BaseModel):
                    _fill(target.add(), entry)
                else:
                    target.append(str(entry))
        else:
            target.value = plain(value)


def _scores(library: Library, situation: Situation, known: Known, name: str) -> Message:
    message = library.message("Scores")
    for stage, criteria in known:
        for criterion in criteria:
            given = situation.scores.get(stage, {}).get(criterion)
            if given:
                getattr(getattr(message, stage), criterion).value = float(AGGREGATES[name](given))
    return message
