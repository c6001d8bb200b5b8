"""A relay that is down, refuses, hangs up or is lost on the way: no mail is lost, and someone hears of it."""

import asyncio
import datetime as dt
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities.mailer import Pace
from imprimatur.embedded.home import free_port
from imprimatur.store import outbox
from imprimatur.store.deliveries import show_mail
from imprimatur.store.engine import Database
from imprimatur.store.outbox import DEFERRALS
from imprimatur.store.reading import show_case
from models.messages import MailerInput
from tests.relay import (
    BAD,
    GOOD,
    GUESTS,
    HANG_UP,
    OFFICE,
    Post,
    Script,
    eventually,
    invite,
    posting,
    relay,
)


async def test_a_relay_that_is_down_for_hours_loses_nothing(database: Database, tmp_path: Path) -> None:
    invite(database, tmp_path)
    port, script = free_port(), Script()
    post = Post.at(database, port)
    with capture_logs() as logs:
        await post.run(until=lambda: len(logs) >= 4)
    assert {log["event"] for log in logs} == {"mail_waits"}
    assert [log["retry_in_seconds"] for log in logs][:4] == [0.01, 0.02, 0.04, 0.05], "it asks ever less often"
    assert {(row["status"], row["attempts"]) for row in post.rows()} == {("queued", 0)}
    expected = [row["recipient"] for row in post.rows()]
    post.now += dt.timedelta(hours=7)
    async with relay(script, port):
        await post.run()
    assert script.recipients == expected, "what was due first goes out first"
    assert set(post.statuses().values()) == {"sent"}


async def test_a_mailer_that_is_running_finds_the_relay_when_it_is_back(
    sqlite_database: Database, tmp_path: Path
) -> None:
    invite(sqlite_database, tmp_path)
    port, script = free_port(), Script()
    post = Post.at(sqlite_database, port)
    with capture_logs() as logs:
        async with post.running():
            await eventually(lambda: len(logs) >= 2)
            async with relay(script, port):
                await eventually(post.nothing_due)
    assert sorted(script.recipients) == GUESTS


async def test_a_recipient_who_cannot_take_mail_now_gets_it_later(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path)
    script = Script(to={BAD: ["451 4.7.1 greylisted", "452 mailbox full", "450 busy", "250"]})
    async with posting(sqlite_database, script) as post:
        for attempt, pause in enumerate(DEFERRALS[:3], 1):
            await post.run()
            row = post.row(BAD)
            assert (row["status"], row["attempts"], row["due_at"]) == ("deferred", attempt, post.now + pause)
            assert {post.statuses()[guest] for guest in GOOD} == {"sent"}
            post.now = row["due_at"]
        assert post.row(BAD)["last_reply"] == "450 busy"
        await post.run()
    assert (post.row(BAD)["status"], post.row(BAD)["attempts"]) == ("sent", 4)
    assert sorted(script.recipients) == GUESTS


async def test_mail_that_is_put_off_is_not_tried_before_its_time(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path, BAD)
    script = Script(to={BAD: ["451 later", "250"]})
    async with posting(sqlite_database, script) as post:
        await post.run()
        post.now += DEFERRALS[0] - dt.timedelta(seconds=1)
        assert outbox.claim(sqlite_database, 10, post.now) == []


@pytest.mark.parametrize("place", ["to", "to_message"])
async def test_a_refused_mail_is_told_to_the_office(database: Database, tmp_path: Path, place: str) -> None:
    play = invite(database, tmp_path)
    script = Script(**{place: {BAD: ["550 5.1.1 no such mailbox"]}})  # type: ignore[arg-type]
    async with posting(database, script) as post:
        await post.run()
    assert (post.row(BAD)["status"], post.row(BAD)["attempts"]) == ("bounced", 1)
    assert sorted(script.recipients) == sorted([*GOOD, *OFFICE]), "one bad recipient holds up no other"
    [incident] = show_case(database, play.case_id).incidents
    assert incident.kind == "mail_bounced"
    assert incident.detail == f"mail (task) to {BAD} could not be delivered: 550 5.1.1 no such mailbox"
    [problem] = show_case(database, play.case_id).mail_problems
    assert (problem.recipient, problem.status, problem.last_reply) == (BAD, "bounced", "550 5.1.1 no such mailbox")
    told = [message_from_bytes(content) for to, content in script.received if to == OFFICE[0]]
    assert [message["Subject"] for message in told] == ["Incident: Product Discovery and Prototyping with AI"]


async def test_an_office_that_cannot_be_reached_is_not_told_so_by_mail(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = invite(sqlite_database, tmp_path, BAD)
    script = Script(to={address: ["550 no such mailbox"] for address in [BAD, *OFFICE]})
    async with posting(sqlite_database, script) as post:
        await post.run()
    assert set(post.statuses().values()) == {"bounced"}
    assert len(post.rows()) == 3
    assert len(show_case(sqlite_database, play.case_id).incidents) == 3


async def test_an_address_that_no_relay_takes_is_told_to_the_office(sqlite_database: Database, tmp_path: Path) -> None:
    play = invite(sqlite_database, tmp_path, "jörg@example.net", GOOD[0])
    script = Script()
    async with posting(sqlite_database, script) as post:
        await post.run()
    assert post.statuses() == {"jörg@example.net": "bounced"} | dict.fromkeys([GOOD[0], *OFFICE], "sent")
    assert "letters before the @" in show_case(sqlite_database, play.case_id).incidents[0].detail


async def test_a_sender_who_is_refused_is_no_fault_of_the_mail(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path)
    script = Script(to_sender=["550 5.7.1 sender not allowed"])
    async with posting(sqlite_database, script) as post:
        with capture_logs() as logs:
            await post.run(until=lambda: len(logs) >= 2)
        assert logs[0]["reason"].startswith("550")
        assert {(row["status"], row["attempts"]) for row in post.rows()} == {("queued", 0)}
        script.to_sender = []
        await post.run()
    assert set(post.statuses().values()) == {"sent"}


@pytest.mark.parametrize("connections", [1, 2])
async def test_a_connection_that_breaks_in_the_middle_costs_nothing(
    sqlite_database: Database, tmp_path: Path, connections: int
) -> None:
    invite(sqlite_database, tmp_path)
    script = Script(to_message={BAD: [HANG_UP, "250"]})
    async with posting(
        sqlite_database, script, pace=Pace(connections=connections, look_every=0.01, first_backoff=0.01)
    ) as post:
        await post.run()
        post.now += DEFERRALS[0]
        await post.run()
    assert sorted(script.recipients) == GUESTS
    assert set(post.statuses().values()) == {"sent"}


async def test_an_idle_connection_that_the_relay_closed_delays_nothing(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = invite(sqlite_database, tmp_path, *GUESTS[:2])
    script = Script()
    async with relay(script) as port:
        post = Post.at(sqlite_database, port)
        async with post.running() as mailer:
            await eventually(post.nothing_due)
            script.to_sender = ["421 4.4.2 idle for too long", "250"]
            play.withdraw("no longer needed")
            post.now = dt.datetime.now(dt.UTC)
            mailer.wake.set()
            await eventually(lambda: len(script.received) == 5)
            await eventually(post.nothing_due)
    assert {row["attempts"] for row in post.rows()} == {1}


async def test_a_mail_that_drives_the_relay_away_holds_up_no_other(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path)
    first, second = [row["recipient"] for row in Post.at(sqlite_database, 1).rows()][:2]
    script = Script(to_message={first: [HANG_UP], second: ["421 4.3.0 I am leaving"]})
    async with posting(sqlite_database, script) as post:
        for _ in range(2):
            await post.run()
            post.now += DEFERRALS[1]
    assert sorted(script.recipients) == sorted(set(GUESTS) - {first, second})
    # To one of them the relay has said something, of the other nobody knows.
    for poison, status in ((first, "unknown"), (second, "deferred")):
        assert (post.row(poison)["status"], post.row(poison)["attempts"]) == (status, 2)


class DyingDatabase(Database):
    """The process dies when it is about to write what became of the mails."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.writes = 0

    def write(self) -> Any:
        self.writes += 1
        if self.writes > 1:
            raise Crash
        return super().write()


class Crash(Exception):
    pass


async def test_a_crash_after_sending_sends_again_under_the_same_name(database: Database, tmp_path: Path) -> None:
    invite(database, tmp_path, GUESTS[0])
    script = Script()
    async with posting(database, script) as post:
        dying = DyingDatabase(database.url)
        with pytest.raises(Crash):
            await ActivityEnvironment().run(post.mailer(dying).drain_outbox, MailerInput(relay="test"))
        dying.close()
        assert post.row(GUESTS[0])["status"] == "sending"
        [found] = outbox.claim(database, 10, post.now)
        assert (found.recipient, post.row(GUESTS[0])["status"]) == (GUESTS[0], "unknown")
        await post.run()
    _, events = show_mail(database, found.mail_id)
    assert [event.state for event in events] == ["queued", "unknown", "sent"]
    first, second = script.identifiers(GUESTS[0])
    assert first == second == post.row(GUESTS[0])["message_id"]
    assert post.row(GUESTS[0])["status"] == "sent"


async def test_a_mailer_that_is_stopped_remembers_what_it_sent(database: Database, tmp_path: Path) -> None:
    invite(database, tmp_path)
    held = asyncio.Event()

    async def hold(recipient: str) -> None:
        if len(script.received) == 3:
            held.set()
            await asyncio.sleep(3600)

    script = Script(before_reply=hold)
    async with posting(database, script) as post:
        order = [row["recipient"] for row in post.rows()]
        async with post.running():
            await held.wait()
        statuses = post.statuses()
        assert [statuses[guest] for guest in order] == ["sent", "sent", "unknown", "queued", "queued", "queued"]
        script.before_reply = None
        post.now += DEFERRALS[0]
        await post.run()
    assert len(script.received) == len(GUESTS) + 1, "only the one whose fate was unknown came twice"
    assert set(script.recipients) == set(GUESTS)
