"""What waits in the database to go out: mail, and events for webhooks."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select, union_all

from imprimatur.store.engine import Database
from models.tables import OutboxRow, WebhookDeliveryRow, WebhookRow
from models.vocabulary import DeliveryStatus, MailStatus

_MAIL = OutboxRow.__table__  # type: ignore[attr-defined]
_DELIVERY = WebhookDeliveryRow.__table__  # type: ignore[attr-defined]
_WEBHOOK = WebhookRow.__table__  # type: ignore[attr-defined]
_MAIL_WAITS = tuple(map(str, (MailStatus.QUEUED, MailStatus.SENDING, MailStatus.DEFERRED)))
_DELIVERY_WAITS = tuple(str(status) for status in DeliveryStatus if status.is_waiting)
DEAD_SHOWN = 50
STUCK_AFTER = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class DeadLetter:
    """An event that a webhook did not take, however often it was tried."""

    delivery_id: str
    url: str
    case_id: str
    position: int
    type: str
    attempts: int
    answer: str
    ended_at: dt.datetime | None


@dataclass(frozen=True)
class Queues:
    """Numbers by status. ``mail_late`` and ``events_late`` tell since when the oldest that is due has waited."""

    mail: dict[str, int]
    mail_late: dt.datetime | None
    events: dict[str, int]
    events_late: dt.datetime | None
    dead: list[DeadLetter]

    def stuck(self, now: dt.datetime) -> bool:
        """Something has been due for longer than a worker that is well leaves it."""
        return any(late is not None and late < now - STUCK_AFTER for late in (self.mail_late, self.events_late))


def read_queues(database: Database, now: dt.datetime) -> Queues:
    with database.read() as connection:
        mail = connection.execute(select(_MAIL.c.status, func.count()).group_by(_MAIL.c.status)).all()
        events = connection.execute(select(_DELIVERY.c.status, func.count()).group_by(_DELIVERY.c.status)).all()
        mail_late, events_late = (
            _oldest_due(connection, table, waits, now)
            for table, waits in ((_MAIL, _MAIL_WAITS), (_DELIVERY, _DELIVERY_WAITS))
        )
        columns = [_DELIVERY.c[name] for name in DeadLetter.__dataclass_fields__ if name != "url"]
        failed = (
            select(*columns, _WEBHOOK.c.url)
            .join(_WEBHOOK, _WEBHOOK.c.webhook_id == _DELIVERY.c.webhook_id)
            .where(_DELIVERY.c.status == str(DeliveryStatus.FAILED))
            .order_by(_DELIVERY.c.ended_at.desc(), _DELIVERY.c.delivery_id)
            .limit(DEAD_SHOWN)
        )
        dead = [DeadLetter(**row) for row in connection.execute(failed).mappings()]
    return Queues(
        {str(row[0]): row[1] for row in mail},
        mail_late,
        {str(row[0]): row[1] for row in events},
        events_late,
        dead,
    )


def _oldest_due(connection: Connection, table: Table, waits: Sequence[str], now: dt.datetime) -> dt.datetime | None:
    # Of each status by itself it is the first in the index; of several at once PostgreSQL would read them all.
    due_at = table.c.due_at
    of_each = (select(func.min(due_at).label("at")).where(table.c.status == status, due_at <= now) for status in waits)
    oldest = union_all(*of_each).subquery()
    return connection.execute(select(func.min(oldest.c.at))).scalar()
