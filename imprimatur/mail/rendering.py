"""Turns an outbox row into a message: plain text that is complete by itself, and HTML."""

import datetime as dt
import re
from dataclasses import dataclass
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from imprimatur.mail.context import MailContext
from imprimatur.mail.links import Links
from imprimatur.rules.wording import closed_because
from models.vocabulary import AssignmentReason, MailKind

LONGEST_LINE = 900  # RFC 5322 allows 998
TEMPLATES = Path(__file__).with_name("templates")
# Task mails are the only ones that can be answered.
ANSWERABLE = frozenset({MailKind.TASK, MailKind.REMINDER, MailKind.ESCALATION})
WHY = {
    AssignmentReason.ROLE: "you hold the role {role}",
    AssignmentReason.UNIT: "you belong to the unit concerned",
    AssignmentReason.PARTNER: "the proposal names you as its industry partner's contact",
    AssignmentReason.ADDRESS: "the framework names your address for this stage",
    AssignmentReason.ESCALATION: "this stage was escalated to the role {role}, which you hold",
    AssignmentReason.DEPUTY: "you hold the role {role}, which takes the place of a reviewer here",
    AssignmentReason.REASSIGNMENT: "the governance office asks you in someone else's place",
    AssignmentReason.DELEGATION: "whoever was asked first has passed it on to you",
    AssignmentReason.CONFIRMATION: "you approved the version before, and are asked to confirm it for this one",
    AssignmentReason.REPETITION: "your earlier answer was annulled, so you are asked once more",
}


@dataclass(frozen=True)
class Sender:
    """``mail_from`` may carry a display name; ``reply_domain`` is the domain of reply addresses and Message-IDs."""

    mail_from: str
    reply_domain: str


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def _templates(kind: MailKind) -> tuple[Template, Template, Template]:
    environment = _environment()
    subject, text, html = (
        environment.get_template(f"{kind}/{name}") for name in ("subject.txt", "body.txt", "body.html")
    )
    return subject, text, html


def message_id(mail_id: str, reply_domain: str) -> str:
    """Derived from the outbox row, so that a mail sent twice after a crash is recognisable as one."""
    return f"<{mail_id}@{reply_domain}>"


def render(context: MailContext, links: Links, sender: Sender, now: dt.datetime | None = None) -> Message:
    """The message of one outbox row. Line breaks in any value cannot reach a header.

    Composed with the older of the library's two interfaces: the newer one parses what it has just been given, which
    costs more than everything else about a mail.
    """
    mail = context.mail
    values = _values(context, links)
    subject, text, html = (template.render(values) for template in _templates(mail.kind))
    message = MIMEMultipart("alternative", policy=compat32)
    message["From"] = _address(*parseaddr(sender.mail_from))
    message["To"] = _address(context.name, mail.recipient)
    message["Subject"] = _header(subject)
    message["Date"] = format_datetime(now or dt.datetime.now(dt.UTC))
    message["Message-ID"] = message_id(mail.mail_id, sender.reply_domain)
    # The thread of a case: its first message need not exist for mail clients to hold the others together.
    message["References"] = message["In-Reply-To"] = f"<case.{mail.case_id}@{sender.reply_domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Imprimatur-Case"] = mail.case_id
    if mail.kind in ANSWERABLE and mail.task_id:
        secret = links.reply_secret(mail.task_id, mail.recipient)
        message["Reply-To"] = f"review+{secret}@{sender.reply_domain}"
    message.attach(_part(_tidy(text), "plain"))
    message.attach(_part(html, "html"))
    return message


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


def envelope_sender(sender: Sender) -> str:
    return parseaddr(sender.mail_from)[1]


def _address(name: str, email: str) -> str:
    return formataddr((_one_line(name), email), "utf-8")


def _header(text: str) -> str:
    line = _one_line(text)
    return line if line.isascii() else Header(line, "utf-8").encode()


def _one_line(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip()


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _values(context: MailContext, links: Links) -> dict[str, Any]:
    task, stage, case = context.task, context.stage, context.case
    return {
        "name": context.name,
        "case": case,
        "proposal": context.proposal,
        "framework": context.framework,
        "task": task,
        "stage": stage,
        "data": context.mail.data,
        "decisions": context.decisions,
        "conditions": context.conditions,
        "baseline": context.baseline,
        "due": context.local(task["due_at"]) if task and task["due_at"] else None,
        "why": _why(task) if task else None,
        "closed_because": closed_because(task["closure"]) if task and task["closure"] else None,
        "link": links.task_url(task["task_id"], task["assignee"]) if task else None,
        "base_url": links.base_url,
        "local": context.local,
        "instant": dt.datetime.fromisoformat,
    }


def _why(task: dict[str, Any]) -> str:
    role = (task["role"] or "").replace("_", " ")
    return WHY[AssignmentReason(task["reason"])].format(role=role)
