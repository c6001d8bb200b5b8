"""The listener for replies, by SMTP or LMTP, behind the institution's own relay."""

import asyncio
import signal

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from imprimatur.errors import ImprimaturError
from imprimatur.inbound.receiving import Receiver

log = structlog.get_logger()

SIZE_LIMIT_BYTES = 30 * 1024 * 1024
NAME = "imprimatur"


class Listener:
    """aiosmtpd handler: a message is dealt with before it is acknowledged, so the relay keeps what we did not take.

    One recipient at a time: LMTP wants an answer for each, and relays send the others after it.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._receiver.takes(address):
            return "550 5.1.1 no such reply address"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        try:
            outcome = await self._receiver.receive(_delivered(content, envelope), envelope.rcpt_tos[0])
        except ImprimaturError as error:
            log.warning("mail_put_off", code=error.code, reason=error.message)
            return f"451 4.3.0 {error.code}"
        except Exception as error:
            # The last resort: the relay keeps the message and sends it again.
            log.error("fault", exc_info=error)
            return "451 4.3.0 fault"
        log.info("mail_received", result=outcome.result, kind=outcome.kind, task_id=outcome.task_id)
        return f"250 2.0.0 {outcome.result}"


def _delivered(content: bytes, envelope: Envelope) -> bytes:
    """With the envelope's sender, as the last station writes it down (RFC 5321, 4.4): machines leave it empty."""
    sender = (envelope.mail_from or "").strip("<>")
    return f"Return-Path: <{sender}>\r\n".encode("utf-8", "replace") + content


async def listen(receiver: Receiver, host: str, port: int, *, lmtp: bool = False) -> None:
    """Until the process is told to stop. Raises OSError when the port cannot be listened on."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    kind = LMTP if lmtp else SMTP
    handler = Listener(receiver)
    server = await loop.create_server(
        lambda: kind(handler, data_size_limit=SIZE_LIMIT_BYTES, enable_SMTPUTF8=True, hostname=NAME), host, port
    )
    async with server:
        log.info("listening", host=host, port=port, protocol="lmtp" if lmtp else "smtp")
        await stop.wait()
