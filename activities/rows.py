"""The rows of one commit, collected and written table by table: a handful of statements instead of one per row."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, bindparam, update
from sqlmodel import SQLModel

Values = dict[str, Any]


class RowBuffer:
    def __init__(self) -> None:
        self._inserts: defaultdict[type[SQLModel], list[Values]] = defaultdict(list)
        self._updates: defaultdict[tuple[type[SQLModel], tuple[str, ...], tuple[str, ...]], list[Values]] = defaultdict(
            list
        )

    def insert(self, table: type[SQLModel], **values: Any) -> None:
        self._inserts[table].append(values)

    def update(self, table: type[SQLModel], key: Values, **values: Any) -> None:
        row = {f"key_{name}": value for name, value in key.items()} | values
        self._updates[(table, tuple(key), tuple(values))].append(row)

    def has(self, table: type[SQLModel]) -> bool:
        return bool(self._inserts.get(table))

    def flush(self, connection: Connection) -> None:
        for table, rows in self._inserts.items():
            connection.execute(table.__table__.insert(), rows)  # type: ignore[attr-defined]
        for (table, key, names), rows in self._updates.items():
            columns = table.__table__.c  # type: ignore[attr-defined]
            statement = (
                update(table)
                .where(*(columns[name] == bindparam(f"key_{name}") for name in key))
                .values({name: bindparam(name) for name in names})
            )
            connection.execute(statement, rows)
