"""Alters what the database holds; for tests."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, and_, text
from sqlmodel import SQLModel

from imprimatur.history.verify import Verification, verify_case
from imprimatur.store.engine import Database
from tests.facts import LEDGER

TABLES = SQLModel.metadata.tables


@contextmanager
def database_of_module(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """For a fixture of a module whose parameter is the kind of database."""
    if request.param == "sqlite":
        file = folder / "imprimatur.db"
        file.write_bytes(request.getfixturevalue("migrated_file").read_bytes())
        database = Database(f"sqlite:///{file}")
    else:
        database = Database(request.getfixturevalue("postgres_template")())
    yield database
    database.close()


@dataclass
class Tamperer:
    """Alters rows as somebody with access to the database could, and puts them back."""

    database: Database
    case_id: str

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        target = TABLES[table]
        query = target.select().where(*(target.c[name] == value for name, value in where.items()))
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(*target.primary_key.columns)).mappings()
            return [dict(row) for row in rows]

    @contextmanager
    def altered(self, table: str, row: dict[str, Any], **change: Any) -> Iterator[None]:
        target = TABLES[table]
        self._write(target.update().where(_is(target, row)).values(change))
        try:
            yield
        finally:
            self._write(target.update().where(_is(target, row | change)).values({name: row[name] for name in change}))

    @contextmanager
    def without(self, table: str, rows: list[dict[str, Any]]) -> Iterator[None]:
        target = TABLES[table]
        for row in rows:
            self._write(target.delete().where(_is(target, row)))
        try:
            yield
        finally:
            self._write(target.insert(), rows)

    @contextmanager
    def with_more(self, table: str, row: dict[str, Any]) -> Iterator[None]:
        target = TABLES[table]
        self._write(target.insert(), row)
        try:
            yield
        finally:
            self._write(target.delete().where(_is(target, row)))

    @contextmanager
    def spoilt(self, statement: str, **values: Any) -> Iterator[None]:
        """SQLite only: what its columns take although we never write it."""
        before = self.rows("ledger")
        self._write(text(statement), values)
        try:
            yield
        finally:
            self._write(LEDGER.delete())
            self._write(LEDGER.insert(), before)

    def _write(self, statement: Any, values: Any = None) -> None:
        with self.database.write() as connection:
            connection.execute(statement, values)

    def verified(self) -> Verification:
        return verify_case(self.database, self.case_id)

    def problems(self) -> list[tuple[str, str]]:
        return [(problem.where, problem.problem) for problem in self.verified().problems]

    def assert_whole(self) -> None:
        assert self.problems() == []


def _is(table: Table, row: dict[str, Any]) -> Any:
    return and_(*(column == row[column.name] for column in table.primary_key.columns))


def another(value: Any) -> Any:
    """A value of the same kind that says something else."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1000
        case str():
            return "0" * 64 if value != "0" * 64 else "1" * 64
        case dt.datetime():
            return value + dt.timedelta(microseconds=1)
        case list():
            return [*value, "more"]
        case dict():
            return value | {"more": 1}
    return "something"
