"""Digests and agendas: written by the clock, once for each person and period, and only when there is something."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from activities.regular import RegularMail
from imprimatur.committees.bodies import committee
from imprimatur.committees.summons import put_agendas
from imprimatur.mail.context import load
from imprimatur.mail.regular import RegularContext
from imprimatur.mail.rendering import render
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.store.people import import_people
from imprimatur.store.preferences import Preferences, prefer
from imprimatur.store.regular import put_digests
from models.events import Held, Placed
from models.vocabulary import Digest, MailKind
from tests.facts import OFFICE, Play, example, furnish
from tests.governed import submitted
from tests.mails import LINKS, SENDER, Read, read
from tests.meetings import BOARD, SECRETARY, boards, sitting
from tests.relay import OUTBOX, Script, eventually, posting
from worker import start_regular_mail
from workflows.regular import EVERY, RegularMailWorkflow

QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# A Monday, six and seven in the morning of Berlin.
SIX = dt.datetime(2026, 3, 9, 5, 0, tzinfo=dt.UTC)
SEVEN = SIX + HOUR
NONE = Preferences()
BERLIN = {"time_zone": "Europe/Berlin"}


def in_quality(database: Database, folder: Path, *cases: str) -> list[Play]:
    furnish(database)
    plays = [Play(database, folder, case_id=case) for case in cases]
    for play in plays:
        play.submit(example("industry-credit"))
        play.decide("proposal")
    with database.write() as connection:
        connection.execute(OUTBOX.delete())
    return plays


def rows(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        query = select(OUTBOX).where(OUTBOX.c.case_id == "").order_by(OUTBOX.c.created_at, OUTBOX.c.mail_id)
        return [dict(row) for row in connection.execute(query).mappings()]


def regular(database: Database, now: dt.datetime) -> list[RegularContext]:
    claimed = outbox.claim(database, 1000, now)
    outbox.release(database, claimed)
    return [found for found in load(database, claimed, NONE, now) if isinstance(found, RegularContext)]


def shown(context: RegularContext) -> Read:
    mail = read(render(context, LINKS, SENDER, context.now).content)
    for text in (mail.text, mail.html):
        assert "None" not in text and "{{" not in text
    assert all(len(line) <= 80 or "https://" in line for line in mail.text.splitlines())
    return mail


# --- digests ----------------------------------------------------------------------------------------------------


def test_a_digest_comes_in_the_morning_once_a_day_to_whoever_wants_it(database: Database, tmp_path: Path) -> None:
    in_quality(database, tmp_path, "mc-one", "mc-two")
    prefer(database, QUINN, BERLIN | {"digest": "daily"})
    prefer(database, ROSA, BERLIN | {"digest": "weekly"})
    assert put_digests(database, NONE, SIX) == 0
    assert put_digests(database, NONE, SEVEN) == 2
    assert put_digests(database, NONE, SEVEN + 3 * HOUR) == 0
    assert [put_digests(database, NONE, SEVEN + days * DAY) for days in range(1, 8)] == [1, 1, 1, 1, 0, 0, 2]
    assert {row["recipient"] for row in rows(database)} == {QUINN, ROSA}


def test_a_weekly_digest_that_was_missed_on_monday_comes_later_in_the_week(
    sqlite_database: Database, tmp_path: Path
) -> None:
    in_quality(sqlite_database, tmp_path, "mc-one")
    prefer(sqlite_database, QUINN, BERLIN | {"digest": "weekly"})
    assert put_digests(sqlite_database, NONE, SIX + 2 * DAY) == 1
    assert put_digests(sqlite_database, NONE, SEVEN + 3 * DAY) == 0


def test_the_institutions_digest_goes_to_everybody_with_something_to_do(
    sqlite_database: Database, tmp_path: Path
) -> None:
    [play] = in_quality(sqlite_database, tmp_path, "mc-one")
    daily = Preferences(digest=Digest.DAILY)
    prefer(sqlite_database, SAM, {"digest": "none"})
    assert put_digests(sqlite_database, daily, SEVEN + 12 * HOUR) == 2
    play.office(Held)
    assert put_digests(sqlite_database, daily, SEVEN + DAY + 12 * HOUR) == 0, "nothing can be done about it"


def test_what_waits_is_told_by_effort_and_due_time(sqlite_database: Database, tmp_path: Path) -> None:
    plays = in_quality(sqlite_database, tmp_path, "mc-one", "mc-two")
    prefer(sqlite_database, QUINN, BERLIN | {"digest": "daily"})
    put_digests(sqlite_database, NONE, SEVEN)
    [context] = regular(sqlite_database, SEVEN)
    mail = shown(context)
    assert mail.header("Subject") == "2 open tasks"
    assert mail.text.startswith("Dear Quinn Abara,") and "TO BE REVIEWED" in mail.text
    for play in plays:
        [task] = [task for task in play.state.open_tasks("quality") if task.assignee == QUINN]
        link = LINKS.task_url(task.id, QUINN).rsplit(".", 2)[0]
        assert link in mail.text and link in mail.html
    assert "(CET)" in mail.text, "in the reader's own time"
    assert mail.header("References") == mail.header("In-Reply-To") != ""
    assert "quinn" not in mail.header("References")
    [later] = regular(sqlite_database, SEVEN + 60 * DAY)
    assert ", 2 late" in shown(later).header("Subject") and "Was due " in shown(later).text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("done", "nothing is open"),
        ("unwanted", "its recipient wants no daily digest"),
        ("gone", "its recipient is not active"),
        ("next day", "a newer one follows"),
    ],
)
async def test_a_digest_that_is_no_longer_true_is_not_sent(
    sqlite_database: Database, tmp_path: Path, change: str, why: str
) -> None:
    [play] = in_quality(sqlite_database, tmp_path, "mc-one")
    prefer(sqlite_database, QUINN, BERLIN | {"digest": "daily"})
    put_digests(sqlite_database, NONE, SEVEN)
    if change == "done":
        play.withdraw("no longer needed")
    elif change == "unwanted":
        prefer(sqlite_database, QUINN, {"digest": "default"})
    elif change == "gone":
        file = tmp_path / "people.csv"
        file.write_text(f"email,name,active\n{QUINN},Quinn,no\n", encoding="utf-8")
        import_people(sqlite_database, file)
    script = Script()
    async with posting(sqlite_database, script, now=SEVEN + (DAY if change == "next day" else HOUR)) as post:
        await post.run()
    [row] = rows(sqlite_database)
    assert (row["status"], row["last_reply"], script.received) == ("dropped", why, [])


async def test_a_digest_is_sent_when_quiet_hours_are_over(database: Database, tmp_path: Path) -> None:
    in_quality(database, tmp_path, "mc-one")
    prefer(database, QUINN, BERLIN | {"digest": "daily", "quiet_hours": "20:00-09:00"})
    put_digests(database, NONE, SEVEN)
    script = Script()
    async with posting(database, script, now=SEVEN) as post:
        await post.run()
        assert script.received == [] and rows(database)[0]["due_at"] == SEVEN + 2 * HOUR
        post.now = SEVEN + 2 * HOUR
        await post.run()
    [(recipient, content)] = script.received
    assert recipient == QUINN and read(content).header("Subject") == "1 open task"


# --- agendas ----------------------------------------------------------------------------------------------------

# The board meets on 8 April at 14:00 in Auckland, and takes items until five business days before.
SITS = dt.datetime(2026, 4, 8, 2, 0, tzinfo=dt.UTC)


def before_the_board(database: Database, folder: Path) -> Play:
    furnish(database)
    play = submitted(database, folder, sitting(), committees=boards())
    play.office(Placed, stage="board", on=dt.date(2026, 4, 8))
    with database.write() as connection:
        connection.execute(OUTBOX.delete())
    return play


def test_an_agenda_is_sent_once_it_is_fixed(database: Database, tmp_path: Path) -> None:
    before_the_board(database, tmp_path)
    cut_off = _cut_off(database)
    assert put_agendas(database, cut_off - HOUR) == 0
    assert put_agendas(database, cut_off) == 1
    assert put_agendas(database, cut_off + HOUR) == 0
    [row] = rows(database)
    assert (row["recipient"], row["kind"]) == (SECRETARY, "agenda")
    [context] = regular(database, cut_off)
    mail = shown(context)
    assert mail.header("Subject") == "Agenda: Curriculum Board, Wednesday 8 April 2026, 14:00 (NZST)"
    title = example("industry-credit").display_title
    assert f"1. {title}" in " ".join(mail.text.split()) and "/t/" in mail.text
    assert mail.header("References") == f"<agenda.{BOARD}.2026-04-08@mail.example.edu>"


def _cut_off(database: Database) -> dt.datetime:
    return committee(database, BOARD).sitting(dt.date(2026, 4, 8)).cut_off


def test_the_sitting_comes_for_the_calendar(sqlite_database: Database, tmp_path: Path) -> None:
    before_the_board(sqlite_database, tmp_path)
    put_agendas(sqlite_database, _cut_off(sqlite_database))
    [context] = regular(sqlite_database, _cut_off(sqlite_database))
    [part] = [p for p in shown(context).message.walk() if p.get_content_type() == "text/calendar"]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    found: Any = Calendar.from_ical(content)
    [event] = found.walk("VEVENT")
    assert event["DTSTART"].dt.astimezone(dt.UTC) == SITS
    assert event["DTSTART"].params["TZID"] == "Pacific/Auckland"
    assert (str(event["UID"]), event["SEQUENCE"]) == (f"sitting.{BOARD}.2026-04-08@mail.example.edu", 1)
    assert str(event["SUMMARY"]) == "Curriculum Board"


def test_a_changed_agenda_takes_the_place_of_the_one_before(sqlite_database: Database, tmp_path: Path) -> None:
    before_the_board(sqlite_database, tmp_path)
    cut_off = _cut_off(sqlite_database)
    put_agendas(sqlite_database, cut_off)
    other = submitted(
        sqlite_database, tmp_path, sitting(), committees=boards(late_items="office_admits"), case_id="mc-late"
    )
    other.office(Placed, stage="board", on=dt.date(2026, 4, 8), late=True, actor=OFFICE)
    assert put_agendas(sqlite_database, cut_off + HOUR) == 1
    assert put_agendas(sqlite_database, cut_off + 2 * HOUR) == 0
    newest = max(regular(sqlite_database, cut_off + HOUR), key=lambda context: context.mail.data["edition"])
    mail = shown(newest)
    assert mail.header("Subject").startswith("Changed agenda: ")
    assert "2. " in mail.text and "takes the place of the one" in mail.text
    assert newest.entries("x.example")[0].sequence == 2


@pytest.mark.parametrize(("change", "why"), [("moved", "nothing is on the agenda"), ("begun", "the sitting has begun")])
def test_an_agenda_that_is_no_longer_true_is_not_sent(
    sqlite_database: Database, tmp_path: Path, change: str, why: str
) -> None:
    play = before_the_board(sqlite_database, tmp_path)
    put_agendas(sqlite_database, _cut_off(sqlite_database))
    if change == "moved":
        play.office(Placed, stage="board", on=dt.date(2026, 5, 13))
    [context] = [
        c
        for c in regular(sqlite_database, SITS if change == "begun" else SITS - HOUR)
        if c.mail.kind is MailKind.AGENDA
    ]
    assert context.stale == why


# --- the clock --------------------------------------------------------------------------------------------------


async def test_the_clock_writes_what_is_due_and_wakes_the_mailer(
    temporal_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    in_quality(sqlite_database, tmp_path, "mc-one")
    prefer(sqlite_database, QUINN, BERLIN | {"digest": "daily"})
    clock, written, woken = [SIX], [], []

    async def write() -> int:
        written.append(put_digests(sqlite_database, NONE, clock[0]))
        return written[-1]

    client, queue = await Client.connect(temporal_address), f"regular-{tmp_path.name}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[RegularMailWorkflow],
        activities=[RegularMail(write, lambda: woken.append(True)).write_regular_mail],
        graceful_shutdown_timeout=dt.timedelta(seconds=1),
    ):
        handle = await client.start_workflow(RegularMailWorkflow.run, id=queue, task_queue=queue)
        skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
        for number, now in enumerate((SEVEN, SEVEN + EVERY), 1):
            await eventually(lambda so_far=number: len(written) == so_far)  # type: ignore[misc]
            clock[0] = now
            await skipper.fast_forward(handle, EVERY)
        await eventually(lambda: len(written) == 3)
        status = (await handle.describe()).status
        await handle.terminate()
    assert written == [0, 1, 0] and woken == [True]
    assert status is WorkflowExecutionStatus.RUNNING


async def test_one_clock_is_started_however_many_workers_start_it(temporal_address: str) -> None:
    client = await Client.connect(temporal_address)
    await start_regular_mail(client)
    first = await client.get_workflow_handle("regular-mail").describe()
    await start_regular_mail(client)
    second = await client.get_workflow_handle("regular-mail").describe()
    assert (first.run_id, second.status) == (second.run_id, WorkflowExecutionStatus.RUNNING)
    await client.get_workflow_handle("regular-mail").terminate()


async def test_digests_written_at_the_same_moment_are_one(database: Database, tmp_path: Path) -> None:
    in_quality(database, tmp_path, "mc-one")
    daily = Preferences(digest=Digest.DAILY)
    results = await asyncio.gather(
        *(asyncio.to_thread(put_digests, database, daily, SEVEN + 6 * HOUR) for _ in range(4))
    )
    assert sum(results) == 3 == len(rows(database))
