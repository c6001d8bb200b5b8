"""Work calendars from their definition; public holidays by the maintained `holidays` library."""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from imprimatur.errors import InputError
from imprimatur.rules.business_time import WorkCalendar
from models.framework import CalendarDef

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def work_calendar(definition: CalendarDef, name: str) -> WorkCalendar:
    """Raises InputError ``calendar_invalid`` for an unknown country, subdivision or time zone."""
    return _work_calendar(definition.model_dump_json(), name)


@lru_cache(maxsize=256)
def _work_calendar(definition_json: str, name: str) -> WorkCalendar:
    definition = CalendarDef.model_validate_json(definition_json)
    zone = _zone(definition.time_zone, name)
    off = _DaysOff(definition, _public_holidays(definition, name))
    return WorkCalendar(name, zone, definition.hours.start, definition.hours.end, off.reason)


def _zone(key: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            "calendar_invalid", f"Calendar {name}: there is no time zone {key!r}.", "Use a name like Europe/Tallinn."
        ) from error


def _public_holidays(definition: CalendarDef, name: str) -> Mapping[dt.date, str]:
    if definition.country is None:
        return {}
    known = holidays.list_supported_countries(include_aliases=True)
    if definition.country not in known:
        raise InputError(
            "calendar_invalid",
            f"Calendar {name}: holidays of country {definition.country!r} are not known.",
            "Use an ISO 3166 code such as NZ, or leave the country out and list closures.",
        )
    if definition.subdivision is not None and definition.subdivision not in known[definition.country]:
        raise InputError(
            "calendar_invalid",
            f"Calendar {name}: {definition.country} has no subdivision {definition.subdivision!r}.",
            f"Use one of: {', '.join(known[definition.country]) or 'none'}.",
        )
    return holidays.country_holidays(definition.country, subdiv=definition.subdivision, language="en_US")


class _DaysOff:
    """Why a date is no working day; looked up once per date."""

    def __init__(self, definition: CalendarDef, public: Mapping[dt.date, str]) -> None:
        self._weekend = {WEEKDAYS.index(day) for day in definition.weekend}
        self._closures = definition.closures
        self._public = public
        self._known: dict[dt.date, str | None] = {}

    def reason(self, on: dt.date) -> str | None:
        if on not in self._known:
            self._known[on] = self._look_up(on)
        return self._known[on]

    def _look_up(self, on: dt.date) -> str | None:
        for closure in self._closures:
            if closure.first_on <= on <= closure.last_on:
                return closure.reason
        if on in self._public:
            return str(self._public[on])
        return WEEKDAY_NAMES[on.weekday()] if on.weekday() in self._weekend else None
