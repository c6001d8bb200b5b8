"""Spans of business time as people write them. Pure."""

import re

from imprimatur.errors import InputError
from models.calendars import BusinessDuration

MOST_DAYS = 1000


def parse_business_duration(text: str) -> BusinessDuration:
    """``3d`` (business days, up to 1000) or ``6h`` (business hours). Raises InputError ``duration_malformed``."""
    found = re.fullmatch(r"([0-9]{1,4})([dh])", text.strip().lower())
    number, in_days = int(found[1] if found else 0), found is not None and found[2] == "d"
    if number == 0 or (in_days and number > MOST_DAYS):
        hint = f"Write it like 3d or 6h, with at most {MOST_DAYS} days."
        raise InputError("duration_malformed", f"{text!r} is not a business duration.", hint)
    return BusinessDuration(business_days=number) if in_days else BusinessDuration(business_hours=number)
