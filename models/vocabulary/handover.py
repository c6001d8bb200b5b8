"""What becomes of the hand-over of a published micro-credential to those who deliver it."""

from enum import StrEnum


class HandoverOutcome(StrEnum):
    """What those who deliver it answer."""

    TAKEN_UP = "taken_up"
    SENT_BACK = "sent_back"
