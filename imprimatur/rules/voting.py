"""When a stage's outcome is certain. Quorum counts who takes part, threshold counts who approves: two numbers.

A stage is approved as soon as both numbers are reached and no reviewer with a veto is still to answer.
It fails as soon as one of them can no longer be reached, or a reviewer with a veto rejects.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from models.case import StagePlan, TaskState
from models.vocabulary import AssignmentReason, StageOutcome, TaskStatus, Verdict

TAKES_PART = frozenset({Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN})


@dataclass(frozen=True)
class Tally:
    """Numbers of people in one stage and round."""

    approvals: int
    rejections: int
    change_requests: int
    participants: int
    outstanding: int
    vetoed: bool
    veto_outstanding: bool

    @classmethod
    def of(cls, plan: StagePlan, tasks: Iterable[TaskState]) -> "Tally":
        cast = [(task.verdict, task.role in plan.veto) for task in tasks if task.verdict is not None]
        pending = [task.role in plan.veto for task in tasks if task.status is TaskStatus.OPEN]
        verdicts = [verdict for verdict, _ in cast]
        return cls(
            approvals=verdicts.count(Verdict.APPROVE),
            rejections=verdicts.count(Verdict.REJECT),
            change_requests=verdicts.count(Verdict.REQUEST_CHANGES),
            participants=sum(verdict in TAKES_PART for verdict in verdicts),
            outstanding=len(pending),
            vetoed=(Verdict.REJECT, True) in cast,
            veto_outstanding=any(pending),
        )


@dataclass(frozen=True)
class Verdicts:
    """``outcome`` is None while open; ``deadlocked`` when the votes cast can no longer decide either way."""

    outcome: StageOutcome | None
    reason: str
    deadlocked: bool = False


OPEN = Verdicts(None, "")


def evaluate(plan: StagePlan, tasks: Iterable[TaskState], deadlocked: bool = False) -> Verdicts:
    """The outcome of a stage from the tasks of its current round; the order of votes does not matter.

    Once a stage is ``deadlocked``, whoever it was escalated to has the casting vote.
    """
    tasks = list(tasks)
    tally = Tally.of(plan, tasks)
    if tally.vetoed:
        return Verdicts(StageOutcome.REJECTED, "a reviewer with a veto rejected")
    reached = tally.approvals >= plan.threshold and tally.participants >= plan.quorum
    if reached and not tally.veto_outstanding:
        return Verdicts(
            StageOutcome.APPROVED,
            f"{tally.approvals} approved ({plan.threshold} needed), "
            f"{tally.participants} took part ({plan.quorum} needed)",
        )
    if reached:
        return OPEN
    if deadlocked and (casting := _casting_vote(tasks)) is not None:
        return casting
    return _failure(plan, tally)


def _casting_vote(tasks: list[TaskState]) -> Verdicts | None:
    outcomes = {
        Verdict.APPROVE: StageOutcome.APPROVED,
        Verdict.REJECT: StageOutcome.REJECTED,
        Verdict.REQUEST_CHANGES: StageOutcome.CHANGES_REQUESTED,
    }
    for task in tasks:
        if task.reason is AssignmentReason.ESCALATION and task.verdict in outcomes:
            return Verdicts(outcomes[task.verdict], "decided by the casting vote of the escalation")
    return None


def _failure(plan: StagePlan, tally: Tally) -> Verdicts:
    """A stage fails only when no answer still to come can change how."""
    if tally.participants + tally.outstanding < plan.quorum:
        return Verdicts(None, "the quorum can no longer be reached", deadlocked=True)
    if tally.approvals + tally.outstanding >= plan.threshold or tally.participants < plan.quorum:
        return OPEN
    reason = (
        f"{tally.approvals} approved ({plan.threshold} needed), {tally.rejections} rejected, "
        f"{tally.change_requests} requested changes"
    )
    if tally.rejections > tally.change_requests + tally.outstanding:
        return Verdicts(StageOutcome.REJECTED, reason)
    unbeatable = tally.change_requests >= max(1, tally.rejections + tally.outstanding)
    if unbeatable and not tally.veto_outstanding:
        return Verdicts(StageOutcome.CHANGES_REQUESTED, reason)
    if tally.outstanding == 0:
        # Nobody objected, too few approved: that is no ground to turn a proposal away, so someone else decides.
        return Verdicts(None, "too few approved, and nobody objected", deadlocked=True)
    return OPEN
