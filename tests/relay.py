"""A mail relay that does as it is told, and a mailer that works for it; for tests."""

import asyncio
import datetime as dt
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.mailer import Mailer, Pace
from imprimatur.embedded.home import LOOPBACK
from imprimatur.mail.context import DEFAULTS
from imprimatur.mail.message import Sender
from imprimatur.mail.transport import Relay, parse_smtp_url
from imprimatur.store.engine import Database
from imprimatur.store.outbox import AT_ONCE
from imprimatur.store.preferences import Preferences
from models.messages import MailerInput
from models.tables import OutboxRow
from tests.facts import Play, amended, example, furnish
from tests.mails import LINKS, SENDER

OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
HANG_UP = "hang up"
QUICK = Pace(connections=1, look_every=0.01, first_backoff=0.01, longest_backoff=0.05)
# Far above what anything takes; a test that needs it all has failed.
PATIENCE_SECONDS = 180.0
GUESTS = [f"guest{number}@example.net" for number in range(6)]
BAD, GOOD = GUESTS[2], [guest for guest in GUESTS if guest != GUESTS[2]]
OFFICE = ["lena.office@example.edu", "omar.office@example.edu"]


@dataclass
class Script:
    """aiosmtpd handler. Replies to an address (or to its message) are used up one by one; the last one stays."""

    to: dict[str, list[str]] = field(default_factory=dict)
    to_message: dict[str, list[str]] = field(default_factory=dict)
    to_sender: list[str] = field(default_factory=list)
    received: list[tuple[str, bytes]] = field(default_factory=list)
    before_reply: Callable[[str], Awaitable[None]] | None = None
    senders: list[str] = field(default_factory=list)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = _next(self.to_sender)
        if reply is None:
            envelope.mail_from = address
            self.senders.append(address)
            return "250 OK"
        return _said(server, reply)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = _next(self.to.get(address, []))
        if reply is None:
            envelope.rcpt_tos.append(address)
            return "250 OK"
        return _said(server, reply)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        [recipient] = envelope.rcpt_tos
        reply = _next(self.to_message.get(recipient, []))
        if reply is not None:
            return _said(server, reply)
        assert isinstance(envelope.content, bytes)
        self.received.append((recipient, envelope.content))
        if self.before_reply is not None:
            await self.before_reply(recipient)
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.received]

    def identifiers(self, recipient: str) -> list[str]:
        return [message_from_bytes(content)["Message-ID"] for to, content in self.received if to == recipient]


def _next(replies: list[str]) -> str | None:
    if not replies:
        return None
    reply = replies.pop(0) if len(replies) > 1 else replies[0]
    return None if reply == "250" else reply


def _said(server: SMTP, reply: str) -> str:
    if reply == HANG_UP:
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()
        return "421 gone"
    return reply


@asynccontextmanager
async def relay(
    handler: object, port: int = 0, *, smtps: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    """A relay on loopback; answers its port. ``smtps`` encrypts from the start."""

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            # It does not know that a connection may be encrypted as a whole.
            warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
            return SMTP(handler, hostname="relay.example", **options)

    server = await asyncio.get_running_loop().create_server(protocol, LOOPBACK, port, ssl=smtps)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


@dataclass
class Post:
    """A mailer whose clock the test moves; it sleeps for moments only."""

    database: Database
    relay: Relay
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    pace: Pace = QUICK
    preferences: Preferences = DEFAULTS
    combine_within: dt.timedelta = AT_ONCE
    sender: Sender = SENDER
    beside: Callable[[], Awaitable[None]] | None = None

    @classmethod
    def at(cls, database: Database, port: int, **settings: Any) -> "Post":
        return cls(database, parse_smtp_url(f"smtp://{LOOPBACK}:{port}"), **settings)

    def mailer(self, database: Database | None = None) -> Mailer:
        return Mailer(
            database or self.database,
            links=LINKS,
            relay=self.relay,
            sender=self.sender,
            pace=self.pace,
            preferences=self.preferences,
            combine_within=self.combine_within,
            clock=lambda: self.now,
            beside=self.beside,
        )

    def rows(self) -> list[dict[str, Any]]:
        query = select(OUTBOX).order_by(OUTBOX.c.due_at, OUTBOX.c.mail_id)
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def row(self, recipient: str) -> dict[str, Any]:
        [row] = [row for row in self.rows() if row["recipient"] == recipient]
        return row

    def statuses(self) -> dict[str, str]:
        return {row["recipient"]: row["status"] for row in self.rows()}

    def nothing_due(self) -> bool:
        waiting = ("queued", "deferred", "sending", "unknown")
        return not [row for row in self.rows() if row["status"] in waiting and row["due_at"] <= self.now]

    async def run(self, until: Callable[[], bool] | None = None) -> None:
        """Runs a mailer until a condition holds: by default, until nothing is due any more."""
        async with self.running():
            await eventually(until or self.nothing_due)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Mailer]:
        mailer = self.mailer()
        work = asyncio.create_task(ActivityEnvironment().run(mailer.drain_outbox, MailerInput(relay="test")))
        try:
            yield mailer
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work


async def eventually(condition: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "this never came to be"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def posting(database: Database, script: Script, **settings: Any) -> AsyncIterator[Post]:
    async with relay(script) as port:
        yield Post.at(database, port, **settings)


def invite(database: Database, folder: Path, *guests: str) -> Play:
    """A case that puts a task mail for each guest into the outbox."""
    furnish(database)
    reviewers = [{"addresses": list(guests or GUESTS)}]
    play = Play(database, folder, amended(database, "industry-credit", "proposal", reviewers=reviewers))
    play.submit(example("industry-credit"))
    return play
