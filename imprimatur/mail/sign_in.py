"""The mail with a link that signs in: about a person, and no case."""

import datetime as dt
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from email_validator import EmailNotValidError, validate_email

from imprimatur.mail.links import Links
from imprimatur.mail.rendering import Message, Sender, Undeliverable, message_id, reports_to
from imprimatur.store.outbox import Mail


def expires_at(mail: Mail) -> dt.datetime:
    return dt.datetime.fromisoformat(mail.data["expires_at"])


def is_too_late(mail: Mail, now: dt.datetime) -> bool:
    return expires_at(mail) <= now


def sign_in_message(mail: Mail, links: Links, sender: Sender, now: dt.datetime) -> Message:
    """The link is signed here: what is kept in the outbox signs nobody in. Raises Undeliverable."""
    recipient, identifier = _ascii(mail.recipient), message_id(mail.mail_id, sender.reply_domain)
    values = {
        "name": mail.recipient_name,
        "link": links.sign_in_url(mail.data["link_id"]),
        "minutes": max(1, round((expires_at(mail) - mail.created_at).total_seconds() / 60)),
        "base_url": links.base_url,
    }
    house = sender.house
    subject, text, html = (template.render(values) for template in house.templates(mail.kind, house.language("")))
    message = EmailMessage(policy=SMTP)
    message["From"] = sender.mail_from
    message["To"] = _addressed(mail.recipient_name, recipient)
    message["Subject"] = subject.strip()
    message["Date"] = format_datetime(now)
    message["Message-ID"] = identifier
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.strip() + "\n")
    message.add_alternative(html, subtype="html")
    return Message(identifier, recipient, message.as_bytes(), reports_to(mail.mail_id, links, sender))


def _ascii(email: str) -> str:
    try:
        found = validate_email(email, check_deliverability=False, test_environment=True).ascii_email
    except EmailNotValidError as error:
        raise Undeliverable(f"{email} is no mail address: {error}") from error
    if found is None:
        raise Undeliverable(f"{email} has letters before the @ that mail relays do not take")
    return found


def _addressed(name: str, email: str) -> Address:
    try:
        return Address(" ".join(name.split()), addr_spec=email)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise Undeliverable(f"{email} cannot stand in a mail's header: {error}") from error
