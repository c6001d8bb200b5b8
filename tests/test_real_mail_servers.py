"""A task mail through a Postfix, and the answer back: handed on by LMTP, or read from a mailbox of a Dovecot."""

import asyncio
import datetime as dt
import shutil
import smtplib
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.lmtp import LMTP

from imprimatur.cli.mailboxes import keep_polled, poller_of
from imprimatur.embedded.home import LOOPBACK
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.inbound.listening import Listener
from imprimatur.inbound.receiving import Identity, Receiver
from imprimatur.mail.message import Sender
from imprimatur.mail.transport import Relay, parse_smtp_url
from imprimatur.settings import Settings
from imprimatur.store.engine import Database
from imprimatur.store.reading import TaskView
from models.tables import InboundMailRow
from models.vocabulary import InboundKind
from tests import replying
from tests.certificates import Authority, authority
from tests.engine import Engine, connected, writer
from tests.facts import furnish
from tests.mail_servers import Dovecot, Postfix, dovecot, held_port, postfix
from tests.mails import LINKS
from tests.relay import Post, eventually
from worker import build_worker

HANDED_ON, POLLED = "handed.example.edu", "polled.example.edu"
ANSWER = "approve\nfit: 4\nno duplication: 3\n\nFits well."


@dataclass(frozen=True)
class Servers:
    """The relay gives what comes to ``HANDED_ON`` to the listener, and all else to mailboxes."""

    relay: Postfix
    mailboxes: Dovecot
    listener_port: int
    authority: Authority

    @property
    def way_out(self) -> Relay:
        address = parse_smtp_url(f"smtp+starttls://localhost:{self.relay.port}")
        return replace(address, ca_file=self.authority.file)

    def send(self, reply: EmailMessage) -> None:
        """As somebody's mail program does, by swaks where it is there."""
        sender, recipient = str(reply["From"]), str(reply["To"])
        if (swaks := shutil.which("swaks")) is not None:
            command = [swaks, "--server", LOOPBACK, "--port", str(self.relay.port), "--tls", "--from", sender]
            command += ["--to", recipient, "--data", "-", "--timeout", "60"]
            done = subprocess.run(command, input=reply.as_bytes(), capture_output=True, timeout=120)
            assert done.returncode == 0, done.stdout
            return
        with smtplib.SMTP(LOOPBACK, self.relay.port, timeout=60) as client:
            client.starttls(context=ssl._create_unverified_context())
            client.sendmail(sender, [recipient], reply.as_bytes())


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    made = authority(tmp_path_factory.mktemp("servers") / "ca", "localhost")
    with dovecot() as mailboxes, held_port() as port:
        others = {HANDED_ON.replace(".", "_"): port}
        with postfix(mailboxes.lmtp_port, made.file.parent / "server.pem", **others) as relay:
            yield Servers(relay, mailboxes, port, made)


async def asked(servers: Servers, live: Engine, task: TaskView, domain: str) -> EmailMessage:
    """The task mail, as it lies in the mailbox of whom it asks."""
    sender = Sender("Example Institute <credentials@example.edu>", domain, True)
    await Post(live.database, servers.way_out, sender=sender).run()
    found: list[EmailMessage] = []

    def there() -> bool:
        wanted = f"review+{task.task_id}."
        mails = servers.mailboxes.messages(task.assignee.rpartition("@")[2])
        found[:] = [mail for mail in mails if str(mail["Reply-To"]).startswith(wanted)]
        return bool(found)

    await eventually(there)
    return found[0]


def reply_to(mail: EmailMessage, text: str) -> EmailMessage:
    body = mail.get_body(("plain",))
    assert body is not None
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = mail["To"].addresses[0].addr_spec, mail["Reply-To"], "Re: it"
    reply["Message-ID"], reply["In-Reply-To"] = make_msgid(domain="example.edu"), mail["Message-ID"]
    quoted = "\n".join(f"> {line}" for line in str(body.get_content()).splitlines())
    reply.set_content(f"{text}\n\nOn Mon, 2 Mar 2026 at 09:01, Example Institute wrote:\n\n{quoted}\n")
    return reply


def decisions(live: Engine, case_id: str) -> list[tuple[str, str, str]]:
    found = replying.Post(live).decisions(case_id)
    return [(decision["actor"], decision["verdict"], decision["channel"]) for decision in found]


def came_in(live: Engine) -> list[str]:
    rows = replying.Post(live).rows(InboundMailRow)
    return sorted(row["result"] for row in rows if row["kind"] == InboundKind.REPLY)


# --- handed on by LMTP ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(servers: Servers, live: Engine) -> AsyncIterator[None]:
    receiver = Receiver(live.database, live.gateway, LINKS, Identity(HANDED_ON, attestation_waived=True))
    server = await asyncio.get_running_loop().create_server(
        lambda: LMTP(Listener(receiver), hostname="here", enable_SMTPUTF8=True),
        LOOPBACK,
        servers.listener_port,
        reuse_port=True,
    )
    try:
        yield
    finally:
        server.close()


async def test_an_answer_that_the_relay_hands_on_is_recorded(servers: Servers, live: Engine) -> None:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("handed"))).case_id
    task = live.tasks(case_id)[0]
    reply = reply_to(await asked(servers, live, task, HANDED_ON), ANSWER)
    before = servers.relay.log.count("250 2.0.0 recorded")
    async with listening(servers, live):
        for _ in range(2):
            await asyncio.to_thread(servers.send, reply)
        await eventually(lambda: servers.relay.log.count("250 2.0.0 recorded") == before + 2)
    assert decisions(live, case_id) == [(task.assignee, "approve", "mail")]
    assert came_in(live) == ["recorded"]
    await live.assert_agrees(case_id)


async def test_what_the_listener_does_not_take_waits_in_the_relays_queue(servers: Servers, live: Engine) -> None:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("waits"))).case_id
    task = live.tasks(case_id)[0]
    reply = reply_to(await asked(servers, live, task, HANDED_ON), ANSWER)
    await asyncio.to_thread(servers.send, reply)
    await eventually(lambda: "status=deferred" in servers.relay.log)
    assert decisions(live, case_id) == []
    async with listening(servers, live):
        await eventually(lambda: came_in(live) == ["recorded"])
    assert decisions(live, case_id) == [(task.assignee, "approve", "mail")]


# --- read from a mailbox ----------------------------------------------------------------------------------------------


@dataclass
class Production:
    """The worker as `worker.py` builds it, with a schedule of its own; started and stopped at will."""

    live: Engine
    settings: Settings
    schedule: str

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        settings, client = self.settings, self.live.client
        # A process of its own reads the place in the mailbox anew.
        database = Database(self.live.database.url)
        identity = Identity(POLLED, attestation_waived=True)
        poller = poller_of(settings, identity, database, Gateway(client, database), LINKS)
        worker = build_worker(
            client,
            database,
            settings,
            base_url="https://imprimatur.example",
            links=LINKS,
            relay=Relay.from_settings(settings),
            poller=poller,
        )
        async with worker:
            await keep_polled(client, settings, TASK_QUEUE, self.schedule)
            yield
        database.close()


@pytest.fixture
async def production(
    servers: Servers, temporal_address: str, sqlite_database: Database, tmp_path: Path
) -> AsyncIterator[Production]:
    furnish(sqlite_database)
    client = await connected(temporal_address)
    gateway, committer = Gateway(client, sqlite_database), writer(sqlite_database, tmp_path)
    live = Engine(client, gateway, sqlite_database, committer, TASK_QUEUE, tmp_path, f"-{tmp_path.name}")
    settings = Settings(
        IMPRIMATUR_HOME=tmp_path,
        IMPRIMATUR_SECRET_KEYS="key-of-the-tests-key-of-the-tests-key-of-the-tests",
        IMAP_URL=servers.mailboxes.url(POLLED),
        IMAP_POLL_SECONDS="1",
        SMTP_URL=f"smtp://{LOOPBACK}:{servers.relay.port}",
        _env_file=None,
    )
    found = Production(live, settings, f"mailbox-{tmp_path.name}")
    yield found
    await keep_polled(client, settings.model_copy(update={"imap_url": None}), TASK_QUEUE, found.schedule)


async def test_an_answer_in_a_mailbox_is_recorded_once_over_restarts_and_new_numbers(
    servers: Servers, production: Production
) -> None:
    live = production.live
    async with production.working():
        case_id = (await live.submit("industry-credit", case_id=live.case_id("polled"))).case_id
        task = live.tasks(case_id)[0]
        mail = await asked(servers, live, task, POLLED)
        await asyncio.to_thread(servers.send, reply_to(mail, "I am not sure yet."))
        await eventually(lambda: came_in(live) == ["reply_unclear"])
    reply = reply_to(mail, ANSWER)
    await asyncio.to_thread(servers.send, reply)
    await eventually(lambda: len(servers.mailboxes.files(POLLED)) == 2)
    assert decisions(live, case_id) == []
    async with production.working():
        await eventually(lambda: came_in(live) == ["recorded", "reply_unclear"])
    assert decisions(live, case_id) == [(task.assignee, "approve", "mail")]
    servers.mailboxes.number_anew(POLLED, 777_777)
    await asyncio.to_thread(servers.send, reply_to(mail, "Too late now?"))
    await eventually(lambda: len(servers.mailboxes.files(POLLED)) == 3)
    async with production.working():
        await eventually(lambda: len(came_in(live)) == 3)
    assert decisions(live, case_id) == [(task.assignee, "approve", "mail")]
    assert came_in(live) == ["recorded", "reply_unclear", "reply_unclear"]
    live.assert_whole(case_id)


async def _interval(live: Engine, schedule: str) -> dt.timedelta:
    description = await live.client.get_schedule_handle(schedule).describe()
    [interval] = description.schedule.spec.intervals
    return interval.every


async def test_the_schedule_follows_the_settings(production: Production) -> None:
    live, settings, name = production.live, production.settings, production.schedule

    async def keep(**change: Any) -> None:
        await keep_polled(live.client, settings.model_copy(update=change), TASK_QUEUE, name)

    await keep(imap_poll_seconds="40")
    assert await _interval(live, name) == dt.timedelta(seconds=40)
    await keep(imap_poll_seconds="50")
    assert await _interval(live, name) == dt.timedelta(seconds=50)
    for _ in range(2):
        await keep(imap_url=None)
    assert name not in [schedule.id async for schedule in await live.client.list_schedules()]
