"""Working time in a framework: calendars, and spans that are counted in them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from models.strict import Label, Strict
from models.texts import Day, Number, TimeOfDay, WholeNumber


class BusinessDuration(Strict):
    """Business time: either days (same clock time, n working days on) or hours (counted inside working hours)."""

    business_days: WholeNumber | None = Field(default=None, ge=0, le=1000)
    business_hours: Number | None = Field(default=None, ge=0, le=10000)

    @model_validator(mode="after")
    def _one_unit(self) -> "BusinessDuration":
        if (self.business_days is None) == (self.business_hours is None):
            raise ValueError("give exactly one of business_days and business_hours")
        return self


class WorkingHours(Strict):
    start: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _ordered(self) -> "WorkingHours":
        if self.start >= self.end:
            raise ValueError("working hours must start before they end")
        return self


class ShortDay(Strict):
    """A single day with other hours, such as an eve: half a day, say."""

    on: Day
    hours: WorkingHours
    reason: Label


class Closure(Strict):
    """Days the institution is closed, both ends included."""

    first_on: Day
    last_on: Day
    reason: Label

    @model_validator(mode="after")
    def _ordered(self) -> "Closure":
        if self.first_on > self.last_on:
            raise ValueError("a closure must begin before it ends")
        return self


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class CalendarDef(Strict):
    """Working time of a campus or partner. Public holidays come from ISO 3166 country and subdivision.

    ``weekday_hours`` are of days of the week that differ from ``hours``; ``short_days`` single days that do.
    """

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    subdivision: str | None = None
    time_zone: str
    weekend: tuple[Weekday, ...] = ("sat", "sun")
    hours: WorkingHours
    weekday_hours: dict[Weekday, WorkingHours] = {}
    closures: tuple[Closure, ...] = ()
    short_days: tuple[ShortDay, ...] = ()
