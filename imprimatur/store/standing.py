"""What the directory, declared interests, delegations and the calendar of leave say of people."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import Connection, String, Text, bindparam, case, cast, func, literal, or_, select, union_all

from imprimatur.rules.standing import Deputy, Facts, Interest, folded
from models.tables import AbsenceRow, DelegationRow, InterestRow, PersonRow, TaskRow
from models.vocabulary import InterestKind

_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_INTEREST = InterestRow.__table__  # type: ignore[attr-defined]
_ABSENCE = AbsenceRow.__table__  # type: ignore[attr-defined]
_DELEGATION = DelegationRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
# A query takes only so many values.
AT_ONCE = 5000


def _row(what: str, *columns: Any) -> Any:
    given = [*columns, *[literal("")] * (5 - len(columns))]
    return select(literal(what).label("what"), *(cast(column, Text) for column in given))


def _facts_query() -> Any:
    """Everything in one query: a stage that opens asks once, however many people could review it."""
    people: Any = bindparam("people", expanding=True)
    on: Any = bindparam("on")
    table = _DELEGATION.c
    name, unit = func.coalesce(_PERSON.c.name, ""), func.coalesce(table.unit, "")
    in_scope = (or_(table[name].is_(None), table[name] == bindparam(name)) for name in ("framework", "stage"))
    # The narrowest comes first, then the one declared last: stage before unit before framework.
    scopes = (case((table[name].is_not(None), "1"), else_="0") for name in ("stage", "unit", "framework"))
    rank = reduce(add, (*scopes, cast(table.declared_at, String)))
    return union_all(
        _row("inactive", _PERSON.c.email).where(_PERSON.c.email.in_(people), _PERSON.c.active.is_(False)),
        _row("interest", _INTEREST.c.person, _INTEREST.c.kind, _INTEREST.c.subject).where(
            _INTEREST.c.person.in_(people)
        ),
        _row("absence", _ABSENCE.c.person, _ABSENCE.c.last_on).where(
            _ABSENCE.c.person.in_(people), _ABSENCE.c.first_on <= on, _ABSENCE.c.last_on >= on
        ),
        _row("deputy", table.person, table.deputy, name, unit, rank)
        .select_from(_DELEGATION.outerjoin(_PERSON, _PERSON.c.email == table.deputy))
        .where(
            table.person.in_(people),
            table.ended_at.is_(None),
            table.first_on <= on,
            table.last_on >= on,
            *in_scope,
        ),
    )


_FACTS = _facts_query()


def facts_of(
    connection: Connection, people: Collection[str], on: dt.date, *, framework: str, stage: str, unit: str | None
) -> Facts:
    """Of these people, with the deputies whom they name for this stage on this day; of deputies the deputies not."""
    found = _read(connection, people, on, framework, stage)
    deputies = _deputies(found, unit)
    named = {deputy.email for several in deputies.values() for deputy in several} - set(people)
    if named:
        found += _read(connection, named, on, framework, stage)
    return Facts(
        inactive=frozenset(row[1] for row in found if row[0] == "inactive"),
        interests=_interests(found),
        absent=_absences(found),
        deputies=deputies,
    )


def _read(connection: Connection, people: Iterable[str], on: dt.date, framework: str, stage: str) -> list[Any]:
    wanted, found = sorted(people), list[Any]()
    for start in range(0, len(wanted), AT_ONCE):
        values = {"people": wanted[start : start + AT_ONCE], "on": on, "framework": framework, "stage": stage}
        found += connection.execute(_FACTS, values).all()
    return found


def _interests(rows: Iterable[Any]) -> dict[str, tuple[Interest, ...]]:
    found: dict[str, tuple[Interest, ...]] = {}
    for row in rows:
        if row[0] == "interest":
            found[row[1]] = (*found.get(row[1], ()), Interest(InterestKind(row[2]), row[3]))
    return found


def _absences(rows: Iterable[Any]) -> dict[str, dt.date]:
    found: dict[str, dt.date] = {}
    for row in rows:
        if row[0] == "absence":
            last_on = dt.date.fromisoformat(row[2])
            found[row[1]] = max(last_on, found.get(row[1], last_on))
    return found


def _deputies(rows: Iterable[Any], unit: str | None) -> Mapping[str, tuple[Deputy, ...]]:
    found: dict[str, tuple[Deputy, ...]] = {}
    named = [row for row in rows if row[0] == "deputy" and (not row[4] or folded(row[4]) == folded(unit or ""))]
    for row in sorted(named, key=lambda row: str(row[5]), reverse=True):
        found[row[1]] = (*found.get(row[1], ()), Deputy(row[2], row[3]))
    return found


def turns(connection: Connection, people: Collection[str], role: str | None) -> dict[str, tuple[dt.datetime, int]]:
    """When each was last asked under this role (None: under none), in any case, and how often."""
    same_role = _TASK.c.role.is_(None) if role is None else _TASK.c.role == role
    query = (
        select(_TASK.c.assignee, func.max(_TASK.c.opened_at), func.count())
        .where(_TASK.c.assignee.in_(list(people)), same_role)
        .group_by(_TASK.c.assignee)
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}
