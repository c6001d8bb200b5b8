"""What a transition causes: executed in order by one commit."""

from typing import Annotated, Literal

from pydantic import Field

from models.calendars import BusinessDuration
from models.case import ProposedAct
from models.conditions import (
    BreachCondition,
    FulfilCondition,
    JudgeCondition,
    LapseCondition,
    OpenCondition,
    RemindOfCondition,
)
from models.events import Decided
from models.handover import BeginHandover, ConcludeHandover
from models.improvement import BeginReview, ConcludeReview
from models.tracks import Selection
from models.values import Date, Instant, Tagged
from models.vocabulary import Boundary, CaseStatus, StageOutcome, TaskClosure

# Why a stage is escalated: time ran out, the votes cast can no longer decide, someone
# objected, or a refusal is to be judged.
Cause = Literal["breach", "no_decision", "objection", "refusal"]


class AddVersion(Tagged):
    kind: Literal["add_version"] = "add_version"
    actor: str
    version: int
    digest: str
    complete: bool
    changed: tuple[str, ...] = ()


class SelectTrack(Tagged):
    kind: Literal["select_track"] = "select_track"
    selection: Selection


class OpenStage(Tagged):
    """``within`` is promised in place of what the framework promises."""

    kind: Literal["open_stage"] = "open_stage"
    stage: str
    round: int
    within: BusinessDuration | None = None


class SkipStage(Tagged):
    """The stage does not apply to this proposal."""

    kind: Literal["skip_stage"] = "skip_stage"
    stage: str
    round: int
    reason: str


class SeekReviewers(Tagged):
    """Look again for someone to decide in a deadlocked stage that stands without an open task."""

    kind: Literal["seek_reviewers"] = "seek_reviewers"
    stage: str
    round: int


class KeepStage(Tagged):
    """An approval of a former ``round`` stays valid: the new version changed nothing that is material to the stage."""

    kind: Literal["keep_stage"] = "keep_stage"
    stage: str
    round: int = 0


class LapseStage(Tagged):
    """The approval of ``round`` is gone: what is material to it ``changed``, or not all ``confirmed`` it."""

    kind: Literal["lapse_stage"] = "lapse_stage"
    stage: str
    round: int
    changed: tuple[str, ...]
    confirmed: bool = True


class AskToConfirm(Tagged):
    """Those who approved in ``of_round``, by their ``tasks``, are asked whether they do so still."""

    kind: Literal["ask_to_confirm"] = "ask_to_confirm"
    stage: str
    round: int
    of_round: int
    tasks: tuple[str, ...]
    within: BusinessDuration | None = None


class AskAnew(Tagged):
    """An approval was not confirmed: whoever else the framework names is asked as well, and the time begins anew."""

    kind: Literal["ask_anew"] = "ask_anew"
    stage: str
    round: int
    within: BusinessDuration | None = None


class RecordDecision(Tagged):
    kind: Literal["record_decision"] = "record_decision"
    decision: Decided
    stage: str
    round: int
    digest: str


class CloseTask(Tagged):
    kind: Literal["close_task"] = "close_task"
    task: str
    closure: TaskClosure
    closed_by: str


class CloseStage(Tagged):
    kind: Literal["close_stage"] = "close_stage"
    stage: str
    round: int
    outcome: StageOutcome
    reason: str


class RequestRevision(Tagged):
    kind: Literal["request_revision"] = "request_revision"
    stage: str
    round: int


class StartClock(Tagged):
    """``within`` is promised in place of what the framework promises."""

    kind: Literal["start_clock"] = "start_clock"
    within: BusinessDuration | None = None


class PauseClock(Tagged):
    kind: Literal["pause_clock"] = "pause_clock"


class ResumeClock(Tagged):
    kind: Literal["resume_clock"] = "resume_clock"


class Remind(Tagged):
    """``again``: the stage is late, and its policy is to remind until someone answers. ``actor``: who nudged."""

    kind: Literal["remind"] = "remind"
    stage: str
    round: int
    tasks: tuple[str, ...]
    again: bool = False
    actor: str = "system"


class Breach(Tagged):
    kind: Literal["breach"] = "breach"
    stage: str
    round: int
    due_at: Instant
    tasks: tuple[str, ...]


class Escalate(Tagged):
    """``step`` counts the further escalations that the framework lists after the first."""

    kind: Literal["escalate"] = "escalate"
    stage: str
    round: int
    cause: Cause
    step: int = 0


class CallDeputy(Tagged):
    """Someone takes the place of a reviewer who stood aside (``recused``) or did not answer in time (``silent``)."""

    kind: Literal["call_deputy"] = "call_deputy"
    stage: str
    round: int
    task: str
    cause: Literal["recused", "silent"]


class PassOn(Tagged):
    kind: Literal["pass_on"] = "pass_on"
    stage: str
    round: int
    task: str
    to: str
    actor: str
    why: Literal["delegation", "reassignment"]
    reason: str


class ClaimTask(Tagged):
    kind: Literal["claim_task"] = "claim_task"
    stage: str
    round: int
    task: str
    actor: str


class OfferAgain(Tagged):
    """Whom the task was offered to is asked anew, but for those who had it: it came back, or its holder is gone."""

    kind: Literal["offer_again"] = "offer_again"
    stage: str
    round: int
    task: str
    actor: str
    reason: str
    returned: bool = True


class Replace(Tagged):
    """Somebody takes the place of a task's holder who is gone, as the stage's own rules say."""

    kind: Literal["replace"] = "replace"
    stage: str
    round: int
    task: str
    actor: str
    reason: str


class AskAdvice(Tagged):
    kind: Literal["ask_advice"] = "ask_advice"
    stage: str
    round: int
    task: str
    actor: str
    adviser: str
    question: str


class AttachAdvice(Tagged):
    kind: Literal["attach_advice"] = "attach_advice"
    stage: str
    round: int
    task: str
    adviser: str
    text: str


class ReportConflict(Tagged):
    """The office hears that the holder of a task has an interest, and cannot answer it."""

    kind: Literal["report_conflict"] = "report_conflict"
    stage: str
    round: int
    task: str
    reason: str


class ReaddressProposer(Tagged):
    """``conditions`` are those that wait for the proposer, who sees to them under the new address."""

    kind: Literal["readdress_proposer"] = "readdress_proposer"
    former: str
    to: str
    actor: str
    conditions: tuple[str, ...] = ()


class AskAgain(Tagged):
    """The assignee of an annulled decision gets a new task."""

    kind: Literal["ask_again"] = "ask_again"
    stage: str
    round: int
    task: str
    actor: str
    reason: str


class HoldCase(Tagged):
    kind: Literal["hold_case"] = "hold_case"
    actor: str
    reason: str


class ResumeCase(Tagged):
    kind: Literal["resume_case"] = "resume_case"
    actor: str
    reason: str


class PauseStage(Tagged):
    kind: Literal["pause_stage"] = "pause_stage"
    stage: str
    round: int


class ResumeStage(Tagged):
    """``within`` is promised after a sitting that is to come, in place of what the stage itself says."""

    kind: Literal["resume_stage"] = "resume_stage"
    stage: str
    round: int
    within: BusinessDuration | None = None


class ExtendStage(Tagged):
    kind: Literal["extend_stage"] = "extend_stage"
    stage: str
    round: int
    by: BusinessDuration
    actor: str
    reason: str


class ProposeAct(Tagged):
    kind: Literal["propose_act"] = "propose_act"
    act: ProposedAct


class OverrideStage(Tagged):
    """The office decides in the reviewers' place: two names and a reason are recorded."""

    kind: Literal["override_stage"] = "override_stage"
    act: ProposedAct
    confirmed_by: str


class SendBack(Tagged):
    kind: Literal["send_back"] = "send_back"
    stage: str
    actor: str
    reason: str
    reopened: tuple[str, ...]


class BeginSitting(Tagged):
    """The committee meets on the stage: from now on its decision can be recorded."""

    kind: Literal["begin_sitting"] = "begin_sitting"
    stage: str
    round: int
    sits_at: Instant


class PlaceItem(Tagged):
    """The stage's item moves to the sitting of the day ``on``; ``within`` is promised in place of what it says."""

    kind: Literal["place_item"] = "place_item"
    stage: str
    round: int
    on: Date
    actor: str
    reason: str
    late: bool = False
    within: BusinessDuration | None = None


class ExpireApproval(Tagged):
    """An approval holds no longer: whoever gave it is asked to confirm it."""

    kind: Literal["expire_approval"] = "expire_approval"
    stage: str
    round: int
    expired_at: Instant


class ScheduleChange(Tagged):
    """``version`` and ``digest`` are of the version to come; of the case's own, what was scheduled is taken back."""

    kind: Literal["schedule_change"] = "schedule_change"
    actor: str
    reason: str
    at: Boundary
    version: str
    digest: str


class ChangeFramework(Tagged):
    """The case's own version is now the one that the step names; the lists say what becomes of each stage."""

    kind: Literal["change_framework"] = "change_framework"
    actor: str
    reason: str
    at: Boundary
    kept: tuple[str, ...] = ()
    goes_on: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class BreachCase(Tagged):
    kind: Literal["breach_case"] = "breach_case"
    due_at: Instant


class Publish(Tagged):
    kind: Literal["publish"] = "publish"
    stage: str


class CloseCase(Tagged):
    kind: Literal["close_case"] = "close_case"
    status: CaseStatus
    actor: str
    reason: str


Effect = Annotated[
    AddVersion
    | SelectTrack
    | OpenStage
    | SkipStage
    | SeekReviewers
    | KeepStage
    | LapseStage
    | AskToConfirm
    | AskAnew
    | RecordDecision
    | CloseTask
    | CloseStage
    | RequestRevision
    | StartClock
    | PauseClock
    | ResumeClock
    | Remind
    | Breach
    | Escalate
    | CallDeputy
    | PassOn
    | ClaimTask
    | OfferAgain
    | Replace
    | AskAdvice
    | AttachAdvice
    | ReportConflict
    | ReaddressProposer
    | AskAgain
    | HoldCase
    | ResumeCase
    | PauseStage
    | ResumeStage
    | ExtendStage
    | ProposeAct
    | OverrideStage
    | SendBack
    | BeginSitting
    | PlaceItem
    | ExpireApproval
    | ScheduleChange
    | ChangeFramework
    | BreachCase
    | OpenCondition
    | FulfilCondition
    | JudgeCondition
    | LapseCondition
    | RemindOfCondition
    | BreachCondition
    | Publish
    | BeginReview
    | ConcludeReview
    | BeginHandover
    | ConcludeHandover
    | CloseCase,
    Field(discriminator="kind"),
]
