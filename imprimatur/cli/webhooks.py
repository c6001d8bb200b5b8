"""Verbs of webhooks: who hears of ledger events, and what became of each."""

import datetime as dt
from typing import Annotated

import typer

from imprimatur.cli.cases import Json
from imprimatur.cli.context import Environment, open_database, with_database
from imprimatur.cli.output import show, table, when
from imprimatur.errors import InputError
from imprimatur.store import webhooks as store
from imprimatur.store.engine import Database
from imprimatur.webhooks.signing import secret
from models.vocabulary import DeliveryStatus

app = typer.Typer(help="Webhooks: other systems hear of ledger events.", no_args_is_help=True)
Webhook = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The webhook's id.")]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _secret_of(environment: Environment, webhook: store.WebhookEntry) -> str:
    return secret(environment.secret_keys()[0], webhook.webhook_id, webhook.generation)


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted.")],
    event: Annotated[list[str] | None, typer.Option(metavar="TYPE", help="Only these events.")] = None,
    unit: Annotated[list[str] | None, typer.Option(metavar="UNIT", help="Only cases of these units.")] = None,
    as_json: Json = False,
) -> None:
    """Send ledger events to an address. Prints the secret with which the messages are signed."""
    environment = Environment.current()
    environment.secret_keys()  # before anything is written
    with open_database(environment) as database:
        found = store.add_webhook(database, url, event or [], unit or [], _now())
    _show_secret(environment, found, as_json)


@app.command("rotate")
def rotate(webhook: Webhook, as_json: Json = False) -> None:
    """Make a new secret; the one before it is good for another day."""
    environment = Environment.current()
    environment.secret_keys()  # before anything is written
    with open_database(environment) as database:
        found = store.rotate(database, webhook, _now())
    _show_secret(environment, found, as_json)


def _show_secret(environment: Environment, found: store.WebhookEntry, as_json: bool) -> None:
    given = _secret_of(environment, found)
    show(
        {"webhook_id": found.webhook_id, "url": found.url, "secret": given},
        as_json,
        f"{found.webhook_id} posts to {found.url}",
        f"Secret: {given}",
    )


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended as well.")] = False,
    as_json: Json = False,
) -> None:
    """List webhooks."""
    found = with_database(lambda database: store.list_webhooks(database, ended=ended))
    rows = [
        (w.webhook_id, w.url, ", ".join(w.events) or "all", ", ".join(w.units) or "all", w.waiting, _state(w))
        for w in found
    ]
    headings = ["id", "url", "events", "units", "waiting", "state"]
    show({"webhooks": found}, as_json, table(headings, rows) if rows else "There is no webhook.")


def _state(found: store.WebhookEntry) -> str:
    if found.ended_at is not None:
        return f"ended: {found.end_reason}"
    return f"failed {found.failures} times, tried again from {when(found.paused_until)}" if found.failures else "works"


@app.command("remove")
def remove(webhook: Webhook, as_json: Json = False) -> None:
    """Send it no more events; what waits for it is given up."""
    given_up = with_database(lambda database: store.remove_webhook(database, webhook, _now()))
    show(
        {"webhook_id": webhook, "given_up": given_up}, as_json, f"{webhook} has ended; {given_up} deliveries given up."
    )


@app.command("test")
def test(webhook: Webhook, as_json: Json = False) -> None:
    """Send it a trial message; `webhook deliveries` tells what became of it."""
    delivery_id = with_database(lambda database: store.queue_trial(database, webhook, _now()))
    show({"webhook_id": webhook, "delivery_id": delivery_id}, as_json, f"Queued as {delivery_id}.")


@app.command("deliveries")
def deliveries(
    webhook: Annotated[str | None, typer.Option(metavar="WEBHOOK", help="Only those to this one.")] = None,
    status: Annotated[str | None, typer.Option(help="queued, deferred, delivered or failed.")] = None,
    as_json: Json = False,
) -> None:
    """List deliveries, the newest first."""
    if status is not None and status not in list(DeliveryStatus):
        choices = ", ".join(DeliveryStatus)
        raise InputError("status_unknown", f"There is no status {status!r}.", f"Choose one of: {choices}.")

    def read(database: Database) -> list[store.Delivery]:
        if webhook is not None:
            store.webhook(database, webhook)
        return store.deliveries(database, webhook_id=webhook, status=DeliveryStatus(status) if status else None)

    found = with_database(read)
    rows = [(d.delivery_id, d.webhook_id, d.case_id, d.position, d.type, d.status, d.attempts, d.answer) for d in found]
    headings = ["id", "webhook", "case", "event", "type", "status", "attempts", "answer"]
    show({"deliveries": found}, as_json, table(headings, rows) if rows else "Nothing has been delivered.")


@app.command("redeliver")
def redeliver(delivery: Annotated[str, typer.Argument(metavar="DELIVERY")], as_json: Json = False) -> None:
    """Deliver an event once more."""
    found = with_database(lambda database: store.queue_again(database, delivery, _now()))
    show({"delivery_id": found.delivery_id, "status": found.status}, as_json, f"{found.delivery_id} is queued again.")
