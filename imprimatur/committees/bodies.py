"""Committees as the frameworks in force define them, and the sittings that they are to hold."""

import datetime as dt
from itertools import islice

from pydantic import BaseModel
from sqlalchemy import select

from imprimatur.errors import InputError, NotFound
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.rules.business_time import WorkCalendar
from imprimatur.rules.sittings import Sitting, sitting_on, sittings
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import framework, list_frameworks
from models.meetings import CommitteeDef
from models.tables import StageRow
from models.vocabulary import LateItems, StageStatus

_STAGE = StageRow.__table__  # type: ignore[attr-defined]
ANNOUNCED = 3


class SittingView(BaseModel):
    on: dt.date
    at: dt.datetime
    cut_off: dt.datetime
    items: int = 0


class CommitteeView(BaseModel):
    """``sittings`` are the next ones, and any earlier one on which something is still undecided."""

    committee: str
    name: str
    frameworks: list[str]
    time_zone: str
    sittings: list[SittingView]


class Committee:
    """A committee as the newest versions of the frameworks that name it define it; the last one that came counts."""

    def __init__(self, name: str, definition: CommitteeDef, calendar: WorkCalendar, frameworks: list[str]) -> None:
        self.id = name
        self.definition = definition
        self.calendar = calendar
        self.frameworks = frameworks

    def sitting(self, on: dt.date) -> Sitting:
        """Raises InputError ``sitting_unknown``."""
        found = sitting_on(self.definition, self.calendar, on)
        if found is None:
            known = islice(sittings(self.definition, self.calendar, on), ANNOUNCED)
            near = ", ".join(sitting.on.isoformat() for sitting in known)
            raise InputError(
                "sitting_unknown",
                f"{self.definition.name} does not meet on {on.isoformat()}.",
                f"It meets on {near}." if near else "No later sitting is announced.",
            )
        return found

    def takes(self, sitting: Sitting, at: dt.datetime) -> bool:
        return at <= sitting.cut_off or self.definition.late_items is LateItems.OFFICE_ADMITS


def all_committees(database: Database) -> dict[str, Committee]:
    newest = {entry.id: entry for entry in reversed(list_frameworks(database))}
    found: dict[str, Committee] = {}
    for entry in sorted(newest.values(), key=lambda entry: entry.added_at):
        policy = framework(database, entry.id, entry.version)
        for name, definition in policy.committees.items():
            calendar = work_calendar(policy.calendars[definition.calendar], definition.calendar)
            known = found[name].frameworks if name in found else []
            found[name] = Committee(name, definition, calendar, [*known, entry.id])
    return found


def committee(database: Database, name: str) -> Committee:
    """Raises NotFound ``committee_not_found``."""
    known = all_committees(database)
    if name not in known:
        hint = f"Known are: {', '.join(sorted(known))}." if known else "No framework in force names a committee."
        raise NotFound("committee_not_found", f"There is no committee {name}.", hint)
    return known[name]


def committees(database: Database, at: dt.datetime) -> list[CommitteeView]:
    found = []
    for name, body in sorted(all_committees(database).items()):
        waiting = _counts(database, body)
        coming = list(islice(sittings(body.definition, body.calendar, body.calendar.date(at)), ANNOUNCED))
        days = {sitting.on for sitting in coming}
        left = [sitting_on(body.definition, body.calendar, on) for on in sorted(waiting.keys() - days)]
        known = [sitting for sitting in left if sitting is not None] + coming
        views = [
            SittingView(on=s.on, at=s.at, cut_off=s.cut_off, items=waiting.get(s.on, 0))
            for s in sorted(known, key=lambda sitting: sitting.on)
        ]
        found.append(
            CommitteeView(
                committee=name,
                name=body.definition.name,
                frameworks=body.frameworks,
                time_zone=body.calendar.zone.key,
                sittings=views,
            )
        )
    return found


def _counts(database: Database, body: Committee) -> dict[dt.date, int]:
    query = select(_STAGE.c.sits_at).where(
        _STAGE.c.committee == body.id, _STAGE.c.status == str(StageStatus.OPEN), _STAGE.c.sits_at.is_not(None)
    )
    counts: dict[dt.date, int] = {}
    with database.read() as connection:
        for at in connection.execute(query).scalars():
            on = body.calendar.date(at)
            counts[on] = counts.get(on, 0) + 1
    return counts


def next_with_items(database: Database, body: Committee, at: dt.datetime) -> dt.date:
    """The earliest sitting with undecided items, else the next one. Raises InputError ``sitting_unknown``."""
    if waiting := _counts(database, body):
        return min(waiting)
    coming = next(sittings(body.definition, body.calendar, body.calendar.date(at)), None)
    if coming is None:
        raise InputError("sitting_unknown", f"{body.definition.name} has announced no sitting.", "Name one with --on.")
    return coming.on
