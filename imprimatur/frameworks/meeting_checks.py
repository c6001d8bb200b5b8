"""Whether the committees and review windows of a framework can ever meet and open."""

import datetime as dt
from collections.abc import Callable, Iterator

from imprimatur.errors import InputError
from imprimatur.frameworks.calendars import work_calendar
from imprimatur.frameworks.field_checks import Found
from imprimatur.frameworks.json_lines import Place
from imprimatur.rules.business_time import WorkCalendar
from imprimatur.rules.sittings import recurrence, sittings, windows
from models.framework import Framework
from models.meetings import CommitteeDef, WindowDef


def meeting_problems(framework: Framework) -> Found:
    for name, committee in framework.committees.items():
        yield from _committee_problems(framework, committee, ("committees", name))
    for name, window in framework.windows.items():
        yield from _window_problems(framework, window, ("windows", name))
    for index, stage in enumerate(framework.stages):
        for key, known in (("committee", framework.committees), ("window", framework.windows)):
            named = getattr(stage, key)
            if named is not None and named not in known:
                problem = f"there is no {key} {named!r} in this framework"
                yield ("stages", index, key), f"{key}_unknown", problem, ", ".join(known) or f"a {key} under {key}s"


def _committee_problems(framework: Framework, committee: CommitteeDef, place: Place) -> Found:
    if committee.sittings.rule is not None:
        try:
            recurrence(committee)
        except ValueError as error:
            expected = "a rule such as FREQ=MONTHLY;BYDAY=2WE"
            yield (*place, "sittings", "rule"), "recurrence_invalid", str(error), expected
            return
    since = committee.sittings.first_on or min(committee.sittings.dates)

    def first(calendar: WorkCalendar) -> Iterator[object]:
        return sittings(committee, calendar, since)

    problem = "this committee never meets"
    yield from _never(framework, committee.calendar, place, "committee_never_meets", problem, first)


def _window_problems(framework: Framework, window: WindowDef, place: Place) -> Found:
    since = min((span.first_on for span in window.dates), default=dt.date(2026, 1, 1))

    def first(calendar: WorkCalendar) -> Iterator[object]:
        return windows(window, calendar, since)

    yield from _never(framework, window.calendar, place, "window_never_open", "this window never opens", first)


def _never(
    framework: Framework,
    calendar: str,
    place: Place,
    code: str,
    problem: str,
    first: Callable[[WorkCalendar], Iterator[object]],
) -> Found:
    if calendar not in framework.calendars:
        problem = f"there is no calendar {calendar!r} in this framework"
        yield (*place, "calendar"), "calendar_unknown", problem, ", ".join(framework.calendars)
        return
    try:
        if next(first(work_calendar(framework.calendars[calendar], calendar)), None) is None:
            yield place, code, problem, "at least one day of it on which the calendar works"
    except (InputError, ValueError):
        # What is wrong with the calendar is told where it stands.
        return
