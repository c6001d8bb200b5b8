"""Why something is due when it is, in words: the stored reason of a due time, told to people."""

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any


def why_then(reason: Mapping[str, Any]) -> str:
    """From what ``DueTime.explanation`` has stored; no sentence, so that it can follow a due time."""
    began = dt.datetime.fromisoformat(reason["from_at"])
    since = f" ({reason['since']})" if reason.get("since") else ""
    text = f"{reason['amount']} from {day_words(began.date())}, {began:%H:%M}{since} in calendar {reason['calendar']}"
    if reason.get("cut_short_by"):
        text += f", cut short by {reason['cut_short_by']}"
    left_out = ", ".join(_left_out(reason.get("skipped", ())))
    text = f"{text}; not counted: {left_out}" if left_out else text
    shorter = ", ".join(_left_out(reason.get("shortened", ())))
    return f"{text}; shorter: {shorter}" if shorter else text


def day_words(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def _left_out(skipped: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Weekends as a number, for everyone knows when they are; other days by name, in one piece where they follow."""
    days = [(dt.date.fromisoformat(day["on"]), day["why"]) for day in skipped]
    weekend = sum(why in calendar.day_name for _, why in days)
    if weekend:
        yield f"{weekend} day{'s' * (weekend != 1)} of weekends"
    # Days that follow each other keep the distance to their place in the list.
    named = enumerate((day, why) for day, why in days if why not in calendar.day_name)
    for (_, why), group in groupby(named, key=lambda item: (item[1][0].toordinal() - item[0], item[1][1])):
        run = [day for _, (day, _) in group]
        until = f" to {day_words(run[-1])}" if len(run) > 1 else ""
        yield f"{why} ({day_words(run[0])}{until})"
