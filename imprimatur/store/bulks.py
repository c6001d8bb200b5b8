"""Bulk operations: which cases were chosen, and what became of each; so that a stopped one can go on."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import rfc8785
from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from imprimatur import ids
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from models.tables import BulkItemRow, BulkRow, StepRow
from models.vocabulary import BulkResult, StageFate

_BULK = BulkRow.__table__  # type: ignore[attr-defined]
_ITEM = BulkItemRow.__table__  # type: ignore[attr-defined]
_STEP = StepRow.__table__  # type: ignore[attr-defined]
FORM = "form"


@dataclass(frozen=True)
class Operation:
    """All that was said: the same words again are the same operation, as long as it has not come to its end.

    Said by a form of the pages, whose one-time value is the option ``form``, they are the same one for ever.
    """

    act: str
    actor: str
    reason: str
    options: dict[str, Any]

    @property
    def digest(self) -> str:
        said: Any = [self.act, self.actor, self.reason, self.options]
        return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


@dataclass(frozen=True)
class Item:
    """A case, or one task or act of it; ``number`` is its place in the operation."""

    case_id: str
    subject: str = ""
    number: int = 0


class ItemResult(BaseModel):
    """``code`` is that of a refusal; a preview says what would happen (``consequences``), and of a case that would move
    to another version of its framework what would become of each stage."""

    case_id: str
    subject: str
    result: BulkResult
    code: str | None = None
    message: str = ""
    consequences: list[str] = []
    stages: dict[str, StageFate] = {}


@dataclass
class Begun:
    """``results`` holds what an earlier run of the operation has come to already."""

    bulk_id: str
    items: list[Item]
    resumed: bool = False
    results: dict[int, ItemResult] = field(default_factory=dict)


def begin(database: Database, operation: Operation, choose: Callable[[], Sequence[Item]], at: dt.datetime) -> Begun:
    """The operation's last run if it was stopped, with the cases that were chosen then; else a new one.

    Where no case is chosen nothing is kept, and there is no id.
    """
    with database.read() as connection:
        unfinished = _unfinished(connection, operation)
    if unfinished is not None:
        return unfinished
    items = [Item(item.case_id, item.subject, number) for number, item in enumerate(choose(), 1)]
    if not items:
        return Begun("", [])
    with database.write() as connection:
        # The same words may have been said at the same moment elsewhere.
        if (unfinished := _unfinished(connection, operation)) is not None:
            return unfinished
        query = select(func.count()).select_from(_BULK).where(_BULK.c.operation == operation.digest)
        bulk_id = ids.bulk_id(operation.digest, connection.execute(query).scalar_one())
        # Somebody else may have begun it since, and been counted.
        if (meanwhile := _unfinished(connection, operation)) is not None:
            return meanwhile
        row = {"bulk_id": bulk_id, "operation": operation.digest, "begun_at": at, "ended_at": None}
        row |= {name: getattr(operation, name) for name in ("act", "actor", "reason", "options")}
        if insert_once(connection, _BULK, row):
            fresh = {"bulk_id": bulk_id, "result": None, "code": None, "message": ""}
            given = [fresh | {"number": i.number, "case_id": i.case_id, "subject": i.subject} for i in items]
            connection.execute(_ITEM.insert(), given)
        return _load(connection, bulk_id, resumed=False)


def _unfinished(connection: Connection, operation: Operation) -> Begun | None:
    query = select(_BULK.c.bulk_id).where(_BULK.c.operation == operation.digest)
    if FORM not in operation.options:
        query = query.where(_BULK.c.ended_at.is_(None))
    bulk_id = connection.execute(query).scalar()
    return _load(connection, bulk_id, resumed=True) if bulk_id else None


def _load(connection: Connection, bulk_id: str, *, resumed: bool) -> Begun:
    rows = connection.execute(select(_ITEM).where(_ITEM.c.bulk_id == bulk_id).order_by(_ITEM.c.number)).mappings().all()
    items = [Item(row["case_id"], row["subject"], row["number"]) for row in rows]
    known = {row["number"]: ItemResult.model_validate(dict(row)) for row in rows if row["result"]}
    return Begun(bulk_id, items, resumed, known)


def record(database: Database, bulk_id: str, item: Item, result: ItemResult) -> None:
    values = {"result": str(result.result), "code": result.code, "message": result.message}
    with database.write() as connection:
        connection.execute(
            _ITEM.update().where(_ITEM.c.bulk_id == bulk_id, _ITEM.c.number == item.number).values(values)
        )


def end(database: Database, bulk_id: str, at: dt.datetime) -> None:
    with database.write() as connection:
        connection.execute(_BULK.update().where(_BULK.c.bulk_id == bulk_id).values(ended_at=at))


def carried_out(database: Database, bulk_id: str, item: Item) -> bool:
    """Whether the case has written a step of it: a run that was killed may not have learnt what it did."""
    query = select(_STEP.c.answer).where(_STEP.c.case_id == item.case_id, _STEP.c.answer.contains(bulk_id))
    with database.read() as connection:
        events = [json.loads(answer)["event"] for answer in connection.execute(query).scalars()]
    mine = [event for event in events if event.get("bulk") == bulk_id]
    return any(item.subject in ("", event.get("task_id"), event.get("act_id")) for event in mine)
