"""Mail and other messages, as they go out and come in."""

from enum import StrEnum


class MailKind(StrEnum):
    """Template names under ``imprimatur/mail/templates``."""

    TASK = "task"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    BREACH = "breach"
    TASK_CLOSED = "task_closed"
    RETURNED = "returned"
    REVISION = "revision"
    OUTCOME = "outcome"
    INCIDENT = "incident"
    CONFIRMATION = "confirmation"
    ADVICE_ASKED = "advice_asked"
    ADVICE_GIVEN = "advice_given"
    CONDITION = "condition"
    DELEGATION = "delegation"
    PASSED_ON = "passed_on"
    CHANGED = "changed"
    RECEIPT = "receipt"
    STAGE_OUTCOME = "stage_outcome"
    REVIEW = "review"
    HANDED_OVER = "handed_over"
    DIGEST = "digest"
    AGENDA = "agenda"
    REPLY_RECORDED = "reply_recorded"
    REPLY_NOT_RECORDED = "reply_not_recorded"
    SIGN_IN = "sign_in"


class MailStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


class MailState(StrEnum):
    """What became of a mail: its state as the office sees it (down to ``seen``), and all that its journal can tell.

    ``unknown``: it may have been handed over, but no answer came. ``seen``: its reader has acted on it; opening the
    page counts for nothing, for mail scanners open every link.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    UNKNOWN = "unknown"
    REMINDED = "reminded"
    SEEN = "seen"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    RESENT = "resent"


class Digest(StrEnum):
    """How often a person gets a list of their open tasks."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"


class ReportAction(StrEnum):
    """What a delivery report says of a mail (RFC 3464, 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class InboundKind(StrEnum):
    """What an incoming message is; only a reply can decide anything, and only a reply is answered."""

    REPLY = "reply"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    LIST = "list"
    UNREADABLE = "unreadable"


class DeliveryStatus(StrEnum):
    """What became of one event on its way to one webhook."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def is_waiting(self) -> bool:
        return self in (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
