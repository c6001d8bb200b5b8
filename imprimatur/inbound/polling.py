"""Reads a mailbox: every message goes the way of those that a relay brings, once, and none holds up another."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

import structlog
from sqlalchemy import Connection

from imprimatur.errors import ImprimaturError, InputError, Refused, Unavailable
from imprimatur.inbound.arriving import Outcome
from imprimatur.inbound.listening import SIZE_LIMIT_BYTES
from imprimatur.inbound.receiving import USE_THE_LINK
from imprimatur.inbound.recipients import reply_addresses
from imprimatur.mail.mailbox import Folder, Head, LoginRefused, MailboxAddress
from imprimatur.store import mailboxes
from imprimatur.store.engine import Database
from imprimatur.store.mailboxes import Place

log = structlog.get_logger()

# So often a process may die over a message before it is taken for the reason.
TRIES = 3
# Of what is not for us the place is noted only now and then: to look at it again costs little.
NOTE_EVERY = 100


class Receiving(Protocol):
    """Whoever deals with messages: :class:`imprimatur.inbound.receiving.Receiver`."""

    def takes(self, recipient: str) -> bool: ...

    async def receive(
        self, raw: bytes, recipient: str, also: Callable[[Connection], None] | None = None
    ) -> Outcome: ...

    async def set_aside(
        self,
        raw: bytes,
        recipient: str,
        error: ImprimaturError,
        also: Callable[[Connection], None] | None = None,
        *,
        is_whole: bool = True,
    ) -> Outcome: ...


@dataclass(frozen=True)
class Dealt:
    uid: int
    outcome: Outcome


@dataclass
class Polled:
    """``others`` are messages to none of our addresses, which are left as they are."""

    mailbox: str
    uid_validity: int = 0
    messages: list[Dealt] = field(default_factory=list)
    others: int = 0


class Poller:
    """Reads one mailbox from where it was left; ``processed_folder`` is where messages go that were dealt with."""

    def __init__(
        self, database: Database, receiver: Receiving, address: MailboxAddress, processed_folder: str | None = None
    ) -> None:
        self._database = database
        self._receiver = receiver
        self._address = address
        self._processed_folder = processed_folder

    async def poll(self) -> Polled:
        """Until nothing new is there. Raises Unavailable: what was not dealt with is read the next time."""
        folder = await self._opened()
        polled = Polled(self._address.name, folder.uid_validity)
        try:
            last = await asyncio.to_thread(mailboxes.begin, self._database, polled.mailbox, polled.uid_validity)
            while newer := await asyncio.to_thread(folder.newer, last):
                for uid in newer:
                    await self._read(folder, Place(polled.mailbox, polled.uid_validity, uid), polled)
                last = newer[-1]
                await self._note(Place(polled.mailbox, polled.uid_validity, last))
        finally:
            await _closed(folder)
        return polled

    async def _opened(self) -> Folder:
        token = await self._address.token()
        try:
            return await self._folder(token)
        except LoginRefused:
            if token is None or self._address.tokens is None:
                raise
            # Tokens can end before their time.
            self._address.tokens.forget(token)
            return await self._folder(await self._address.token())

    async def _folder(self, token: str | None) -> Folder:
        """A thread goes on opening when its waiter is told to stop; what it opens is closed then all the same."""
        stopped, opened = Event(), list[Folder]()

        def opening() -> Folder:
            opened.append(Folder(self._address, token))
            if stopped.is_set():
                opened[0].close()
            return opened[0]

        try:
            return await asyncio.to_thread(opening)
        except asyncio.CancelledError:
            stopped.set()
            for folder in opened:
                await _closed(folder)
            raise

    async def _read(self, folder: Folder, place: Place, polled: Polled) -> None:
        head = await asyncio.to_thread(folder.head, place.uid)
        found = reply_addresses(head.content) if head else []
        recipient = next((address for address in found if self._receiver.takes(address)), None)
        if head is None or recipient is None:
            polled.others += 1
            if polled.others % NOTE_EVERY == 0:
                await self._note(place)
            return
        outcome = await self._dealt_with(folder, place, head, recipient)
        polled.messages.append(Dealt(place.uid, outcome))
        try:
            await asyncio.to_thread(folder.put_away, place.uid, self._processed_folder)
        except Unavailable as error:
            # It has been dealt with all the same; whether the server is still there is told by the next message.
            log.warning("mail_not_put_away", uid=place.uid, reason=error.message)

    async def _dealt_with(self, folder: Folder, place: Place, head: Head, recipient: str) -> Outcome:
        if head.size > SIZE_LIMIT_BYTES:
            error = InputError("mail_too_large", "The message has more than 30 MiB.", USE_THE_LINK)
            return await self._set_aside(head.content, recipient, error, place, is_whole=False)
        tries = await asyncio.to_thread(mailboxes.attempt, self._database, place)
        try:
            raw = await asyncio.to_thread(folder.content, place.uid) or head.content
            if tries > TRIES:
                log.error("mail_set_aside", uid=place.uid, tries=tries)
                return await self._set_aside(raw, recipient, _unreadable(), place)
            return await self._received(raw, recipient, place)
        except Unavailable:
            await asyncio.to_thread(mailboxes.postpone, self._database, place)
            raise

    async def _received(self, raw: bytes, recipient: str, place: Place) -> Outcome:
        try:
            outcome = await self._receiver.receive(raw, recipient, lambda connection: mailboxes.note(connection, place))
        except Unavailable:
            raise
        except Exception as error:
            # The last resort: the messages behind it are waiting.
            log.error("fault", uid=place.uid, exc_info=error)
            return await self._set_aside(raw, recipient, _unreadable(), place)
        if outcome.repeated:
            await self._note(place)
        return outcome

    async def _set_aside(
        self, raw: bytes, recipient: str, error: ImprimaturError, place: Place, *, is_whole: bool = True
    ) -> Outcome:
        def also(connection: Connection) -> None:
            mailboxes.note(connection, place)

        return await self._receiver.set_aside(raw, recipient, error, also, is_whole=is_whole)

    async def _note(self, place: Place) -> None:
        await asyncio.to_thread(self._write, place)

    def _write(self, place: Place) -> None:
        with self._database.write() as connection:
            mailboxes.note(connection, place)


async def _closed(folder: Folder) -> None:
    # Told to stop once more while all threads are busy, the thread that is to close it would never begin.
    await asyncio.shield(asyncio.to_thread(folder.close))


def _unreadable() -> Refused:
    return Refused("mail_unreadable", "The message is built so that it is not safe to read.", USE_THE_LINK)
