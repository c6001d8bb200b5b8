"""Which webhooks hear of what a commit has written."""

from collections.abc import Sequence

from sqlalchemy import Connection

from activities.book import Book
from activities.rows import RowBuffer
from imprimatur.store.ledger import deliveries, webhooks_in_use
from models.tables import LedgerRow, WebhookDeliveryRow


def announce(connection: Connection, rows: RowBuffer, books: Sequence[Book]) -> bool:
    """Puts a delivery beside each event that a webhook wants; answers whether there was any.

    In the same transaction: an event that is in the ledger is delivered, one that is not never is.
    """
    if not books or not (webhooks := webhooks_in_use(connection)):
        return False
    units = {book.step.case_id: book.proposal.unit for book in books}
    found = list(deliveries(webhooks, list(rows.awaiting(LedgerRow)), units))
    for values in found:
        rows.insert(WebhookDeliveryRow, **values)
    return bool(found)
