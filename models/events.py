"""What can happen to a case. ``bulk`` names the operation of which an act on one case is a part."""

from typing import Annotated, Literal

from pydantic import Field

from models.calendars import BusinessDuration
from models.conditions import Condition, ConditionEvent
from models.handover import HandoverOf
from models.improvement import ReviewOf
from models.plan import Plan
from models.tracks import Selection
from models.values import Date, Tagged
from models.vocabulary import Boundary, Channel, OfficeAct, StageOutcome, Strength, Verdict


class Submitted(Tagged):
    """``selection`` is what the framework's conditions came to, where it has any; ``reviews``: the case is a review.

    ``revises`` is the review that asked for this new version of what is published; ``hands_over``: the case is a
    hand-over of what is published.
    """

    kind: Literal["submitted"] = "submitted"
    actor: str
    digest: str
    complete: bool
    selection: Selection | None = None
    reviews: ReviewOf | None = None
    revises: str | None = None
    hands_over: HandoverOf | None = None


class Decided(Tagged):
    """``statement`` is published with the micro-credential; ``logo``: the organisation's logo may be shown with it.

    ``strength``: how surely the actor was known; None in histories that are older than the notion.
    ``teach_out_on``: until when learners can finish, where the verdict is to retire.
    """

    kind: Literal["decided"] = "decided"
    decision_id: str
    task_id: str
    actor: str
    verdict: Verdict
    comment: str = ""
    scores: dict[str, int] = {}
    conditions: tuple[Condition, ...] = ()
    channel: Channel = Channel.COMMAND_LINE
    statement: str = ""
    logo: bool = False
    strength: Strength | None = None
    teach_out_on: Date | None = None


class Revised(Tagged):
    """``changed`` names the top-level fields that differ from the version before.

    ``plan`` is the one for this version, by ``selection``, where the framework has conditions.
    """

    kind: Literal["revised"] = "revised"
    actor: str
    digest: str
    complete: bool
    changed: tuple[str, ...]
    plan: Plan | None = None
    selection: Selection | None = None


class Withdrawn(Tagged):
    kind: Literal["withdrawn"] = "withdrawn"
    actor: str
    reason: str
    by_office: bool = False
    bulk: str | None = None


class Held(Tagged):
    kind: Literal["held"] = "held"
    actor: str
    reason: str
    by_office: bool = False
    bulk: str | None = None


class Resumed(Tagged):
    kind: Literal["resumed"] = "resumed"
    actor: str
    reason: str
    by_office: bool = False
    bulk: str | None = None


class Extended(Tagged):
    """More time for an open stage; ``by`` is business time in the stage's own calendar."""

    kind: Literal["extended"] = "extended"
    actor: str
    stage: str
    by: BusinessDuration
    reason: str
    by_office: bool = False
    bulk: str | None = None


class ActProposed(Tagged):
    """First half of an act that needs two people; ``act_id`` names it for the second half."""

    kind: Literal["act_proposed"] = "act_proposed"
    act_id: str
    act: OfficeAct
    actor: str
    stage: str
    outcome: StageOutcome
    reason: str
    by_office: bool = False
    bulk: str | None = None


class ActConfirmed(Tagged):
    kind: Literal["act_confirmed"] = "act_confirmed"
    act_id: str
    actor: str
    by_office: bool = False
    bulk: str | None = None


class SentBack(Tagged):
    """The case goes back to ``stage``, which is decided anew, with all that needs it."""

    kind: Literal["sent_back"] = "sent_back"
    actor: str
    stage: str
    reason: str
    by_office: bool = False
    bulk: str | None = None


class Placed(Tagged):
    """A committee's item moves to another sitting: admitted late (``late``), or put off because it was not reached."""

    kind: Literal["placed"] = "placed"
    actor: str
    stage: str
    on: Date
    reason: str
    late: bool = False
    by_office: bool = False


class PassedOn(Tagged):
    """A task gets another assignee: ``delegation`` by its holder, ``reassignment`` by the office."""

    kind: Literal["passed_on"] = "passed_on"
    actor: str
    task_id: str
    to: str
    reason: str
    by_office: bool = False
    bulk: str | None = None


class Nudged(Tagged):
    """Everyone who is waited for is reminded now; in one stage, when one is named."""

    kind: Literal["nudged"] = "nudged"
    actor: str
    stage: str | None = None
    by_office: bool = False
    bulk: str | None = None


class Annulled(Tagged):
    """A decision recorded by mistake no longer counts; its reviewer is asked again. Nothing is edited."""

    kind: Literal["annulled"] = "annulled"
    actor: str
    task_id: str
    reason: str
    by_office: bool = False
    bulk: str | None = None


class Claimed(Tagged):
    """The actor takes a task that was offered to several people."""

    kind: Literal["claimed"] = "claimed"
    actor: str
    task_id: str


class TaskReturned(Tagged):
    """A claimed task goes back to those it was offered to."""

    kind: Literal["task_returned"] = "task_returned"
    actor: str
    task_id: str
    reason: str = ""


class AdviceAsked(Tagged):
    """A task's holder asks somebody for advice, which decides nothing."""

    kind: Literal["advice_asked"] = "advice_asked"
    actor: str
    task_id: str
    adviser: str
    question: str = ""


class AdviceGiven(Tagged):
    kind: Literal["advice_given"] = "advice_given"
    actor: str
    task_id: str
    text: str


class ConflictFound(Tagged):
    """The holder of a task, ``actor``, has declared an interest that touches the proposal."""

    kind: Literal["conflict_found"] = "conflict_found"
    actor: str
    task_id: str
    reason: str


class HandedOver(Tagged):
    """The holder of a task is gone; the stage's own rules say who is asked instead. ``actor`` may be the system."""

    kind: Literal["handed_over"] = "handed_over"
    actor: str
    task_id: str
    reason: str
    by_office: bool = False


class ProposerReaddressed(Tagged):
    """The directory has another address for the case's proposer, who is the same person."""

    kind: Literal["proposer_readdressed"] = "proposer_readdressed"
    actor: str
    to: str
    by_office: bool = False


class ChangeScheduled(Tagged):
    """The case is to go on under another version of its framework, ``plan``, from the boundary ``at``.

    ``base`` is the digest of the version that the change was drawn up for, ``altered`` are stages of both versions
    whose rule is not the same. The version that the case has takes back what was scheduled.
    """

    kind: Literal["change_scheduled"] = "change_scheduled"
    actor: str
    plan: Plan
    base: str
    altered: tuple[str, ...] = ()
    selection: Selection | None = None
    reason: str
    at: Boundary
    by_office: bool = False
    bulk: str | None = None


class FrameworkChanged(Tagged):
    """From here on the case goes by ``plan``: at the office's word, or because the boundary of a change is reached."""

    kind: Literal["framework_changed"] = "framework_changed"
    actor: str
    plan: Plan
    base: str
    altered: tuple[str, ...] = ()
    selection: Selection | None = None
    reason: str
    at: Boundary = Boundary.NOW
    by_office: bool = False
    bulk: str | None = None


class Ticked(Tagged):
    """The case's clock reached ``at``: reminders, breaches and retries that fall due."""

    kind: Literal["ticked"] = "ticked"


class Continued(Tagged):
    """A commit settled something (a stage skipped for want of reviewers) that lets the case go on."""

    kind: Literal["continued"] = "continued"


OfficeEvent = Held | Resumed | Extended | ActProposed | ActConfirmed | SentBack | Placed | PassedOn | Nudged | Annulled
DeskAct = Claimed | TaskReturned | AdviceAsked | AdviceGiven | ConflictFound | HandedOver
Act = Annotated[Withdrawn | OfficeEvent | DeskAct | ProposerReaddressed, Field(discriminator="kind")]
Migration = Annotated[ChangeScheduled | FrameworkChanged, Field(discriminator="kind")]


Event = Annotated[
    Submitted | Decided | Revised | Act | ConditionEvent | Migration | Ticked | Continued, Field(discriminator="kind")
]
