"""The rows of one commit, collected and written table by table: a handful of statements instead of one per row."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Update, bindparam, func
from sqlmodel import SQLModel

Values = dict[str, Any]
Table = type[SQLModel]
Names = tuple[str, ...]


class RowBuffer:
    def __init__(self) -> None:
        # Rows that name different columns go into statements of their own: one statement takes its columns from the
        # first row, and would drop what only a later one names.
        self._inserts: defaultdict[tuple[Table, frozenset[str]], list[Values]] = defaultdict(list)
        self._updates: defaultdict[tuple[Table, Names, Names, bool], list[Values]] = defaultdict(list)

    def insert(self, table: Table, **values: Any) -> None:
        self._inserts[(table, frozenset(values))].append(values)

    def awaiting(self, table: Table) -> Iterator[Values]:
        """Rows that other queries of the transaction do not see yet."""
        for (of_table, _), rows in self._inserts.items():
            if of_table is table:
                yield from rows

    def update(self, table: Table, key: Values, **values: Any) -> None:
        self._change(table, key, values, only_empty=False)

    def fill(self, table: Table, key: Values, **values: Any) -> None:
        """Like update, but what a row states already stays; and rows that are inserted later are none of its business.

        A row that awaits its insertion has to name the columns, for those are the ones that it is inserted with.
        """
        for row in self.awaiting(table):
            if all(row[name] == value for name, value in key.items()):
                row |= {name: value for name, value in values.items() if row[name] is None}
        self._change(table, key, values, only_empty=True)

    def _change(self, table: Table, key: Values, values: Values, *, only_empty: bool) -> None:
        row = {f"key_{name}": value for name, value in key.items()} | values
        self._updates[(table, tuple(key), tuple(values), only_empty)].append(row)

    def flush(self, connection: Connection) -> None:
        """What is only filled comes first: it was meant for the rows that were there."""
        self._execute_updates(connection, only_empty=True)
        for (table, _), rows in self._inserts.items():
            connection.execute(_insertion(table), rows)
        self._execute_updates(connection, only_empty=False)

    def _execute_updates(self, connection: Connection, *, only_empty: bool) -> None:
        for (table, key, names, fills), rows in self._updates.items():
            if fills is only_empty:
                connection.execute(_change(table, key, names, fills), rows)


@cache
def _insertion(table: Table) -> Insert:
    statement: Insert = table.__table__.insert()  # type: ignore[attr-defined]
    return statement


@cache
def _change(table: Table, key: Names, names: Names, only_empty: bool) -> Update:
    """Built once for each set of columns: composing a statement costs more than running it."""
    target = table.__table__  # type: ignore[attr-defined]
    new = {name: bindparam(name, type_=target.c[name].type) for name in names}
    statement: Update = (
        target.update()
        .where(*(target.c[name] == bindparam(f"key_{name}") for name in key))
        .values({name: func.coalesce(target.c[name], value) if only_empty else value for name, value in new.items()})
    )
    return statement
