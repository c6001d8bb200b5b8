"""Inserts that several processes may try at the same moment."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Inserts a row unless one with its key is there; False when it was. Waits for another's unfinished insert."""
    statement = _insertion(table, connection.dialect.name)
    # Of an insert the number of rows is forgotten unless it is asked for.
    return connection.execute(statement, dict(values), execution_options={"preserve_rowcount": True}).rowcount == 1


@cache
def _insertion(table: Table, dialect: str) -> Insert:
    """Built once: composing a statement costs more than running it."""
    kind = postgresql if dialect == "postgresql" else sqlite
    statement: Insert = kind.insert(table).on_conflict_do_nothing()
    return statement
