"""Review for continuous improvement: what a framework says of it, what a review is about, and what it comes to."""

from typing import Annotated, Literal

from pydantic import Field

from models.strict import Identifier, Strict
from models.texts import Number, WholeNumber
from models.values import Date, Tagged, Value
from models.vocabulary import DecidedBy, Indicator, ReviewOutcome, ReviewTrigger, Verdict

EvidenceTrigger = Literal["partner_left", "sign_off_expiring", "framework_superseded"]


class Months(Strict):
    """Counted by the calendar, to the same day of a later month, or its last."""

    months: Annotated[WholeNumber, Field(ge=1, le=120)]


class Threshold(Strict):
    """A review is called when the indicator was below the line in each of its latest ``periods``."""

    indicator: Indicator
    below: Number
    periods: WholeNumber = Field(default=1, ge=1, le=20)


class ReviewDef(Strict):
    """When a published micro-credential is reviewed, and by which framework (one of the kind ``review``).

    ``at_most`` is as long as the office can put a review off, counted from the publication or the last review.
    ``ahead`` is how long before its end a sign-off calls for a review; ``teach_out`` how long learners of a retired
    micro-credential have to finish, where the reviewers name no day.
    """

    framework: Identifier
    every: Months
    at_most: Months = Months(months=36)
    thresholds: tuple[Threshold, ...] = ()
    triggers: tuple[EvidenceTrigger, ...] = ("partner_left", "sign_off_expiring", "framework_superseded")
    ahead: Months = Months(months=2)
    decided_by: DecidedBy = DecidedBy.LAST
    teach_out: Months = Months(months=12)


class ReviewOf(Value):
    """What the case of a review is about: the ``number``-th review of the micro-credential of ``case_id``."""

    case_id: str
    number: int
    trigger: ReviewTrigger
    reason: str
    decided_by: DecidedBy = DecidedBy.LAST


class BeginReview(Tagged):
    kind: Literal["begin_review"] = "begin_review"
    about: ReviewOf


class ConcludeReview(Tagged):
    """``recommended`` has what each stage recommended; without an ``outcome`` the review ended before it had one."""

    kind: Literal["conclude_review"] = "conclude_review"
    about: ReviewOf
    outcome: ReviewOutcome | None = None
    recommended: dict[str, Verdict] = {}
    teach_out_on: Date | None = None
    reason: str = ""
