"""Dates for the recipient's calendar (RFC 5545, RFC 5546): when a task is due, when a committee meets.

Mail programs show events and hide to-dos, so a due time is a short event that ends when the answer is due. It is
published, not an invitation: nobody is asked to accept, and nobody's answer comes back. An event is known by its UID,
and the one with the higher SEQUENCE counts.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from icalendar import Timezone, vText
from icalendar.parser import Contentline, Contentlines

PRODUCT = "-//Imprimatur//Approvals//EN"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
DAY = dt.timedelta(days=1)
# So long before it is due, for an event without length is hidden by some programs.
DUE_LASTS = dt.timedelta(minutes=30)
SITTING_LASTS = dt.timedelta(hours=2)


@dataclass(frozen=True)
class Entry:
    """One event. ``zone`` is told where the event has a place, and so a time of its own; else times are in UTC."""

    uid: str
    sequence: int
    begins: dt.datetime
    ends: dt.datetime
    summary: str
    description: str = ""
    cancelled: bool = False
    zone: ZoneInfo | None = None
    occupies: bool = False

    @property
    def method(self) -> str:
        return "CANCEL" if self.cancelled else "PUBLISH"


def due_entry(
    task_id: str, domain: str, sequence: int, due_at: dt.datetime, summary: str, description: str, *, cancelled: bool
) -> Entry:
    """``sequence`` has to grow with each change: the number of the case's step does.

    A personal link has no place in it: calendars are shared with assistants and colleagues.
    """
    return Entry(
        uid=f"{task_id}@{domain}",
        sequence=sequence,
        begins=due_at - DUE_LASTS,
        ends=due_at,
        summary=summary,
        description=description,
        cancelled=cancelled,
    )


def written(entry: Entry, stamp: dt.datetime, organizer: str) -> bytes:
    """The calendar object, lines folded and ended as the wire wants them.

    Put together by lines, with the library's escaping and folding: its components cost as much as the rest of a mail.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", f"METHOD:{entry.method}", *_zone(entry)]
    lines += [*_event(entry, stamp, organizer), "END:VCALENDAR"]
    folded: Any = Contentlines(map(Contentline, lines))
    return bytes(folded.to_ical())


def _zone(entry: Entry) -> list[str]:
    if entry.zone is None:
        return []
    first, last = (moment.astimezone(entry.zone).date() for moment in (entry.begins, entry.ends))
    zone = Timezone.from_tzinfo(entry.zone, entry.zone.key, first - DAY, last + 2 * DAY)
    return cast(bytes, zone.to_ical()).decode().split("\r\n")[:-1]


def _event(entry: Entry, stamp: dt.datetime, organizer: str) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{entry.uid}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTAMP:{_utc(stamp)}",
        f"DTSTART{_time(entry, entry.begins)}",
        f"DTEND{_time(entry, entry.ends)}",
        f"SUMMARY:{_text(entry.summary)}",
        f"ORGANIZER:mailto:{organizer}",
        *([f"DESCRIPTION:{_text(entry.description)}"] if entry.description else []),
        f"STATUS:{'CANCELLED' if entry.cancelled else 'CONFIRMED'}",
        f"TRANSP:{'OPAQUE' if entry.occupies else 'TRANSPARENT'}",
        "END:VEVENT",
    ]


def _time(entry: Entry, instant: dt.datetime) -> str:
    if entry.zone is None:
        return f":{_utc(instant)}"
    return f";TZID={entry.zone.key}:{instant.astimezone(entry.zone):%Y%m%dT%H%M%S}"


def _utc(instant: dt.datetime) -> str:
    return f"{instant.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """No character of a text can end its line."""
    return vText(_CONTROL.sub(" ", value)).to_ical().decode()
