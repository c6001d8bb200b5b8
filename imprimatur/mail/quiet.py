"""When a mail may leave, as its recipient wants it."""

import datetime as dt

from imprimatur.mail.context import MailContext
from imprimatur.mail.regular import RegularContext
from models.vocabulary import MailKind

# What cannot wait, and what answers somebody who is at their desk.
URGENT = frozenset(
    {
        MailKind.ESCALATION,
        MailKind.BREACH,
        MailKind.RECEIPT,
        MailKind.PASSED_ON,
        MailKind.REPLY_RECORDED,
        MailKind.REPLY_NOT_RECORDED,
    }
)


def leaves_at(context: MailContext | RegularContext, now: dt.datetime) -> dt.datetime:
    """Now, or when the recipient's quiet hours are over."""
    if context.mail.kind in URGENT:
        return now
    return context.preferences.quiet_hours.end(now, context.zone)
