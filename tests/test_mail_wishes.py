"""As its recipient wants it: in their time, outside their quiet hours, several mails as one; before a real relay."""

import datetime as dt
import re
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest

from imprimatur.mail.combining import Combined
from imprimatur.mail.context import MailContext, load
from imprimatur.mail.rendering import render
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.outbox import AT_ONCE
from imprimatur.store.preferences import Preferences, prefer
from models.quiet import QuietHours
from models.tables import TaskRow
from models.vocabulary import EventType, MailKind
from tests.engine import Engine
from tests.facts import PROPOSER, Play, example, furnish, ledger_rows
from tests.mails import LATER, LINKS, SENDER, Read, read, rendered
from tests.relay import GUESTS, OUTBOX, Post, Script, invite, posting
from tests.replying import DOMAIN, address_of
from tests.replying import Post as Inbound

QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
LENA = "lena.office@example.edu"
# Monday, in the night of Auckland and at noon of New York.
NIGHT = dt.datetime(2026, 11, 30, 17, 0, tzinfo=dt.UTC)
MORNING = dt.datetime(2026, 11, 30, 18, 0, tzinfo=dt.UTC)
TASK = TaskRow.__table__  # type: ignore[attr-defined]
WINDOW = dt.timedelta(minutes=2)
SECOND = dt.timedelta(seconds=1)
TAKES = replace(SENDER, takes_replies=True)


def submitted(database: Database, folder: Path, *cases: str) -> list[Play]:
    plays = [Play(database, folder, case_id=case) for case in cases or ("mc-abcdefghijkl",)]
    for play in plays:
        play.submit(example("industry-credit"))
    return plays


def due(database: Database, at: dt.datetime) -> None:
    """Everything that waits became due then."""
    with database.write() as connection:
        connection.execute(OUTBOX.update().where(OUTBOX.c.status == "queued").values(due_at=at))


# --- time zones -------------------------------------------------------------------------------------------------


def told(database: Database, kind: MailKind, defaults: Preferences) -> str:
    found = load(database, outbox.claim(database, 100, LATER), defaults)
    [context] = [c for c in found if isinstance(c, MailContext) and c.mail.kind is kind]
    return " ".join(rendered(context).text.split())


def test_times_are_those_of_their_reader(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    submitted(sqlite_database, tmp_path)
    tokyo = Preferences(time_zone=ZoneInfo("Asia/Tokyo"))
    assert "by Friday 6 March 2026, 08:30 (NZDT)" in told(sqlite_database, MailKind.TASK, Preferences())
    assert "by Friday 6 March 2026, 04:30 (JST)" in told(sqlite_database, MailKind.TASK, tokyo)
    [row] = [row for row in Post(sqlite_database, None).rows() if row["kind"] == "task"]  # type: ignore[arg-type]
    prefer(sqlite_database, row["recipient"], {"time_zone": "Europe/Berlin"})
    assert "by Thursday 5 March 2026, 20:30 (CET)" in told(sqlite_database, MailKind.TASK, tokyo)


# --- quiet hours ------------------------------------------------------------------------------------------------


async def test_mail_waits_for_the_end_of_quiet_hours_and_leaves_then(database: Database, tmp_path: Path) -> None:
    invite(database, tmp_path, *GUESTS[:2], QUINN)
    prefer(database, QUINN, {"quiet_hours": "20:00-07:00", "time_zone": "Pacific/Auckland"})
    due(database, NIGHT)
    script = Script()
    async with posting(database, script, now=NIGHT) as post:
        await post.run()
        assert sorted(script.recipients) == GUESTS[:2]
        waiting = post.row(QUINN)
        assert (waiting["status"], waiting["due_at"], waiting["attempts"]) == ("queued", MORNING, 0)
        post.now = MORNING - SECOND
        await post.run()
        assert QUINN not in script.recipients
        post.now = MORNING
        await post.run()
    assert script.recipients.count(QUINN) == 1
    assert (post.row(QUINN)["status"], post.row(QUINN)["last_reply"]) == ("sent", "")


async def test_what_is_done_in_quiet_hours_is_not_asked_for_after_them(
    sqlite_database: Database, tmp_path: Path
) -> None:
    play = invite(sqlite_database, tmp_path, QUINN)
    due(sqlite_database, NIGHT)
    quiet = Preferences(time_zone=ZoneInfo("Pacific/Auckland"), quiet_hours=QuietHours.parse("20:00-07:00"))
    script = Script()
    async with posting(sqlite_database, script, now=NIGHT, preferences=quiet) as post:
        await post.run()
        play.withdraw("no longer needed")
        due(sqlite_database, MORNING)
        post.now = MORNING
        await post.run()
    asked = next(row for row in post.rows() if row["kind"] == "task")
    assert (asked["status"], asked["last_reply"]) == ("dropped", "the task is closed")


async def test_what_cannot_wait_does_not(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    [play] = submitted(sqlite_database, tmp_path)
    play.pass_time(dt.timedelta(days=30))
    due(sqlite_database, NIGHT)
    always = Preferences(time_zone=ZoneInfo("Pacific/Auckland"), quiet_hours=QuietHours.parse("20:00-07:00"))
    script = Script()
    async with posting(sqlite_database, script, now=NIGHT, preferences=always) as post:
        await post.run()
    sent = {row["kind"] for row in post.rows() if row["status"] == "sent"}
    waits = {row["kind"] for row in post.rows() if row["status"] == "queued"}
    assert sent == {"escalation"} and "reminder" in waits | {"reminder"} and "task" in waits


# --- receipts ---------------------------------------------------------------------------------------------------


async def test_a_decision_is_confirmed_to_whoever_wants_it(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    plays = submitted(sqlite_database, tmp_path, "mc-one", "mc-two")
    plays[0].decide("proposal", comment="A good fit.", fit=4, no_duplication=3)
    [mail] = [row for row in rows(sqlite_database) if row["kind"] == "receipt"]
    [context] = [c for c in contexts_of(sqlite_database) if c.mail.kind is MailKind.RECEIPT]
    text = " ".join(rendered(context).text.split())
    [event] = [e for e in ledger_rows(sqlite_database, "mc-one") if e["type"] == EventType.DECISION_RECORDED]
    for words in ("is recorded: Approve.", "* fit: 4", "A good fit.", f"record: {event['position']}", event["digest"]):
        assert words in text
    assert mail["recipient"] == event["actor"]
    prefer(sqlite_database, event["actor"], {"receipts": "no"})
    script = Script()
    async with posting(sqlite_database, script) as post:
        await post.run()
    [row] = [row for row in post.rows() if row["kind"] == "receipt"]
    assert (row["status"], row["last_reply"]) == ("dropped", "its recipient wants no receipts")


def rows(database: Database) -> list[dict[str, object]]:
    return Post(database, None).rows()  # type: ignore[arg-type]


def contexts_of(database: Database) -> list[MailContext]:
    claimed = outbox.claim(database, 1000, LATER)
    outbox.release(database, claimed)
    return [context for context in load(database, claimed) if isinstance(context, MailContext)]


# --- several as one ---------------------------------------------------------------------------------------------


async def test_mails_of_a_short_time_come_as_one(database: Database, tmp_path: Path) -> None:
    furnish(database)
    for play in submitted(database, tmp_path, "mc-one", "mc-two", "mc-three"):
        play.decide("proposal")
    start = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
    due(database, start)
    script = Script()
    async with posting(database, script, now=start, combine_within=WINDOW, sender=TAKES) as post:
        post.now = start + WINDOW - SECOND
        await post.run(lambda: True)
        assert script.received == [], "others may still come"
        post.now = start + WINDOW
        await post.run()
    [message] = [read(content) for recipient, content in script.received if recipient == QUINN]
    [carrier] = {row["carried_by"] for row in post.rows() if row["recipient"] == QUINN}
    assert carrier and message.header("Message-ID") == f"<{carrier}@mail.example.edu>"
    assert {row["message_id"] for row in post.rows() if row["recipient"] == QUINN} == {message.header("Message-ID")}
    assert message.header("Subject").startswith("3 messages: Your review: ")
    assert_each_can_be_answered_by_itself(post, message)
    dates = [part for part in message.message.walk() if part.get_content_type() == "text/calendar"]
    assert len(dates) == 3
    assert message.message["References"] is None, "of three cases no thread is the right one"


def assert_each_can_be_answered_by_itself(post: Post, message: Read) -> None:
    asked = [row for row in post.rows() if row["recipient"] == QUINN]
    assert len(asked) == 3
    addresses = re.findall(r'href="mailto:([^"?]+)', message.html)
    for row in asked:
        address = f"review+{LINKS.reply_secret(row['task_id'], QUINN)}@mail.example.edu"
        assert address in message.text and address in [unquote(found) for found in addresses]
        assert all("+" not in found for found in addresses), "some programs read it as a blank"
        link = LINKS.task_url(row["task_id"], QUINN).rsplit(".", 2)[0]
        assert link in message.text and link in message.html
        assert message.header("Reply-To") != address
        assert f"Case {row['case_id']}." in message.text
    assert all(len(line) <= 80 or "https://" in line for line in message.text.splitlines())
    assert "None" not in message.text + message.html and "{{" not in message.text + message.html
    assert message.text.count("Dear ") == 1 and "do not reply to this mail" in " ".join(message.text.split())


async def test_what_is_no_longer_so_is_left_out_and_one_mail_stays_itself(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    [one, two] = submitted(sqlite_database, tmp_path, "mc-one", "mc-two")
    one.decide("proposal")
    two.decide("proposal")
    tasks = [task for task in one.state.open_tasks("quality") if task.assignee == QUINN]
    with sqlite_database.write() as connection:
        connection.execute(OUTBOX.delete().where(OUTBOX.c.recipient != QUINN))
    one.withdraw("no longer needed")
    script = Script()
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    async with posting(sqlite_database, script, now=later, combine_within=WINDOW) as post:
        await post.run()
    kinds = {(row["kind"], row["case_id"]): row for row in post.rows() if row["recipient"] == QUINN}
    assert kinds["task", "mc-one"]["status"] == "dropped" and len(tasks) == 1
    assert kinds["task", "mc-two"]["carried_by"] == kinds["task_closed", "mc-one"]["carried_by"] is not None
    [proposer] = [row for row in post.rows() if row["recipient"] == PROPOSER]
    assert proposer["carried_by"] is None


async def test_a_message_of_several_is_sent_again_as_it_was(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    submitted(sqlite_database, tmp_path, "mc-one", "mc-two")
    start = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    with sqlite_database.write() as connection:
        connection.execute(OUTBOX.update().values(recipient=LENA))
    script = Script(to={LENA: ["451 later", "250"]})
    async with posting(sqlite_database, script, now=start, combine_within=WINDOW) as post:
        await post.run()
        before = {row["mail_id"]: row["carried_by"] for row in post.rows()}
        assert {row["status"] for row in post.rows()} == {"deferred"} and len(set(before.values())) == 1
        submitted(sqlite_database, tmp_path, "mc-three")
        with sqlite_database.write() as connection:
            connection.execute(OUTBOX.update().values(recipient=LENA))
        post.now = start + dt.timedelta(hours=1)
        await post.run()
    after = {row["mail_id"]: row["carried_by"] for row in post.rows()}
    assert before.items() <= after.items(), "what has come since goes its own way"
    assert {message_from_bytes(content)["Message-ID"] for _, content in script.received} == {
        f"<{next(iter(before.values()))}@mail.example.edu>",
        *(f"<{mail_id}@mail.example.edu>" for mail_id in after.keys() - before.keys()),
    }


async def test_without_a_window_nothing_waits_and_nothing_is_combined(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    submitted(sqlite_database, tmp_path, "mc-one", "mc-two")
    script = Script()
    async with posting(sqlite_database, script) as post:
        assert post.combine_within is AT_ONCE
        await post.run()
    assert len(script.received) == len(post.rows()) and {row["carried_by"] for row in post.rows()} == {None}


def test_hostile_texts_stay_texts_in_a_mail_of_several(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    submitted(sqlite_database, tmp_path, "mc-one", "mc-two")
    found = [
        replace(context, proposal=context.proposal.model_copy(update={"title": "<script>x</script>\r\nBcc: y"}))
        for context in contexts_of(sqlite_database)
    ]
    message = read(render(Combined("m-carrier", tuple(found)), LINKS, TAKES).content)
    assert "<script" not in message.html and message.message["Bcc"] is None
    alone = read(render(found[0], LINKS, TAKES).content)
    threaded = {"References", "In-Reply-To", "X-Imprimatur-Case"}
    assert set(alone.message.keys()) - set(message.message.keys()) == threaded, "of two cases"
    assert set(message.message.keys()) < set(alone.message.keys())


@pytest.mark.parametrize("to_one", [False, True])
async def test_a_reply_to_several_at_once_is_asked_back(live: Engine, to_one: bool) -> None:
    cases = [
        (await live.submit("industry-credit", case_id=live.case_id(f"several-{number}"))).case_id for number in (1, 2)
    ]
    post, script = Inbound(live), Script()
    [task] = live.tasks(cases[0])
    with live.database.write() as connection:
        connection.execute(OUTBOX.update().values(recipient=task.assignee))
        connection.execute(TASK.update().values(assignee=task.assignee))
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    sender = replace(TAKES, reply_domain=DOMAIN)
    async with posting(live.database, script, now=later, combine_within=WINDOW, sender=sender) as outgoing:
        await outgoing.run()
    [mail] = [read(content) for _, content in script.received]
    address = address_of(task.task_id, task.assignee) if to_one else mail.header("Reply-To")
    assert address in mail.text or not to_one
    outcome = await post.reply(task, "approve\nfit: 4\nno duplication: 3", to=address)
    decided = [case for case in cases if post.decisions(case)]
    if to_one:
        assert (outcome.result, decided) == ("recorded", cases[:1])
    else:
        assert (outcome.result, decided) == ("reply_to_several", [])
        [answer] = post.answers()
        assert (answer["kind"], answer["data"]["code"]) == ("reply_not_recorded", "reply_to_several")
        [context] = [c for c in contexts_of(live.database) if c.mail.kind is MailKind.REPLY_NOT_RECORDED]
        asked_back = rendered(context)
        assert asked_back.message["Reply-To"] is None, "nor could a reply to this be told"
        assert "nobody can tell which of them you mean" in " ".join(asked_back.text.split())


async def test_a_mail_that_may_have_arrived_is_not_made_part_of_another(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    submitted(sqlite_database, tmp_path, "mc-one")
    start = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    [first] = outbox.claim(sqlite_database, 10, start)
    submitted(sqlite_database, tmp_path, "mc-two")
    with sqlite_database.write() as connection:
        connection.execute(OUTBOX.update().values(recipient=first.recipient))
    script = Script()
    async with posting(sqlite_database, script, now=start, combine_within=WINDOW) as post:
        await post.run()
    assert sorted(script.identifiers(first.recipient)) == sorted(
        f"<{row['mail_id']}@mail.example.edu>" for row in post.rows()
    )
