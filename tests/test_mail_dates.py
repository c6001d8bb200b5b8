"""Dates for calendars, read again by a library and by eye: folding, escaping, zones, changes, withdrawals."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from imprimatur.mail.calendar import DUE_LASTS, Entry, written
from imprimatur.mail.context import MailContext
from imprimatur.store.engine import Database
from models.events import Extended, Held, Resumed
from models.vocabulary import MailKind
from tests.facts import Play, example, furnish
from tests.mails import HOSTILE, contexts, rendered

AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200)


def entry(**facts: Any) -> Entry:
    return replace(Entry("t-1@mail.example.edu", 3, AT, AT + DUE_LASTS, "Due"), **facts)


def event_in(content: bytes) -> tuple[Any, Any]:
    calendar: Any = Calendar.from_ical(content)
    [event] = calendar.walk("VEVENT")
    return calendar, event


@settings(max_examples=50, deadline=None)
@given(summary=TEXTS, description=TEXTS)
def test_texts_come_back_as_they_were_and_lines_are_folded(summary: str, description: str) -> None:
    content = written(entry(summary=summary, description=f"{description}\n; , \\"), AT, "office@example.edu")
    _, event = event_in(content)
    assert str(event["SUMMARY"]) == summary
    assert str(event["DESCRIPTION"]) == f"{description}\n; , \\"
    lines = content.split(b"\r\n")
    assert lines[-1] == b"" and all(len(line) <= 75 and b"\n" not in line for line in lines), "RFC 5545, 3.1"


@settings(max_examples=50, deadline=None)
@given(text=HOSTILE)
def test_no_text_of_anyone_becomes_a_line_of_its_own(text: str) -> None:
    hostile = f"{text}\r\nEND:VEVENT\r\nMETHOD:CANCEL\x85\u2028ATTENDEE:mailto:x@evil.example"
    content = written(entry(summary=hostile, description=hostile), AT, "office@example.edu")
    calendar, event = event_in(content)
    assert str(calendar["METHOD"]) == "PUBLISH" and "ATTENDEE" not in event
    names = [line.partition(b":")[0] for line in content.replace(b"\r\n ", b"").splitlines()]
    assert {name for name, times in Counter(names).items() if times > 1} == {b"BEGIN", b"END"}


def test_a_due_time_is_an_instant_and_leaves_its_reader_free() -> None:
    content = written(entry(), AT, "office@example.edu")
    calendar, event = event_in(content)
    assert str(calendar["METHOD"]) == "PUBLISH" and calendar.walk("VTIMEZONE") == []
    assert b"DTSTART:20260302T090000Z" in content and b"DTEND:20260302T093000Z" in content
    assert (str(event["TRANSP"]), str(event["STATUS"]), event["SEQUENCE"]) == ("TRANSPARENT", "CONFIRMED", 3)
    assert str(event["ORGANIZER"]) == "mailto:office@example.edu"
    assert "ATTENDEE" not in event, "nobody is asked to accept"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("month", [1, 3, 7, 10, 11])
def test_a_sitting_has_the_time_of_its_place(zone: str, month: int) -> None:
    begins = dt.datetime(2026, month, 8, 1, 0, tzinfo=dt.UTC)
    content = written(entry(begins=begins, ends=begins + DUE_LASTS, zone=ZoneInfo(zone)), AT, "office@example.edu")
    calendar, event = event_in(content)
    start = event["DTSTART"].dt
    assert start.astimezone(dt.UTC) == begins
    if zone != "UTC":
        [told] = calendar.walk("VTIMEZONE")
        assert str(told["TZID"]) == zone == event["DTSTART"].params["TZID"]
        # Read by the rules of the file alone, as a program does that does not know the zone.
        own = told.to_tz(lookup_tzid=False)
        local = begins.astimezone(ZoneInfo(zone))
        assert local.replace(tzinfo=own).utcoffset() == local.utcoffset()


# --- in mails ---------------------------------------------------------------------------------------------------


def dates(context: MailContext) -> tuple[Any, Any]:
    parts = [part for part in rendered(context).message.walk() if part.get_content_type() == "text/calendar"]
    [part] = parts
    assert part.get_content_disposition() == "attachment"
    assert str(part.get_filename()).endswith(".ics")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    calendar, event = event_in(content)
    assert part.get_param("method") == str(calendar["METHOD"])
    return calendar, event


def mails_of(database: Database, kind: MailKind) -> list[MailContext]:
    return [context for context in contexts(database) if context.mail.kind is kind]


@pytest.fixture
def play(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    return play


def test_a_task_mail_carries_its_due_time_and_no_personal_link(play: Play) -> None:
    [context] = mails_of(play.database, MailKind.TASK)
    assert context.task is not None and context.stage is not None
    calendar, event = dates(context)
    assert str(calendar["METHOD"]) == "PUBLISH"
    assert str(event["UID"]) == f"{context.task['task_id']}@mail.example.edu"
    assert event["DTEND"].dt == context.task["due_at"].replace(microsecond=0)
    assert str(event["SUMMARY"]) == f"Due: {context.proposal.display_title} ({context.stage.name})"
    assert "/t/" not in calendar.to_ical().decode().replace("\r\n ", "")


def test_a_change_replaces_the_date_and_its_end_withdraws_it(play: Play) -> None:
    seen: list[tuple[str, str, int]] = []

    def note(kind: MailKind, **data: object) -> None:
        [context] = [c for c in mails_of(play.database, kind) if data.items() <= c.mail.data.items()]
        calendar, event = dates(context)
        seen.append((str(calendar["METHOD"]), str(event["UID"]), event["SEQUENCE"]))

    note(MailKind.TASK)
    play.office(Held)
    note(MailKind.CHANGED, what="held")
    play.office(Resumed)
    note(MailKind.CHANGED, what="resumed")
    play.office(Extended, stage="proposal", by={"business_days": 2})
    note(MailKind.CHANGED, what="extended")
    play.withdraw("no longer needed")
    note(MailKind.TASK_CLOSED)
    assert [method for method, _, _ in seen] == ["PUBLISH", "CANCEL", "PUBLISH", "PUBLISH", "CANCEL"]
    assert len({uid for _, uid, _ in seen}) == 1
    numbers = [number for _, _, number in seen]
    assert numbers == sorted(set(numbers)), "each outranks the one before"


def test_what_nothing_waits_for_has_no_date(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    for context in contexts(sqlite_database):
        carries = "text/calendar" in [part.get_content_type() for part in rendered(context).message.walk()]
        dated = context.mail.kind in (MailKind.TASK, MailKind.TASK_CLOSED, MailKind.RECEIPT)
        assert carries is (dated and context.task is not None), context.mail.kind
