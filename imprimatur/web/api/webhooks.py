"""Webhooks: who hears of ledger events, and what became of each."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from imprimatur.access.acts import NOT_YOUR_UNIT
from imprimatur.access.viewer import Viewer
from imprimatur.errors import NotAllowed, NotFound
from imprimatur.mail.links import Links
from imprimatur.store import webhooks as store
from imprimatur.store.engine import Database
from imprimatur.web.api.documents import Given, Name, Page
from imprimatur.web.api.guard import Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, page_of
from imprimatur.web.api.standing import oversee, run_office
from imprimatur.webhooks.signing import secret
from models.vocabulary import DeliveryStatus, EventType

Url = Annotated[str, Field(max_length=1000, examples=["https://lms.example.edu/hook"])]
Events = Annotated[list[EventType], Field(max_length=200, description="Empty: all.")]
Units = Annotated[list[Name], Field(max_length=100, description="Only cases of these units; empty: of all.")]


class NewWebhook(Given):
    url: Url
    events: Events = Field(default=[])
    units: Units = Field(default=[])


class ChangedWebhook(Given):
    """What is not said stays."""

    url: Url | None = None
    events: Events | None = None
    units: Units | None = None


class WebhookWithSecret(BaseModel):
    """``secret`` signs the messages; it can be told again by nothing but a rotation."""

    webhook: store.WebhookEntry
    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class Removed(BaseModel):
    webhook_id: str
    given_up: int


class Queued(BaseModel):
    delivery_id: str


def router(database: Database, links: Links) -> APIRouter:
    routes = APIRouter(tags=["webhooks"])
    _add_acts(routes, database, links)
    _add_deliveries(routes, database)

    @routes.get("/webhooks", summary="Webhooks, the oldest first")
    def webhooks(
        viewer: Reads, ended: bool = False, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[store.WebhookEntry]:
        """Whoever is bound to units sees those that hear of these units only."""
        oversee(viewer)
        found = [hook for hook in store.list_webhooks(database, ended=ended) if _within(viewer, hook.units)]
        return page_of(found, lambda hook: hook.webhook_id, cursor, limit)

    @routes.get("/webhooks/{webhook_id}", summary="One webhook")
    def webhook(viewer: Reads, webhook_id: str) -> store.WebhookEntry:
        oversee(viewer)
        return _seen(database, viewer, webhook_id)

    return routes


def _add_acts(routes: APIRouter, database: Database, links: Links) -> None:
    def told(found: store.WebhookEntry) -> WebhookWithSecret:
        # The newest of the installation's keys stands last.
        return WebhookWithSecret(webhook=found, secret=secret(links.keys[-1], found.webhook_id, found.generation))

    @routes.post("/webhooks", status_code=201, summary="Send ledger events to an address")
    def add(viewer: Runs, given: NewWebhook) -> WebhookWithSecret:
        _check_units(viewer, given.units)
        return told(store.add_webhook(database, given.url, list(map(str, given.events)), given.units, _now()))

    @routes.post("/webhooks/{webhook_id}", summary="Change where events go, or which")
    def change(viewer: Runs, webhook_id: str, given: ChangedWebhook) -> store.WebhookEntry:
        _acting(database, viewer, webhook_id)
        if given.units is not None:
            _check_units(viewer, given.units)
        events = None if given.events is None else list(map(str, given.events))
        return store.change_webhook(database, webhook_id, url=given.url, events=events, units=given.units)

    @routes.post("/webhooks/{webhook_id}/secret", summary="Make a new secret; the one before is good for another day")
    def rotate(viewer: Runs, webhook_id: str) -> WebhookWithSecret:
        _acting(database, viewer, webhook_id)
        return told(store.rotate(database, webhook_id, _now()))

    @routes.post("/webhooks/{webhook_id}/test", summary="Send a trial message")
    def test(viewer: Runs, webhook_id: str) -> Queued:
        _acting(database, viewer, webhook_id)
        return Queued(delivery_id=store.queue_trial(database, webhook_id, _now()))

    @routes.post("/webhooks/{webhook_id}/remove", summary="Send no more events; what waits is given up")
    def remove(viewer: Runs, webhook_id: str) -> Removed:
        _acting(database, viewer, webhook_id)
        return Removed(webhook_id=webhook_id, given_up=store.remove_webhook(database, webhook_id, _now()))


def _add_deliveries(routes: APIRouter, database: Database) -> None:
    @routes.get("/webhooks/{webhook_id}/deliveries", summary="What became of each message, the newest first")
    def deliveries(
        viewer: Reads, webhook_id: str, status: DeliveryStatus | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[store.Delivery]:
        """Of the newest 500."""
        oversee(viewer)
        _seen(database, viewer, webhook_id)
        found = store.deliveries(database, webhook_id=webhook_id, status=status)
        return page_of(found, lambda delivery: delivery.delivery_id, cursor, limit)

    @routes.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/retry", summary="Deliver an event once more")
    def retry(viewer: Runs, webhook_id: str, delivery_id: str) -> store.Delivery:
        _acting(database, viewer, webhook_id)
        if store.delivery(database, delivery_id).webhook_id != webhook_id:
            raise NotFound("delivery_unknown", f"There is no delivery {delivery_id}.", "Look among the deliveries.")
        return store.queue_again(database, delivery_id, _now())


def _within(viewer: Viewer, units: list[str]) -> bool:
    scope = viewer.scope
    return scope.everything or (bool(units) and set(units) <= scope.units)


def _check_units(viewer: Viewer, units: list[str]) -> None:
    """Nobody hears of more than they see."""
    run_office(viewer)
    if not _within(viewer, units):
        denied = NOT_YOUR_UNIT
        raise NotAllowed(denied.code, denied.sentence, "Name units of your own.")


def _seen(database: Database, viewer: Viewer, webhook_id: str) -> store.WebhookEntry:
    """Raises NotFound ``webhook_unknown``, also for one that tells of other units."""
    found = store.webhook(database, webhook_id)
    if not _within(viewer, found.units):
        raise NotFound("webhook_unknown", f"There is no webhook {webhook_id}.", "Look for it among the webhooks.")
    return found


def _acting(database: Database, viewer: Viewer, webhook_id: str) -> None:
    run_office(viewer)
    _seen(database, viewer, webhook_id)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
