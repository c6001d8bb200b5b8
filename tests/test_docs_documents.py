"""The references of our two documents against their models: every key, its default, its values, a working example."""

import re
import types
import typing
from collections.abc import Iterator
from copy import deepcopy
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from imprimatur.frameworks.checker import check_framework
from imprimatur.frameworks.documents import Document, parse
from imprimatur.frameworks.fields import model_in
from imprimatur.frameworks.loader import validate
from models.framework import Framework
from models.proposal import Proposal
from models.stacking import Pathway
from tests.markdown import DOCS, Section, code_blocks, code_spans, section, sections, text_of

FRAMEWORK, PROPOSAL = DOCS / "framework-reference.md", DOCS / "proposal-reference.md"
STACKING = DOCS / "stacking.md"
DOCUMENTS: dict[Path, type[BaseModel]] = {FRAMEWORK: Framework, PROPOSAL: Proposal, STACKING: Pathway}
ROOT_PLACE = "."
# Any name will do for the entry of a mapping whose keys are names.
NAME = "NAME"


def _places(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every place of a document where a mapping of keys stands, with its model."""
    yield place or ROOT_PLACE, model
    for name, info in model.model_fields.items():
        inner = model_in(info.annotation)
        if inner is not None:
            origin = typing.get_origin(_without_none(info.annotation))
            suffix = {tuple: "[]", dict: f".{NAME}"}.get(origin, "") if origin else ""
            yield from _places(inner, f"{place}.{name}{suffix}".removeprefix("."))


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(annotation) if part is not type(None))
    return annotation


def _places_of(found: Section) -> list[str]:
    return code_spans(found.paragraph("Place: "))


def _sections_by_place(path: Path) -> dict[str, Section]:
    return {place: found for found in sections(path) for place in _places_of(found)}


EVERY_PLACE = [(path, place, model) for path, root in DOCUMENTS.items() for place, model in _places(root)]
EVERY_KEY = [(path, place, key, info) for path, place, model in EVERY_PLACE for key, info in model.model_fields.items()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_mapping_has_its_section_and_every_section_its_mapping(path: Path) -> None:
    expected = [place for place, _ in _places(DOCUMENTS[path])]
    assert sorted(place for found in sections(path) for place in _places_of(found)) == sorted(expected)


@pytest.mark.parametrize(("path", "place", "model"), EVERY_PLACE, ids=lambda value: str(getattr(value, "stem", value)))
def test_a_section_explains_exactly_the_keys_there_are(path: Path, place: str, model: type[BaseModel]) -> None:
    rows = _sections_by_place(path)[place].rows
    assert [code_spans(row["key"])[0] for row in rows] == list(model.model_fields)
    assert [row for row in rows if not row["meaning"] or not row["type"]] == []


def _row(path: Path, place: str, key: str) -> dict[str, str]:
    return next(row for row in _sections_by_place(path)[place].rows if row["key"] == f"`{key}`")


def _ids(value: object) -> str:
    return value.stem if isinstance(value, Path) else value if isinstance(value, str) else ""


@pytest.mark.parametrize(("path", "place", "key", "info"), EVERY_KEY, ids=_ids)
def test_a_key_is_told_with_its_default(path: Path, place: str, key: str, info: FieldInfo) -> None:
    row = _row(path, place, key)
    assert row["needed"] == ("yes" if info.is_required() else "no")
    told = row["default"]
    if info.is_required():
        assert told == ""
    elif info.default is None:
        assert told == "unset"
    else:
        assert yaml.safe_load(told.strip("`")) == _plain(info.default)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return [str(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize(("path", "place", "key", "info"), EVERY_KEY, ids=_ids)
def test_a_key_is_told_with_its_limits_and_values(path: Path, place: str, key: str, info: FieldInfo) -> None:
    told = _row(path, place, key)["type"]
    for number in _limits(info):
        assert re.search(rf"(?<![\d.]){number:g}(?!\d)", told.replace(",", "")), f"{key}: {number:g} is not told"
    for value in _closed(info.annotation):
        assert f"`{value}`" in told, f"{key}: {value} is not told"


def _limits(info: FieldInfo) -> Iterator[float]:
    for limit in info.metadata:
        for name in ("ge", "le", "gt", "lt"):
            if (number := getattr(limit, name, None)) is not None:
                yield number


def _closed(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        yield from annotation
    elif typing.get_origin(annotation) is Literal:
        yield from map(str, typing.get_args(annotation))
    elif model_in(annotation) is None:
        for part in typing.get_args(annotation):
            yield from _closed(part)


@pytest.mark.parametrize(("path", "place", "model"), EVERY_PLACE, ids=_ids)
def test_a_section_shows_every_key_at_work(path: Path, place: str, model: type[BaseModel]) -> None:
    found = _sections_by_place(path)[place]
    shown = {
        key
        for block in found.blocks("yaml")
        for described in _places_of(found)
        for key in _keys_at(_read(block).data, described)
    }
    assert set(model.model_fields) - shown == set()


def _keys_at(data: Any, place: str) -> Iterator[str]:
    steps = [] if place == ROOT_PLACE else place.replace("[]", ".[]").split(".")
    values = [data]
    for step in steps:
        values = [inner for value in values for inner in _step(value, step)]
    for value in values:
        yield from value if isinstance(value, dict) else ()


def _step(value: Any, step: str) -> list[Any]:
    if step == "[]":
        return list(value)
    if step == NAME:
        return list(value.values())
    return [value[step]] if step in value else []


def _read(block: str) -> Document:
    return parse(block, Path("example.yaml"))


# --- examples work ------------------------------------------------------------------------------------------------

_WHOLE_HEADING = "A whole framework"


def _whole() -> dict[str, Any]:
    data: dict[str, Any] = _read(section(FRAMEWORK, _WHOLE_HEADING).blocks("yaml")[0]).data
    return data


def _blocks(path: Path) -> list[str]:
    return code_blocks(text_of(path), "yaml")


@pytest.mark.parametrize("block", _blocks(FRAMEWORK), ids=lambda block: block.splitlines()[0])
def test_every_framework_example_passes_the_check(block: str) -> None:
    document = _read(block)
    if "format" not in document.data:
        document = Document(_inserted(document.data))
    found, problems = validate(document, Framework, "example.yaml")
    assert problems == []
    assert found is not None
    assert check_framework(found) == []


def _inserted(part: dict[str, Any]) -> dict[str, Any]:
    """The least framework with a part of another one put in: mappings key by key, stages by id."""
    whole = _whole()
    stages = {stage["id"]: stage for stage in whole["stages"]}
    pattern = stages["quality"]
    for stage in part.get("stages", ()):
        known = stages.setdefault(stage["id"], deepcopy(pattern) | {"needs": []})
        if stage.get("kind") == "publication":
            known.clear()
        elif stage.get("kind") in ("information", "objection"):
            known = stages[stage["id"]] = {"needs": []}
        known |= stage
    everything_else = [stage_id for stage_id in stages if stage_id != "publication"]
    if not any(stage.get("needs") for stage in part.get("stages", ()) if stage["id"] == "publication"):
        stages["publication"]["needs"] = everything_else
    merged = whole | {key: value for key, value in part.items() if key not in ("stages", "calendars")}
    merged["calendars"] = whole["calendars"] | part.get("calendars", {})
    return merged | {"stages": list(stages.values())}


def test_the_example_of_a_pathway_is_a_pathway() -> None:
    [whole] = section(STACKING, "The document").blocks("yaml")
    found, problems = validate(_read(whole), Pathway, "example.yaml")
    assert problems == []
    assert found is not None and found.limit == 30


@pytest.mark.parametrize("block", _blocks(PROPOSAL), ids=lambda block: block.splitlines()[0])
def test_every_proposal_example_is_a_proposal(block: str) -> None:
    found, problems = validate(_read(block), Proposal, "example.yaml")
    assert problems == []
    assert found is not None
