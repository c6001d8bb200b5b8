"""The journal of outgoing mail: what happened to each, and when. Bounded, however long a relay goes on about one."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from models.tables import MailEventRow
from models.vocabulary import MailState

_EVENT = MailEventRow.__table__  # type: ignore[attr-defined]
# The first stays, and the newest of the others.
MOST_EVENTS = 60
LONGEST_REPLY = 500
_ENHANCED = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")


@dataclass(frozen=True)
class Entry:
    """``status`` is the enhanced status code; where none is given, the one that stands in the reply."""

    mail_id: str
    state: MailState
    at: dt.datetime
    reply: str = ""
    status: str | None = None


def enhanced_status(reply: str) -> str | None:
    """The first enhanced status code (RFC 3463) of a relay's reply."""
    found = _ENHANCED.search(reply)
    return found.group() if found else None


def note(connection: Connection, entries: Sequence[Entry]) -> None:
    """Whoever notes has changed the mails' rows before, in the same transaction: so nobody else notes meanwhile."""
    if not entries:
        return
    named = list({entry.mail_id for entry in entries})
    query = select(_EVENT.c.mail_id, func.max(_EVENT.c.number)).where(_EVENT.c.mail_id.in_(named))
    numbers: Counter[str] = Counter({row[0]: row[1] for row in connection.execute(query.group_by(_EVENT.c.mail_id))})
    rows = []
    for entry in entries:
        numbers[entry.mail_id] += 1
        rows.append(
            {
                "mail_id": entry.mail_id,
                "number": numbers[entry.mail_id],
                "at": entry.at,
                "state": str(entry.state),
                "status": entry.status or enhanced_status(entry.reply),
                "reply": entry.reply[:LONGEST_REPLY],
            }
        )
    connection.execute(_EVENT.insert(), rows)
    for mail_id, number in numbers.items():
        if number > MOST_EVENTS:
            old = _EVENT.c.number.between(2, number - MOST_EVENTS + 1)
            connection.execute(_EVENT.delete().where(_EVENT.c.mail_id == mail_id, old))
