"""Composes messages: headers, addresses, and the parts that mail programs choose from."""

import datetime as dt
import re
from dataclasses import dataclass, field
from email.charset import QP, Charset
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import Compat32
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache
from typing import Any, cast

from email_validator import EmailNotValidError, validate_email

from imprimatur.mail.branding import Picture
from imprimatur.mail.calendar import Entry
from imprimatur.mail.calendar import written as ics
from imprimatur.mail.environment import House, shipped_house
from imprimatur.mail.links import Links

LONGEST_LINE = 900  # RFC 5322 allows 998
# Lines of a header with encoded words have at most 76 characters: RFC 2047, 2.
LONGEST_HEADER_LINE = 76


class _Wire(Compat32):
    """A header that fits on its line is not taken apart to find that out: half of what composing a mail costs."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        line = f"{name}: {value}"
        if isinstance(value, str) and len(line) <= LONGEST_HEADER_LINE and line.isascii() and "\n" not in line:
            return f"{line}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


WIRE = _Wire(max_line_length=LONGEST_HEADER_LINE)


class Undeliverable(Exception):
    """No mail can be written to this recipient; trying again would not help."""


@dataclass(frozen=True)
class Message:
    """Ready to be handed to a relay; ``recipient`` and ``content`` are as the wire wants them.

    ``envelope_sender`` is where relays report what became of it.
    """

    identifier: str
    recipient: str
    content: bytes
    envelope_sender: str


@dataclass(frozen=True)
class Sender:
    """``mail_from`` may carry a display name; ``reply_domain`` is the domain of reply addresses and Message-IDs.

    ``takes_replies``: task mails say how to answer by reply, and each mail has an address of its own for bounces.
    ``house``: in which words and looks.
    """

    mail_from: str
    reply_domain: str
    takes_replies: bool = False
    house: House = field(default_factory=shipped_house, compare=False)


@dataclass(frozen=True)
class Written:
    """What a message says. ``thread`` is the name of its thread, ``answered`` the Message-ID of what it answers.

    ``mail_id`` is the row of the outbox that reports on its delivery come to; ``identified`` names the message itself.
    """

    mail_id: str
    identified: str
    name: str
    address: str
    subject: str
    text: str
    html: str
    thread: str = ""
    answered: str | None = None
    case_id: str = ""
    answers: bool = False
    reply_to: str | None = None
    entries: tuple[Entry, ...] = ()


def message_id(mail_id: str, reply_domain: str) -> str:
    """Derived from the outbox row, so that a mail sent twice after a crash is recognisable as one."""
    return f"<{mail_id}@{reply_domain}>"


def compose(written: Written, links: Links, sender: Sender, now: dt.datetime | None = None) -> Message:
    """Line breaks in any value cannot reach a header. Raises Undeliverable.

    Composed with the older of the library's two interfaces: the newer one parses what it has just been given, which
    costs more than everything else about a mail.
    """
    recipient, identifier = ascii_address(written.address), message_id(written.identified, sender.reply_domain)
    now = now or dt.datetime.now(dt.UTC)
    # A boundary of one's own need not be searched for in the parts: none of them holds the mail's number.
    body = MIMEMultipart("alternative", boundary=f"part-{written.identified}", policy=WIRE)
    body.attach(_part(written.text, "plain"))
    body.attach(_formatted(written.html, written.identified, sender.house.logo))
    message = body
    if written.entries:
        message = MIMEMultipart("mixed", boundary=f"whole-{written.identified}", policy=WIRE)
        message.attach(body)
        for number, entry in enumerate(written.entries, 1):
            message.attach(_calendar_part(entry, now, sender, f"date-{number}.ics"))
    message["From"] = _from(sender)
    message["To"] = _address(written.name, recipient)
    message["Subject"] = _header(written.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = identifier
    if written.thread:
        # The first message of a thread need not exist for mail clients to hold the others together.
        thread, answered = f"<{written.thread}@{sender.reply_domain}>", written.answered
        message["References"] = f"{thread} {answered}" if answered else thread
        message["In-Reply-To"] = answered or thread
    message["Auto-Submitted"] = "auto-replied" if written.answers else "auto-generated"
    if written.case_id:
        message["X-Imprimatur-Case"] = written.case_id
    if written.reply_to:
        message["Reply-To"] = written.reply_to
    return Message(identifier, recipient, message.as_bytes(), reports_to(written.mail_id, links, sender))


def _formatted(html: str, mail_id: str, logo: Picture | None) -> MIMEBase:
    """The logo goes with the mail, so that showing it asks nobody for it."""
    part = _part(html, "html")
    if logo is None:
        return part
    # The subtype is a parameter as well: RFC 2387, 3.1.
    related = MIMEMultipart("related", boundary=f"html-{mail_id}", policy=WIRE, type="text/html")
    related.attach(part)
    related.attach(_picture(logo))
    return related


@cache
def _picture(logo: Picture) -> MIMEImage:
    part = MIMEImage(logo.content, logo.subtype, policy=WIRE)
    part["Content-ID"] = f"<{logo.content_id}>"
    part["Content-Disposition"] = "inline"
    return part


def _calendar_part(entry: Entry, now: dt.datetime, sender: Sender, name: str) -> MIMENonMultipart:
    text = ics(entry, now, parseaddr(sender.mail_from)[1]).decode().replace("\r\n", "\n")
    charset = "us-ascii" if text.isascii() else "utf-8"
    part = MIMENonMultipart("text", "calendar", charset=charset, method=entry.method, name=name)
    part.add_header("Content-Disposition", "attachment", filename=name)
    if text.isascii():
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload(text)
    else:
        part.set_payload(text, _quoted_utf8())
    return part


def _part(text: str, subtype: str) -> MIMEText:
    """As it is where plain ASCII lines allow it, else quoted-printable, which people can still read."""
    simple = text.isascii() and all(len(line) < LONGEST_LINE for line in text.splitlines())
    if simple:
        return MIMEText(text, subtype, "us-ascii")
    # The library takes a Charset as well as a name; its annotations do not say so.
    return MIMEText(text, subtype, cast(str, _quoted_utf8()))


@cache
def _quoted_utf8() -> Charset:
    charset = Charset("utf-8")
    charset.body_encoding = QP
    return charset


def reports_to(mail_id: str, links: Links, sender: Sender) -> str:
    """An address of the mail's own where anything that is sent to it comes in; else the sender's."""
    if sender.takes_replies:
        return f"bounce+{links.bounce_secret(mail_id)}@{sender.reply_domain}"
    return parseaddr(sender.mail_from)[1]


@cache
def _from(sender: Sender) -> str:
    return _address(*parseaddr(sender.mail_from))


def ascii_address(email: str) -> str:
    """Domains in other scripts have a spelling in ASCII; the part before the @ has none."""
    if email.isascii():
        return one_line(email)
    try:
        found = validate_email(email, check_deliverability=False, test_environment=True).ascii_email
    except EmailNotValidError as error:
        raise Undeliverable(f"{email} is no mail address: {error}") from error
    if found is None:
        raise Undeliverable(f"{email} has letters before the @ that mail relays do not take")
    return found


def _address(name: str, email: str) -> str:
    name = one_line(name)
    if _is_plain(name):
        return formataddr((name, email))
    header = Header(name, "utf-8", header_name="Reply-To")
    header.append(f"<{email}>", "us-ascii")
    return cast(str, header)


def _header(text: str) -> str:
    line = one_line(text)
    # The library takes a Header as well as a text; its annotations do not say so.
    return line if _is_plain(line) else cast(str, Header(line, "utf-8", header_name="Subject"))


def _is_plain(line: str) -> bool:
    """What looks like an encoded word would be decoded by its reader."""
    return line.isascii() and "=?" not in line


def one_line(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


def tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
