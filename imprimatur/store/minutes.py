"""What was recorded of committees' sittings, beside the decisions on their items."""

import datetime as dt
from typing import Any

from imprimatur.store.engine import Database
from models.tables import MinutesRow

_TABLE = MinutesRow.__table__  # type: ignore[attr-defined]


def keep_minutes(database: Database, committee: str, held_on: dt.date, **facts: Any) -> None:
    """Writes the minutes of a sitting; recorded again, the later record counts."""
    key = {"committee": committee, "held_on": held_on}
    values = facts | {"recorded_at": dt.datetime.now(dt.UTC)}
    with database.write() as connection:
        of_sitting = (_TABLE.c.committee == committee) & (_TABLE.c.held_on == held_on)
        if connection.execute(_TABLE.update().where(of_sitting).values(**values)).rowcount == 0:
            connection.execute(_TABLE.insert().values(**key, **values))
