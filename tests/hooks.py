"""A receiver of webhooks that does as it is told, and a notifier that works for it; for tests."""

import asyncio
import datetime as dt
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.notifier import Notifier, Pace
from imprimatur.embedded.home import LOOPBACK
from imprimatur.store import webhooks as store
from imprimatur.store.engine import Database
from models.messages import NotifierInput
from models.vocabulary import DeliveryStatus
from tests.relay import eventually

KEYS = ["first-key-of-the-tests-first-key-of-the-tests", "second-key-of-the-tests-second-key-of-tests"]
QUICK = Pace(look_every=0.01, patience=5.0)


@dataclass
class Received:
    headers: dict[str, str]
    body: str

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """Answers are used up one by one; the last one stays. ``hold`` keeps an answer back until it is set."""

    answers: list[int] = field(default_factory=lambda: [204])
    received: list[Received] = field(default_factory=list)
    hold: threading.Event | None = None
    url: str = ""

    def answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            receiver.received.append(Received({name.lower(): value for name, value in self.headers.items()}, body))
            if receiver.hold is not None:
                receiver.hold.wait(30)
            code = receiver.answer()
            self.send_response(code)
            if code in (301, 302, 307, 308):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://{LOOPBACK}:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        if receiver.hold is not None:
            receiver.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Bell:
    """A notifier whose clock the test moves."""

    database: Database
    keys: list[str] = field(default_factory=lambda: list(KEYS))
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def nothing_due(self) -> bool:
        return not any(
            found.status.is_waiting and found.due_at <= self.now for found in store.deliveries(self.database)
        )

    def waits(self) -> bool:
        """Nothing that is due could be tried now."""
        return not store.webhooks_with_work(self.database, self.now)

    def statuses(self) -> list[DeliveryStatus]:
        return [found.status for found in store.deliveries(self.database)]

    async def ring(self, until: Callable[[], bool] | None = None) -> None:
        async with self.ringing():
            await eventually(until or self.waits)

    @asynccontextmanager
    async def ringing(self) -> AsyncIterator[None]:
        notifier = Notifier(self.database, self.keys, pace=QUICK, clock=lambda: self.now)
        work = asyncio.create_task(ActivityEnvironment().run(notifier.notify_webhooks, NotifierInput(name="test")))
        try:
            yield
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
