"""Columns that several tables have."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlmodel import Field


class UtcDateTime(TypeDecorator[dt.datetime]):
    """SQLite keeps no time zone: instants go in and come out as aware UTC everywhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(dt.UTC) if value is not None else None

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def instant(index: bool = False) -> Any:
    return Field(sa_type=UtcDateTime, index=index)


def maybe_instant(index: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=True, index=index)


def json_value() -> Any:
    return Field(sa_column=Column(JSON, nullable=False))


def long_text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))
