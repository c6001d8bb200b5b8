"""What in a framework happens on dates: committees that meet, and windows in which is reviewed."""

import datetime as dt
from typing import Annotated

from pydantic import StringConstraints, model_validator

from models.calendars import BusinessDuration
from models.strict import Identifier, Label, Strict
from models.texts import Day, TimeOfDay
from models.vocabulary import ConsentItems, LateItems


class Sittings(Strict):
    """When a committee meets: by a recurrence rule (RFC 5545, 3.3.10) from a day on, or on listed days.

    A day of the rule on which the calendar is closed moves to the next working day; ``skip`` leaves days out.
    """

    rule: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None
    first_on: Day | None = None
    dates: tuple[Day, ...] = ()
    skip: tuple[Day, ...] = ()
    at: TimeOfDay

    @model_validator(mode="after")
    def _one_source(self) -> "Sittings":
        if (self.rule is None) == (not self.dates):
            raise ValueError("give exactly one of rule and dates")
        if (self.rule is None) != (self.first_on is None):
            raise ValueError("a rule counts from first_on; listed dates need none")
        return self


class CommitteeDef(Strict):
    """A body that meets. An item reaches a sitting by its ``cut_off``; what comes later waits for the next one.

    ``late_items`` says whether the office may admit one all the same, ``consent`` which items need no debate.
    """

    name: Label
    calendar: Identifier
    sittings: Sittings
    cut_off: BusinessDuration | None = None
    late_items: LateItems = LateItems.NEXT_SITTING
    consent: ConsentItems = ConsentItems.NONE


DayOfYear = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class YearlySpan(Strict):
    """Days of every year, both included, as ``MM-DD``; one that ends before it begins runs over the new year."""

    first: DayOfYear
    last: DayOfYear

    @model_validator(mode="after")
    def _exist(self) -> "YearlySpan":
        for name in (self.first, self.last):
            try:
                # Not in every year, but a day of the year all the same, would be 29 February.
                dt.date.fromisoformat(f"2026-{name}")
            except ValueError as error:
                raise ValueError(f"{name} is not a day of every year") from error
        return self


class DatedSpan(Strict):
    first_on: Day
    last_on: Day

    @model_validator(mode="after")
    def _ordered(self) -> "DatedSpan":
        if self.first_on > self.last_on:
            raise ValueError("a window must begin before it ends")
        return self


class WindowDef(Strict):
    """A published review window: a stage opens in it only, and what is promised ends with it at the latest."""

    name: Label
    calendar: Identifier
    every_year: tuple[YearlySpan, ...] = ()
    dates: tuple[DatedSpan, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> "WindowDef":
        if bool(self.every_year) == bool(self.dates):
            raise ValueError("give exactly one of every_year and dates")
        return self
