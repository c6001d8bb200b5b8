"""The date that a mail about a task brings to its reader's calendar, or takes back from it."""

import datetime as dt

from imprimatur.mail import words
from imprimatur.mail.calendar import Entry, due_entry
from imprimatur.mail.context import MailContext
from imprimatur.mail.languages import Language
from imprimatur.rules.wording import asked_for
from models.vocabulary import MailKind

CANCELLED = frozenset({MailKind.TASK_CLOSED, MailKind.PASSED_ON, MailKind.RECEIPT, MailKind.REPLY_RECORDED})
DATED = frozenset({MailKind.TASK, MailKind.DELEGATION, MailKind.ESCALATION, MailKind.CHANGED}) | CANCELLED


def entries(context: MailContext, domain: str, subject: str, language: Language) -> tuple[Entry, ...]:
    """When the task is due; or that it is not any more. ``subject`` is the one of the mail that holds the link."""
    task = context.task
    if task is None or context.mail.kind not in DATED or context.stage is None:
        return ()
    was = context.mail.data.get("was")
    due_at = task["due_at"] or (dt.datetime.fromisoformat(was) if was else None)
    if due_at is None or asked_for(context.stage, task["reason"]) == "acknowledgement":
        return ()
    cancelled = context.mail.kind in CANCELLED or task["due_at"] is None
    title = context.proposal.title or language.gettext(words.UNTITLED)
    summary = language.gettext(words.DUE) % {"title": title, "stage": context.stage.name}
    where = language.gettext(words.WHERE_THE_LINK_IS) % {"case": context.case["case_id"], "subject": subject}
    about, number = "" if cancelled else where, context.case["seq"]
    return (due_entry(task["task_id"], domain, number, due_at, summary, about, cancelled=cancelled),)
