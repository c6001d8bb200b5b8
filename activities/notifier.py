"""Delivers ledger events to webhooks: each webhook in its own turn, so that a slow one holds up no other."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
import structlog
from temporalio import activity

from activities.ports import NotifierPort
from activities.pulse import heartbeat
from imprimatur.errors import Unavailable
from imprimatur.store import webhooks as store
from imprimatur.store.engine import Database
from imprimatur.webhooks.signing import Message, headers, secrets_of
from models.messages import NotifierInput

log = structlog.get_logger()

GONE = 410


@dataclass(frozen=True)
class Pace:
    """In seconds; ``patience`` is how long a receiver may take to answer (the specification asks for 15 to 30)."""

    run_for: float = 1800.0
    look_every: float = 1.0
    patience: float = 20.0


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Notifier(NotifierPort):
    """``wake`` may be set by whoever queued a delivery.

    Delivered at least once: a receiver knows by its id what it has had.
    """

    def __init__(
        self,
        database: Database,
        secret_keys: Sequence[str],
        *,
        pace: Pace | None = None,
        clock: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._database = database
        self._secret_keys = list(secret_keys)
        self._pace = pace or Pace()
        self._clock = clock
        self._tried = 0
        self.wake = asyncio.Event()

    @activity.defn(name="notify_webhooks")
    async def notify_webhooks(self, notifier: NotifierInput) -> int:
        self._tried = 0
        pulse = asyncio.create_task(heartbeat())
        try:
            await self._notify()
        finally:
            pulse.cancel()
        return self._tried

    async def _notify(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._pace.run_for
        turns: dict[str, asyncio.Task[None]] = {}
        # Redirects are not followed: what an office has named is what gets the events.
        async with httpx.AsyncClient(timeout=self._pace.patience, follow_redirects=False, trust_env=False) as client:
            try:
                while loop.time() < until:
                    self.wake.clear()
                    turns = {name: turn for name, turn in turns.items() if not turn.done()}
                    for webhook in await self._with_work():
                        if webhook.webhook_id not in turns:
                            turns[webhook.webhook_id] = asyncio.create_task(self._turn(client, webhook))
                    await self._until_woken()
            finally:
                for turn in turns.values():
                    turn.cancel()
                await asyncio.gather(*turns.values(), return_exceptions=True)

    async def _with_work(self) -> list[store.WebhookEntry]:
        try:
            return await asyncio.to_thread(store.webhooks_with_work, self._database, self._clock())
        except Unavailable as error:
            log.warning("webhooks_wait", reason=error.message)
            return []

    async def _until_woken(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), self._pace.look_every)
        except TimeoutError:
            return

    async def _turn(self, client: httpx.AsyncClient, webhook: store.WebhookEntry) -> None:
        """Everything that is due for one webhook, until it fails."""
        try:
            while found := await asyncio.to_thread(
                store.next_delivery, self._database, webhook.webhook_id, self._clock()
            ):
                if not await self._deliver(client, webhook, *found):
                    return
        except Unavailable as error:
            log.warning("webhooks_wait", reason=error.message)
        except Exception as error:
            log.error("webhook_turn_failed", webhook_id=webhook.webhook_id, exc_info=error)

    async def _deliver(
        self, client: httpx.AsyncClient, webhook: store.WebhookEntry, found: store.Delivery, message: Message
    ) -> bool:
        now = self._clock()
        secrets = secrets_of(self._secret_keys, webhook.webhook_id, webhook.generation, webhook.old_secret_until, now)
        self._tried += 1
        try:
            async with client.stream(
                "POST", webhook.url, content=message.body(), headers=headers(message, secrets, now)
            ) as answer:
                # What it says beside its status is read by nobody, and may be endless.
                code, told = answer.status_code, f"{answer.status_code} {answer.reason_phrase}".strip()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            code, told = 0, f"{type(error).__name__}: {error}".removesuffix(": ")
        if 200 <= code < 300:
            await asyncio.to_thread(store.record_delivered, self._database, found, told, self._clock())
            return True
        log.warning("webhook_failed", webhook_id=webhook.webhook_id, delivery_id=found.delivery_id, answer=told)
        await asyncio.to_thread(store.record_failed, self._database, found, told, self._clock(), gone=code == GONE)
        return False
