"""Proposals that are being written, the files that belong to proposals, and imports of many. Times are real."""

import datetime as dt
from typing import Any

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant


class DraftRow(SQLModel, table=True):
    """A proposal as it was typed, of its owner alone. ``revision`` counts what was saved; ``tab`` is the page that did.

    ``case_id`` and ``version``: the case whose next version it becomes, and the version that it began from.
    """

    __tablename__ = "draft"
    draft_id: str = Field(primary_key=True)
    owner: str = Field(index=True)
    framework: str
    title: str
    body: dict[str, Any] = json_value()
    case_id: str | None = None
    version: int = 0
    revision: int
    tab: str
    begun_at: dt.datetime = instant()
    changed_at: dt.datetime = instant()


class AttachmentRow(SQLModel, table=True):
    """The bytes of a file, by their SHA-256; proposals name it."""

    __tablename__ = "attachment"
    sha256: str = Field(primary_key=True)
    size: int
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    added_at: dt.datetime = instant()


class AttachmentHolderRow(SQLModel, table=True):
    """Who has handed a file in, or could read it: nobody gets at bytes by knowing their digest."""

    __tablename__ = "attachment_holder"
    sha256: str = Field(primary_key=True)
    person: str = Field(primary_key=True)


class ImportRow(SQLModel, table=True):
    """A file of many proposals. ``leased_until``: some process is at it, and no other takes it until then.

    ``stopped`` is the code, ``problem`` the sentence, of what kept it from going on.
    """

    __tablename__ = "import"
    import_id: str = Field(primary_key=True)
    owner: str = Field(index=True)
    framework: str
    file: str
    made_at: dt.datetime = instant()
    begun_at: dt.datetime | None = maybe_instant()
    ended_at: dt.datetime | None = maybe_instant()
    leased_until: dt.datetime | None = maybe_instant()
    stopped: str | None = None
    problem: str = long_text()


class ImportLineRow(SQLModel, table=True):
    """A line of an import. ``foreseen`` is what would become of it when it was read, ``result`` what has.

    ``problems`` have ``field`` and ``problem``; ``record`` is what the line says.
    """

    __tablename__ = "import_line"
    import_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    line: int
    key: str = long_text()
    title: str
    record: dict[str, Any] = json_value()
    case_id: str
    foreseen: str
    result: str | None = None
    problems: list[dict[str, Any]] = json_value()
