"""What a framework's digest covers: what it says, not how it is written."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from imprimatur.frameworks.documents import parse
from imprimatur.frameworks.fields import model_in
from imprimatur.frameworks.loader import SHIPPED, load_framework, shipped, shipped_path
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework
from models.framework import Framework, StageDef
from models.proposal import Proposal
from models.tables import FrameworkRow
from tests.facts import furnish
from tests.policies import changed, policy


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(entry, order) for entry in value] if isinstance(value, list) else value


@given(st.randoms(use_true_random=False), st.sampled_from(sorted(shipped())))
@settings(max_examples=20, deadline=None)
def test_a_digest_does_not_depend_on_the_order_of_keys(order: random.Random, name: str) -> None:
    document = parse(shipped_path(name).read_text(encoding="utf-8"), shipped_path(name)).data
    assert Framework.model_validate(shuffled(document, order)).digest == shipped()[name].digest


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_digest_survives_comments_notation_and_storing(tmp_path: Path, name: str) -> None:
    text = shipped_path(name).read_text(encoding="utf-8")
    document = parse(text, shipped_path(name)).data
    bare, as_json = tmp_path / "bare.yaml", tmp_path / "policy.json"
    bare.write_text(yaml.safe_dump(document, sort_keys=True), encoding="utf-8")
    as_json.write_text(json.dumps(document), encoding="utf-8")
    digest = shipped()[name].digest
    assert "#" in text
    assert "#" not in bare.read_text(encoding="utf-8")
    assert [load_framework(file).digest for file in (bare, as_json)] == [digest, digest]
    stored = Framework.model_validate(json.loads(json.dumps(shipped()[name].model_dump(mode="json"))))
    assert (stored, stored.digest) == (shipped()[name], digest)


def test_what_is_not_said_is_what_is_said_by_default() -> None:
    said = changed(policy(), "stages[1].optional", False)
    assert Framework.model_validate(said).digest == Framework.model_validate(policy()).digest


@pytest.mark.parametrize(
    ("change", "value"),
    [("name", "Tiny2"), ("stages[1].voting.quorum", 1), ("stages[1].needs", []), ("calendars.campus.country", "AU")],
)
def test_another_rule_is_another_digest(change: str, value: Any) -> None:
    assert (
        Framework.model_validate(changed(policy(), change, value)).digest != Framework.model_validate(policy()).digest
    )


def test_a_stage_is_found_by_its_id() -> None:
    found = Framework.model_validate(policy())
    assert found.stage("quality").criterion("clear") is not None
    assert found.stage("quality").criterion("other") is None
    assert [stage.is_automatic for stage in found.stages] == [False, False, False, True]
    with pytest.raises(KeyError):
        found.stage("other")


@pytest.mark.parametrize(
    ("annotation", "model"),
    [(dict[str, Proposal], Proposal), (tuple[Proposal, ...], Proposal), (Proposal | None, Proposal), (str, None)],
)
def test_the_model_inside_a_type_is_found(annotation: Any, model: Any) -> None:
    assert model_in(annotation) is model


# --- the language grows ----------------------------------------------------------------------------------------------


class _LaterStage(StageDef):
    added_later: bool = False


class _LaterFramework(Framework):
    stages: tuple[_LaterStage, ...]
    added_later: str | None = None


@pytest.mark.parametrize("name", SHIPPED)
def test_a_key_that_is_added_with_a_default_changes_no_digest(name: str) -> None:
    today = shipped()[name]
    assert _LaterFramework.model_validate(today.canonical).digest == today.digest
    assert Framework.model_validate(today.model_dump()).digest == today.digest


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_stored_is_what_the_digest_covers(name: str, sqlite_database: Database) -> None:
    furnish(sqlite_database)
    table = FrameworkRow.__table__  # type: ignore[attr-defined]
    with sqlite_database.read() as connection:
        body = connection.execute(select(table.c.body).where(table.c.id == name)).scalar_one()
    assert Framework.model_validate(body) == framework(sqlite_database, name) == shipped()[name]
    assert body == shipped()[name].canonical
