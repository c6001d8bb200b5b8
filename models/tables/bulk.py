"""Acts on many cases at once."""

import datetime as dt
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant


class BulkRow(SQLModel, table=True):
    """An act on many cases at once. ``operation`` is a digest of all that was said: repeated, it goes on with the rest.

    ``options`` hold how the cases were chosen, and what else the act was given; ``ended_at`` is set when each has come
    to a result.
    """

    __tablename__ = "bulk"
    bulk_id: str = Field(primary_key=True)
    operation: str = Field(index=True)
    act: str
    actor: str
    reason: str = long_text()
    options: dict[str, Any] = json_value()
    begun_at: dt.datetime = instant()
    ended_at: dt.datetime | None = maybe_instant()


class BulkItemRow(SQLModel, table=True):
    """One case of a bulk, or one task or act of it (``subject``). ``result`` is None as long as there is none."""

    __tablename__ = "bulk_item"
    bulk_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    case_id: str
    subject: str = ""
    result: str | None = None
    code: str | None = None
    message: str = long_text()
