"""What reviewers have typed into the forms of their tasks and not sent: kept for them, and read by nobody else."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import and_, select

from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.tables import AnswerDraftRow, TaskRow
from models.vocabulary import TaskStatus

_DRAFT = AnswerDraftRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]


class Draft(NamedTuple):
    typed: dict[str, str]
    kept_at: dt.datetime


def draft_of(database: Database, task_id: str, person: str) -> Draft | None:
    query = select(_DRAFT.c.typed, _DRAFT.c.kept_at).where(_DRAFT.c.task_id == task_id, _DRAFT.c.person == person)
    with database.read() as connection:
        row = connection.execute(query).first()
    return Draft(*row) if row is not None else None


def keep_draft(database: Database, task_id: str, person: str, typed: Mapping[str, str], at: dt.datetime) -> bool:
    """The last one counts. False, and nothing kept, where the task is not open and theirs."""
    theirs = and_(_TASK.c.task_id == task_id, _TASK.c.assignee == person, _TASK.c.status == str(TaskStatus.OPEN))
    with database.write() as connection:
        if connection.execute(select(_TASK.c.task_id).where(theirs)).first() is None:
            return False
        facts = {"typed": dict(typed), "kept_at": at}
        if not insert_once(connection, _DRAFT, {"task_id": task_id, "person": person} | facts):
            same = and_(_DRAFT.c.task_id == task_id, _DRAFT.c.person == person)
            connection.execute(_DRAFT.update().where(same).values(facts))
    return True


def forget_draft(database: Database, task_id: str, person: str) -> None:
    """What was written on the way to an answer is nobody's business."""
    theirs = and_(_DRAFT.c.task_id == task_id, _DRAFT.c.person == person)
    with database.read() as connection:
        if connection.execute(select(_DRAFT.c.task_id).where(theirs)).first() is None:
            return
    with database.write() as connection:
        connection.execute(_DRAFT.delete().where(theirs))
