"""One commit: the step that is written, and what the database and the calendars made of it."""

from models.case import Offer
from models.conditions import ConditionResolution
from models.effects import Effect
from models.events import Event
from models.values import Instant, Value
from models.vocabulary import AssignmentReason, CaseStatus, TaskStatus


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
    status: TaskStatus = TaskStatus.OPEN
    offer: Offer | None = None
    stands_for: str | None = None


class StageResolution(Value):
    """What the database and the calendars made of an opened, retried or escalated stage."""

    stage: str
    tasks: tuple[AssignedTask, ...] = ()
    due_at: Instant | None = None
    remind_at: tuple[Instant, ...] = ()
    retry_at: Instant | None = None
    escalate_at: tuple[Instant, ...] = ()
    skipped: str | None = None
    opens_at: Instant | None = None
    sits_at: Instant | None = None
    expires_at: Instant | None = None


class Resolution(Value):
    """The answer of a commit: instants and names resolved; ``position`` is the step's first ledger event, its proof.

    ``instead`` is set when something else had been written at the step's place: by a worker that died before Temporal
    knew of it. The ledger stands, so the case carries that out and asks again.
    """

    position: int
    ledger_digest: str
    stages: tuple[StageResolution, ...] = ()
    due_at: Instant | None = None
    conditions: tuple[ConditionResolution, ...] = ()
    instead: Occurrence | None = None


class StepPlace(Value):
    """Where a step has its place in the ledger, written or not."""

    case_id: str
    seq: int


class WrittenStep(Occurrence):
    """What is kept of a step that was written."""

    resolution: Resolution
