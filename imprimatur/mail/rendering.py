"""Turns an outbox row into a message: plain text that is complete by itself, and HTML."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.charset import QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import Compat32
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache
from pathlib import Path
from typing import Any, cast

from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from imprimatur.mail.calendar import Entry, due_entry
from imprimatur.mail.calendar import written as ics
from imprimatur.mail.context import MailContext
from imprimatur.mail.links import Links
from imprimatur.mail.regular import RegularContext
from imprimatur.mail.replies.grammar import WORDS
from imprimatur.rules.voting import IN_FAVOUR
from imprimatur.rules.wording import VERDICT_LABELS, asked_for, closed_because
from models.vocabulary import AssignmentReason, MailKind, Statement, TaskStatus, Verdict

LONGEST_SUBJECT = 300
LONGEST_LINE = 900  # RFC 5322 allows 998
# Lines of a header with encoded words have at most 76 characters: RFC 2047, 2.
LONGEST_HEADER_LINE = 76
TEMPLATES = Path(__file__).with_name("templates")
# A reply to a mail that held several messages: which of them it was about is for its sender to say.
TO_SEVERAL = "reply_to_several"
# What answers a reply, and stands in its thread.
REPLIES = frozenset({MailKind.REPLY_RECORDED, MailKind.REPLY_NOT_RECORDED})
# Task mails are the only ones that can be answered, and what says that an answer was not understood.
ANSWERABLE = frozenset({MailKind.TASK, MailKind.DELEGATION, MailKind.REMINDER, MailKind.ESCALATION, MailKind.CHANGED})
# What comes with a date for the calendar, or takes one back.
CANCELLED = frozenset({MailKind.TASK_CLOSED, MailKind.PASSED_ON, MailKind.RECEIPT, MailKind.REPLY_RECORDED})
DATED = frozenset({MailKind.TASK, MailKind.DELEGATION, MailKind.ESCALATION, MailKind.CHANGED}) | CANCELLED
WHY = {
    AssignmentReason.ROLE: "you hold the role {role}",
    AssignmentReason.UNIT: "you belong to the unit concerned",
    AssignmentReason.PARTNER: "the proposal names you as its industry partner's contact",
    AssignmentReason.ADDRESS: "the framework names your address for this stage",
    AssignmentReason.ESCALATION: "you answer for the role {role}, to which this stage was escalated",
    AssignmentReason.DEPUTY: "you hold the role {role}, which takes the place of a reviewer here",
    AssignmentReason.REASSIGNMENT: "the governance office asks you in someone else's place",
    AssignmentReason.DELEGATION: "whoever was asked first has passed it on to you",
    AssignmentReason.REPETITION: "your earlier answer was annulled, so you are asked once more",
    AssignmentReason.SUCCESSION: "you take the place of someone who is no longer there",
    AssignmentReason.CONFIRMATION: "you approved the version before, and are asked to confirm it for this one",
}
# In somebody's place: both names are told.
WHY_INSTEAD = {
    AssignmentReason.REASSIGNMENT: "the governance office asks you in the place of {principal}",
    AssignmentReason.DELEGATION: "{principal} has passed it on to you",
    AssignmentReason.SUCCESSION: "you take the place of {principal}",
}
STANDS_IN = "you stand in for {principal}"
SAID = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.REQUEST_CHANGES: "asks for changes",
    Verdict.ABSTAIN: "abstained",
    Verdict.RECUSE: "stood aside",
    Verdict.ENDORSE: "endorsed",
    Verdict.ACKNOWLEDGE: "acknowledged",
    Verdict.OBJECT: "objected",
}


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
    """Ready to be handed to a relay; ``recipient`` and ``content`` are as the wire wants them."""

    identifier: str
    recipient: str
    content: bytes


@dataclass(frozen=True)
class Comment:
    """What one reviewer wrote, without a name."""

    stage: str
    said: str
    text: str


@dataclass(frozen=True)
class Sender:
    """``mail_from`` may carry a display name; ``reply_domain`` is the domain of reply addresses and Message-IDs.

    ``takes_replies``: task mails say how to answer by reply.
    """

    mail_from: str
    reply_domain: str
    takes_replies: bool = False


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
def templates(kind: str) -> tuple[Template, Template, Template]:
    environment = _environment()
    subject, text, html = (
        environment.get_template(f"{kind}/{name}") for name in ("subject.txt", "body.txt", "body.html")
    )
    return subject, text, html


def message_id(mail_id: str, reply_domain: str) -> str:
    """Derived from the outbox row, so that a mail sent twice after a crash is recognisable as one."""
    return f"<{mail_id}@{reply_domain}>"


@dataclass(frozen=True)
class Written:
    """What a message says. ``thread`` names the one that it belongs to, ``answered`` the message that it answers."""

    subject: str
    text: str
    html: str
    thread: str = ""
    answered: str | None = None
    case_id: str = ""
    answers: bool = False
    reply_to: str | None = None
    entries: tuple[Entry, ...] = ()


def render(
    context: MailContext | RegularContext, links: Links, sender: Sender, now: dt.datetime | None = None
) -> Message:
    """The message of one outbox row. Line breaks in any value cannot reach a header. Raises Undeliverable.

    Composed with the older of the library's two interfaces: the newer one parses what it has just been given, which
    costs more than everything else about a mail.
    """
    mail = context.mail
    _ascii_address(mail.recipient)
    if isinstance(context, RegularContext):
        return compose(regular(context, links, sender), mail.mail_id, context.name, mail.recipient, sender, now)
    values = values_of(context, links) | {
        "by_reply": words(context) if sender.takes_replies and _is_answerable(context) else ()
    }
    subject, text, html = (template.render(values) for template in templates(mail.kind))
    written = Written(
        subject,
        text,
        html,
        thread=f"case.{mail.case_id}",
        answered=mail.data.get("in_reply_to"),
        case_id=mail.case_id,
        answers=mail.kind in REPLIES,
        reply_to=reply_address(context, links, sender),
        entries=entries(context, sender, subject),
    )
    return compose(written, mail.mail_id, context.name, mail.recipient, sender, now)


def compose(
    written: Written, mail_id: str, name: str, address: str, sender: Sender, now: dt.datetime | None = None
) -> Message:
    """Raises Undeliverable."""
    recipient, identifier = _ascii_address(address), message_id(mail_id, sender.reply_domain)
    now = now or dt.datetime.now(dt.UTC)
    # A boundary of one's own need not be searched for in the parts: none of them holds the mail's number.
    body = MIMEMultipart("alternative", boundary=f"part-{mail_id}", policy=WIRE)
    message = MIMEMultipart("mixed", boundary=f"whole-{mail_id}", policy=WIRE) if written.entries else body
    message["From"] = _from(sender)
    message["To"] = _address(name, recipient)
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
    body.attach(_part(_tidy(written.text), "plain"))
    body.attach(_part(written.html, "html"))
    if written.entries:
        message.attach(body)
        for number, entry in enumerate(written.entries, 1):
            message.attach(_calendar_part(entry, now, sender, f"date-{number}.ics"))
    return Message(identifier, recipient, message.as_bytes())


def _calendar_part(entry: Entry, now: dt.datetime, sender: Sender, name: str) -> MIMENonMultipart:
    text = ics(entry, now, envelope_sender(sender)).decode().replace("\r\n", "\n")
    charset = "us-ascii" if text.isascii() else "utf-8"
    part = MIMENonMultipart("text", "calendar", charset=charset, method=entry.method, name=name)
    part.add_header("Content-Disposition", "attachment", filename=name)
    if text.isascii():
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload(text)
    else:
        part.set_payload(text, _quoted_utf8())
    return part


def reply_address(context: MailContext, links: Links, sender: Sender) -> str | None:
    mail = context.mail
    if not mail.task_id or not _is_answerable(context):
        return None
    return f"review+{links.reply_secret(mail.task_id, mail.recipient)}@{sender.reply_domain}"


def entries(context: MailContext, sender: Sender, subject: str) -> tuple[Entry, ...]:
    """When the task is due, for the recipient's calendar; or that it is not any more."""
    task, kind = context.task, context.mail.kind
    if task is None or kind not in DATED or context.stage is None:
        return ()
    was = context.mail.data.get("was")
    due_at = task["due_at"] or (dt.datetime.fromisoformat(was) if was else None)
    if due_at is None or asked_for(context.stage, task["reason"]) == "acknowledgement":
        return ()
    cancelled = kind in CANCELLED or task["due_at"] is None
    summary = f"Due: {context.proposal.display_title} ({context.stage.name})"
    about = (
        ""
        if cancelled
        else f"Case {context.case['case_id']}. The link is in the mail \u201c{_one_line(subject)}\u201d."
    )
    number = context.case["seq"]
    return (due_entry(task["task_id"], sender.reply_domain, number, due_at, summary, about, cancelled=cancelled),)


def _is_answerable(context: MailContext) -> bool:
    if context.mail.kind in ANSWERABLE:
        # Nothing can be answered while a case is on hold.
        return context.mail.data.get("what") != "held"
    return (
        context.mail.kind is MailKind.REPLY_NOT_RECORDED
        and context.mail.data.get("code") != TO_SEVERAL
        and context.task is not None
        and TaskStatus(context.task["status"]).is_pending
    )


def words(context: MailContext) -> tuple[str, ...]:
    """What can be answered to a task by reply; what is on offer has to be claimed first.

    Where an approval has to come with words that are published, the page tells those from the comment.
    """
    if context.task is None or context.stage is None or context.task["status"] == TaskStatus.OFFERED:
        return ()
    accepted = context.stage.accepted(context.task["reason"])
    if context.stage.statement is Statement.REQUIRED:
        accepted = tuple(verdict for verdict in accepted if verdict not in IN_FAVOUR)
    return tuple(WORDS[verdict][0] for verdict in accepted)


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


@cache
def _from(sender: Sender) -> str:
    return _address(*parseaddr(sender.mail_from))


def _ascii_address(email: str) -> str:
    """Domains in other scripts have a spelling in ASCII; the part before the @ has none."""
    if email.isascii():
        return _one_line(email)
    try:
        found = validate_email(email, check_deliverability=False, test_environment=True).ascii_email
    except EmailNotValidError as error:
        raise Undeliverable(f"{email} is no mail address: {error}") from error
    if found is None:
        raise Undeliverable(f"{email} has letters before the @ that mail relays do not take")
    return found


def _address(name: str, email: str) -> str:
    name = _one_line(name)
    if _is_plain(name):
        return formataddr((name, email))
    header = Header(name, "utf-8", header_name="Reply-To")
    header.append(f"<{email}>", "us-ascii")
    return cast(str, header)


def _header(text: str) -> str:
    line = _one_line(text)
    # The library takes a Header as well as a text; its annotations do not say so.
    return line if _is_plain(line) else cast(str, Header(line, "utf-8", header_name="Subject"))


def _is_plain(line: str) -> bool:
    """What looks like an encoded word would be decoded by its reader."""
    return line.isascii() and "=?" not in line


def _one_line(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def regular(context: RegularContext, links: Links, sender: Sender) -> Written:
    """A digest or an agenda, each in a thread of its own."""
    values = context.values(links)
    subject, text, html = (template.render(values) for template in templates(context.mail.kind))
    return Written(subject, text, html, thread=context.thread, entries=context.entries(sender.reply_domain))


def values_of(context: MailContext, links: Links) -> dict[str, Any]:
    task, stage, case = context.task, context.stage, context.case
    values = {
        "name": context.name,
        "case": case,
        "proposal": context.proposal,
        "framework": context.framework,
        "stage": stage,
        "data": context.mail.data,
        "comments": list(_comments(context)),
        "conditions": context.conditions,
        "baseline": context.baseline,
        "clock": "The clock has not started." if case["round"] == 0 else "The clock stands still until then.",
        "base_url": links.base_url,
        "local": context.local,
        "instant": dt.datetime.fromisoformat,
        "re": _in_reply,
        "labels": VERDICT_LABELS,
    }
    if task is not None:
        # Whoever is asked for advice gets a link of their own, which opens nobody else's answer.
        reader = context.mail.recipient if context.mail.kind is MailKind.ADVICE_ASKED else task["assignee"]
        values |= {
            "due": context.local(task["due_at"]) if task["due_at"] else None,
            "sitting": _sitting(context),
            "on_offer": task["offer_rule"] is not None,
            "why": _why(task, context.principal),
            "link": links.task_url(task["task_id"], reader),
            "wanted": asked_for(stage, task["reason"]) if stage is not None else "decision",
            "closed": closed_because(task["closure"]) if task["closure"] else None,
            "escalated": _escalated(context),
            "pending": TaskStatus(task["status"]).is_pending,
        }
    return values


def _sitting(context: MailContext) -> str:
    """The end of a sentence, for whoever is to record what a committee decides; empty for everybody else."""
    if context.sits_at is None or context.stage is None or context.stage.committee is None:
        return ""
    name = context.framework.committees[context.stage.committee].name
    return f"{name} meets on this on {context.local(context.sits_at)}; its decision can be recorded from then on."


def _in_reply(subject: str) -> str:
    """As mail programs write it, so that they keep the thread together."""
    bare = re.sub(
        r"^((re|aw|antw|sv|rép|ref|rif)\s*:\s*)+", "", _one_line(subject)[:LONGEST_SUBJECT], flags=re.IGNORECASE
    )
    return f"Re: {bare}"


def _comments(context: MailContext) -> Iterator[Comment]:
    """Of the round that the mail speaks of; of its stage alone, where it tells what that came to."""
    round_number = context.mail.data.get("round", context.case["round"])
    only = context.mail.data["stage"] if context.mail.kind is MailKind.STAGE_OUTCOME else None
    for decision in context.decisions:
        if decision["comment"] and decision["round"] == round_number and only in (None, decision["stage"]):
            yield Comment(decision["stage_name"], SAID[Verdict(decision["verdict"])], decision["comment"])


def _escalated(context: MailContext) -> str:
    cause = context.mail.data.get("cause")
    if cause == "objection":
        return (
            "Someone with standing has objected. You decide: approve to overrule the objection, reject or request "
            "changes to uphold it."
        )
    if cause == "refusal":
        return (
            "Those who were asked refused it. You decide: approve to override their refusal, which is recorded with "
            "your reasons, or reject to uphold it."
        )
    if cause != "breach":
        return "The answers given can no longer decide this stage, so the decision is yours."
    due_at = context.mail.data.get("due_at")
    promised = f"by {context.local(dt.datetime.fromisoformat(due_at))}" if due_at else "in time"
    return (
        f"This stage was to be decided {promised} and was not, so it comes to you as well. "
        "Your answer counts like any other reviewer's."
    )


def _why(task: dict[str, Any], principal: str) -> str:
    reason, role = AssignmentReason(task["reason"]), (task["role"] or "").replace("_", " ")
    if not task["on_behalf_of"]:
        return WHY[reason].format(role=role)
    named = f"{principal} ({task['on_behalf_of']})" if principal else task["on_behalf_of"]
    return WHY_INSTEAD.get(reason, STANDS_IN).format(principal=named)
