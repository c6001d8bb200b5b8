"""When a mail may leave, as its recipient wants it."""

import datetime as dt

from imprimatur.mail.context import Readable
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
        MailKind.SIGN_IN,
    }
)


def leaves_at(context: Readable, now: dt.datetime) -> dt.datetime:
    """Now, or when the recipient's quiet hours are over."""
    if context.mail.kind in URGENT:
        return now
    return context.preferences.quiet_hours.end(now, context.zone)
