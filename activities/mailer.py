"""Drains the outbox: renders, hands over to the relay, writes what became of each mail."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

import aiosmtplib
import structlog
from jinja2 import TemplateError
from temporalio import activity

from activities.ports import MailerPort
from activities.pulse import heartbeat
from imprimatur.errors import Unavailable
from imprimatur.mail.combining import Combined, Letter, bindings, combined
from imprimatur.mail.context import DEFAULTS, Readable, Unready, load
from imprimatur.mail.links import Links
from imprimatur.mail.message import Message, Sender, Undeliverable
from imprimatur.mail.pacing import Bucket
from imprimatur.mail.quiet import leaves_at
from imprimatur.mail.rendering import render
from imprimatur.mail.transport import Relay
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.outbox import Mail, Result
from imprimatur.store.preferences import Preferences
from models.messages import MailerInput
from models.vocabulary import MailStatus

log = structlog.get_logger()

RUN_FOR = dt.timedelta(minutes=30)
SERVICE_CLOSING = 421
STOPPED = "the mailer was stopped before the relay had answered; it is sent again"
LOST = (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError)


@dataclass(frozen=True)
class Pace:
    """How many mails at a time, over how many connections, and in a minute; all else in seconds."""

    batch: int = 100
    connections: int = 2
    look_every: float = 0.5
    gather: float = 0.05
    first_backoff: float = 0.5
    longest_backoff: float = 30.0
    per_minute: int | None = None


class RelayDown(Exception):
    """The relay does not take mail now; nothing is wrong with the mail."""


class RelayLost(RelayDown):
    """It went away in the middle of a mail; without an ``answer`` to it, the mail's fate is unknown."""

    def __init__(self, reason: str, *, answer: bool = False) -> None:
        super().__init__(reason)
        self.status = MailStatus.DEFERRED if answer else MailStatus.UNKNOWN


@dataclass(frozen=True)
class Prepared:
    """``others`` are carried by the same message as ``mail``, and share its fate."""

    mail: Mail
    message: Message
    others: tuple[Mail, ...] = ()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Mailer(MailerPort):
    """``wake`` may be set by whoever put mail into the outbox, so that it need not wait for the next look.

    ``beside`` runs as long as mail is sent: what follows from mail that does not arrive.
    """

    def __init__(
        self,
        database: Database,
        *,
        links: Links,
        relay: Relay,
        sender: Sender,
        run_for: dt.timedelta = RUN_FOR,
        pace: Pace | None = None,
        preferences: Preferences = DEFAULTS,
        combine_within: dt.timedelta = outbox.AT_ONCE,
        clock: Callable[[], dt.datetime] = _now,
        beside: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._links = links
        self._relay = relay
        self._sender = sender
        self._run_for = run_for
        self._pace = pace or Pace()
        self._preferences = preferences
        self._combine_within = combine_within
        self._clock = clock
        self._bucket = Bucket(self._pace.per_minute) if self._pace.per_minute else None
        self._beside = beside
        self.wake = asyncio.Event()

    @activity.defn(name="drain_outbox")
    async def drain_outbox(self, mailer: MailerInput) -> int:
        beside = [asyncio.create_task(heartbeat())]
        beside += [asyncio.ensure_future(self._beside())] if self._beside else []
        connections = [Connection(self._relay) for _ in range(self._pace.connections)]
        try:
            return await self._drain(connections)
        finally:
            for task in beside:
                task.cancel()
            for connection in connections:
                await connection.close()

    async def _drain(self, connections: list["Connection"]) -> int:
        until = asyncio.get_running_loop().time() + self._run_for.total_seconds()
        sent, backoff = 0, self._pace.first_backoff
        while asyncio.get_running_loop().time() < until:
            self.wake.clear()
            try:
                handled = await self._one_batch(connections)
            except (RelayDown, Unavailable) as error:
                code = error.code if isinstance(error, Unavailable) else "smtp_unreachable"
                log.warning("mail_waits", code=code, reason=str(error), retry_in_seconds=backoff)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, self._pace.longest_backoff)
                continue
            sent, backoff = sent + handled, self._pace.first_backoff
            if handled == 0:
                await self._until_woken()
        return sent

    async def _until_woken(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), self._pace.look_every)
        except TimeoutError:
            return
        # Mail comes in bursts: claiming it one by one would cost a transaction each.
        await asyncio.sleep(self._pace.gather)

    async def _one_batch(self, connections: list["Connection"]) -> int:
        """Claims, renders and sends a batch; answers how many mails it dealt with."""
        prepared, results = await asyncio.to_thread(self._prepare)
        if not prepared and not results:
            return 0
        queue = iter(prepared)
        trouble: list[BaseException | None] = []
        try:
            trouble += await asyncio.gather(
                *(_send_all(connection, queue, results) for connection in connections), return_exceptions=True
            )
        finally:
            # Also when the worker is told to stop: what was sent must not be sent again.
            await asyncio.shield(asyncio.to_thread(self._write, prepared, results))
        for error in trouble:
            if error is not None:
                raise error
        return len(results)

    def _prepare(self) -> tuple[list[Prepared], list[Result]]:
        now = self._clock()
        prepared: list[Prepared] = []
        settled: list[Result] = []
        # What the relay may not be given yet is not claimed either: its case may close before its turn comes.
        limit = min(self._pace.batch, self._bucket.holds(now)) if self._bucket else self._pace.batch
        claimed = outbox.claim(self._database, limit, now, self._combine_within) if limit else []
        wanted = self._wanted(load(self._database, claimed, self._preferences, now), now, settled)
        letters = combined(wanted, combine=bool(self._combine_within))
        for letter in letters:
            self._compose(letter, now, prepared, settled)
        outbox.bind(self._database, dict(bindings(letters)))
        if self._bucket:
            self._bucket.take(len(prepared))
        return prepared, settled

    def _wanted(
        self, contexts: Iterable[Readable | Unready], now: dt.datetime, settled: list[Result]
    ) -> list[Readable]:
        """What is to leave now; what is not is settled."""
        found: list[Readable] = []
        for context in contexts:
            if isinstance(context, Unready):
                log.error("mail_not_readable", mail_id=context.mail.mail_id, reason=context.reason)
                settled.append(Result(context.mail, MailStatus.DEFERRED, f"could not be written: {context.reason}"))
                continue
            try:
                stale, leaves = context.stale, leaves_at(context, now)
            except (LookupError, ValueError) as error:
                settled.append(Result(context.mail, MailStatus.DEFERRED, f"could not be written: {error}"))
                continue
            if stale:
                settled.append(Result(context.mail, MailStatus.DROPPED, stale))
            elif leaves > now:
                settled.append(Result(context.mail, MailStatus.QUEUED, outbox.QUIET, not_before=leaves))
            else:
                found.append(context)
        return found

    def _compose(self, letter: Letter, now: dt.datetime, prepared: list[Prepared], settled: list[Result]) -> None:
        """A mail that a faulty template cannot make is put off, and holds up no other."""
        mails = letter.mails if isinstance(letter, Combined) else (letter.mail,)
        try:
            prepared.append(Prepared(mails[0], render(letter, self._links, self._sender, now), mails[1:]))
        except Undeliverable as error:
            settled.extend(Result(mail, MailStatus.BOUNCED, str(error)) for mail in mails)
        except (TemplateError, LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            log.error("mail_not_rendered", mail_id=mails[0].mail_id, kind=mails[0].kind, exc_info=error)
            reason = f"could not be rendered: {error}"
            settled.extend(Result(mail, MailStatus.DEFERRED, reason, told=True) for mail in mails)

    def _write(self, prepared: list[Prepared], results: list[Result]) -> None:
        others = {item.mail.mail_id: item.others for item in prepared}
        told = [*results, *(replace(r, mail=mail) for r in results for mail in others.get(r.mail.mail_id, ()))]
        done = {result.mail.mail_id for result in told}
        outbox.record(self._database, told, self._clock())
        mails = [mail for item in prepared for mail in (item.mail, *item.others)]
        outbox.release(self._database, [mail for mail in mails if mail.mail_id not in done])


async def _send_all(connection: "Connection", queue: Iterable[Prepared], results: list[Result]) -> None:
    for item in queue:
        try:
            results.append(await connection.send(item))
        except RelayLost as error:
            # It may be this very mail that drives the relay away, so others come first now.
            results.append(Result(item.mail, error.status, str(error)))
            raise
        except asyncio.CancelledError:
            results.append(Result(item.mail, MailStatus.UNKNOWN, STOPPED))
            raise


class Connection:
    """One reused connection to the relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, item: Prepared) -> Result:
        """Raises RelayDown when the relay is not there; a refused recipient is a result."""
        was_open = self._client is not None
        try:
            return await self._send(item)
        except RelayLost:
            # Relays close connections that were idle.
            if not was_open:
                raise
        return await self._send(item)

    async def _send(self, item: Prepared) -> Result:
        client = await self._connected()
        mail, message = item.mail, item.message
        try:
            await client.sendmail(message.envelope_sender, [message.recipient], message.content)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            return self._refused(mail, refused.code, refused.message, message.identifier)
        except LOST as error:
            await self.close()
            raise RelayLost(self._told(error)) from error
        except aiosmtplib.SMTPResponseException as error:
            await self.close()
            if error.code == SERVICE_CLOSING:
                raise RelayLost(self._told(error), answer=True) from error
            if isinstance(error, aiosmtplib.SMTPSenderRefused):
                # It is us whom the relay does not take, in this mail as in any other.
                raise RelayDown(self._told(error)) from error
            return self._refused(mail, error.code, error.message, message.identifier)
        return Result(mail, MailStatus.SENT, "", message.identifier)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None or not self._client.is_connected:
            try:
                self._client = await self._relay.connect()
            except (*LOST, aiosmtplib.SMTPException) as error:
                # What the relay said may hold what it was told, so the cause goes no further.
                raise RelayDown(self._told(error)) from None
        return self._client

    def _told(self, error: Exception) -> str:
        """The library leaves a cause that has no words of its own unsaid."""
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._relay.without_secrets(f"{error.code} {error.message}")
        text, cause = str(error).strip(), error.__cause__ or error
        told = f"{text} {type(cause).__name__}".strip() if text.endswith(":") or not text else text
        return self._relay.without_secrets(told)

    def _refused(self, mail: Mail, code: int, reply: str, identifier: str) -> Result:
        """4xx: later. 5xx: never. RFC 5321, 4.2.1."""
        status = MailStatus.BOUNCED if code >= 500 else MailStatus.DEFERRED
        return Result(mail, status, self._relay.without_secrets(f"{code} {reply}"), identifier)

    async def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
