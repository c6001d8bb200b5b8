"""Drains the outbox: renders, hands over to the relay, writes what became of each mail."""

import asyncio
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message

import aiosmtplib
import structlog
from jinja2 import TemplateError
from temporalio import activity

from activities.ports import MailerPort
from imprimatur.errors import Unavailable
from imprimatur.mail.context import MailContext, load
from imprimatur.mail.links import Links
from imprimatur.mail.rendering import Sender, envelope_sender, render
from imprimatur.mail.transport import Relay
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.outbox import Mail, Result
from models.messages import MailerInput
from models.vocabulary import MailStatus

log = structlog.get_logger()

RUN_FOR = dt.timedelta(minutes=30)
BATCH = 100
CONNECTIONS = 2
LOOK_EVERY_SECONDS = 0.5
HEARTBEAT_EVERY_SECONDS = 2.0
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 30.0
LOST = (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError)


class RelayDown(Exception):
    """The relay does not take mail now; nothing is wrong with the mail."""


@dataclass(frozen=True)
class Prepared:
    mail: Mail
    message: Message


class Mailer(MailerPort):
    """``wake`` may be set by whoever put mail into the outbox, so that it need not wait for the next look."""

    def __init__(
        self, database: Database, *, links: Links, relay: Relay, sender: Sender, run_for: dt.timedelta = RUN_FOR
    ) -> None:
        self._database = database
        self._links = links
        self._relay = relay
        self._sender = sender
        self._run_for = run_for
        self.wake = asyncio.Event()

    @activity.defn(name="drain_outbox")
    async def drain_outbox(self, mailer: MailerInput) -> int:
        pulse = asyncio.create_task(_heartbeat())
        connections = [Connection(self._relay, self._sender) for _ in range(CONNECTIONS)]
        try:
            return await self._drain(connections)
        finally:
            pulse.cancel()
            for connection in connections:
                await connection.close()

    async def _drain(self, connections: list["Connection"]) -> int:
        until = asyncio.get_running_loop().time() + self._run_for.total_seconds()
        sent, backoff = 0, FIRST_BACKOFF_SECONDS
        while asyncio.get_running_loop().time() < until:
            self.wake.clear()
            try:
                handled = await self._one_batch(connections)
            except (RelayDown, Unavailable) as error:
                log.warning("mail_waits", reason=str(error), retry_in_seconds=backoff)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
                continue
            sent, backoff = sent + handled, FIRST_BACKOFF_SECONDS
            if handled == 0:
                await self._until_woken()
        return sent

    async def _until_woken(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), LOOK_EVERY_SECONDS)
        except TimeoutError:
            return

    async def _one_batch(self, connections: list["Connection"]) -> int:
        """Claims, renders and sends a batch; answers how many mails it dealt with."""
        now = dt.datetime.now(dt.UTC)
        prepared, settled = await asyncio.to_thread(self._prepare, now)
        if not prepared and not settled:
            return 0
        queue = iter(prepared)
        results: list[Result] = list(settled)
        trouble = await asyncio.gather(
            *(_send_all(connection, queue, results) for connection in connections), return_exceptions=True
        )
        done = {result.mail.mail_id for result in results}
        untried = [item.mail for item in prepared if item.mail.mail_id not in done]
        await asyncio.to_thread(self._write, results, untried)
        for error in trouble:
            if isinstance(error, BaseException):
                raise error
        return len(results)

    def _prepare(self, now: dt.datetime) -> tuple[list[Prepared], list[Result]]:
        contexts = load(self._database, outbox.claim(self._database, BATCH, now))
        prepared: list[Prepared] = []
        settled: list[Result] = []
        for context in contexts:
            if context.stale:
                settled.append(Result(context.mail, MailStatus.DROPPED, context.stale))
            else:
                self._render(context, now, prepared, settled)
        return prepared, settled

    def _render(self, context: MailContext, now: dt.datetime, prepared: list[Prepared], settled: list[Result]) -> None:
        """A mail that a faulty template cannot make is put off, and holds up no other."""
        try:
            prepared.append(Prepared(context.mail, render(context, self._links, self._sender, now)))
        except (TemplateError, LookupError, TypeError, ValueError) as error:
            log.error("mail_not_rendered", mail_id=context.mail.mail_id, kind=context.mail.kind, exc_info=error)
            settled.append(Result(context.mail, MailStatus.DEFERRED, f"could not be rendered: {error}"))

    def _write(self, results: list[Result], untried: list[Mail]) -> None:
        outbox.record(self._database, results, dt.datetime.now(dt.UTC))
        outbox.release(self._database, untried)


async def _heartbeat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY_SECONDS)


async def _send_all(connection: "Connection", queue: Iterable[Prepared], results: list[Result]) -> None:
    for item in queue:
        results.append(await connection.send(item))


class Connection:
    """One reused connection to the relay."""

    def __init__(self, relay: Relay, sender: Sender) -> None:
        self._relay = relay
        self._envelope_sender = envelope_sender(sender)
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, item: Prepared) -> Result:
        """Raises RelayDown when the relay is not there; a refused recipient is a result."""
        client = await self._connected()
        mail = item.mail
        identifier = str(item.message["Message-ID"])
        try:
            await client.sendmail(self._envelope_sender, [mail.recipient], item.message.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            return _refused(mail, refused.code, refused.message, identifier)
        except LOST as error:
            await self.close()
            raise RelayDown(str(error)) from error
        except aiosmtplib.SMTPResponseException as error:
            await self.close()
            if error.code == 421:
                raise RelayDown(error.message) from error
            return _refused(mail, error.code, error.message, identifier)
        return Result(mail, MailStatus.SENT, "", identifier)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None or not self._client.is_connected:
            client = self._relay.connection()
            try:
                await client.connect()
            except (*LOST, aiosmtplib.SMTPException) as error:
                raise RelayDown(str(error)) from error
            self._client = client
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _refused(mail: Mail, code: int, reply: str, identifier: str) -> Result:
    """4xx: later. 5xx: never. RFC 5321, 4.2.1."""
    status = MailStatus.BOUNCED if code >= 500 else MailStatus.DEFERRED
    return Result(mail, status, f"{code} {reply}", identifier)
