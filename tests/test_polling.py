"""Reading a mailbox of a real server: each message once, none lost, none held up by another."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from imprimatur.errors import InputError, Unavailable
from imprimatur.inbound import polling
from imprimatur.inbound.arriving import Outcome
from imprimatur.inbound.polling import TRIES, Poller
from imprimatur.inbound.receiving import Identity, Receiver
from imprimatur.mail.mailbox import Folder, MailboxAddress, parse_imap_url
from imprimatur.store import mailboxes
from imprimatur.store.engine import Database
from models.tables import InboundContentRow, InboundMailRow, MailboxRow
from models.vocabulary import InboundKind
from tests.certificates import Authority, authority
from tests.engine import Engine
from tests.imap import fake_mailbox
from tests.mail_servers import PATIENCE_SECONDS, Dovecot, dovecot
from tests.mails import LINKS
from tests.relay import eventually
from tests.replying import Post, address_of, message, passed

_DOMAINS = count(1)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("polling") / "ca", "localhost")


@pytest.fixture(scope="module")
def server(trusted: Authority) -> Iterator[Dovecot]:
    with dovecot(trusted.file.parent / "server.pem") as running:
        yield running


@dataclass
class Script:
    """A receiver that does as it is told with a message, by what stands in it."""

    database: Database
    fails: dict[bytes, list[BaseException]] = field(default_factory=dict)
    received: list[bytes] = field(default_factory=list)
    aside: list[tuple[str, bool]] = field(default_factory=list)

    def takes(self, recipient: str) -> bool:
        return recipient.startswith("review+")

    async def receive(self, raw: bytes, recipient: str, also: Any = None) -> Outcome:
        text = raw.partition(b"\r\n\r\n")[2].strip()
        if failures := self.fails.get(text):
            raise failures.pop(0)
        self.received.append(text)
        with self.database.write() as connection:
            also(connection)
        return Outcome("recorded", InboundKind.REPLY)

    async def set_aside(
        self, raw: bytes, recipient: str, error: Any, also: Any = None, *, is_whole: bool = True
    ) -> Outcome:
        self.aside.append((error.code, is_whole))
        with self.database.write() as connection:
            also(connection)
        return Outcome(error.code, InboundKind.UNREADABLE)


@dataclass
class Box:
    """A mailbox of its own on the server, and what reads it."""

    server: Dovecot
    database: Database
    domain: str
    script: Script
    processed: str | None = None

    def put(self, *texts: str, to: str = "review+a") -> None:
        for text in texts:
            raw = message("quinn@example.edu", text, to=f"{to}@{self.domain}")
            self.server.deliver(f"{to}@{self.domain}", raw)

    @property
    def address(self) -> MailboxAddress:
        return parse_imap_url(self.server.url(self.domain))

    async def poll(self) -> polling.Polled:
        """By a poller that has never seen the mailbox, as after a restart."""
        return await Poller(self.database, self.script, self.address, self.processed).poll()

    def row(self) -> dict[str, Any]:
        with self.database.read() as connection:
            [row] = connection.execute(select(MailboxRow.__table__)).mappings()  # type: ignore[attr-defined]
            return dict(row)


@pytest.fixture
def box(server: Dovecot, database: Database) -> Box:
    return Box(server, database, f"box{next(_DOMAINS)}.example.edu", Script(database))


async def test_each_message_is_read_once_in_its_order(box: Box) -> None:
    box.put("one", "two")
    assert [dealt.outcome.result for dealt in (await box.poll()).messages] == ["recorded"] * 2
    box.put("three")
    assert [dealt.uid for dealt in (await box.poll()).messages] == [3]
    assert (await box.poll()).messages == []
    assert box.script.received == [b"one", b"two", b"three"]
    assert (box.row()["last_uid"], box.row()["tries"]) == (3, 0)


async def test_what_is_dealt_with_stays_on_the_server_and_counts_as_seen(box: Box) -> None:
    box.put("one")
    box.put("for somebody else", to="office")
    polled = await box.poll()
    assert (len(polled.messages), polled.others) == (1, 1)
    flags = [file.name.rpartition(",")[2] if ":2," in file.name else "" for file in box.server.files(box.domain)]
    assert flags == ["S", ""], "what is not for us is left as it was"


async def test_what_is_dealt_with_can_be_moved_away(box: Box) -> None:
    box.server.make_folder(box.domain, "Done")
    box.processed = "Done"
    box.put("one")
    box.put("for somebody else", to="office")
    await box.poll()
    assert len(box.server.files(box.domain)) == 1
    assert len(list((box.server.folder / "mail" / box.domain / ".Done" / "cur").iterdir())) == 1
    box.put("two")
    await box.poll()
    assert box.script.received == [b"one", b"two"]


async def test_a_folder_that_is_missing_holds_nothing_up(box: Box) -> None:
    box.processed = "Nowhere"
    box.put("one", "two")
    with capture_logs() as logs:
        await box.poll()
    assert [(log["event"], log["uid"]) for log in logs] == [("mail_not_put_away", 1), ("mail_not_put_away", 2)]
    assert (box.script.received, len(box.server.files(box.domain))) == ([b"one", b"two"], 2)


async def test_numbers_that_are_given_anew_make_it_begin_anew(box: Box) -> None:
    box.put("one", "two")
    before = (await box.poll()).uid_validity
    box.server.number_anew(box.domain, 424_242)
    box.put("three")
    polled = await box.poll()
    assert (before, polled.uid_validity) != (424_242, before)
    assert sorted(box.script.received[2:]) == [b"one", b"three", b"two"]
    assert (box.row()["uid_validity"], box.row()["last_uid"]) == (424_242, 3)


async def test_what_cannot_be_dealt_with_now_is_read_again_and_nothing_before_it(box: Box) -> None:
    box.put("one", "two", "three")
    gone = Unavailable("temporal_unavailable", "Gone.")
    box.script.fails = {b"two": [gone] * (2 * TRIES)}
    for _ in range(2 * TRIES):
        with pytest.raises(Unavailable):
            await box.poll()
    await box.poll()
    assert box.script.received == [b"one", b"two", b"three"]
    assert box.script.aside == [], "waiting is no fault of the message"


async def test_a_message_that_fails_holds_up_no_other(box: Box) -> None:
    box.put("one", "poison", "three")
    box.script.fails = {b"poison": [RuntimeError("a mistake of ours")]}
    with capture_logs() as logs:
        polled = await box.poll()
    assert [dealt.outcome.result for dealt in polled.messages] == ["recorded", "mail_unreadable", "recorded"]
    assert box.script.aside == [("mail_unreadable", True)]
    assert [log["uid"] for log in logs if log["event"] == "fault"] == [2]
    assert (await box.poll()).messages == []


async def test_a_message_over_which_processes_die_is_set_aside(box: Box) -> None:
    """A worker that is stopped, or killed, has written nothing but that it had begun."""
    box.put("poison", "two")
    box.script.fails = {b"poison": [asyncio.CancelledError() for _ in range(TRIES)]}
    for _ in range(TRIES):
        with pytest.raises(asyncio.CancelledError):
            await box.poll()
    assert box.script.received == []
    await box.poll()
    assert (box.script.aside, box.script.received) == ([("mail_unreadable", True)], [b"two"])


async def test_a_message_that_is_too_large_is_not_even_fetched(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "SIZE_LIMIT_BYTES", 2_000)
    box.put("x" * 3_000, "two")
    await box.poll()
    assert (box.script.aside, box.script.received) == ([("mail_too_large", False)], [b"two"])


async def test_two_that_read_one_mailbox_do_not_set_each_other_back(database: Database) -> None:
    here = mailboxes.Place("replies@mail.example.edu", 7, 1)
    assert mailboxes.begin(database, here.mailbox, 7) == 0
    for uid in (5, 3):
        with database.write() as connection:
            mailboxes.note(connection, replace(here, uid=uid))
    with database.write() as connection:
        mailboxes.note(connection, replace(here, uid_validity=6, uid=9))
    assert mailboxes.begin(database, here.mailbox, 7) == 5


async def test_a_wrong_password_is_told_without_it(box: Box) -> None:
    address = parse_imap_url(box.server.url(box.domain, password="not-the-password"))
    with pytest.raises(Unavailable) as refused:
        await Poller(box.database, box.script, address).poll()
    assert refused.value.code == "mailbox_login_refused"
    assert "not-the-password" not in str(refused.value.as_dict())


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
async def test_a_certificate_is_checked_before_the_password_is_told(
    server: Dovecot, sqlite_database: Database, trusted: Authority, scheme: str
) -> None:
    box = Box(server, sqlite_database, f"{scheme.replace('+', '-')}.example.edu", Script(sqlite_database))
    box.put("one")
    address = parse_imap_url(server.url(box.domain, scheme=scheme))
    with pytest.raises(Unavailable) as refused:
        await Poller(sqlite_database, box.script, address).poll()
    assert refused.value.code == "mailbox_unreachable" and "certificate" in refused.value.message
    believed = replace(address, ca_file=trusted.file)
    assert len((await Poller(sqlite_database, box.script, believed).poll()).messages) == 1


async def test_who_is_stopped_while_a_mailbox_opens_leaves_no_connection_behind(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, closed = Event(), Event(), Event()
    opened = []

    class Slow(Folder):
        def __init__(self, address: MailboxAddress, token: str | None = None) -> None:
            begun.set()
            assert go_on.wait(PATIENCE_SECONDS)
            super().__init__(address, token)
            # Held here, so that nothing is closed for want of anybody who knows it.
            opened.append(self)

        def close(self) -> None:
            super().close()
            closed.set()

    monkeypatch.setattr(polling, "Folder", Slow)
    with fake_mailbox(password="right") as mailbox:
        address = parse_imap_url(mailbox.url("replies", "right"))
        poll = asyncio.create_task(Poller(sqlite_database, Script(sqlite_database), address).poll())
        assert await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
        poll.cancel()
        with pytest.raises(asyncio.CancelledError):
            await poll
        go_on.set()
        assert await asyncio.to_thread(closed.wait, PATIENCE_SECONDS)
    assert opened[0]._box.client.sock.fileno() == -1


async def test_who_is_stopped_twice_while_all_threads_are_busy_leaves_no_connection_behind(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, closed = Event(), Event(), Event()

    class Busy(Folder):
        def newer(self, uid: int) -> list[int]:
            begun.set()
            assert go_on.wait(PATIENCE_SECONDS)
            return super().newer(uid)

        def close(self) -> None:
            super().close()
            closed.set()

    monkeypatch.setattr(polling, "Folder", Busy)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    with fake_mailbox(password="right") as mailbox:
        address = parse_imap_url(mailbox.url("replies", "right"))
        poll = asyncio.create_task(Poller(sqlite_database, Script(sqlite_database), address).poll())
        await eventually(begun.is_set)
        for _ in range(2):
            poll.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await poll
        go_on.set()
        await eventually(closed.is_set)


async def test_a_folder_that_is_not_there_is_told(box: Box) -> None:
    address = parse_imap_url(box.server.url(box.domain, folder="Nowhere"))
    with pytest.raises(Unavailable) as refused:
        await Poller(box.database, box.script, address).poll()
    assert refused.value.code == "mailbox_folder_unusable" and "Nowhere" in refused.value.message


async def test_hostile_messages_are_kept_and_their_holder_is_told(server: Dovecot, live: Engine) -> None:
    """By the receiver itself: the same code as for what a relay brings."""
    domain = "hostile.example.edu"
    case_id = (await live.submit("industry-credit", case_id=live.case_id("hostile"))).case_id
    task = live.tasks(case_id)[0]
    to = address_of(task.task_id, task.assignee, domain)
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(5_000))
    server.deliver(to, f"From: {task.assignee}\r\nTo: {to}\r\nMessage-ID: <deep@x>\r\n".encode() + deep)
    server.deliver(to, b"\xff\xfe: \x80\r\nTo: \x00" + to.encode() + b"\r\n\r\napprove")
    answer = message(task.assignee, "approve\nfit: 4\nno_duplication: 3", to=to, headers=[passed(task.assignee)])
    server.deliver(to, answer)
    receiver = Receiver(live.database, live.gateway, LINKS, Identity(domain, "mx.example.edu"))
    polled = await Poller(live.database, receiver, parse_imap_url(server.url(domain))).poll()
    assert len(polled.messages) == 3 and polled.messages[-1].outcome.result == "recorded"
    assert "mail_unreadable" in [dealt.outcome.result for dealt in polled.messages]
    assert len(Post(live).decisions(case_id)) == 1
    assert len(Post(live).rows(InboundMailRow)) == len(Post(live).rows(InboundContentRow)) == 3


async def test_what_is_set_aside_is_kept_where_the_address_is_right(live: Engine) -> None:
    case_id = (await live.submit("industry-credit", case_id=live.case_id("aside"))).case_id
    task, post = live.tasks(case_id)[0], Post(live)
    error = InputError("mail_too_large", "The message has more than 30 MiB.")
    right = address_of(task.task_id, task.assignee)
    wrong = right.replace(f"{task.task_id}.", f"{task.task_id}.x", 1)[: len(right)]
    outcomes = [
        await post.receiver.set_aside(b"first", right, error),
        await post.receiver.set_aside(b"second", right, error, is_whole=False),
        await post.receiver.set_aside(b"third", wrong, error),
        await post.receiver.set_aside(b"first", right, error),
    ]
    assert [(outcome.result, outcome.repeated) for outcome in outcomes] == [("mail_too_large", False)] * 3 + [
        ("mail_too_large", True)
    ]
    assert [row["content"] for row in post.rows(InboundContentRow)] == [b"first"]
    assert len(post.answers()) == 2, "only who has the address is told"
