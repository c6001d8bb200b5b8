"""The mail sink of the embedded stack: takes every message by SMTP and keeps it as one file; replies it hands on."""

import argparse
import asyncio
import os
import re
import secrets
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

from imprimatur.embedded.home import LOOPBACK

HAND_ON_SECONDS = 60
SIZE_LIMIT_BYTES = 30 * 1024 * 1024
# Addresses in this file, one a line, have no mailbox: mail to them is refused for good.
REFUSED_FILE = "refuse.txt"
LINK = re.compile(r"https?://[^\s<>\"')]+")


@dataclass(frozen=True)
class Replies:
    """Where mail to reply addresses of a domain goes: a listener on loopback."""

    domain: str
    port: int

    def takes(self, address: str) -> bool:
        return address.lower().startswith(("review+", "bounce+")) and address.lower().endswith(
            f"@{self.domain.lower()}"
        )

    def _listener(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(hostname=LOOPBACK, port=self.port, start_tls=False, timeout=HAND_ON_SECONDS)

    async def hand_on(self, sender: str, address: str, content: bytes) -> str:
        """The listener's answer; a temporary failure when it does not answer, so that the message comes again."""
        try:
            async with self._listener() as listener:
                _, said = await listener.sendmail(sender, [address], content)
        except ValueError:
            return "553 5.1.7 no address that mail can come from"
        except aiosmtplib.SMTPRecipientsRefused as error:
            return f"{error.recipients[0].code} {error.recipients[0].message}"
        except aiosmtplib.SMTPResponseException as error:
            return f"{error.code} {error.message}"
        except (aiosmtplib.SMTPException, OSError):
            return "451 4.3.0 replies are not taken at the moment"
        return f"250 {said}"


class Sink:
    """aiosmtpd handler: a message is on disk, or in the hands of the listener, before it is acknowledged."""

    def __init__(self, folder: Path, replies: Replies | None = None) -> None:
        self._folder = folder
        self._replies = replies
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.lower() in self._refused():
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        addresses = envelope.rcpt_tos
        answers = [address for address in addresses if self._replies is not None and self._replies.takes(address)]
        for address in answers:
            assert self._replies is not None
            # Machines leave the envelope's sender empty: a bounce has none.
            said = await self._replies.hand_on((envelope.mail_from or "").strip("<>"), address, content)
            if not said.startswith("250"):
                return said
        if len(answers) < len(addresses):
            self._keep(content)
        return "250 OK kept"

    def _keep(self, content: bytes) -> None:
        name = f"{time.time_ns():020d}-{secrets.token_hex(3)}.eml"
        hidden = self._folder / f".{name}"
        hidden.write_bytes(content)
        hidden.rename(self._folder / name)

    def _refused(self) -> set[str]:
        try:
            text = (self._folder / REFUSED_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return set()
        return {line.strip().lower() for line in text.splitlines() if line.strip()}


@dataclass(frozen=True)
class StoredMail:
    """One message of the sink, decoded for reading."""

    name: str
    subject: str
    sender: str
    to: str
    date: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]

    @property
    def links(self) -> list[str]:
        return list(dict.fromkeys(LINK.findall(self.text)))


def read_mailbox(folder: Path) -> list[StoredMail]:
    """Every message, newest first."""
    names = sorted((path.name for path in folder.glob("*.eml")), reverse=True)
    return [mail for name in names if (mail := read_mail(folder, name)) is not None]


def read_mail(folder: Path, name: str) -> StoredMail | None:
    """One message; None when there is none of that name."""
    if not re.fullmatch(r"[0-9a-f-]+\.eml", name) or not (folder / name).is_file():
        return None
    message = message_from_bytes((folder / name).read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return StoredMail(
        name=name,
        subject=_header(message, "Subject"),
        sender=_header(message, "From"),
        to=_header(message, "To"),
        date=_date(_header(message, "Date")),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        headers=tuple((key, str(value)) for key, value in message.items()),
    )


def find_mails(folder: Path, *, to: str = "", subject: str = "") -> list[StoredMail]:
    """Messages to an address with words in the subject, newest first."""
    return [
        mail
        for mail in read_mailbox(folder)
        if to.lower() in mail.to.lower() and subject.lower() in mail.subject.lower()
    ]


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, ""))


def _date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, TypeError):
        return text


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except (LookupError, ValueError):
        return bytes(body.get_payload(decode=True) or b"").decode("utf-8", "replace")


async def serve(folder: Path, port: int, replies: Replies | None = None) -> None:
    """Listens on loopback until the process is told to stop."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    sink = Sink(folder, replies)
    server = await loop.create_server(
        lambda: SMTP(sink, data_size_limit=SIZE_LIMIT_BYTES, enable_SMTPUTF8=True, hostname="imprimatur.localhost"),
        LOOPBACK,
        port,
    )
    async with server:
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--replies-port", type=int)
    parser.add_argument("--reply-domain", default="localhost")
    given = parser.parse_args(arguments)
    replies = Replies(given.reply_domain, given.replies_port) if given.replies_port else None
    asyncio.run(serve(given.dir, given.port, replies))


if __name__ == "__main__":
    main()
    os._exit(0)
