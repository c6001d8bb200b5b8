"""Where ledger events are sent, and what became of each."""

import datetime as dt

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, json_value, long_text, maybe_instant


class WebhookRow(SQLModel, table=True):
    """Where ledger events are sent; empty ``events`` and ``units`` mean all.

    Its secret is derived from the installation's keys and ``generation``; the one before it is good until
    ``old_secret_until``. ``paused_until``: it has failed, and is left alone until then. Times are real.
    """

    __tablename__ = "webhook"
    webhook_id: str = Field(primary_key=True)
    url: str
    events: list[str] = json_value()
    units: list[str] = json_value()
    generation: int = 1
    old_secret_until: dt.datetime | None = maybe_instant()
    failures: int = 0
    paused_until: dt.datetime | None = maybe_instant()
    added_at: dt.datetime = instant()
    ended_at: dt.datetime | None = maybe_instant()
    end_reason: str = long_text()


class WebhookDeliveryRow(SQLModel, table=True):
    """One ledger event (``position`` 0: a trial) on its way to one webhook, written with the step that causes it."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("ix_webhook_delivery_due", "status", "due_at"),)
    delivery_id: str = Field(primary_key=True)
    webhook_id: str = Field(index=True)
    case_id: str
    position: int
    type: str
    status: str
    due_at: dt.datetime = instant()
    attempts: int = 0
    answer: str = long_text()
    queued_at: dt.datetime = instant()
    ended_at: dt.datetime | None = maybe_instant()
