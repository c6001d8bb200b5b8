"""The mailer before a real relay: every mail that is still wanted arrives once, and none holds up another."""

import datetime as dt
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities.mailer import Mailer, Pace
from imprimatur.embedded.sink import Sink, read_mailbox
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.outbox import DEFERRALS
from imprimatur.store.reading import show_case
from models.messages import MailerInput
from models.vocabulary import MailStatus, Verdict
from tests.facts import PROPOSER, Play, example, furnish, whole_story
from tests.mails import LINKS, SENDER
from tests.relay import BAD, GOOD, GUESTS, OFFICE, OUTBOX, QUICK, Post, Script, eventually, invite, posting, relay


async def test_every_mail_reaches_its_recipient(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = whole_story(database, tmp_path)
    async with relay(Sink(tmp_path / "mail"), enable_SMTPUTF8=True) as port:
        post = Post.at(database, port, pace=Pace(look_every=0.01))
        await post.run()
    rows = {row["message_id"]: row for row in post.rows() if row["status"] == "sent"}
    stored = {dict(mail.headers)["Message-ID"]: mail for mail in read_mailbox(tmp_path / "mail")}
    assert stored.keys() == rows.keys()
    assert {row["status"] for row in post.rows()} == {"sent", "dropped"}
    for identifier, row in rows.items():
        assert row["recipient"] in stored[identifier].to
        assert (row["attempts"], row["sent_at"], row["last_reply"]) == (1, post.now, "")
    [outcome] = [mail for mail in stored.values() if mail.subject.startswith("Published")]
    assert PROPOSER in outcome.to and outcome.links[0].endswith(str(show_case(database, play.case_id).slug))


async def test_what_arrives_is_what_was_rendered(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path, GUESTS[0])
    script = Script()
    async with posting(sqlite_database, script) as post:
        await post.run()
    [(recipient, content)] = script.received
    message = message_from_bytes(content)
    assert recipient == GUESTS[0] and message["To"] == GUESTS[0]
    assert message["Date"] == post.now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    assert b"\r\n.\r\n" not in content and content.isascii()


async def test_nobody_is_asked_for_what_is_done(database: Database, tmp_path: Path) -> None:
    play = invite(database, tmp_path)
    play.decide("proposal")
    script = Script()
    async with posting(database, script) as post:
        await post.run()
    told = {(row["kind"], row["recipient"]): (row["status"], row["last_reply"]) for row in post.rows()}
    answered = [guest for guest in GUESTS if told[("task", guest)][1] == "the task is decided"]
    assert len(answered) == 1
    for guest in set(GUESTS) - set(answered):
        assert told[("task", guest)] == ("dropped", "the task is closed")
        assert told[("task_closed", guest)] == ("sent", "")
    assert told[("task", "quinn.reviewer@example.edu")] == ("sent", "")


async def test_a_proposer_is_not_asked_for_a_version_that_is_there(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit").model_copy(update={"summary": None}))
    play.revise(example("industry-credit"))
    play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    play.revise(example("industry-credit.revised"))
    play.pass_time(dt.timedelta(days=120))
    play.withdraw("too late")
    script = Script()
    async with posting(sqlite_database, script) as post:
        await post.run()
    dropped = {row["kind"]: row["last_reply"] for row in post.rows() if row["status"] == "dropped"}
    assert {kind: dropped[kind] for kind in ("returned", "revision", "breach")} == dict.fromkeys(
        ("returned", "revision", "breach"), "the case is withdrawn"
    )


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "breach", "data": {}}, "could not be rendered: "),
        ({"data": {"stage": "nowhere"}, "task_id": None}, "could not be written: "),
        ({"case_id": "mc-nowhere"}, "could not be written: "),
    ],
)
async def test_a_mail_that_cannot_be_made_holds_up_no_other(
    database: Database, tmp_path: Path, fault: dict[str, Any], reason: str
) -> None:
    invite(database, tmp_path)
    with database.write() as connection:
        connection.execute(OUTBOX.update().where(OUTBOX.c.recipient == BAD).values(fault))
    script = Script()
    async with posting(database, script) as post:
        with capture_logs() as logs:
            await post.run()
    # What a template cannot make is the office's to mend.
    told = OFFICE if "rendered" in reason else []
    assert sorted(script.recipients) == sorted([*GOOD, *told])
    row = post.row(BAD)
    assert (row["status"], row["due_at"]) == ("deferred", post.now + DEFERRALS[0]), "it goes out once it is mended"
    assert row["last_reply"].startswith(reason)
    assert [log["log_level"] for log in logs] == ["error"]


async def test_whoever_puts_mail_out_wakes_the_mailer(sqlite_database: Database, tmp_path: Path) -> None:
    play = invite(sqlite_database, tmp_path, GUESTS[0])
    script = Script()
    async with posting(sqlite_database, script, pace=Pace(look_every=3600)) as post, post.running() as mailer:
        await eventually(lambda: len(script.received) == 1)
        play.withdraw("no longer needed")
        post.now = dt.datetime.now(dt.UTC)
        mailer.wake.set()
        await eventually(lambda: len(script.received) == 3)
    assert sorted(script.recipients) == sorted([GUESTS[0], GUESTS[0], PROPOSER])


async def test_a_mailer_hands_over_after_its_time(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path)
    script = Script()
    async with posting(sqlite_database, script) as post:
        mailer = Mailer(
            sqlite_database, links=LINKS, relay=post.relay, sender=SENDER, run_for=dt.timedelta(seconds=0.2), pace=QUICK
        )
        number = await ActivityEnvironment().run(mailer.drain_outbox, MailerInput(relay="test"))
        assert number == len(script.received) == list(post.statuses().values()).count("sent")


async def test_a_large_outbox_is_sent_batch_by_batch(sqlite_database: Database, tmp_path: Path) -> None:
    guests = [f"many{number}@example.net" for number in range(25)]
    invite(sqlite_database, tmp_path, *guests)
    script = Script()
    async with posting(sqlite_database, script, pace=Pace(batch=7, look_every=0.01)) as post:
        await post.run()
    assert sorted(script.recipients) == sorted(guests)
    assert outbox.counts(sqlite_database) == {MailStatus.SENT: 25}
