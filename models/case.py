"""A case in motion: its plan, its state, what can happen to it and what that causes. Serialisable and free of I/O.

:class:`Plan` is the part of a framework that decides a case's course; it travels in the workflow's input, so that
a replay needs nothing but the history. Names of people, documents and calendars stay in the database.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    Channel,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
    Verdict,
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
    id: str
    needs: tuple[str, ...] = ()
    automatic: bool = False
    publishes: bool = False
    quorum: int = 0
    threshold: int = 0
    veto: tuple[str, ...] = ()
    material: tuple[str, ...] | None = None


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
    """``remind_at`` holds the reminders still to come; ``retry_at`` is set while reviewers are being looked for."""

    id: str
    status: StageStatus = StageStatus.WAITING
    outcome: StageOutcome | None = None
    round: int = 0
    due_at: Instant | None = None
    remind_at: tuple[Instant, ...] = ()
    retry_at: Instant | None = None
    breached: bool = False
    deadlocked: bool = False


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


class Ticked(Tagged):
    """The case's clock reached ``at``: reminders, breaches and retries that fall due."""

    kind: Literal["ticked"] = "ticked"


class Continued(Tagged):
    """A commit settled something (a stage skipped for want of reviewers) that lets the case go on."""

    kind: Literal["continued"] = "continued"


Event = Annotated[Submitted | Decided | Revised | Withdrawn | Ticked | Continued, Field(discriminator="kind")]


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
    kind: Literal["remind"] = "remind"
    stage: str
    round: int
    tasks: tuple[str, ...]


class Breach(Tagged):
    kind: Literal["breach"] = "breach"
    stage: str
    round: int
    due_at: Instant
    tasks: tuple[str, ...]


class Escalate(Tagged):
    """``cause`` says why: time ran out, or the votes cast can no longer decide."""

    kind: Literal["escalate"] = "escalate"
    stage: str
    round: int
    cause: Literal["breach", "no_decision"]


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
    | BreachCase
    | Publish
    | CloseCase,
    Field(discriminator="kind"),
]


# --- one commit -----------------------------------------------------------------------------------------------


class Occurrence(Value):
    """An event, and the instant at which it was carried out."""

    event: Event
    at: Instant


class Step(Occurrence):
    """One transition to be written; ``(case_id, seq)`` makes a repeated commit answer what the first answered."""

    case_id: str
    seq: int
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
    skipped: str | None = None


class Resolution(Value):
    """The answer of a commit: instants and names resolved; ``position`` is the step's first ledger event, its proof.

    ``instead`` is set when something else had been written at the step's place: by a worker that died before Temporal
    knew of it. The ledger stands, so the case carries that out and asks again.
    """

    position: int
    ledger_digest: str
    stages: tuple[StageResolution, ...] = ()
    due_at: Instant | None = None
    instead: Occurrence | None = None


class StepPlace(Value):
    """Where a step has its place in the ledger, written or not."""

    case_id: str
    seq: int


class WrittenStep(Occurrence):
    """What is kept of a step that was written."""

    resolution: Resolution
