"""Events that no step of a case writes: of what becomes of its publication once the case itself is over."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from imprimatur import ids
from imprimatur.errors import NotFound
from imprimatur.rules.ledger import event_digest
from imprimatur.store.engine import Database
from models.tables import CaseRow, LedgerRow, WebhookDeliveryRow, WebhookRow
from models.vocabulary import DeliveryStatus, EventType

_CASE = CaseRow.__table__  # type: ignore[attr-defined]
_LEDGER = LedgerRow.__table__  # type: ignore[attr-defined]
_WEBHOOK = WebhookRow.__table__  # type: ignore[attr-defined]
_DELIVERY = WebhookDeliveryRow.__table__  # type: ignore[attr-defined]
_IN_USE = select(_WEBHOOK.c.webhook_id, _WEBHOOK.c.events, _WEBHOOK.c.units).where(_WEBHOOK.c.ended_at.is_(None))

Webhooks = Sequence[tuple[str, list[str], list[str]]]


def append_event(
    connection: Connection, case_id: str, type_: EventType, actor: str, at: dt.datetime, **data: Any
) -> dt.datetime:
    """Binds one more event to the end of a case's chain; answers its instant, which is never before the one before.

    The case's row is locked first: a step of the case that is being written meanwhile finds its place taken, and is
    written anew. Raises NotFound ``case_unknown``.
    """
    query = select(_CASE.c.events, _CASE.c.head, _CASE.c.updated_at, _CASE.c.unit).where(_CASE.c.case_id == case_id)
    case = connection.execute(query.with_for_update()).first()
    if case is None:
        raise NotFound("case_unknown", f"There is no case {case_id}.", "See `starter.py list`.")
    at, position = max(at, case.updated_at), case.events + 1
    digest = event_digest(case_id, position, at, type_, actor, data, case.head)
    event = {"case_id": case_id, "position": position, "at": at, "type": str(type_), "actor": actor, "data": data}
    connection.execute(_LEDGER.insert().values(**event, previous=case.head, digest=digest))
    changed = {"events": position, "head": digest, "updated_at": at}
    connection.execute(_CASE.update().where(_CASE.c.case_id == case_id).values(changed))
    if webhooks := webhooks_in_use(connection):
        for values in deliveries(webhooks, [event], {case_id: case.unit}):
            connection.execute(_DELIVERY.insert().values(values))
    return at


def last_position(database: Database, case_id: str) -> int:
    """Of the case's newest event; 0 where there is no such case."""
    with database.read() as connection:
        return int(connection.execute(select(_CASE.c.events).where(_CASE.c.case_id == case_id)).scalar() or 0)


def webhooks_in_use(connection: Connection) -> Webhooks:
    return [(row.webhook_id, row.events, row.units) for row in connection.execute(_IN_USE)]


def deliveries(
    webhooks: Webhooks, events: Iterable[Mapping[str, Any]], units: Mapping[str, str | None]
) -> Iterable[dict[str, Any]]:
    """Rows of deliveries: each event to each webhook that wants it. ``units`` are those of the cases."""
    now = dt.datetime.now(dt.UTC)
    for event in events:
        for webhook_id, types, of_units in webhooks:
            if (types and event["type"] not in types) or (of_units and units[event["case_id"]] not in of_units):
                continue
            yield {
                "delivery_id": ids.webhook_delivery_id(webhook_id, event["case_id"], event["position"]),
                "webhook_id": webhook_id,
                "case_id": event["case_id"],
                "position": event["position"],
                "type": event["type"],
                "status": str(DeliveryStatus.QUEUED),
                "due_at": now,
                "attempts": 0,
                "answer": "",
                "queued_at": now,
            }
