"""The headers of a mail: exactly ours, whatever anyone calls a proposal or themselves."""

import dataclasses
import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given

from imprimatur.mail.context import MailContext
from imprimatur.mail.message import Sender, Undeliverable, message_id
from imprimatur.mail.rendering import render
from models.vocabulary import MailKind
from tests.mails import (
    HEADERS,
    HOSTILE,
    LINKS,
    SENDER,
    Mails,
    can_be_answered,
    changed,
    every_mail,
    one,
    quickly,
    read,
    rendered,
)


@pytest.fixture(scope="module")
def found(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Mails:
    return every_mail(migrated_file, tmp_path_factory.mktemp("mails"))


def one_line(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


def test_only_task_mails_can_be_answered_and_what_asks_an_answer_back(found: Mails) -> None:
    for context in found:
        reply_to = rendered(context).message["Reply-To"]
        if can_be_answered(context) or context.mail.kind is MailKind.REPLY_NOT_RECORDED:
            assert context.mail.task_id is not None
            secret = LINKS.reply_secret(context.mail.task_id, context.mail.recipient)
            assert reply_to == f"review+{secret}@mail.example.edu"
        else:
            assert reply_to is None


def test_a_message_is_known_by_its_row_of_the_outbox(found: Mails) -> None:
    identifiers = {context.mail.mail_id: rendered(context).header("Message-ID") for context in found}
    assert len(set(identifiers.values())) == len(identifiers)
    for mail_id, identifier in identifiers.items():
        assert identifier == message_id(mail_id, "mail.example.edu") == f"<{mail_id}@mail.example.edu>"
    assert rendered(found[0]).header("Message-ID") == identifiers[found[0].mail.mail_id], "also when rendered again"


def test_mails_of_a_case_form_one_thread(found: Mails) -> None:
    threads = {rendered(context).header("References") for context in found if context.case["case_id"] == "mc-late"}
    assert threads == {"<case.mc-late@mail.example.edu>"}


@quickly
@given(title=HOSTILE, name=HOSTILE, comment=HOSTILE)
def test_no_text_of_anyone_reaches_a_header_of_its_own(found: Mails, title: str, name: str, comment: str) -> None:
    context = one(found, MailKind.REVISION)
    decisions = tuple(decision | {"comment": comment} for decision in context.decisions)
    hostile = changed(context, title=title, name=name, decisions=decisions)
    content = render(hostile, LINKS, SENDER).content
    mail = read(content)
    assert sorted(mail.message.keys()) == sorted(HEADERS)
    shown = title if title else "Untitled proposal"
    assert mail.header("Subject") == one_line(f"Changes requested: {shown}")
    assert mail.addressee == (one_line(name), context.mail.recipient)
    head = content.partition(b"\n\n")[0]
    assert head.isascii() and all(len(line) < 900 for line in head.splitlines())


TITLES = ["研究" * 120, "Prüfung " * 40, "🎓" * 100, "=?utf-8?q?Approved?=", "a" * 490, "Größe & “Zitat”: 100 %", "ß"]


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_a_title_comes_back_from_the_subject_as_it_was(found: Mails, title: str) -> None:
    content = render(changed(one(found, MailKind.OUTCOME), title=title.strip()), LINKS, SENDER).content
    assert read(content).header("Subject") == f"Published: {title.strip()}"
    for word in re.findall(rb"=\?\S+\?=", content.partition(b"\n\n")[0]):
        assert len(word) <= 75, "RFC 2047, 2"


NAMES = ["Jörg Müller", 'Doe, Jane ("JD")', "研" * 200, "=?utf-8?q?x?=", "O'Neill; <x@y>", ""]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_comes_back_from_the_address_as_it_was(found: Mails, name: str) -> None:
    context = changed(one(found, MailKind.TASK), name=name)
    assert rendered(context).addressee == (name, context.mail.recipient)


def address(context: MailContext, email: str) -> MailContext:
    return changed(context, mail=dataclasses.replace(context.mail, recipient=email))


def test_a_domain_in_another_script_is_written_in_ascii(found: Mails) -> None:
    message = render(address(one(found, MailKind.TASK), "info@bücher.example"), LINKS, SENDER)
    assert message.recipient == "info@xn--bcher-kva.example"
    assert read(message.content).message["To"].addresses[0].addr_spec == message.recipient


@pytest.mark.parametrize("email", ["jörg@example.edu", "用户@example.edu", "\ud800@example.edu", "ö"])
def test_an_address_that_relays_do_not_take_is_undeliverable(found: Mails, email: str) -> None:
    with pytest.raises(Undeliverable, match=re.escape(email)):
        render(address(one(found, MailKind.TASK), email), LINKS, SENDER)


def test_a_sender_without_a_name_is_an_address_alone(found: Mails) -> None:
    content = render(found[0], LINKS, Sender("imprimatur@localhost", "localhost")).content
    assert read(content).header("From") == "imprimatur@localhost"


def test_the_date_is_the_moment_of_sending(found: Mails) -> None:
    at = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
    assert read(render(found[0], LINKS, SENDER, at).content).header("Date") == "Mon, 02 Mar 2026 09:00:00 +0000"
