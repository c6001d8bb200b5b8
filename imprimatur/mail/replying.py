"""Which mails can be answered by replying to them, and at which address."""

from imprimatur.mail.context import MailContext
from imprimatur.mail.links import Links
from models.vocabulary import MailKind, TaskStatus

# Task mails are the only ones that can be answered, and what says that an answer was not understood.
ANSWERABLE = frozenset({MailKind.TASK, MailKind.DELEGATION, MailKind.REMINDER, MailKind.ESCALATION, MailKind.CHANGED})
# A reply to a mail that held several messages: which of them it was about is for its sender to say.
TO_SEVERAL = "reply_to_several"


def reply_address(context: MailContext, links: Links, domain: str) -> str | None:
    """None where nothing can be answered."""
    mail = context.mail
    if not mail.task_id or not is_answerable(context):
        return None
    return f"review+{links.reply_secret(mail.task_id, mail.recipient)}@{domain}"


def is_answerable(context: MailContext) -> bool:
    if context.mail.kind in ANSWERABLE:
        # Nothing can be answered while a case is on hold.
        return bool(context.mail.data.get("what") != "held")
    return (
        context.mail.kind is MailKind.REPLY_NOT_RECORDED
        and context.mail.data.get("code") != TO_SEVERAL
        and context.task is not None
        and TaskStatus(context.task["status"]).is_pending
    )
