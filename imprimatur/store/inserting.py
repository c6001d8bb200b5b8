"""Inserts that several processes may try at the same moment."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Inserts a row unless one with its key is there; False when it was. Waits for another's unfinished insert."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(dict(values)).on_conflict_do_nothing()
    # Of an insert the number of rows is forgotten unless it is asked for.
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1
