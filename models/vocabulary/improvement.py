"""What calls for a review of a published micro-credential, and what comes of it."""

from enum import StrEnum


class Indicator(StrEnum):
    """What is measured of a micro-credential that is offered: learners, a percentage, and grades that people give."""

    ENROLMENT = "enrolment"
    COMPLETION_RATE = "completion_rate"
    LEARNER_RATING = "learner_rating"
    EMPLOYER_RATING = "employer_rating"


class ReviewTrigger(StrEnum):
    """Why a review begins."""

    DUE = "due"
    OFFICE = "office"
    INDICATOR = "indicator"
    PARTNER_LEFT = "partner_left"
    SIGN_OFF_EXPIRING = "sign_off_expiring"
    FRAMEWORK_SUPERSEDED = "framework_superseded"


class ReviewOutcome(StrEnum):
    """What a review comes to, the gravest last."""

    CONTINUE = "continue"
    REVISE = "revise"
    PAUSE = "pause"
    RETIRE = "retire"


class DecidedBy(StrEnum):
    """Which recommendation is the outcome where several stages recommend: the last one's, or the gravest."""

    LAST = "last"
    GRAVEST = "gravest"
