"""What polls the mailbox: its reader, put together for the worker and for the command. A composition root."""

import asyncio
import datetime as dt
from contextlib import suppress
from dataclasses import replace

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from imprimatur.cli.context import Environment, open_database, open_gateway
from imprimatur.cli.replies import identity_of
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.inbound.polling import Polled, Poller
from imprimatur.inbound.receiving import Identity, Receiver
from imprimatur.logs import configure_logs
from imprimatur.mail.links import Links
from imprimatur.mail.mailbox import MailboxAddress
from imprimatur.mail.oauth import Tokens
from imprimatur.settings import Settings, is_loopback
from imprimatur.store.engine import Database
from workflows.mailbox import MailboxWorkflow

SCHEDULE = "mailbox"
# Of polls that nobody could make in time one is enough.
CATCH_UP = dt.timedelta(seconds=10)


def poller_of(
    settings: Settings,
    identity: Identity,
    database: Database,
    gateway: Gateway,
    links: Links,
    tokens: Tokens | None = None,
) -> Poller | None:
    """None when no mailbox is set. Raises InputError when its settings cannot be used."""
    if settings.imap_url is None:
        return None
    address = MailboxAddress.from_settings(settings, tokens)
    receiver = Receiver(database, gateway, links, identity_at(address, identity))
    return Poller(database, receiver, address, settings.imap_processed_folder)


def identity_at(address: MailboxAddress, identity: Identity) -> Identity:
    """Everybody can write to a mailbox elsewhere: nobody is taken at their word there."""
    return replace(identity, attestation_waived=identity.attestation_waived and is_loopback(address.host))


def poll_now(environment: Environment) -> Polled:
    """Raises InputError ``imap_url_missing``, or Unavailable."""
    MailboxAddress.from_settings(environment.settings)
    configure_logs(of_a_command=True)

    async def run() -> Polled:
        identity = identity_of(environment.settings)
        links = Links(environment.secret_keys(), environment.base_url or "")
        with open_database(environment) as database:
            async with open_gateway(environment, database) as gateway:
                poller = poller_of(environment.settings, identity, database, gateway, links)
                assert poller is not None
                return await poller.poll()

    return asyncio.run(run())


async def keep_polled(client: Client, settings: Settings, queue: str = TASK_QUEUE, schedule_id: str = SCHEDULE) -> None:
    """The schedule is as the settings say; without a mailbox there is none."""
    handle = client.get_schedule_handle(schedule_id)
    if settings.imap_url is None:
        try:
            await handle.delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(MailboxWorkflow.run, id=schedule_id, task_queue=queue),
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=dt.timedelta(seconds=int(settings.imap_poll_seconds)))]
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )

    def anew(before: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(schedule=schedule)

    with suppress(ScheduleAlreadyRunningError):
        await client.create_schedule(schedule_id, schedule, trigger_immediately=True)
        return
    await handle.update(anew)
