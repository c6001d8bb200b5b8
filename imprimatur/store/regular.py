"""Mail that is written by the clock: digests, one for each person and period."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from imprimatur import ids
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from imprimatur.store.preferences import Preferences
from models.tables import CaseRow, OutboxRow, PersonRow, TaskRow
from models.vocabulary import CaseStatus, Digest, MailKind, MailStatus, TaskStatus

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
_PERSON = PersonRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
UTC = ZoneInfo("UTC")
# In the reader's own time.
MORNING = dt.time(7)
_SATURDAY = 5


def period_of(every: Digest, day: dt.date) -> str:
    """The day, or the Monday of its week: within it a digest is sent once."""
    return (day - dt.timedelta(days=day.weekday()) if every is Digest.WEEKLY else day).isoformat()


def put_digests(database: Database, defaults: Preferences, now: dt.datetime) -> int:
    """Puts the digests that are due into the outbox, for whoever has something open; answers how many.

    Of a period there is one for each person, however often this is called: daily ones on Monday to Friday, weekly ones
    on Monday or as soon as this is called later in that week, from 7 in the morning of the reader.
    """
    with database.read() as connection:
        wanted = list(_due(connection, defaults, now))
        known = _known(connection, [row["mail_id"] for row in wanted])
    return put_mails(database, [row for row in wanted if row["mail_id"] not in known])


def put_mails(database: Database, rows: Sequence[Mapping[str, Any]]) -> int:
    """Those that are not there already; answers how many."""
    if not rows:
        return 0
    with database.write() as connection:
        return sum(insert_once(connection, _OUTBOX, row) for row in rows)


def _due(connection: Connection, defaults: Preferences, now: dt.datetime) -> list[dict[str, Any]]:
    waiting = (
        select(_TASK.c.assignee)
        .join(_CASE, _CASE.c.case_id == _TASK.c.case_id)
        .where(
            _TASK.c.status.in_([status for status in TaskStatus if status.is_pending]),
            _CASE.c.status != str(CaseStatus.ON_HOLD),
        )
    )
    found = []
    query = select(_PERSON).where(_PERSON.c.active, _PERSON.c.email.in_(waiting)).order_by(_PERSON.c.email)
    for person in connection.execute(query).mappings():
        preferences = defaults.of(dict(person))
        local = now.astimezone(preferences.time_zone or UTC)
        if _is_due(preferences.digest, local):
            period = period_of(preferences.digest, local.date())
            data = {"every": str(preferences.digest), "period": period}
            mail_id = ids.digest_id(person["email"], f"{preferences.digest} {period}")
            found.append(mail_row(mail_id, MailKind.DIGEST, person["email"], person["name"], data, now))
    return found


def _is_due(every: Digest, local: dt.datetime) -> bool:
    if every is Digest.NONE or local.weekday() >= _SATURDAY:
        return False
    return local.time() >= MORNING or (every is Digest.WEEKLY and local.weekday() > 0)


def _known(connection: Connection, mail_ids: Sequence[str]) -> set[str]:
    query = select(_OUTBOX.c.mail_id).where(_OUTBOX.c.mail_id.in_(mail_ids))
    return set(connection.execute(query).scalars()) if mail_ids else set()


def mail_row(
    mail_id: str, kind: MailKind, recipient: str, name: str, data: Mapping[str, Any], now: dt.datetime
) -> dict[str, Any]:
    """A row of the outbox that is about no single case."""
    return {
        "mail_id": mail_id,
        "case_id": "",
        "task_id": None,
        "kind": str(kind),
        "recipient": recipient,
        "recipient_name": name,
        "data": dict(data),
        "created_at": now,
        "status": str(MailStatus.QUEUED),
        "due_at": now,
        "attempts": 0,
        "last_reply": "",
    }
