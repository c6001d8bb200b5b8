"""Dates for the recipient's calendar (RFC 5545, RFC 5546): when a task is due, when a committee meets.

Mail programs show events and hide to-dos, so a due time is a short event that ends when the answer is due. It is
published, not an invitation: nobody is asked to accept, and nobody's answer comes back. An event is known by its UID,
and the one with the higher SEQUENCE counts.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

PRODUCT = "-//Imprimatur//Approvals//EN"
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
    """The calendar object, lines folded and ended as the wire wants them."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", entry.method)
    if entry.zone is not None:
        first, last = (moment.astimezone(entry.zone).date() for moment in (entry.begins, entry.ends))
        first, last = first - DAY, last + 2 * DAY
        calendar.add_component(Timezone.from_tzinfo(entry.zone, entry.zone.key, first, last))
    calendar.add_component(_event(entry, stamp, organizer))
    return bytes(calendar.to_ical())


def _event(entry: Entry, stamp: dt.datetime, organizer: str) -> Event:
    zone = entry.zone or dt.UTC
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", stamp.astimezone(dt.UTC).replace(microsecond=0))
    event.add("dtstart", entry.begins.astimezone(zone).replace(microsecond=0))
    event.add("dtend", entry.ends.astimezone(zone).replace(microsecond=0))
    event.add("summary", entry.summary)
    event.add("organizer", f"mailto:{organizer}")
    if entry.description:
        event.add("description", entry.description)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE" if entry.occupies else "TRANSPARENT")
    return event
