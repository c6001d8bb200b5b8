"""When answers are due. Resolved when it happens, never when the case starts."""

import datetime as dt
from dataclasses import dataclass, replace

from dateutil.relativedelta import relativedelta

from imprimatur.frameworks.calendars import work_calendar
from imprimatur.rules.business_time import (
    DueTime,
    WorkCalendar,
    add_business_seconds,
    add_business_time,
    subtract_business_time,
)
from imprimatur.rules.sittings import Sitting, next_sitting, sitting_on, window_for
from models.calendars import BusinessDuration
from models.framework import Framework, Sla, StageDef
from models.vocabulary import IncidentKind


@dataclass(frozen=True)
class DueBy:
    """A due time (None: it has none) that is put off by a span of business time."""

    due_at: dt.datetime | None
    span: BusinessDuration


@dataclass(frozen=True)
class Deadlines:
    due: DueTime
    remind_at: tuple[dt.datetime, ...]
    escalate_at: tuple[dt.datetime, ...]
    sits_at: dt.datetime | None = None


@dataclass(frozen=True)
class Awaited:
    """What a stage cannot open before: ``what`` names it; without ``at`` it is not announced yet."""

    what: str
    kind: IncidentKind
    at: dt.datetime | None


def calendar_of(framework: Framework, name: str) -> WorkCalendar:
    return work_calendar(framework.calendars[name], name)


def awaited(framework: Framework, stage: StageDef, at: dt.datetime) -> Awaited | None:
    """What a stage that is ready ``at`` has to wait for; None when it can open."""
    if stage.window is not None:
        definition = framework.windows[stage.window]
        found = window_for(definition, calendar_of(framework, definition.calendar), at)
        if found is None or at < found.opens_at:
            return Awaited(definition.name, IncidentKind.NO_WINDOW, found.opens_at if found else None)
    if stage.committee is not None and _sitting(framework, stage.committee, at, None) is None:
        return Awaited(framework.committees[stage.committee].name, IncidentKind.NO_SITTING, None)
    return None


def stage_deadlines(
    framework: Framework,
    stage: StageDef,
    at: dt.datetime,
    within: BusinessDuration | None = None,
    on: dt.date | None = None,
) -> Deadlines | None:
    """When the stage's promise falls due if it opens ``at``; reminders that would lie in the past are left out.

    ``within`` is promised in place of what the stage itself says. What a committee decides is due after its sitting:
    the next one that still takes it, or the one of the day ``on``.
    """
    if stage.sla is None:
        return None
    calendar = calendar_of(framework, stage.sla.calendar)
    promised = within or stage.sla.within
    sitting = _sitting(framework, stage.committee, at, on) if stage.committee is not None else None
    if sitting is not None and stage.committee is not None:
        due = add_business_time(sitting.at, promised, calendar)
        due = replace(due, since=f"the sitting of {framework.committees[stage.committee].name}")
    else:
        due = add_business_time(at, promised, calendar)
    found = _around(stage.sla, _within_window(framework, stage, at, due), calendar, at)
    return replace(found, sits_at=sitting.at) if sitting is not None else found


def sitting_day(framework: Framework, stage: StageDef, at: dt.datetime) -> dt.date:
    """The day of a sitting that begins ``at``, where the stage's committee meets."""
    return calendar_of(framework, framework.committees[str(stage.committee)].calendar).date(at)


def _sitting(framework: Framework, name: str, at: dt.datetime, on: dt.date | None) -> Sitting | None:
    committee = framework.committees[name]
    calendar = calendar_of(framework, committee.calendar)
    named = sitting_on(committee, calendar, on) if on is not None else None
    return named or next_sitting(committee, calendar, at)


def _within_window(framework: Framework, stage: StageDef, at: dt.datetime, due: DueTime) -> DueTime:
    if stage.window is None:
        return due
    definition = framework.windows[stage.window]
    found = window_for(definition, calendar_of(framework, definition.calendar), at)
    if found is None or due.due_at <= found.closes_at:
        return due
    return replace(due, due_at=found.closes_at, cut_short_by=f"the end of {definition.name}")


def deadlines_from(
    framework: Framework, stage: StageDef, at: dt.datetime, *, seconds: int | None = None, by: DueBy | None = None
) -> Deadlines | None:
    """Like :func:`stage_deadlines`, for the working time left over (``seconds``), or a due time put off ``by``."""
    if stage.sla is None:
        return None
    calendar = calendar_of(framework, stage.sla.calendar)
    if by is not None:
        due = add_business_time(max(by.due_at or at, at), by.span, calendar)
    else:
        due = add_business_seconds(at, seconds or 0, calendar)
    return _around(stage.sla, due, calendar, at)


def _around(sla: Sla, due: DueTime, calendar: WorkCalendar, at: dt.datetime) -> Deadlines:
    reminders = {subtract_business_time(due.due_at, before, calendar) for before in sla.remind_before}
    further = [add_business_time(due.due_at, step.after, calendar).due_at for step in sla.then]
    return Deadlines(due, tuple(sorted(instant for instant in reminders if instant > at)), tuple(sorted(further)))


def valid_until(framework: Framework, stage: StageDef, at: dt.datetime) -> dt.datetime:
    """When an approval of ``at`` expires: at the same time of day, so many months on, where the stage's calendar is."""
    assert stage.valid_for is not None
    zone = _stage_calendar(framework, stage).zone
    later = at.astimezone(zone).replace(tzinfo=None) + relativedelta(months=stage.valid_for.months)
    return later.replace(tzinfo=zone).astimezone(dt.UTC)


def next_business_day(framework: Framework, stage: StageDef, at: dt.datetime, days: int = 1) -> dt.datetime:
    """When to look again for what could not be found: so many business days later."""
    return add_business_time(at, BusinessDuration(business_days=days), _stage_calendar(framework, stage)).due_at


def local_date(framework: Framework, stage: StageDef, at: dt.datetime) -> dt.date:
    """The day on which a stage's reviewers are asked, where they are."""
    return _stage_calendar(framework, stage).date(at)


def _stage_calendar(framework: Framework, stage: StageDef) -> WorkCalendar:
    return calendar_of(framework, stage.sla.calendar if stage.sla is not None else framework.speed_to_market.calendar)
