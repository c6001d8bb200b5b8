"""Conditions of an approval as a person writes them: a text, then what holds of it, divided by vertical bars."""

import datetime as dt
import re

from imprimatur.errors import InputError
from models.calendars import BusinessDuration
from models.conditions import Condition

_HINT = 'Write it like "Name the assessor | due 10d | owner ana@example.edu | blocking".'
_LONGEST_DAYS, _LONGEST_HOURS = 1000, 10_000


def parse_condition(words: str) -> Condition:
    """``TEXT | due 10d | owner EMAIL | blocking``, all but the text optional. Raises InputError."""
    text, *settings = (part.strip() for part in words.split("|"))
    said: dict[str, str] = {}
    for setting in settings:
        name, _, value = setting.partition(" ")
        if name not in ("due", "owner", "blocking") or (name == "blocking") == bool(value) or name in said:
            raise InputError("condition_malformed", f"{setting!r} says nothing of a condition.", _HINT)
        said[name] = value
    return condition(text, owner=said.get("owner", ""), due=said.get("due", ""), blocking="blocking" in said)


def condition(text: str, *, owner: str = "", due: str = "", blocking: bool = False) -> Condition:
    """``due``: business time such as 10d or 6h, or a date such as 2026-12-24. Raises InputError."""
    facts: dict[str, object] = {"id": "", "text": text, "owner": owner, "blocking": blocking}
    due = due.strip().lower()
    if found := re.fullmatch(r"([0-9]{1,5})([dh])", due):
        unit, most = ("business_days", _LONGEST_DAYS) if found[2] == "d" else ("business_hours", _LONGEST_HOURS)
        if not 0 < int(found[1]) <= most:
            raise InputError("due_malformed", f"{due} is no useful time.", f"Give between 1 and {most}.")
        facts["due"] = BusinessDuration.model_validate({unit: int(found[1])})
    elif due:
        facts["due_on"] = _day(due)
    return Condition.model_validate(facts)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            "due_malformed",
            f"{text!r} is neither business time nor a date.",
            "Write it like 10d (business days), 6h (business hours) or 2026-12-24.",
        ) from error
