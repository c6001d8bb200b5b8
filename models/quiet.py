"""Hours in which a person gets no mail that can wait, and how a person writes them: ``20:00-07:00 weekends``."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

NONE = "none"
WEEKENDS = "weekends"
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_SATURDAY = 5
# A weekend, and the night after it, have fewer edges than this.
_MOST_EDGES = 12


@dataclass(frozen=True)
class QuietHours:
    """From ``begins`` to ``ends`` of local time, over midnight where it begins later; with ``weekends`` those too."""

    begins: dt.time | None = None
    ends: dt.time | None = None
    weekends: bool = False

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """``none``, ``HH:MM-HH:MM``, ``weekends``, or the last two with a blank between. Raises ValueError."""
        words = text.lower().split()
        if words == [NONE]:
            return cls()
        weekends = WEEKENDS in words
        hours = [word for word in words if word != WEEKENDS]
        if len(words) != len(hours) + weekends or len(hours) > 1 or not words:
            raise ValueError(f"{text!r} is not of the form 20:00-07:00 weekends")
        if not hours:
            return cls(weekends=True)
        found = _HOURS.fullmatch(hours[0])
        if found is None:
            raise ValueError(f"{text!r} is not of the form 20:00-07:00 weekends")
        begins, ends = dt.time(int(found[1]), int(found[2])), dt.time(int(found[3]), int(found[4]))
        if begins == ends:
            raise ValueError(f"{text!r} begins when it ends")
        return cls(begins, ends, weekends)

    def __str__(self) -> str:
        hours = f"{self.begins:%H:%M}-{self.ends:%H:%M}" if self.begins is not None and self.ends is not None else ""
        return " ".join(filter(None, [hours, WEEKENDS if self.weekends else ""])) or NONE

    def cover(self, instant: dt.datetime, zone: ZoneInfo) -> bool:
        local = instant.astimezone(zone)
        if self.weekends and local.weekday() >= _SATURDAY:
            return True
        if self.begins is None or self.ends is None:
            return False
        time = local.time().replace(fold=0)
        if self.begins < self.ends:
            return self.begins <= time < self.ends
        return time >= self.begins or time < self.ends

    def end(self, instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The first instant, not before this one, that is not quiet; in UTC."""
        found = instant.astimezone(dt.UTC)
        for _ in range(_MOST_EDGES):
            if not self.cover(found, zone):
                break
            found = min(edge for edge in self._edges(found, zone) if edge > found)
        return found

    def _edges(self, instant: dt.datetime, zone: ZoneInfo) -> Iterator[dt.datetime]:
        """Where quiet hours may end on this day and the next two. A time that the clock shows twice counts twice."""
        today = instant.astimezone(zone).date()
        for day in (today + dt.timedelta(days=ahead) for ahead in range(3)):
            for time in {dt.time(), self.ends or dt.time()}:
                for fold in (0, 1):
                    yield dt.datetime.combine(day, time.replace(fold=fold), zone).astimezone(dt.UTC)
