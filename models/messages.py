"""What crosses the border of a case workflow: one input and one result type per message."""

from pydantic import BaseModel, ConfigDict

from models.case import CaseState
from models.plan import Plan
from models.vocabulary import CaseStatus, RunKind, StageOutcome, Verdict


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaseInput(Message):
    """``state`` is set when a long case continues as new."""

    case_id: str
    plan: Plan
    state: CaseState | None = None


class CaseAnswer(Message):
    """Answer to submit, revise and withdraw; ``position`` and ``digest`` name the ledger event that proves the act."""

    case_id: str
    status: CaseStatus
    version: int
    round: int
    position: int
    digest: str
    kept: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()


class DecisionAnswer(Message):
    """What a case answers to a decision; what the caller knows already is left out, for it would fill the history."""

    stage_outcome: StageOutcome | None = None
    case_status: CaseStatus
    position: int
    digest: str


class DecisionReceipt(Message):
    """What was recorded; ``position`` and ``digest`` name the ledger event that proves it.

    ``stage_outcome`` is None while the stage is still open.
    """

    decision_id: str
    task_id: str
    stage: str
    verdict: Verdict
    stage_outcome: StageOutcome | None = None
    case_status: CaseStatus
    position: int
    digest: str


class NotifierInput(Message):
    """``name`` tells notifiers apart in Temporal; there is one for each installation."""

    name: str


class PublishingInput(Message):
    """``retry_seconds``: so long a target that does not answer is tried again."""

    run_id: str
    kind: RunKind
    targets: tuple[str, ...]
    retry_seconds: int


class TargetInput(Message):
    run_id: str
    target: str


class RunEnd(Message):
    """``failed`` is the target that would not, ``reason`` what it said."""

    run_id: str
    failed: str | None = None
    reason: str = ""


class HandoverInput(Message):
    """``retry_seconds``: so long a target that does not answer is tried again.

    ``attempt`` is which of the hand-over's; None in what began before it was told.
    """

    handover: str
    targets: tuple[str, ...]
    retry_seconds: int
    attempt: int | None = None


class HandoverTarget(Message):
    handover: str
    target: str


class HandoverEnd(Message):
    """``failed`` is the target that would not, or ``people`` where nobody could be asked; ``reason`` what it said.

    ``attempt`` is the one that ends; None where it is not told, which is then the latest.
    """

    handover: str
    failed: str | None = None
    reason: str = ""
    attempt: int | None = None


class MailerInput(Message):
    """One mailer per relay; ``relay`` is a name, never an address with a password."""

    relay: str
