"""The worker process: runs cases, the mailer, the notifier, the sweeper and the mail that goes by the clock.

Composition root; started by `starter.py up` and by docker-compose.
"""

import asyncio
import datetime as dt
import signal
import sys
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.commit import Committer
from activities.hander import Hander
from activities.mailer import Mailer, Pace
from activities.notifier import Notifier
from activities.poller import Poller
from activities.publisher import Publisher
from activities.regular import RegularMail
from activities.sweeper import Sweeper
from imprimatur.cli.context import Environment, connect_temporal, open_database
from imprimatur.cli.mailboxes import keep_polled, poller_of
from imprimatur.cli.output import leave, show_error
from imprimatur.cli.replies import identity_of
from imprimatur.committees.summons import put_agendas
from imprimatur.errors import ImprimaturError
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.handover import Asking, HandoverStarter
from imprimatur.improvement import Improvement
from imprimatur.inbound.polling import Poller as MailboxPoller
from imprimatur.leaving import Leaving
from imprimatur.logs import configure_logs
from imprimatur.lost import Lost
from imprimatur.mail.checking import sender_of
from imprimatur.mail.links import Links, secret_keys
from imprimatur.mail.transport import Relay
from imprimatur.publication.endorsing import Endorser, seal, seal_all
from imprimatur.publication.files import keep_record, write_lost_records
from imprimatur.publication.keys import Keyring
from imprimatur.publication.targets.configured import configured_targets
from imprimatur.publication.vault import Vault
from imprimatur.publishing import RunStarter
from imprimatur.rerouting import Rerouting
from imprimatur.settings import Settings
from imprimatur.store.engine import Database
from imprimatur.store.preferences import Preferences
from imprimatur.store.regular import put_digests
from imprimatur.store.task_page import publication
from models.messages import MailerInput, NotifierInput
from workflows.case import CaseWorkflow
from workflows.handing_over import HandoverWorkflow
from workflows.mailbox import MailboxWorkflow
from workflows.mailer import MailerWorkflow
from workflows.notifier import NotifierWorkflow
from workflows.publishing import PublisherWorkflow, PublishingWorkflow
from workflows.regular import RegularMailWorkflow
from workflows.sweeper import SweeperWorkflow

CACHED_CASES = 10_000
RELAY_NAME = "default"
NOTIFIER_NAME = "default"
# Without it a digest of all modules would stand in every task of a case's history.
BUILD = "1"

log = structlog.get_logger()


def published_dir(settings: Settings) -> Path:
    return settings.home / "published"


def keyring(database: Database, settings: Settings, base_url: str) -> Keyring:
    return Keyring(database, Vault(secret_keys(settings)), base_url)


def build_worker(
    client: Client,
    database: Database,
    settings: Settings,
    *,
    base_url: str,
    links: Links,
    relay: Relay,
    poller: MailboxPoller | None = None,
) -> Worker:
    """The worker of one process. Workflows run unsandboxed: the import contract keeps them clean, the suite replays."""
    loop = asyncio.get_running_loop()
    sender = sender_of(settings)
    per_minute = settings.smtp_mails_per_minute
    pace = Pace(per_minute=int(per_minute) if per_minute else None)
    gateway = Gateway(client, database)
    rerouting = Rerouting(gateway, database)
    preferences = Preferences.from_settings(settings)
    mailer = Mailer(
        database,
        links=links,
        relay=relay,
        sender=sender,
        pace=pace,
        preferences=preferences,
        combine_within=dt.timedelta(seconds=int(settings.mail_combine_seconds)),
        beside=rerouting.watch,
    )
    notifier = Notifier(database, secret_keys(settings))
    endorser = Endorser(keyring(database, settings, base_url))

    def wake_mailer() -> None:
        loop.call_soon_threadsafe(mailer.wake.set)

    targets = configured_targets(settings, secret_keys(settings))
    retry_for = dt.timedelta(hours=int(settings.publication_retry_hours))
    publisher = Publisher(
        database,
        targets,
        RunStarter(client, retry_for=retry_for).start,
        beside=HandoverStarter(client, database, retry_for=retry_for).start_due,
        mend=Lost(client, database).mend,
        after_publication=lambda slug: _file_and_seal(database, settings, endorser, slug),
        after_mail=wake_mailer,
        after_event=lambda: loop.call_soon_threadsafe(notifier.wake.set),
    )
    hander = Hander(
        database,
        targets,
        Asking(gateway, database).ask,
        after_mail=wake_mailer,
        after_event=lambda: loop.call_soon_threadsafe(notifier.wake.set),
    )
    committer = Committer(
        database,
        base_url=base_url,
        published_dir=published_dir(settings),
        after_mail=wake_mailer,
        after_event=lambda: loop.call_soon_threadsafe(notifier.wake.set),
        after_endorsed=lambda slug: seal(endorser, slug),
        after_run=lambda: loop.call_soon_threadsafe(publisher.wake.set),
    )
    leaving = Leaving(gateway, database)
    improvement = Improvement(gateway, database)
    sweeper = Sweeper(lambda: _sweep(leaving, improvement))
    polling = Poller(None if poller is None else lambda: _number_of_read(poller))
    regular = RegularMail(lambda: asyncio.to_thread(_write_regular_mail, database, preferences), wake_mailer)
    workflows = [
        CaseWorkflow,
        HandoverWorkflow,
        MailboxWorkflow,
        MailerWorkflow,
        NotifierWorkflow,
        PublisherWorkflow,
        PublishingWorkflow,
        RegularMailWorkflow,
        SweeperWorkflow,
    ]
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=workflows,
        activities=[
            committer.commit_step,
            committer.recall_step,
            mailer.drain_outbox,
            notifier.notify_webhooks,
            publisher.start_publishing,
            publisher.begin_publishing,
            publisher.reach_target,
            publisher.withdraw_target,
            publisher.end_publishing,
            hander.begin_handover,
            hander.send_package,
            hander.end_handover,
            polling.poll_mailbox,
            sweeper.sweep_abandoned_work,
            regular.write_regular_mail,
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=CACHED_CASES,
        build_id=BUILD,
    )


def _file_and_seal(database: Database, settings: Settings, endorser: Endorser, slug: str) -> None:
    keep_record(published_dir(settings), slug, publication(database, slug).achievement)
    seal(endorser, slug)


async def _sweep(leaving: Leaving, improvement: Improvement) -> int:
    done = await improvement.sweep(dt.datetime.now(dt.UTC))
    if done.number or done.problems:
        log.info("reviews_swept", **done.model_dump())
    return len(await leaving.sweep())


async def _number_of_read(poller: MailboxPoller) -> int:
    polled = await poller.poll()
    for outcome in (dealt.outcome for dealt in polled.messages):
        log.info("mail_received", result=outcome.result, kind=outcome.kind, task_id=outcome.task_id)
    return len(polled.messages)


def _write_regular_mail(database: Database, preferences: Preferences) -> int:
    now = dt.datetime.now(dt.UTC)
    return put_digests(database, preferences, now) + put_agendas(database, now)


async def start_mailer(client: Client) -> None:
    """One mailer per relay, started once and perpetual."""
    await client.start_workflow(
        MailerWorkflow.run,
        MailerInput(relay=RELAY_NAME),
        id=f"mailer:{RELAY_NAME}",
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def start_notifier(client: Client) -> None:
    """One for the whole installation, started once and perpetual."""
    await client.start_workflow(
        NotifierWorkflow.run,
        NotifierInput(name=NOTIFIER_NAME),
        id=f"notifier:{NOTIFIER_NAME}",
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def start_publisher(client: Client) -> None:
    """One for the whole installation, started once and perpetual."""
    await client.start_workflow(
        PublisherWorkflow.run,
        id="publisher",
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def start_sweeper(client: Client) -> None:
    """One for the whole installation, started once and perpetual."""
    await client.start_workflow(
        SweeperWorkflow.run,
        id="sweeper",
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def start_regular_mail(client: Client) -> None:
    """One for the whole installation, started once and perpetual."""
    await client.start_workflow(
        RegularMailWorkflow.run,
        id="regular-mail",
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def main() -> int:
    environment = Environment.current()
    settings = environment.settings
    if environment.temporal_address is None or environment.base_url is None:
        raise environment.not_running()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    keys = settings.payload_keys
    client = await connect_temporal(
        environment.temporal_address, settings.temporal_namespace, keys.get_secret_value() if keys else None
    )
    with open_database(environment) as database:
        links = Links.from_settings(settings, environment.base_url)
        relay = Relay.from_settings(settings)
        identity, gateway = identity_of(settings), Gateway(client, database)
        poller = poller_of(settings, identity, database, gateway, links, relay.tokens)
        if restored := write_lost_records(database, published_dir(settings)):
            log.info("published_files_restored", number=restored)
        base_url = environment.base_url
        if sealed := seal_all(Endorser(keyring(database, settings, base_url))):
            log.info("endorsements_issued", number=sealed)
        async with build_worker(client, database, settings, base_url=base_url, links=links, relay=relay, poller=poller):
            await start_mailer(client)
            await start_notifier(client)
            await start_publisher(client)
            await start_sweeper(client)
            await start_regular_mail(client)
            await keep_polled(client, settings)
            log.info("worker_ready", task_queue=TASK_QUEUE)
            await stop.wait()
    return 0


if __name__ == "__main__":
    configure_logs()
    try:
        status = asyncio.run(main())
    except ImprimaturError as error:
        show_error(error, as_json=False)
        status = error.exit_status
    sys.stdout.flush()
    leave(status)
