"""What people leave on the pages for themselves: saved views, and answers that are not finished."""

import datetime as dt
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value


class SavedViewRow(SQLModel, table=True):
    """A search of the list of cases. ``shared``: with whoever has one of ``units``, or with the office if none."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("owner", "name"),)
    view_id: str = Field(primary_key=True)
    owner: str = Field(index=True)
    name: str
    filters: dict[str, Any] = json_value()
    shared: bool
    units: list[str] = json_value()
    saved_at: dt.datetime = instant()


class AnswerDraftRow(SQLModel, table=True):
    """What a reviewer has typed into the form of a task, and not sent."""

    __tablename__ = "answer_draft"
    task_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    typed: dict[str, Any] = json_value()
    kept_at: dt.datetime = instant()
