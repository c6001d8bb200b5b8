"""Webhooks, and the events on their way to them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping, func, select, update

from imprimatur import ids
from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.store.engine import Database
from imprimatur.webhooks.signing import OLD_SECRET_GOOD_FOR, Message
from models.tables import LedgerRow, WebhookDeliveryRow, WebhookRow
from models.vocabulary import DeliveryStatus, EventType

_WEBHOOK = WebhookRow.__table__  # type: ignore[attr-defined]
_DELIVERY = WebhookDeliveryRow.__table__  # type: ignore[attr-defined]
_LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
_WAITING = [str(status) for status in DeliveryStatus if status.is_waiting]
TRIAL = "webhook_tried"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# The delays that the specification proposes, about three days in all; then the delivery is given up.
RETRIES = tuple(
    dt.timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
# A webhook that has failed is left alone for a while, longer with each failure, and the others have their turn.
PAUSES = tuple(dt.timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800))
LONGEST_ANSWER = 500
MOST_LISTED = 500


class WebhookEntry(BaseModel):
    """``waiting`` counts events that are still to be delivered."""

    webhook_id: str
    url: str
    events: list[str]
    units: list[str]
    generation: int
    old_secret_until: dt.datetime | None
    failures: int
    paused_until: dt.datetime | None
    added_at: dt.datetime
    ended_at: dt.datetime | None
    end_reason: str
    waiting: int = 0


class Delivery(BaseModel):
    delivery_id: str
    webhook_id: str
    case_id: str
    position: int
    type: str
    status: DeliveryStatus
    due_at: dt.datetime
    attempts: int
    answer: str
    queued_at: dt.datetime
    ended_at: dt.datetime | None


def add_webhook(
    database: Database, url: str, events: Sequence[str], units: Sequence[str], at: dt.datetime
) -> WebhookEntry:
    """Raises InputError ``webhook_url_invalid`` or ``event_type_unknown``."""
    _check_url(url)
    _check_events(events)
    row = {
        "webhook_id": ids.new_webhook_id(),
        "url": url,
        "events": sorted(set(events)),
        "units": sorted(set(units)),
        "generation": 1,
        "failures": 0,
        "added_at": at,
        "end_reason": "",
    }
    with database.write() as connection:
        connection.execute(_WEBHOOK.insert().values(**row))
        return _entry(connection, str(row["webhook_id"]))


def _check_events(events: Sequence[str]) -> None:
    unknown = [name for name in events if name not in list(EventType)]
    if unknown:
        raise InputError(
            "event_type_unknown",
            f"There is no event {unknown[0]!r}.",
            "docs/terminology.md lists the events; without any the webhook hears of all.",
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.hostname and parts.port != 0 and not parts.username and not parts.fragment
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or len(url) > 1000:
        raise InputError(
            "webhook_url_invalid", "The address cannot be sent to.", "Write it like https://lms.example.edu/hook."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise InputError(
            "webhook_url_invalid",
            "Events are sent over HTTPS only, but for this machine itself.",
            "Write the address like https://lms.example.edu/hook.",
        )


def list_webhooks(database: Database, *, ended: bool = False) -> list[WebhookEntry]:
    """Oldest first; those that have ended only when asked for."""
    query = select(_WEBHOOK).order_by(_WEBHOOK.c.added_at, _WEBHOOK.c.webhook_id)
    if not ended:
        query = query.where(_WEBHOOK.c.ended_at.is_(None))
    counts = (
        select(_DELIVERY.c.webhook_id, func.count())
        .where(_DELIVERY.c.status.in_(_WAITING))
        .group_by(_DELIVERY.c.webhook_id)
    )
    with database.read() as connection:
        waiting = {row[0]: row[1] for row in connection.execute(counts)}
        rows = connection.execute(query).mappings().all()
    return [_of(row, waiting.get(row["webhook_id"], 0)) for row in rows]


def _of(row: RowMapping, waiting: int = 0) -> WebhookEntry:
    return WebhookEntry.model_validate(dict(row) | {"waiting": waiting})


def _entry(connection: Connection, webhook_id: str) -> WebhookEntry:
    row = connection.execute(select(_WEBHOOK).where(_WEBHOOK.c.webhook_id == webhook_id)).mappings().first()
    if row is None:
        raise NotFound("webhook_unknown", f"There is no webhook {webhook_id}.", "See `starter.py webhook list`.")
    return _of(row)


def webhook(database: Database, webhook_id: str) -> WebhookEntry:
    """Raises NotFound ``webhook_unknown``."""
    with database.read() as connection:
        return _entry(connection, webhook_id)


def change_webhook(
    database: Database,
    webhook_id: str,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
) -> WebhookEntry:
    """What is None stays; what waits already goes to the new address.

    Raises as ``add_webhook``, NotFound ``webhook_unknown``, Refused ``webhook_ended``.
    """
    values: dict[str, Any] = {"url": url}
    if url is not None:
        _check_url(url)
    if events is not None:
        _check_events(events)
        values["events"] = sorted(set(events))
    if units is not None:
        values["units"] = sorted(set(units))
    values = {name: value for name, value in values.items() if value is not None}
    with database.write() as connection:
        _in_use(connection, webhook_id)
        if values:
            connection.execute(update(_WEBHOOK).where(_WEBHOOK.c.webhook_id == webhook_id).values(**values))
        return _entry(connection, webhook_id)


def rotate(database: Database, webhook_id: str, at: dt.datetime) -> WebhookEntry:
    """A new secret; the old one is good for another day. Raises NotFound ``webhook_unknown``."""
    with database.write() as connection:
        _in_use(connection, webhook_id)
        connection.execute(
            update(_WEBHOOK)
            .where(_WEBHOOK.c.webhook_id == webhook_id)
            .values(generation=_WEBHOOK.c.generation + 1, old_secret_until=at + OLD_SECRET_GOOD_FOR)
        )
        return _entry(connection, webhook_id)


def remove_webhook(database: Database, webhook_id: str, at: dt.datetime, reason: str = "removed") -> int:
    """Ends a webhook; answers how many deliveries are given up with it. Raises NotFound, Refused ``webhook_ended``."""
    with database.write() as connection:
        _in_use(connection, webhook_id)
        return _end(connection, webhook_id, at, reason)


def _in_use(connection: Connection, webhook_id: str) -> None:
    found = _entry(connection, webhook_id)
    if found.ended_at is not None:
        raise Refused("webhook_ended", f"{webhook_id} has ended: {found.end_reason}.", "Add another one.")


def _end(connection: Connection, webhook_id: str, at: dt.datetime, reason: str) -> int:
    connection.execute(
        update(_WEBHOOK).where(_WEBHOOK.c.webhook_id == webhook_id).values(ended_at=at, end_reason=reason)
    )
    given_up = connection.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.webhook_id == webhook_id, _DELIVERY.c.status.in_(_WAITING))
        .values(status=str(DeliveryStatus.FAILED), answer=f"given up: {reason}", ended_at=at)
    )
    return given_up.rowcount


def queue_trial(database: Database, webhook_id: str, at: dt.datetime) -> str:
    """An event of no case, to see whether messages arrive; answers the delivery. Raises as ``remove_webhook``."""
    with database.write() as connection:
        _in_use(connection, webhook_id)
        delivery_id = ids.webhook_delivery_id(webhook_id, at.isoformat(), 0)
        connection.execute(
            _DELIVERY.insert().values(
                delivery_id=delivery_id,
                webhook_id=webhook_id,
                case_id="",
                position=0,
                type=TRIAL,
                status=str(DeliveryStatus.QUEUED),
                due_at=at,
                attempts=0,
                answer="",
                queued_at=at,
            )
        )
        # Whoever tries it wants to know now.
        connection.execute(update(_WEBHOOK).where(_WEBHOOK.c.webhook_id == webhook_id).values(paused_until=None))
    return delivery_id


def queue_again(database: Database, delivery_id: str, at: dt.datetime) -> Delivery:
    """A delivery that has ended, once more. Raises NotFound ``delivery_unknown``, Refused ``webhook_ended``."""
    with database.write() as connection:
        found = _delivery(connection, delivery_id)
        _in_use(connection, found.webhook_id)
        values = {"status": str(DeliveryStatus.QUEUED), "due_at": at, "attempts": 0, "answer": "", "ended_at": None}
        connection.execute(update(_DELIVERY).where(_DELIVERY.c.delivery_id == delivery_id).values(**values))
        connection.execute(update(_WEBHOOK).where(_WEBHOOK.c.webhook_id == found.webhook_id).values(paused_until=None))
        return _delivery(connection, delivery_id)


def delivery(database: Database, delivery_id: str) -> Delivery:
    """Raises NotFound ``delivery_unknown``."""
    with database.read() as connection:
        return _delivery(connection, delivery_id)


def _delivery(connection: Connection, delivery_id: str) -> Delivery:
    row = connection.execute(select(_DELIVERY).where(_DELIVERY.c.delivery_id == delivery_id)).mappings().first()
    if row is None:
        raise NotFound(
            "delivery_unknown", f"There is no delivery {delivery_id}.", "See `starter.py webhook deliveries`."
        )
    return Delivery.model_validate(dict(row))


def deliveries(
    database: Database, *, webhook_id: str | None = None, status: DeliveryStatus | None = None
) -> list[Delivery]:
    """The newest first, at most 500."""
    query = select(_DELIVERY).order_by(_DELIVERY.c.queued_at.desc(), _DELIVERY.c.delivery_id).limit(MOST_LISTED)
    if webhook_id is not None:
        query = query.where(_DELIVERY.c.webhook_id == webhook_id)
    if status is not None:
        query = query.where(_DELIVERY.c.status == str(status))
    with database.read() as connection:
        return [Delivery.model_validate(dict(row)) for row in connection.execute(query).mappings()]


# --- for the notifier ---------------------------------------------------------------------------------------------


def webhooks_with_work(database: Database, now: dt.datetime) -> list[WebhookEntry]:
    """Those that have something due and are not paused."""
    due = select(_DELIVERY.c.webhook_id).where(_DELIVERY.c.status.in_(_WAITING), _DELIVERY.c.due_at <= now).distinct()
    with database.read() as connection:
        names = connection.execute(due).scalars().all()
        if not names:
            return []
        query = select(_WEBHOOK).where(_WEBHOOK.c.webhook_id.in_(names))
        rows = connection.execute(query).mappings().all()
    return [_of(row) for row in rows if row["paused_until"] is None or row["paused_until"] <= now]


def next_delivery(database: Database, webhook_id: str, now: dt.datetime) -> tuple[Delivery, Message] | None:
    """What is due first for a webhook, and what it says; events of a case in their order."""
    query = (
        select(_DELIVERY)
        .where(_DELIVERY.c.webhook_id == webhook_id, _DELIVERY.c.status.in_(_WAITING), _DELIVERY.c.due_at <= now)
        .order_by(_DELIVERY.c.due_at, _DELIVERY.c.case_id, _DELIVERY.c.position)
        .limit(1)
    )
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        found = Delivery.model_validate(dict(row))
        return found, _message(connection, found)


def _message(connection: Connection, found: Delivery) -> Message:
    if found.type == TRIAL:
        return Message(found.delivery_id, TRIAL, found.queued_at, {"webhook_id": found.webhook_id})
    row = (
        connection.execute(
            select(_LEDGER).where(_LEDGER.c.case_id == found.case_id, _LEDGER.c.position == found.position)
        )
        .mappings()
        .one()
    )
    data: dict[str, Any] = {name: row[name] for name in ("case_id", "position", "actor", "digest", "data")}
    return Message(found.delivery_id, row["type"], row["at"], data)


def record_delivered(database: Database, found: Delivery, answer: str, now: dt.datetime) -> None:
    with database.write() as connection:
        _finish(connection, found, DeliveryStatus.DELIVERED, answer, now)
        connection.execute(
            update(_WEBHOOK).where(_WEBHOOK.c.webhook_id == found.webhook_id).values(failures=0, paused_until=None)
        )


def record_failed(database: Database, found: Delivery, answer: str, now: dt.datetime, *, gone: bool = False) -> None:
    """Tried again later, or given up; ``gone``: the receiver wants no more events (410), which ends the webhook."""
    with database.write() as connection:
        if gone:
            _finish(connection, found, DeliveryStatus.FAILED, answer, now)
            _end(connection, found.webhook_id, now, "the receiver answered that it is gone")
            return
        if found.attempts < len(RETRIES):
            due_at = now + RETRIES[found.attempts]
            values = {"status": str(DeliveryStatus.DEFERRED), "due_at": due_at, "attempts": found.attempts + 1}
            statement = update(_DELIVERY).where(_DELIVERY.c.delivery_id == found.delivery_id)
            connection.execute(statement.values(**values, answer=answer[:LONGEST_ANSWER]))
        else:
            _finish(connection, found, DeliveryStatus.FAILED, answer, now)
        failures = connection.execute(
            select(_WEBHOOK.c.failures).where(_WEBHOOK.c.webhook_id == found.webhook_id)
        ).scalar_one()
        connection.execute(
            update(_WEBHOOK)
            .where(_WEBHOOK.c.webhook_id == found.webhook_id)
            .values(failures=failures + 1, paused_until=now + PAUSES[min(failures, len(PAUSES) - 1)])
        )


def _finish(connection: Connection, found: Delivery, status: DeliveryStatus, answer: str, now: dt.datetime) -> None:
    connection.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.delivery_id == found.delivery_id)
        .values(status=str(status), attempts=found.attempts + 1, answer=answer[:LONGEST_ANSWER], ended_at=now)
    )
