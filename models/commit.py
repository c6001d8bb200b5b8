"""One commit: the step that is written, and what the database and the calendars made of it."""

from models.conditions import ConditionResolution
from models.effects import Effect
from models.values import Instant, Value
from models.vocabulary import AssignmentReason, CaseStatus


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
    conditions: tuple[ConditionResolution, ...] = ()
