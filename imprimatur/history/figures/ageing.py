"""How long open cases have been on their way, in business days of their own calendars."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case, literal

from imprimatur.history.figures.measuring import FrameworkCalendars
from imprimatur.history.records import CASE
from imprimatur.rules.business_time import subtract_business_time
from models.calendars import BusinessDuration

BUSINESS_DAYS = (5, 10, 20, 40)
LABELS = ("under 5 business days", "5 to 10", "10 to 20", "20 to 40", "over 40 business days")


def age(digests: Sequence[str], calendars: FrameworkCalendars, now: dt.datetime) -> ColumnElement[int]:
    """The place of a case's age in ``LABELS``: the database need only compare the instant of its submission."""
    steps = []
    for digest in digests:
        try:
            calendar = calendars.of_case(digest)
        except KeyError:
            continue
        for place, days in enumerate(BUSINESS_DAYS):
            since = subtract_business_time(now, BusinessDuration(business_days=days), calendar)
            steps.append((and_(CASE.c.framework_digest == digest, CASE.c.opened_at > since), place))
    return case(*steps, else_=len(BUSINESS_DAYS)) if steps else literal(len(BUSINESS_DAYS))
