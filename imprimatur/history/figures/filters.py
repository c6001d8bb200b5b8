"""Which cases a figure is about: a period, a framework, a unit, a kind of micro-credential; and who asks."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from imprimatur.errors import InputError
from models.tables import FrameworkRow
from models.vocabulary import ABOUT_PUBLISHED, CredentialKind

_FRAMEWORK = FrameworkRow.__table__  # type: ignore[attr-defined]
ONE_DAY = dt.timedelta(days=1)
MONTHS_SHOWN = 12
NAMES = ("from", "to", "framework", "unit", "kind")


@dataclass(frozen=True)
class Scope:
    """Of whose cases somebody may see figures: those of some units, or of all when ``units`` is None."""

    units: frozenset[str] | None = None


@dataclass(frozen=True)
class Filter:
    """``first_on`` and ``last_on`` are days of UTC, both included."""

    first_on: dt.date
    last_on: dt.date
    framework: str | None = None
    unit: str | None = None
    kind: CredentialKind | None = None

    @classmethod
    def parse(cls, given: Mapping[str, str | None], today: dt.date) -> "Filter":
        """By ``from``, ``to``, ``framework``, ``unit`` and ``kind``; what is empty narrows nothing.

        Without days the last twelve months, this one included. Raises InputError ``period_malformed``,
        ``credential_kind_unknown``.
        """
        last_on = _day(given.get("to")) or today
        first_on = _day(given.get("from")) or _months_before(min(last_on, today), MONTHS_SHOWN - 1)
        if first_on > last_on:
            raise InputError(
                "period_malformed", f"The period ends on {last_on}, before it begins on {first_on}.", "Swap the days."
            )
        kind = given.get("kind") or None
        if kind is not None and kind not in list(CredentialKind):
            known = ", ".join(CredentialKind)
            raise InputError(
                "credential_kind_unknown", f"There is no kind of micro-credential {kind!r}.", f"Choose one of: {known}."
            )
        return cls(
            first_on,
            last_on,
            given.get("framework") or None,
            given.get("unit") or None,
            CredentialKind(kind) if kind else None,
        )

    def as_query(self) -> dict[str, str]:
        """What :meth:`parse` takes; only what narrows."""
        told = {
            "from": self.first_on.isoformat(),
            "to": self.last_on.isoformat(),
            "framework": self.framework,
            "unit": self.unit,
            "kind": self.kind,
        }
        return {name: str(value) for name, value in told.items() if value}

    @property
    def begins_at(self) -> dt.datetime:
        return dt.datetime.combine(self.first_on, dt.time(), dt.UTC)

    @property
    def ends_at(self) -> dt.datetime:
        """The first instant after the period."""
        if self.last_on == dt.date.max:
            return dt.datetime.max.replace(tzinfo=dt.UTC)
        return dt.datetime.combine(self.last_on + ONE_DAY, dt.time(), dt.UTC)


def within(column: Any, chosen: Filter) -> list[ColumnElement[bool]]:
    """Conditions on an instant: it lies in the period."""
    return [column >= chosen.begins_at, column < chosen.ends_at]


def of_cases(table: Any, chosen: Filter, scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions on a table with ``framework_id`` and ``unit``. A case of no unit is seen by those who see all."""
    conditions: list[ColumnElement[bool]] = []
    if chosen.framework is not None:
        conditions.append(table.c.framework_id == chosen.framework)
    if chosen.unit is not None:
        conditions.append(table.c.unit == chosen.unit)
    if chosen.kind is not None:
        of_kind = select(_FRAMEWORK.c.id).where(_FRAMEWORK.c.credential_kind == str(chosen.kind))
        conditions.append(table.c.framework_id.in_(of_kind))
    elif chosen.framework is None:
        # How long it takes to review what is published, or to hand it over, is another matter than a proposal's way.
        others = select(_FRAMEWORK.c.id).where(_FRAMEWORK.c.credential_kind.in_(map(str, ABOUT_PUBLISHED)))
        conditions.append(table.c.framework_id.not_in(others))
    if scope.units is not None:
        conditions.append(table.c.unit.in_(sorted(scope.units)))
    return conditions


def _day(text: str | None) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError("period_malformed", f"{text!r} is not a day.", "Write it like 2026-03-02.") from error


def _months_before(day: dt.date, months: int) -> dt.date:
    """The first day of the month so many months before."""
    number = max(12, day.year * 12 + day.month - 1 - months)
    return dt.date(number // 12, number % 12 + 1, 1)
