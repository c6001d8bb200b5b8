"""A framework's digest is its identity for ever, also when the language of frameworks has grown."""

import pytest
from sqlalchemy import select

from imprimatur.frameworks.loader import SHIPPED, shipped
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework
from models.framework import Framework, StageDef
from models.tables import FrameworkRow
from tests.facts import furnish


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
