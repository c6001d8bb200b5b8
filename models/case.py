"""A case in motion: its plan, its state, what can happen to it and what that causes. Serialisable and free of I/O.

:class:`Plan` is the part of a framework that decides a case's course; it travels in the workflow's input, so that
a replay needs nothing but the history. Names of people, documents and calendars stay in the database.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.framework import BusinessDuration
from models.vocabulary import (
    AssignmentReason,
    AtBreach,
    CaseStatus,
    Channel,
    CountedOf,
    OfficeAct,
    Recusal,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
    Verdict,
    VotingMethod,
)

Instant = dt.datetime


class Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Tagged(Value):
    """Told apart by ``kind``, which therefore counts as set: payloads leave out what is not."""

    def model_post_init(self, context: object) -> None:
        self.__pydantic_fields_set__.add("kind")


# --- the plan -------------------------------------------------------------------------------------------------


class StagePlan(Value):
    """``positive`` is the outcome of a stage that passes; ``informs``: it passes at once and blocks nothing."""

    id: str
    needs: tuple[str, ...] = ()
    automatic: bool = False
    publishes: bool = False
    informs: bool = False
    objection: bool = False
    positive: StageOutcome = StageOutcome.APPROVED
    quorum: int = 0
    quorum_percent: float | None = None
    method: VotingMethod = VotingMethod.COUNT
    threshold: int = 0
    threshold_percent: float | None = None
    counted_of: CountedOf = CountedOf.ASKED
    weights: dict[str, int] = {}
    veto: tuple[str, ...] = ()
    recusal: Recusal = Recusal.KEEPS_QUORUM
    deputies: bool = False
    tie_break: str | None = None
    waits_for_all: bool = False
    at_breach: AtBreach = AtBreach.ESCALATE
    policy_clause: str = ""
    material: tuple[str, ...] | None = None

    def weight_of(self, role: str | None) -> int:
        return self.weights.get(role, 1) if role else 1


class Plan(Value):
    """``framework`` is ``id@version``; ``digest`` pins the document the plan was drawn from."""

    framework: str
    digest: str
    stages: tuple[StagePlan, ...]

    def stage(self, stage_id: str) -> StagePlan:
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)


# --- the state ------------------------------------------------------------------------------------------------


class TaskState(Value):
    """``role`` is the hat its assignee wears in this task, for vetoes."""

    id: str
    stage: str
    round: int
    assignee: str
    reason: AssignmentReason
    role: str | None = None
    status: TaskStatus = TaskStatus.OPEN
    verdict: Verdict | None = None
    closure: TaskClosure | None = None
    closed_by: str | None = None


class StageState(Value):
    """``remind_at`` and ``escalate_at`` hold what is still to come; ``escalated`` counts further escalations done.

    ``retry_at`` is set while reviewers are being looked for, or reminded again.
    """

    id: str
    status: StageStatus = StageStatus.WAITING
    outcome: StageOutcome | None = None
    round: int = 0
    due_at: Instant | None = None
    remind_at: tuple[Instant, ...] = ()
    retry_at: Instant | None = None
    escalate_at: tuple[Instant, ...] = ()
    escalated: int = 0
    breached: bool = False
    deadlocked: bool = False


class ProposedAct(Value):
    """An act of the office that waits for a second person."""

    id: str
    act: OfficeAct
    stage: str
    round: int
    outcome: StageOutcome
    actor: str
    reason: str


class CaseState(Value):
    """``layout`` is the version of this very structure; ``seq`` counts commits; ``round`` counts review rounds."""

    layout: int = 1
    case_id: str
    status: CaseStatus = CaseStatus.INCOMPLETE
    proposer: str = ""
    seq: int = 0
    round: int = 0
    version: int = 0
    digest: str = ""
    stages: dict[str, StageState] = {}
    tasks: dict[str, TaskState] = {}
    due_at: Instant | None = None
    breached: bool = False
    proposed: dict[str, ProposedAct] = {}

    def open_tasks(self, stage_id: str | None = None) -> list[TaskState]:
        return [
            task
            for task in self.tasks.values()
            if task.status is TaskStatus.OPEN and (stage_id is None or task.stage == stage_id)
        ]


# --- what can happen ------------------------------------------------------------------------------------------


class Submitted(Tagged):
    kind: Literal["submitted"] = "submitted"
    actor: str
    digest: str
    complete: bool


class Decided(Tagged):
    kind: Literal["decided"] = "decided"
    decision_id: str
    task_id: str
    actor: str
    verdict: Verdict
    comment: str = ""
    scores: dict[str, int] = {}
    channel: Channel = Channel.COMMAND_LINE


class Revised(Tagged):
    """``changed`` names the top-level fields that differ from the version before."""

    kind: Literal["revised"] = "revised"
    actor: str
    digest: str
    complete: bool
    changed: tuple[str, ...]


class Withdrawn(Tagged):
    kind: Literal["withdrawn"] = "withdrawn"
    actor: str
    reason: str
    by_office: bool = False


class Held(Tagged):
    kind: Literal["held"] = "held"
    actor: str
    reason: str
    by_office: bool = False


class Resumed(Tagged):
    kind: Literal["resumed"] = "resumed"
    actor: str
    reason: str
    by_office: bool = False


class Extended(Tagged):
    """More time for an open stage; ``by`` is business time in the stage's own calendar."""

    kind: Literal["extended"] = "extended"
    actor: str
    stage: str
    by: BusinessDuration
    reason: str
    by_office: bool = False


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


class ActConfirmed(Tagged):
    kind: Literal["act_confirmed"] = "act_confirmed"
    act_id: str
    actor: str
    by_office: bool = False


class SentBack(Tagged):
    """The case goes back to ``stage``, which is decided anew, with all that needs it."""

    kind: Literal["sent_back"] = "sent_back"
    actor: str
    stage: str
    reason: str
    by_office: bool = False


class PassedOn(Tagged):
    """A task gets another assignee: ``delegation`` by its holder, ``reassignment`` by the office."""

    kind: Literal["passed_on"] = "passed_on"
    actor: str
    task_id: str
    to: str
    reason: str
    by_office: bool = False


class Nudged(Tagged):
    """Everyone who is waited for is reminded now; in one stage, when one is named."""

    kind: Literal["nudged"] = "nudged"
    actor: str
    stage: str | None = None
    by_office: bool = False


class Annulled(Tagged):
    """A decision recorded by mistake no longer counts; its reviewer is asked again. Nothing is edited."""

    kind: Literal["annulled"] = "annulled"
    actor: str
    task_id: str
    reason: str
    by_office: bool = False


class Ticked(Tagged):
    """The case's clock reached ``at``: reminders, breaches and retries that fall due."""

    kind: Literal["ticked"] = "ticked"


class Continued(Tagged):
    """A commit settled something (a stage skipped for want of reviewers) that lets the case go on."""

    kind: Literal["continued"] = "continued"


Act = Annotated[
    Withdrawn | Held | Resumed | Extended | ActProposed | ActConfirmed | SentBack | PassedOn | Nudged | Annulled,
    Field(discriminator="kind"),
]
Event = Annotated[Submitted | Decided | Revised | Act | Ticked | Continued, Field(discriminator="kind")]


# --- what it causes: executed in order by one commit ------------------------------------------------------------


class AddVersion(Tagged):
    kind: Literal["add_version"] = "add_version"
    actor: str
    version: int
    digest: str
    complete: bool
    changed: tuple[str, ...] = ()


class OpenStage(Tagged):
    kind: Literal["open_stage"] = "open_stage"
    stage: str
    round: int


class SeekReviewers(Tagged):
    """Look again for someone to decide in a deadlocked stage that stands without an open task."""

    kind: Literal["seek_reviewers"] = "seek_reviewers"
    stage: str
    round: int


class KeepStage(Tagged):
    """An approval stays valid: the new version changed nothing that is material to the stage."""

    kind: Literal["keep_stage"] = "keep_stage"
    stage: str


class LapseStage(Tagged):
    kind: Literal["lapse_stage"] = "lapse_stage"
    stage: str
    changed: tuple[str, ...]


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
    kind: Literal["start_clock"] = "start_clock"


class PauseClock(Tagged):
    kind: Literal["pause_clock"] = "pause_clock"


class ResumeClock(Tagged):
    kind: Literal["resume_clock"] = "resume_clock"


class Remind(Tagged):
    """``again``: the stage is late, and its policy is to remind until someone answers."""

    kind: Literal["remind"] = "remind"
    stage: str
    round: int
    tasks: tuple[str, ...]
    again: bool = False


class Breach(Tagged):
    kind: Literal["breach"] = "breach"
    stage: str
    round: int
    due_at: Instant
    tasks: tuple[str, ...]


class Escalate(Tagged):
    """``cause`` says why: time ran out, the votes cast can no longer decide, or someone objected.

    ``step`` counts the further escalations that the framework lists after the first.
    """

    kind: Literal["escalate"] = "escalate"
    stage: str
    round: int
    cause: Literal["breach", "no_decision", "objection"]
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
    kind: Literal["resume_stage"] = "resume_stage"
    stage: str
    round: int


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
    | OpenStage
    | SeekReviewers
    | KeepStage
    | LapseStage
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
    | AskAgain
    | HoldCase
    | ResumeCase
    | PauseStage
    | ResumeStage
    | ExtendStage
    | ProposeAct
    | OverrideStage
    | SendBack
    | BreachCase
    | Publish
    | CloseCase,
    Field(discriminator="kind"),
]


# --- one commit -----------------------------------------------------------------------------------------------


class Step(Value):
    """One transition to be written; ``(case_id, seq)`` makes a repeated commit answer what the first answered."""

    case_id: str
    seq: int
    at: Instant
    framework_digest: str
    digest: str
    status: CaseStatus
    round: int
    version: int
    effects: tuple[Effect, ...]


class AssignedTask(Value):
    id: str
    assignee: str
    reason: AssignmentReason
    role: str | None = None


class StageResolution(Value):
    """What the database and the calendars made of an opened, retried or escalated stage."""

    stage: str
    tasks: tuple[AssignedTask, ...] = ()
    due_at: Instant | None = None
    remind_at: tuple[Instant, ...] = ()
    retry_at: Instant | None = None
    escalate_at: tuple[Instant, ...] = ()
    skipped: str | None = None


class Resolution(Value):
    """The answer of a commit: instants and names resolved; ``position`` is the step's first ledger event, its proof."""

    position: int
    ledger_digest: str
    stages: tuple[StageResolution, ...] = ()
    due_at: Instant | None = None
