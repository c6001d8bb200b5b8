"""What the office may do once a case has come to its publication, and for everything else why not. Pure."""

from dataclasses import dataclass
from typing import Literal

from models.vocabulary import RecordStatus, RunStatus

PublishedAct = Literal[
    "retract",
    "retry_publication",
    "schedule_publication",
    "call_review",
    "move_review",
    "hand_over_again",
    "retry_handover",
]
_NO_LONGER_REVIEWED = frozenset(
    {RecordStatus.TEACHING_OUT, RecordStatus.RETIRED, RecordStatus.RETRACTED, RecordStatus.REPLACED}
)


@dataclass(frozen=True)
class Denial:
    """Why not: a stable code and one sentence. ``hides``: the case is not to be seen at all."""

    code: str
    sentence: str
    hides: bool = False


@dataclass(frozen=True)
class Published:
    """``record`` is what the published record says of itself, None before there is one; ``run`` how its last run is.

    ``reviewed``: its framework asks for reviews; ``review_open``: one is held; ``review_to_come``: one has its day.
    ``handed_over``: its framework asks for that; ``handover`` is how far the last one is, None before there is one, and
    ``handover_open``: it has not been answered.
    """

    record: RecordStatus | None = None
    run: RunStatus | None = None
    reviewed: bool = False
    review_open: bool = False
    review_to_come: bool = False
    handed_over: bool = False
    handover: RunStatus | None = None
    handover_open: bool = False


UNPUBLISHED = Published()
NOTHING_PUBLISHED = Denial("publication_unknown", "Nothing of the case has come to its publication.")
RETRACTED = Denial("record_retracted", "The record was retracted, which is final.")
ON_ITS_WAY = Denial("publication_running", "The record is on its way to its targets.")
NOTHING_FAILED = Denial("publication_not_failed", "Nothing of the publication has failed.")
BEGUN = Denial("publication_begun", "The publication has begun, so its day cannot be changed any more.")
CLOSED = Denial("case_closed", "The case has ended.")
NOT_SCHEDULED = Denial("review_not_scheduled", "It is not published, or its framework asks for no reviews.")
REVIEW_OPEN = Denial("review_open", "A review is held already; one at a time is.")
NOT_REVIEWED = Denial("record_not_reviewed", "No further review of it is to come.")
NOT_HANDED_OVER = Denial("handover_not_asked", "Its framework hands nothing over.")
NOT_PUBLIC = Denial("record_not_public", "It is handed over when it becomes public.")
NOT_DELIVERED = Denial("record_not_handed_over", "Nobody is to deliver it any more.")
HANDOVER_OPEN = Denial("handover_open", "A hand-over waits for its answer already.")
NO_HANDOVER_FAILED = Denial("handover_not_failed", "Nothing of a hand-over has failed.")


def denial_once_published(act: PublishedAct, ended: bool, now: Published) -> Denial | None:
    """``ended``: the case has. Who acts is asked before."""
    match act:
        case "retract":
            return _retract(now)
        case "retry_publication":
            if now.record is None:
                return NOTHING_PUBLISHED
            return None if now.run is RunStatus.FAILED else NOTHING_FAILED
        case "schedule_publication":
            if now.record is None:
                return CLOSED if ended else None
            return None if now.record is RecordStatus.SCHEDULED and now.run is RunStatus.QUEUED else BEGUN
        case "hand_over_again":
            return _hand_over(now)
        case "retry_handover":
            return None if now.handover is RunStatus.FAILED else NO_HANDOVER_FAILED
    return _review(act, now)


def _hand_over(now: Published) -> Denial | None:
    if not now.handed_over:
        return NOT_HANDED_OVER
    if now.record is None:
        return NOTHING_PUBLISHED
    if not now.record.is_public:
        return NOT_PUBLIC
    if not now.record.is_listed:
        return NOT_DELIVERED
    return HANDOVER_OPEN if now.handover_open else None


def _retract(now: Published) -> Denial | None:
    if now.record is None:
        return NOTHING_PUBLISHED
    if now.record is RecordStatus.RETRACTED:
        return RETRACTED
    return ON_ITS_WAY if not now.record.is_public and now.run is RunStatus.RUNNING else None


def _review(act: Literal["call_review", "move_review"], now: Published) -> Denial | None:
    if not now.reviewed:
        return NOT_SCHEDULED
    if now.review_open:
        return REVIEW_OPEN
    if act == "call_review":
        return NOT_REVIEWED if now.record in _NO_LONGER_REVIEWED else None
    return None if now.review_to_come else NOT_REVIEWED
