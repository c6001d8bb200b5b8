"""When a stage's outcome is certain. Quorum counts who takes part, threshold weighs who approves: two numbers.

A stage is approved as soon as both numbers are reached, whatever those still to answer may say, and no reviewer with a
veto is still to answer. It fails as soon as one of them can no longer be reached, or a reviewer with a veto rejects.
An endorsement counts as an approval does; an acknowledgement takes part and says nothing for or against.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from imprimatur.rules.offers import counted
from models.case import TaskState
from models.plan import StagePlan
from models.vocabulary import (
    AssignmentReason,
    CountedOf,
    Recusal,
    StageOutcome,
    TaskStatus,
    Verdict,
    VotingMethod,
)

IN_FAVOUR = frozenset({Verdict.APPROVE, Verdict.ENDORSE})
TAKES_PART = IN_FAVOUR | {Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN, Verdict.ACKNOWLEDGE}


@dataclass(frozen=True)
class Tally:
    """The votes of one stage and round: numbers of people, and weights (of approvals, rejections, ...).

    ``asked`` leaves out whom an escalation brought in: they vote, but do not raise what is needed.
    """

    approvals: int
    rejections: int
    change_requests: int
    asked: int
    asked_people: int
    recused: int
    outstanding: int
    participants: int
    outstanding_people: int
    vetoed: bool
    veto_outstanding: bool

    @classmethod
    def of(cls, plan: StagePlan, tasks: Iterable[TaskState]) -> "Tally":
        def weight(chosen: Iterable[TaskState]) -> int:
            return sum(plan.weight_of(task.role) for task in chosen)

        standing = [task for task in tasks if task.verdict is not None or task.status is TaskStatus.OPEN]
        cast = [task for task in standing if task.verdict is not None]
        pending = [task for task in standing if task.verdict is None]
        recused = [task for task in cast if task.verdict is Verdict.RECUSE]
        leaves = recused if plan.recusal is Recusal.LOWERS_QUORUM else []
        asked = [task for task in standing if task.reason is not AssignmentReason.ESCALATION and task not in leaves]
        return cls(
            approvals=weight(task for task in cast if task.verdict in IN_FAVOUR),
            rejections=weight(task for task in cast if task.verdict is Verdict.REJECT),
            change_requests=weight(task for task in cast if task.verdict is Verdict.REQUEST_CHANGES),
            asked=weight(asked),
            asked_people=len(asked),
            recused=len(leaves),
            outstanding=weight(pending),
            participants=sum(task.verdict in TAKES_PART for task in cast),
            outstanding_people=len(pending),
            vetoed=any(task.verdict is Verdict.REJECT and task.role in plan.veto for task in cast),
            veto_outstanding=any(task.role in plan.veto for task in pending),
        )

    @property
    def objections(self) -> int:
        return self.rejections + self.change_requests


@dataclass(frozen=True)
class Verdicts:
    """``outcome`` is None while open; ``deadlocked`` when the votes cast can no longer decide either way."""

    outcome: StageOutcome | None
    reason: str
    deadlocked: bool = False


OPEN = Verdicts(None, "")


def quorum_of(plan: StagePlan, tally: Tally) -> int:
    """How many people must take part; a recusal lowers it where the framework says so, never below one."""
    if plan.quorum_percent is not None:
        return max(1, _share(plan.quorum_percent, tally.asked_people))
    return max(1, plan.quorum - tally.recused)


def threshold_of(plan: StagePlan, tally: Tally, still_against: int = 0) -> int:
    """The weight of approvals needed, when ``still_against`` of the votes to come are cast and do not approve."""
    base = tally.asked
    if plan.counted_of is CountedOf.VOTES:
        base = tally.approvals + tally.objections + still_against
    match plan.method:
        case VotingMethod.PERCENTAGE:
            needed = _share(plan.threshold_percent or 0, base)
        case VotingMethod.MAJORITY:
            needed = base // 2 + 1
        case VotingMethod.UNANIMITY:
            needed = base
        case _:
            needed = plan.threshold
    return max(1, needed)


def _share(percent: float, base: int) -> int:
    """At least this part of ``base``; exact, for 66.7 % of a thousand must not be a matter of rounding errors."""
    return math.ceil(Fraction(str(percent)) * base / 100)


def evaluate(plan: StagePlan, tasks: Iterable[TaskState], deadlocked: bool = False) -> Verdicts:
    """The outcome of a stage from the tasks of its current round; the order of votes does not matter.

    Once a stage is ``deadlocked``, whoever it was escalated to has the casting vote.
    """
    tasks = counted(tasks)
    if plan.objection:
        # Nobody votes here: time decides, or whoever resolves an objection.
        return (_casting_vote(plan, tasks) if deadlocked else None) or OPEN
    tally = Tally.of(plan, tasks)
    if tally.vetoed:
        return Verdicts(StageOutcome.REJECTED, "a reviewer with a veto rejected")
    if plan.waits_for_all and tally.outstanding_people and not deadlocked:
        return OPEN
    quorum, needed = quorum_of(plan, tally), threshold_of(plan, tally, tally.outstanding)
    if tally.approvals >= needed and tally.participants >= quorum:
        return OPEN if tally.veto_outstanding else Verdicts(plan.positive, _approval(plan, tally, needed, quorum))
    if deadlocked and (casting := _casting_vote(plan, tasks)) is not None:
        return casting
    return _failure(plan, tasks, tally, quorum)


def _approval(plan: StagePlan, tally: Tally, needed: int, quorum: int) -> str:
    did = "endorsed" if plan.positive is StageOutcome.ENDORSED else "approved"
    return f"{tally.approvals} {did} ({needed} needed), {tally.participants} took part ({quorum} needed)"


def _outcome_of(plan: StagePlan, verdict: Verdict | None) -> StageOutcome | None:
    if verdict in IN_FAVOUR:
        return plan.positive
    return {Verdict.REJECT: StageOutcome.REJECTED, Verdict.REQUEST_CHANGES: StageOutcome.CHANGES_REQUESTED}.get(
        verdict  # type: ignore[arg-type]
    )


def _casting_vote(plan: StagePlan, tasks: list[TaskState]) -> Verdicts | None:
    for task in tasks:
        outcome = _outcome_of(plan, task.verdict)
        if task.reason is AssignmentReason.ESCALATION and outcome is not None:
            return Verdicts(outcome, "decided by the casting vote of the escalation")
    return None


def _failure(plan: StagePlan, tasks: list[TaskState], tally: Tally, quorum: int) -> Verdicts:
    """A stage fails only when no answer still to come can change how."""
    if tally.participants + tally.outstanding_people < quorum:
        return Verdicts(None, "the quorum can no longer be reached", deadlocked=True)
    best = tally.approvals + tally.outstanding
    if best >= threshold_of(plan, tally, tally.outstanding) or tally.participants < quorum:
        return OPEN
    reason = (
        f"{tally.approvals} approved ({threshold_of(plan, tally, tally.outstanding)} needed), "
        f"{tally.rejections} rejected, {tally.change_requests} requested changes"
    )
    if plan.tie_break is not None:
        if tally.outstanding_people:
            return OPEN
        if tally.approvals == tally.objections and (broken := _tie_broken(plan, tasks)) is not None:
            return broken
    if tally.rejections > tally.change_requests + tally.outstanding:
        return Verdicts(StageOutcome.REJECTED, reason)
    unbeatable = tally.change_requests >= max(1, tally.rejections + tally.outstanding)
    if unbeatable and not tally.veto_outstanding:
        return Verdicts(StageOutcome.CHANGES_REQUESTED, reason)
    if tally.outstanding_people == 0:
        # Nobody objected, too few approved: that is no ground to turn a proposal away, so someone else decides.
        return Verdicts(None, "too few approved, and nobody objected", deadlocked=True)
    return OPEN


def _tie_broken(plan: StagePlan, tasks: list[TaskState]) -> Verdicts | None:
    for task in tasks:
        outcome = _outcome_of(plan, task.verdict)
        if task.role == plan.tie_break and outcome is not None:
            role = (plan.tie_break or "").replace("_", " ")
            return Verdicts(outcome, f"the votes were equal, and that of the {role} decided")
    return None
