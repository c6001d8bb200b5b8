"""What takes replies: the listener's process and the command that a relay pipes to. A composition root."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from imprimatur.cli.context import Environment, open_database, open_gateway
from imprimatur.embedded.home import read_stack
from imprimatur.errors import Refused
from imprimatur.inbound.arriving import Outcome
from imprimatur.inbound.listening import listen
from imprimatur.inbound.receiving import Identity, Receiver
from imprimatur.inbound.resolver import text_record
from imprimatur.logs import configure_logs
from imprimatur.mail.links import Links
from imprimatur.settings import Settings


def serve(environment: Environment, host: str, port: int, lmtp: bool) -> None:
    """Until stopped. Raises Refused ``port_in_use``."""
    configure_logs()
    asyncio.run(_serve(environment, host, port, lmtp))


async def _serve(environment: Environment, host: str, port: int, lmtp: bool) -> None:
    async with _receiver(environment) as receiver:
        try:
            await listen(receiver, host, port, lmtp=lmtp)
        except OSError as error:
            raise Refused(
                "port_in_use", f"Port {port} of {host} cannot be listened on.", "Name another with --port."
            ) from error


def take(environment: Environment, raw: bytes, recipient: str) -> Outcome:
    """Raises Unavailable: the message should come again later."""

    async def run() -> Outcome:
        async with _receiver(environment) as receiver:
            return await receiver.receive(raw, recipient)

    return asyncio.run(run())


@asynccontextmanager
async def _receiver(environment: Environment) -> AsyncIterator[Receiver]:
    settings = environment.settings
    links, identity = Links(environment.secret_keys(), environment.base_url or ""), identity_of(settings)
    with open_database(environment) as database:
        async with open_gateway(environment, database) as gateway:
            yield Receiver(database, gateway, links, identity)


def identity_of(settings: Settings) -> Identity:
    """Beside the embedded stack nothing has to be attested, unless a relay is named that could."""
    embedded = not settings.vouches and read_stack(settings.home) is not None
    hops = settings.mail_unnamed_results
    return Identity(
        settings.mail_reply_domain,
        settings.mail_authserv_id,
        settings.mail_attestation == "waived" or embedded,
        unnamed_hops=int(hops) if hops is not None else None,
        lookup=text_record if settings.mail_verify_dkim == "yes" else None,
    )
