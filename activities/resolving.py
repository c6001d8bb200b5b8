"""When answers are due. Resolved when it happens, never when the case starts."""

import datetime as dt
from dataclasses import dataclass

from imprimatur.frameworks.calendars import work_calendar
from imprimatur.rules.business_time import (
    DueTime,
    WorkCalendar,
    add_business_seconds,
    add_business_time,
    subtract_business_time,
)
from models.framework import BusinessDuration, Framework, Sla, StageDef


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


def calendar_of(framework: Framework, name: str) -> WorkCalendar:
    return work_calendar(framework.calendars[name], name)


def stage_deadlines(
    framework: Framework, stage: StageDef, at: dt.datetime, within: BusinessDuration | None = None
) -> Deadlines | None:
    """When the stage's promise falls due if it opens ``at``; reminders that would lie in the past are left out.

    ``within`` is promised in place of what the stage itself says.
    """
    if stage.sla is None:
        return None
    calendar = calendar_of(framework, stage.sla.calendar)
    return _around(stage.sla, add_business_time(at, within or stage.sla.within, calendar), calendar, at)


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


def next_business_day(framework: Framework, stage: StageDef, at: dt.datetime) -> dt.datetime:
    """When to look for reviewers again."""
    return add_business_time(at, BusinessDuration(business_days=1), _stage_calendar(framework, stage)).due_at


def local_date(framework: Framework, stage: StageDef, at: dt.datetime) -> dt.date:
    """The day on which a stage's reviewers are asked, where they are."""
    return _stage_calendar(framework, stage).date(at)


def _stage_calendar(framework: Framework, stage: StageDef) -> WorkCalendar:
    return calendar_of(framework, stage.sla.calendar if stage.sla is not None else framework.speed_to_market.calendar)
