"""Turns what is in the outbox into messages: plain text that is complete by itself, and HTML."""

import datetime as dt
from typing import Any

from imprimatur.mail.combining import COMBINED, Combined, Letter
from imprimatur.mail.composing import values
from imprimatur.mail.context import MailContext
from imprimatur.mail.dates import entries
from imprimatur.mail.languages import Language
from imprimatur.mail.links import Links
from imprimatur.mail.message import Message, Sender, Written, ascii_address, compose, one_line, tidy
from imprimatur.mail.replying import reply_address
from imprimatur.mail.sections import asks_back, combined_values
from models.vocabulary import MailKind

# What answers a reply, and stands in its thread.
REPLIES = frozenset({MailKind.REPLY_RECORDED, MailKind.REPLY_NOT_RECORDED})


def render(letter: Letter, links: Links, sender: Sender, now: dt.datetime | None = None) -> Message:
    """The message of one row of the outbox, or of several. Raises Undeliverable."""
    # Before anything is signed for an address that cannot even be written.
    ascii_address(letter.mail.recipient)
    return compose(written(letter, links, sender), links, sender, now)


def written(letter: Letter, links: Links, sender: Sender) -> Written:
    found = values_of(letter, links, sender)
    texts = _texts(letter, found, sender)
    if isinstance(letter, Combined):
        return _combined(letter, texts, links, sender, replies=found["replies"])
    language, mail = _language(letter, sender), letter.mail
    whose = mail.mail_id, mail.mail_id, letter.name, mail.recipient
    if not isinstance(letter, MailContext):
        dates = letter.entries(sender.reply_domain)
        return Written(*whose, *texts, thread=letter.thread, entries=dates)
    return Written(
        *whose,
        *texts,
        thread=f"case.{mail.case_id}",
        answered=mail.data.get("in_reply_to"),
        case_id=mail.case_id,
        answers=mail.kind in REPLIES,
        reply_to=reply_address(letter, links, sender.reply_domain),
        entries=entries(letter, sender.reply_domain, texts[0], language),
    )


def _combined(letter: Combined, texts: tuple[str, str, str], links: Links, sender: Sender, *, replies: bool) -> Written:
    """Each mail whole, with its own link and its own reply address: a reply to the message can answer only one task."""
    first, cases = letter.mail, {context.mail.case_id for context in letter.contexts}
    # Of several cases no thread is the right one.
    case_id = first.case_id if len(cases) == 1 else ""
    domain, language = sender.reply_domain, _language(letter, sender)
    return Written(
        first.mail_id,
        letter.carrier,
        letter.name,
        first.recipient,
        *texts,
        thread=f"case.{case_id}" if case_id else "",
        case_id=case_id,
        reply_to=asks_back(letter, links, domain) if replies else None,
        entries=tuple(entry for context in letter.contexts for entry in entries(context, domain, texts[0], language)),
    )


def text_of(letter: Letter, links: Links, sender: Sender) -> tuple[str, str, str]:
    """Subject, plain text and HTML of a mail."""
    return _texts(letter, values_of(letter, links, sender), sender)


def _texts(letter: Letter, found: dict[str, Any], sender: Sender) -> tuple[str, str, str]:
    kind = COMBINED if isinstance(letter, Combined) else letter.mail.kind
    templates = sender.house.templates(kind, _language(letter, sender))
    subject, text, html = (template.render(found) for template in templates)
    return one_line(subject), tidy(text), html


def values_of(letter: Letter, links: Links, sender: Sender) -> dict[str, Any]:
    """What the templates of a mail are given."""
    language = _language(letter, sender)
    if isinstance(letter, Combined):
        return combined_values(letter, links, sender, language)
    return values(letter, links, language, takes_replies=sender.takes_replies)


def _language(letter: Letter, sender: Sender) -> Language:
    return sender.house.language(letter.language)
