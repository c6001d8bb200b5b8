"""Imports of many proposals: what each line says, would become and became; kept so that a stopped one goes on."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, and_, func, or_, select

from imprimatur import ids
from imprimatur.errors import NotFound, Refused
from imprimatur.store.engine import Database
from models.tables import ImportLineRow, ImportRow
from models.vocabulary import LineResult

_IMPORT = ImportRow.__table__  # type: ignore[attr-defined]
_LINE = ImportLineRow.__table__  # type: ignore[attr-defined]
# Whoever does not say that they go on is taken to be gone.
LEASE = dt.timedelta(seconds=30)
PAGE_LENGTH = 100
# A statement takes only so many values.
AT_ONCE = 200


class ImportJob(BaseModel):
    """``stopped`` is the code of what keeps it from going on; it is tried again when somebody begins it again."""

    import_id: str
    owner: str
    framework: str
    file: str
    made_at: dt.datetime
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None
    stopped: str | None
    problem: str


class ImportLine(BaseModel):
    """``number`` counts records, ``line`` the lines of the file. ``case_id`` is empty where nothing could be read."""

    number: int
    line: int
    key: str
    title: str
    record: dict[str, Any]
    case_id: str
    foreseen: LineResult
    result: LineResult | None = None
    problems: list[dict[str, Any]] = []


class Count(BaseModel):
    """``foreseen`` and ``results`` by what; ``done`` of ``lines`` have come to a result."""

    lines: int
    done: int
    foreseen: dict[str, int]
    results: dict[str, int]


def keep(
    database: Database, owner: str, framework: str, file: str, lines: Sequence[ImportLine], at: dt.datetime
) -> str:
    """Answers the id; nothing is imported yet."""
    import_id = ids.random_id("im-")
    values = {"import_id": import_id, "owner": owner, "framework": framework, "file": file, "made_at": at}
    with database.write() as connection:
        connection.execute(_IMPORT.insert().values(**values, problem=""))
        rows = [line.model_dump(mode="json") | {"import_id": import_id} for line in lines]
        for start in range(0, len(rows), AT_ONCE):
            connection.execute(_LINE.insert(), rows[start : start + AT_ONCE])
    return import_id


def jobs_of(database: Database, owner: str) -> list[tuple[ImportJob, int, int]]:
    """The newest first, each with its number of lines and of those that have come to a result; at most 50."""
    query = (
        select(_IMPORT, func.count(_LINE.c.number).label("lines"), func.count(_LINE.c.result).label("done"))
        .join(_LINE, _LINE.c.import_id == _IMPORT.c.import_id, isouter=True)
        .where(_IMPORT.c.owner == owner)
        .group_by(*_IMPORT.c)
        .order_by(_IMPORT.c.made_at.desc(), _IMPORT.c.import_id)
        .limit(50)
    )
    with database.read() as connection:
        return [(ImportJob.model_validate(dict(row)), row["lines"], row["done"])
                for row in connection.execute(query).mappings()]  # fmt: skip


def job(database: Database, owner: str, import_id: str) -> tuple[ImportJob, Count]:
    """Raises NotFound ``import_unknown``, also for somebody else's."""
    with database.read() as connection:
        query = select(_IMPORT).where(_IMPORT.c.import_id == import_id, _IMPORT.c.owner == owner)
        row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound("import_unknown", "There is no such import of yours.", "See your imports.")
        return ImportJob.model_validate(dict(row)), _count(connection, import_id)


def _count(connection: Connection, import_id: str) -> Count:
    query = select(_LINE.c.foreseen, _LINE.c.result, func.count()).where(_LINE.c.import_id == import_id)
    foreseen: dict[str, int] = {}
    results: dict[str, int] = {}
    for expected, result, number in connection.execute(query.group_by(_LINE.c.foreseen, _LINE.c.result)):
        foreseen[expected] = foreseen.get(expected, 0) + number
        if result is not None:
            results[result] = results.get(result, 0) + number
    return Count(lines=sum(foreseen.values()), done=sum(results.values()), foreseen=foreseen, results=results)


def lines_of(
    database: Database, import_id: str, *, after: int = 0, only: str = "", begun: bool = False, most: int | None = None
) -> list[ImportLine]:
    """In their order; ``only`` those with one result, or of an import that is not begun with one foreseen."""
    query = select(_LINE).where(_LINE.c.import_id == import_id, _LINE.c.number > after).order_by(_LINE.c.number)
    if only:
        query = query.where((_LINE.c.result if begun else _LINE.c.foreseen) == only)
    with database.read() as connection:
        rows = connection.execute(query.limit(most) if most else query).mappings()
        return [ImportLine.model_validate(dict(row)) for row in rows]


def begin(database: Database, owner: str, import_id: str, at: dt.datetime) -> None:
    """Again does nothing, but for one that was stopped. Raises NotFound ``import_unknown``."""
    found, _ = job(database, owner, import_id)
    if found.begun_at is not None and found.stopped is None:
        return
    values = {"begun_at": found.begun_at or at, "stopped": None, "problem": ""}
    with database.write() as connection:
        connection.execute(_IMPORT.update().where(_IMPORT.c.import_id == import_id).values(values))


def forget(database: Database, owner: str, import_id: str) -> None:
    """Raises Refused ``import_begun``: what was imported stays told. Raises NotFound ``import_unknown``."""
    found, _ = job(database, owner, import_id)
    if found.begun_at is not None:
        raise Refused("import_begun", "The import has begun.", "Its report stays; withdraw single cases instead.")
    with database.write() as connection:
        connection.execute(_LINE.delete().where(_LINE.c.import_id == import_id))
        connection.execute(_IMPORT.delete().where(_IMPORT.c.import_id == import_id))


def claim(database: Database, at: dt.datetime) -> ImportJob | None:
    """An import that goes on and that no process is at; for as long as the lease lasts it is the caller's."""
    free = or_(_IMPORT.c.leased_until.is_(None), _IMPORT.c.leased_until < at)
    waiting = and_(_IMPORT.c.begun_at.is_not(None), _IMPORT.c.ended_at.is_(None), _IMPORT.c.stopped.is_(None), free)
    with database.read() as connection:
        found = connection.execute(select(_IMPORT).where(waiting).order_by(_IMPORT.c.begun_at).limit(1)).mappings()
        row = found.first()
    if row is None:
        return None
    mine = _IMPORT.c.import_id == row["import_id"]
    with database.write() as connection:
        taken = connection.execute(
            _IMPORT.update().where(mine, waiting).values(leased_until=at + LEASE).returning(_IMPORT.c.import_id)
        ).first()
    return ImportJob.model_validate(dict(row)) if taken is not None else None


def go_on(database: Database, import_id: str, at: dt.datetime) -> None:
    """The process that is at it still is."""
    with database.write() as connection:
        connection.execute(_IMPORT.update().where(_IMPORT.c.import_id == import_id).values(leased_until=at + LEASE))


def record(
    database: Database, import_id: str, number: int, result: LineResult, case_id: str, problems: list[dict[str, Any]]
) -> None:
    values = {"result": str(result), "case_id": case_id, "problems": problems}
    with database.write() as connection:
        connection.execute(
            _LINE.update().where(_LINE.c.import_id == import_id, _LINE.c.number == number).values(values)
        )


def end(database: Database, import_id: str, at: dt.datetime) -> None:
    _settle(database, import_id, {"ended_at": at, "leased_until": None})


def stop(database: Database, import_id: str, code: str, problem: str) -> None:
    """What keeps it from going on keeps every further line from it as well."""
    _settle(database, import_id, {"stopped": code, "problem": problem, "leased_until": None})


def release(database: Database, import_id: str) -> None:
    """Another process, or this one later, takes it up again."""
    _settle(database, import_id, {"leased_until": None})


def _settle(database: Database, import_id: str, values: dict[str, Any]) -> None:
    with database.write() as connection:
        connection.execute(_IMPORT.update().where(_IMPORT.c.import_id == import_id).values(values))
