"""The state of a case in motion. Names of people, documents and calendars stay in the database."""

from models.conditions import ConditionState
from models.handover import HandoverOf
from models.improvement import ReviewOf
from models.plan import Plan
from models.tracks import Selection
from models.values import Date, Instant, Value
from models.vocabulary import (
    AssignmentReason,
    Boundary,
    CaseStatus,
    OfficeAct,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
    Verdict,
)


class Offer(Value):
    """Tasks of one reviewer rule (by its place in the stage) that were offered to all whom it names.

    ``seats`` of them can be claimed.
    """

    rule: int
    seats: int = 1


class TaskState(Value):
    """``role`` is the hat its assignee wears in this task, for weights, vetoes, ties and the separation of duties.

    ``stands_for`` is the task of the reviewer whose place a deputy took. ``advisers`` were asked for advice and have
    not given it yet; ``conflicted``: the office was told that the assignee has an interest in the proposal.
    """

    id: str
    stage: str
    round: int
    assignee: str
    reason: AssignmentReason
    role: str | None = None
    stands_for: str | None = None
    status: TaskStatus = TaskStatus.OPEN
    verdict: Verdict | None = None
    closure: TaskClosure | None = None
    closed_by: str | None = None
    offer: Offer | None = None
    advisers: tuple[str, ...] = ()
    conflicted: bool = False
    teach_out_on: Date | None = None


class StageState(Value):
    """``remind_at`` and ``escalate_at`` hold what is still to come; ``escalated`` counts further escalations done.

    ``retry_at`` is set while reviewers are being looked for, or reminded again. ``opens_at``: it waits for a review
    window, or for a sitting to be announced; ``sits_at``: its committee has not met on it yet.
    ``confirms`` is the round whose approval is to be confirmed by those who gave it; ``expires_at``: so long it holds.
    ``recommendation`` is what a stage of a review came to.
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
    opens_at: Instant | None = None
    sits_at: Instant | None = None
    expires_at: Instant | None = None
    confirms: int | None = None
    recommendation: Verdict | None = None


class ProposedAct(Value):
    """An act of the office that waits for a second person."""

    id: str
    act: OfficeAct
    stage: str
    round: int
    outcome: StageOutcome
    actor: str
    reason: str


class ScheduledChange(Value):
    """A move to another version of the framework that waits for its boundary.

    ``altered`` are stages of both versions whose rule is not the same; ``bulk`` is the operation that asked for it.
    """

    plan: Plan
    altered: tuple[str, ...] = ()
    selection: Selection | None = None
    actor: str
    reason: str
    at: Boundary
    bulk: str | None = None


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
    conditions: dict[str, ConditionState] = {}
    change: ScheduledChange | None = None
    reviews: ReviewOf | None = None
    hands_over: HandoverOf | None = None

    @property
    def is_over(self) -> bool:
        """Nothing can happen any more: what was agreed on with an approval is settled as well."""
        return self.status.is_final and all(item.status.is_settled for item in self.conditions.values())

    @property
    def waits_for_conditions(self) -> bool:
        """Every stage has passed but the publication, which blocking conditions hold up."""
        blocked = any(item.blocking and not item.status.is_settled for item in self.conditions.values())
        review_is_over = not any(stage.status is StageStatus.OPEN for stage in self.stages.values())
        return self.status is CaseStatus.IN_REVIEW and blocked and review_is_over

    def open_tasks(self, stage_id: str | None = None) -> list[TaskState]:
        return [
            task
            for task in self.tasks.values()
            if task.status is TaskStatus.OPEN and (stage_id is None or task.stage == stage_id)
        ]
