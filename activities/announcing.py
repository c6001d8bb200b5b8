"""Which webhooks hear of what a commit has written."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Connection, select

from activities.book import Book
from activities.rows import RowBuffer
from imprimatur import ids
from models.tables import LedgerRow, WebhookDeliveryRow, WebhookRow
from models.vocabulary import DeliveryStatus

_WEBHOOK = WebhookRow.__table__  # type: ignore[attr-defined]
_IN_USE = select(_WEBHOOK.c.webhook_id, _WEBHOOK.c.events, _WEBHOOK.c.units).where(_WEBHOOK.c.ended_at.is_(None))


def announce(connection: Connection, rows: RowBuffer, books: Sequence[Book]) -> bool:
    """Puts a delivery beside each event that a webhook wants; answers whether there was any.

    In the same transaction: an event that is in the ledger is delivered, one that is not never is.
    """
    if not books or not (webhooks := connection.execute(_IN_USE).all()):
        return False
    units = {book.step.case_id: book.proposal.unit for book in books}
    now, found = dt.datetime.now(dt.UTC), False
    for event in list(rows.awaiting(LedgerRow)):
        for webhook_id, types, of_units in webhooks:
            if (types and event["type"] not in types) or (of_units and units[event["case_id"]] not in of_units):
                continue
            found = True
            rows.insert(
                WebhookDeliveryRow,
                delivery_id=ids.webhook_delivery_id(webhook_id, event["case_id"], event["position"]),
                webhook_id=webhook_id,
                case_id=event["case_id"],
                position=event["position"],
                type=event["type"],
                status=str(DeliveryStatus.QUEUED),
                due_at=now,
                attempts=0,
                answer="",
                queued_at=now,
            )
    return found
