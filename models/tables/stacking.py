"""Pathways, what counts towards them, and imported skills."""

import datetime as dt
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text


class PathwayRow(SQLModel, table=True):
    """A pathway as it was written last: a :class:`models.stacking.Pathway`."""

    __tablename__ = "pathway"
    pathway_id: str = Field(primary_key=True)
    title: str
    body: dict[str, Any] = json_value()
    changed_at: dt.datetime = instant()


class StackingRow(SQLModel, table=True):
    """What a proposal version counts towards (``pathway``) or builds on (``case``); see ``models.proposal``."""

    __tablename__ = "stacking"
    case_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    target: str = Field(primary_key=True, index=True)
    credits: float | None = None


class SkillRow(SQLModel, table=True):
    """A skill of an imported framework; ``key`` is its address there, or else its code."""

    __tablename__ = "skill"
    framework: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    title: str
    words: str = long_text()
    description: str = long_text()
    url: str | None = None
    code: str | None = None
    imported_at: dt.datetime = instant()
