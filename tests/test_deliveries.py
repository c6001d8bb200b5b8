"""What became of a mail is kept: by its relay, by reports that come later, and by what its reader does."""

import asyncio
import datetime as dt
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from imprimatur.errors import ImprimaturError
from imprimatur.inbound.receiving import Identity, Receiver
from imprimatur.store import outbox
from imprimatur.store.deliveries import MOST_RETURNS, Report, apply_report, list_mails, show_mail
from imprimatur.store.engine import Database
from imprimatur.store.incidents import IncidentEntry, list_incidents
from imprimatur.store.mail_journal import MOST_EVENTS, Entry, enhanced_status, note
from imprimatur.store.reading import show_case
from imprimatur.store.resending import requeue
from imprimatur.store.seen import is_seen, mark_seen
from models.messages import DecisionReceipt
from models.tables import InboundMailRow, RefusalRow
from models.vocabulary import MailState, ReportAction
from tests.facts import Play, example
from tests.mails import LINKS
from tests.relay import BAD, GOOD, OFFICE, Post, Script, invite, posting
from tests.replying import DOMAIN, address_of
from tests.returning import SENDER, bounce_address, report

ROOT = Path(__file__).resolve().parents[1]
HOUR = dt.timedelta(hours=1)
FAILED = Report(ReportAction.FAILED, "5.1.1", "550 5.1.1 no such mailbox")


async def undecided(**given: Any) -> DecisionReceipt:
    raise AssertionError("a machine decides nothing")


class Nobody:
    decide = staticmethod(undecided)


def receiver(database: Database) -> Receiver:
    return Receiver(database, Nobody(), LINKS, Identity(DOMAIN, "mx.example.edu"))


def journal(database: Database, mail_id: str) -> list[tuple[str, str | None]]:
    return [(event.state, event.status) for event in show_mail(database, mail_id)[1]]


def state_of(database: Database, mail_id: str) -> str:
    return show_mail(database, mail_id)[0].state


def about(play: Play) -> IncidentEntry:
    [incident] = list_incidents(play.database, case_id=play.case_id)
    return incident


def apply(database: Database, mail_id: str, told: Report, now: dt.datetime) -> None:
    with database.write() as connection:
        apply_report(connection, mail_id, told, now)


async def sent(post: Post, play: Play, recipient: str = BAD) -> str:
    """The mail to one guest, taken by the relay; answers its id."""
    await post.run()
    [mail] = list_mails(post.database, recipient=recipient)
    assert (mail.state, mail.case_id) == ("sent", play.case_id)
    return mail.mail_id


async def test_each_mail_has_an_address_of_its_own_for_bounces(sqlite_database: Database, tmp_path: Path) -> None:
    play, script = invite(sqlite_database, tmp_path, BAD), Script()
    async with posting(sqlite_database, script, sender=SENDER) as post:
        mail_id = await sent(post, play)
    assert script.senders == [bounce_address(mail_id)]
    assert receiver(sqlite_database).takes(bounce_address(mail_id))


async def test_without_a_way_back_bounces_go_to_the_sender(sqlite_database: Database, tmp_path: Path) -> None:
    play, script = invite(sqlite_database, tmp_path, BAD), Script()
    async with posting(sqlite_database, script) as post:
        await sent(post, play)
    assert script.senders == ["credentials@example.edu"]


async def test_a_report_of_failure_bounces_the_mail_it_names(database: Database, tmp_path: Path) -> None:
    play, script = invite(database, tmp_path), Script()
    async with posting(database, script, sender=SENDER) as post:
        mail_id = await sent(post, play)
        raw = report(BAD)
        first = await receiver(database).receive(raw, bounce_address(mail_id).upper())
        again = await receiver(database).receive(raw, bounce_address(mail_id))
        assert (first.result, first.repeated, again.result, again.repeated) == ("reported", False, "reported", True)
        assert (first.case_id, first.task_id) == (play.case_id, post.row(BAD)["task_id"])
        assert state_of(database, mail_id) == "bounced"
        assert journal(database, mail_id) == [("queued", None), ("sent", None), ("bounced", "5.1.1")]
        [incident] = list_incidents(database, case_id=play.case_id)
        assert (incident.kind, incident.mail_id, incident.stage) == ("mail_bounced", mail_id, "proposal")
        assert "returned: 550 5.1.1 no such mailbox" in incident.detail
        post.now = dt.datetime.now(dt.UTC)
        await post.run()
    assert set(OFFICE) <= set(script.recipients), "nobody stands in: the office hears of it"
    told = next(content.decode() for to, content in script.received if to == OFFICE[0])
    assert f"/incidents/{incident.incident_id}" in told.replace("=\n", "")


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded", "delivered"])
async def test_what_has_not_failed_is_only_noted(sqlite_database: Database, tmp_path: Path, action: str) -> None:
    play = invite(sqlite_database, tmp_path, BAD)
    async with posting(sqlite_database, Script(), sender=SENDER) as post:
        mail_id = await sent(post, play)
    await receiver(sqlite_database).receive(report(BAD, action, "4.4.1"), bounce_address(mail_id))
    assert journal(sqlite_database, mail_id)[-1] == (action, "4.4.1")
    assert state_of(sqlite_database, mail_id) == "sent"
    assert list_incidents(sqlite_database) == []


async def test_what_failed_for_now_is_sent_again_a_few_times(sqlite_database: Database, tmp_path: Path) -> None:
    play, script = invite(sqlite_database, tmp_path, BAD), Script()
    async with posting(sqlite_database, script, sender=SENDER) as post:
        mail_id = await sent(post, play)
        for number in range(1, MOST_RETURNS):
            await receiver(sqlite_database).receive(report(BAD, status="4.2.2"), bounce_address(mail_id))
            assert (state_of(sqlite_database, mail_id), list_incidents(sqlite_database)) == ("deferred", [])
            post.now = dt.datetime.now(dt.UTC) + number * 5 * HOUR
            await post.run()
        await receiver(sqlite_database).receive(report(BAD, status="4.2.2"), bounce_address(mail_id))
    assert state_of(sqlite_database, mail_id) == "bounced"
    assert len(list_incidents(sqlite_database)) == 1
    assert set(script.identifiers(BAD)) == {f"<{mail_id}@{DOMAIN}>"}, "always the same mail"


async def test_a_bounce_at_the_reply_address_is_known_by_what_it_returns(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = invite(sqlite_database, tmp_path, BAD, GOOD[0])
    async with posting(sqlite_database, Script(), sender=SENDER) as post:
        mail_id = await sent(post, play)
        other = await sent(post, play, GOOD[0])
        to = address_of(post.row(BAD)["task_id"], BAD)
    way_in = receiver(sqlite_database)
    assert (await way_in.receive(report(BAD, of=other), to)).result == "bounce_mail_unknown"
    assert (await way_in.receive(report(BAD), to)).result == "bounce_mail_unknown"
    assert (state_of(sqlite_database, mail_id), state_of(sqlite_database, other)) == ("sent", "sent")
    assert (await way_in.receive(report(BAD, of=mail_id), to)).result == "reported"
    assert (state_of(sqlite_database, mail_id), state_of(sqlite_database, other)) == ("bounced", "sent")


def rows_of(database: Database, table: type[Any]) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table.__table__)).mappings()]


async def test_a_forged_report_changes_nothing_and_leaves_a_trace(database: Database, tmp_path: Path) -> None:
    play = invite(database, tmp_path, BAD, GOOD[0])
    async with posting(database, Script(), sender=SENDER) as post:
        mail_id = await sent(post, play)
    way_in, other = receiver(database), "m-aaaaaaaaaaaaaaaa"
    secret = LINKS.bounce_secret(other).partition(".")[2]
    tries = [
        (f"bounce+{mail_id}.{secret}@{DOMAIN}", "bounce_secret_invalid"),
        (f"bounce+{mail_id}.{'x' * 22}@{DOMAIN}", "bounce_secret_invalid"),
        (bounce_address(other), "bounce_mail_unknown"),
    ]
    for address, code in tries:
        assert (await way_in.receive(report(BAD, of=mail_id), address)).result == code
    assert [row["code"] for row in rows_of(database, RefusalRow)] == [code for _, code in tries]
    assert len(rows_of(database, InboundMailRow)) == len(tries)
    assert journal(database, mail_id) == [("queued", None), ("sent", None)]
    assert list_incidents(database) == []


async def test_a_report_that_says_nothing_and_an_absence_note_change_nothing(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = invite(sqlite_database, tmp_path, BAD)
    async with posting(sqlite_database, Script(), sender=SENDER) as post:
        mail_id = await sent(post, play)
    way_in = receiver(sqlite_database)
    nothing = b"From: MAILER-DAEMON@mx.example.net\r\nMessage-ID: <1@x>\r\n\r\nSomething."
    away = f"From: <{BAD}>\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <2@x>\r\n\r\napprove".encode()
    person = f"From: <{BAD}>\r\nMessage-ID: <3@x>\r\n\r\napprove".encode()
    results = [(await way_in.receive(raw, bounce_address(mail_id))).result for raw in (nothing, away, person)]
    assert results == ["bounce_unreadable", "ignored", "ignored"]
    assert state_of(sqlite_database, mail_id) == "sent"
    assert len(Post.at(sqlite_database, 1).rows()) == 1, "nobody is answered"


async def test_mails_that_went_as_one_message_come_back_together(sqlite_database: Database, tmp_path: Path) -> None:
    play = invite(sqlite_database, tmp_path, BAD, GOOD[0])
    async with posting(sqlite_database, Script(), sender=SENDER) as post:
        mail_ids = [await sent(post, play, recipient) for recipient in (BAD, GOOD[0])]
    outbox.bind(sqlite_database, dict.fromkeys(mail_ids, "m-carrier"))
    await receiver(sqlite_database).receive(report(BAD), bounce_address(mail_ids[0]))
    assert [state_of(sqlite_database, mail_id) for mail_id in mail_ids] == ["bounced", "bounced"]


async def test_a_bounce_of_several_mails_in_one_is_known_at_each_of_their_reply_addresses(
    sqlite_database: Database, tmp_path: Path
) -> None:
    plays = [invite(sqlite_database, tmp_path, BAD), Play(sqlite_database, tmp_path, case_id="mc-second")]
    plays[1].framework, plays[1].plan = plays[0].framework, plays[0].plan
    plays[1].submit(example("industry-credit"))
    script = Script()
    async with posting(sqlite_database, script, sender=SENDER, combine_within=HOUR) as post:
        post.now += 2 * HOUR
        await post.run()
    mails = [mail for mail in list_mails(sqlite_database, recipient=BAD) if mail.task_id is not None]
    [identifier] = set(script.identifiers(BAD))
    carrier = identifier.strip("<>").partition("@")[0]
    assert len(mails) == 2 and carrier not in {mail.mail_id for mail in mails}
    way_in, last = receiver(sqlite_database), str(mails[1].task_id)
    assert (await way_in.receive(report(BAD, of="m-another"), address_of(last, BAD))).result == "bounce_mail_unknown"
    for to in (address_of(last, BAD), address_of(carrier, BAD)):
        assert (await way_in.receive(report(BAD, of=carrier), to)).result == "reported"
    assert {state_of(sqlite_database, mail.mail_id) for mail in mails} == {"bounced"}
    incidents = [incident for play in plays for incident in list_incidents(sqlite_database, case_id=play.case_id)]
    assert {incident.mail_id for incident in incidents} == {mail.mail_id for mail in mails} and len(incidents) == 2


async def test_a_bounce_that_is_faster_than_the_mailer_stands(sqlite_database: Database, tmp_path: Path) -> None:
    play = invite(sqlite_database, tmp_path, BAD)

    async def bounce(recipient: str) -> None:
        if recipient == BAD:
            [mail] = list_mails(sqlite_database, recipient=BAD)
            assert mail.state == "sending"
            await asyncio.to_thread(apply, sqlite_database, mail.mail_id, FAILED, dt.datetime.now(dt.UTC))

    async with posting(sqlite_database, Script(before_reply=bounce), sender=SENDER) as post:
        await post.run()
    [mail] = list_mails(sqlite_database, recipient=BAD)
    assert mail.state == "bounced"
    assert len(list_incidents(sqlite_database, case_id=play.case_id)) == 1


async def test_a_mailer_that_is_killed_before_it_has_written_leaves_a_mail_that_is_unknown(
    sqlite_database: Database, tmp_path: Path
) -> None:
    invite(sqlite_database, tmp_path, BAD)
    process: list[asyncio.subprocess.Process] = []
    states: list[str] = []

    async def kill(recipient: str) -> None:
        states.append(list_mails(sqlite_database, recipient=BAD)[0].state)
        if len(states) == 1:
            process[0].kill()
            await process[0].wait()

    script = Script(before_reply=kill)
    async with posting(sqlite_database, script) as post:
        command = [sys.executable, "-m", "tests.mortal_mailer", sqlite_database.url, str(post.relay.port)]
        process.append(await asyncio.create_subprocess_exec(*command, cwd=ROOT))
        assert await process[0].wait() == -signal.SIGKILL
        [mail] = list_mails(sqlite_database, recipient=BAD)
        assert mail.state == "sending"
        await post.run()
    assert states == ["sending", "unknown"]
    assert [state for state, _ in journal(sqlite_database, mail.mail_id)] == ["queued", "unknown", "sent"]
    first, second = script.identifiers(BAD)
    assert first == second == show_mail(sqlite_database, mail.mail_id)[0].message_id


async def test_a_late_report_does_not_stop_a_mail_that_is_sent_again(sqlite_database: Database, tmp_path: Path) -> None:
    play, script = invite(sqlite_database, tmp_path, BAD), Script(to={BAD: ["550 5.1.1 no such mailbox", "250"]})
    async with posting(sqlite_database, script, sender=SENDER) as post:
        await post.run()
        [mail] = list_mails(sqlite_database, recipient=BAD)
        requeue(sqlite_database, about(play), BAD, OFFICE[0], post.now)
        apply(sqlite_database, mail.mail_id, FAILED, post.now)
        assert state_of(sqlite_database, mail.mail_id) == "queued"
        await post.run()
    assert state_of(sqlite_database, mail.mail_id) == "sent"
    [incident] = list_incidents(sqlite_database, case_id=play.case_id, closed=True)
    assert (incident.resolved_by, incident.resolution) == ("system", "the relay took the mail")


async def test_a_mail_that_was_given_back_is_sure_only_when_its_reader_shows_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = invite(sqlite_database, tmp_path, BAD)
    async with posting(sqlite_database, Script(), sender=SENDER) as post:
        mail_id = await sent(post, play)
        apply(sqlite_database, mail_id, FAILED, post.now)
        requeue(sqlite_database, about(play), BAD, OFFICE[0], post.now)
        await post.run()
        assert state_of(sqlite_database, mail_id) == "sent"
        assert len(list_incidents(sqlite_database, case_id=play.case_id)) == 1
        mark_seen(sqlite_database, post.row(BAD)["task_id"], BAD)
    assert list_incidents(sqlite_database, case_id=play.case_id) == []
    assert state_of(sqlite_database, mail_id) == "seen"
    assert [state for state, _ in journal(sqlite_database, mail_id)] == [
        "queued", "sent", "bounced", "resent", "sent", "seen",
    ]  # fmt: skip


async def test_what_is_seen_is_written_once(sqlite_database: Database, tmp_path: Path) -> None:
    play = invite(sqlite_database, tmp_path, BAD, GOOD[0])
    async with posting(sqlite_database, Script()) as post:
        mail_id = await sent(post, play)
        task = post.row(BAD)["task_id"]
    assert not is_seen(sqlite_database, task, BAD)
    for person in (GOOD[0], BAD, BAD):
        mark_seen(sqlite_database, task, person)
    assert is_seen(sqlite_database, task, BAD)
    assert [state for state, _ in journal(sqlite_database, mail_id)] == ["queued", "sent", "seen"]
    assert {(c.state, c.number) for c in show_case(sqlite_database, play.case_id).mails} == {("seen", 1), ("sent", 1)}


async def test_a_mail_is_reminded_of_when_the_reminder_has_gone_out(database: Database, tmp_path: Path) -> None:
    play = invite(database, tmp_path, BAD)
    async with posting(database, Script()) as post:
        mail_id = await sent(post, play)
        play.pass_time(dt.timedelta(days=4))
        assert state_of(database, mail_id) == "sent", "the reminder is only written"
        post.now = dt.datetime.now(dt.UTC)
        await post.run()
    assert state_of(database, mail_id) == "reminded"
    assert {mail.kind for mail in list_mails(database, recipient=BAD, state="sent")} == {"reminder"}
    assert [mail.mail_id for mail in list_mails(database, case_id=play.case_id, state="reminded")] == [mail_id]


def test_a_journal_is_bounded_and_keeps_its_beginning(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path, BAD)
    [mail] = list_mails(sqlite_database)
    now = dt.datetime.now(dt.UTC)
    for number in range(3 * MOST_EVENTS):
        with sqlite_database.write() as connection:
            note(connection, [Entry(mail.mail_id, MailState.DELAYED, now, f"look {number}" + "x" * 9000)])
    events = show_mail(sqlite_database, mail.mail_id)[1]
    assert len(events) == MOST_EVENTS + 1, "and that it was written"
    kept = [event.reply.partition("x")[0] for event in (events[1], events[-1])]
    assert kept == ["look 0", f"look {3 * MOST_EVENTS - 1}"]
    assert max(len(event.reply) for event in events) == 500


REPLIES = [
    ("550 5.1.1 no such mailbox", "5.1.1"),
    ("452-4.2.2 full", "4.2.2"),
    ("550 no such mailbox at 192.5.1.1", None),
    ("", None),
]


@pytest.mark.parametrize(("reply", "status"), REPLIES)
def test_the_enhanced_status_is_read_from_a_reply(reply: str, status: str | None) -> None:
    assert enhanced_status(reply) == status


def test_what_is_not_there_is_told(sqlite_database: Database) -> None:
    codes = []
    for act in (lambda: show_mail(sqlite_database, "m-none"), lambda: list_mails(sqlite_database, state="lost")):
        with pytest.raises(ImprimaturError) as refused:
            act()
        codes.append(refused.value.code)
    assert codes == ["mail_unknown", "mail_state_unknown"]
