"""When a stage's outcome is certain. Quorum counts who takes part, threshold weighs who approves: two numbers.

A stage is approved as soon as both numbers are reached, whatever those still to answer may say, and no reviewer with a
veto is still to answer. It fails as soon as one of them can no longer be reached, or a reviewer with a veto rejects.
An endorsement counts as an approval does; an acknowledgement takes part and says nothing for or against.

Whoever stood aside and has a deputy is out of the count: the deputy is asked instead, and counts by the deputies' role.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from imprimatur.rules.offers import counted
from imprimatur.rules.wording import HANDOVER_WORDS
from models.case import TaskState
from models.plan import StagePlan
from models.vocabulary import (
    AssignmentReason,
    CountedOf,
    HandoverOutcome,
    Recusal,
    StageOutcome,
    TaskStatus,
    Verdict,
    VotingMethod,
)

IN_FAVOUR = frozenset({Verdict.APPROVE, Verdict.ENDORSE})
AGAINST = frozenset({Verdict.REJECT, Verdict.REQUEST_CHANGES})
# What can be recommended in a review, the gravest last.
GRAVITY = (Verdict.CONTINUE, Verdict.REVISE, Verdict.PAUSE, Verdict.RETIRE)
OPTIONS = frozenset(GRAVITY)
# What those can answer to whom something is handed over.
HANDED_OVER = {Verdict.SEND_BACK: StageOutcome.SENT_BACK, Verdict.TAKE_UP: StageOutcome.TAKEN_UP}
TAKES_PART = IN_FAVOUR | AGAINST | OPTIONS | HANDED_OVER.keys() | {Verdict.ABSTAIN, Verdict.ACKNOWLEDGE}


@dataclass(frozen=True)
class Tally:
    """The votes of one stage and round: numbers of people, and weights (of approvals, rejections, ...).

    ``asked`` leaves out whom an escalation brought in: they vote, but do not raise what is needed. ``outstanding`` is
    the most that the answers still to come can weigh, a deputy's in place of a recusal included.
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
        tasks = list(tasks)
        cast = [task for task in tasks if task.verdict is not None]
        pending = [task for task in tasks if task.verdict is None and task.status is TaskStatus.OPEN]
        seats = _seats(plan, tasks)
        if plan.recusal is Recusal.LOWERS_QUORUM:
            asked = [task for task in seats if task.verdict is not Verdict.RECUSE]
        else:
            asked = seats
        # A deputy can weigh more than the reviewer who may still stand aside.
        growth = sum(_most(plan, task) - plan.weight_of(task.role) for task in pending)

        def weight(verdicts: frozenset[Verdict]) -> int:
            return sum(plan.weight_of(task.role) for task in cast if task.verdict in verdicts)

        return cls(
            approvals=weight(IN_FAVOUR),
            rejections=weight(frozenset({Verdict.REJECT})),
            change_requests=weight(frozenset({Verdict.REQUEST_CHANGES})),
            asked=growth + sum(plan.weight_of(task.role) for task in asked),
            asked_people=len(asked),
            recused=len(seats) - len(asked),
            outstanding=sum(_most(plan, task) for task in pending),
            participants=sum(task.verdict in TAKES_PART for task in cast),
            outstanding_people=len(pending),
            vetoed=any(task.verdict is Verdict.REJECT and task.role in plan.veto for task in cast),
            veto_outstanding=any(_could_veto(plan, task) for task in pending),
        )

    @property
    def objections(self) -> int:
        return self.rejections + self.change_requests


def _seats(plan: StagePlan, tasks: list[TaskState]) -> list[TaskState]:
    """Those who are counted as asked; where a deputy came, the deputy in place of the reviewer who stood aside."""
    replaced = {task.stands_for for task in tasks}
    return [
        task
        for task in tasks
        if (task.verdict is not None or task.status is TaskStatus.OPEN)
        and task.reason is not AssignmentReason.ESCALATION
        and not (task.verdict is Verdict.RECUSE and task.id in replaced)
    ]


def _replaceable(plan: StagePlan, task: TaskState) -> bool:
    return plan.deputies is not None and task.reason is not AssignmentReason.ESCALATION


def _most(plan: StagePlan, task: TaskState) -> int:
    own = plan.weight_of(task.role)
    return max(own, plan.weight_of(plan.deputies)) if _replaceable(plan, task) else own


def _could_veto(plan: StagePlan, task: TaskState) -> bool:
    return task.role in plan.veto or (_replaceable(plan, task) and plan.deputies in plan.veto)


@dataclass(frozen=True)
class Verdicts:
    """``outcome`` is None while open; ``deadlocked`` when the votes cast can no longer decide either way."""

    outcome: StageOutcome | None
    reason: str
    deadlocked: bool = False
    recommendation: Verdict | None = None


OPEN = Verdicts(None, "")
VETOED = Verdicts(StageOutcome.REJECTED, "a reviewer with a veto rejected")


def quorum_of(plan: StagePlan, tally: Tally) -> int:
    """How many people must take part; a recusal lowers it where the framework says so, never below one."""
    if plan.quorum_percent is not None:
        return max(1, _share(plan.quorum_percent, tally.asked_people))
    return max(1, plan.quorum - tally.recused)


def _base(plan: StagePlan, tally: Tally) -> int:
    """What a share is counted of, when all the votes still to come are for or against."""
    if plan.counted_of is CountedOf.VOTES:
        return tally.approvals + tally.objections + tally.outstanding
    return tally.asked


def threshold_of(plan: StagePlan, tally: Tally) -> int:
    """The weight of approvals needed, at the most: when all the votes still to come are for or against."""
    base = _base(plan, tally)
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


def evaluate(plan: StagePlan, tasks: Iterable[TaskState], deadlocked: bool = False, late: bool = False) -> Verdicts:
    """The outcome of a stage from the tasks of its current round; the order of votes does not matter.

    Once a stage is ``deadlocked``, whoever it was escalated to has the casting vote. One that waits for every answer
    does so until it is ``late``.
    """
    tasks = counted(tasks)
    if plan.objection:
        return _evaluate_objections(plan, tasks, deadlocked)
    if plan.hands_over:
        return _evaluate_handover(tasks)
    tally = Tally.of(plan, tasks)
    if plan.recommends:
        return _evaluate_recommendations(plan, tasks, tally, deadlocked=deadlocked, late=late)
    if deadlocked and plan.refers_rejection:
        return _casting_vote(plan, tasks) or OPEN
    if tally.vetoed:
        return VETOED
    if plan.waits_for_all and tally.outstanding_people and not deadlocked and not late:
        return OPEN
    if deadlocked and (casting := _casting_vote(plan, tasks)) is not None:
        return casting
    quorum, needed = quorum_of(plan, tally), threshold_of(plan, tally)
    if tally.approvals >= needed and tally.participants >= quorum:
        return OPEN if tally.veto_outstanding else Verdicts(plan.positive, _approval(plan, tally, needed, quorum))
    result = _failure(plan, tasks, tally, quorum)
    # Whoever was brought in before it came to this may have said their word already.
    return (_casting_vote(plan, tasks) if result.deadlocked else None) or result


def _evaluate_objections(plan: StagePlan, tasks: list[TaskState], deadlocked: bool) -> Verdicts:
    """Nobody votes here: time decides, or whoever resolves an objection. Silence of nobody is no consent."""
    if not tasks:
        return Verdicts(None, "nobody was asked who could object", deadlocked=True)
    return (_casting_vote(plan, tasks) if deadlocked else None) or OPEN


def _evaluate_handover(tasks: list[TaskState]) -> Verdicts:
    """Nobody votes here either: one who delivers it is enough, and no two of them can answer at once."""
    said = {task.verdict for task in tasks}
    for verdict, outcome in HANDED_OVER.items():
        if verdict in said:
            return Verdicts(outcome, HANDOVER_WORDS[HandoverOutcome(outcome)])
    if any(task.status.is_pending for task in tasks):
        return OPEN
    return Verdicts(None, "nobody is left who could take it up", deadlocked=True)


def _evaluate_recommendations(
    plan: StagePlan, tasks: list[TaskState], tally: Tally, *, deadlocked: bool, late: bool
) -> Verdicts:
    """Each option is counted by itself against the threshold; of two that reach it alike, the graver one counts."""
    if plan.waits_for_all and tally.outstanding_people and not deadlocked and not late:
        return OPEN
    brought_in = {task.verdict for task in tasks if task.reason is AssignmentReason.ESCALATION}
    casting = next((option for option in reversed(GRAVITY) if option in brought_in), None)
    if deadlocked and casting is not None:
        return _recommended(plan, casting, "by the casting vote of the escalation")
    weights = {option: sum(plan.weight_of(task.role) for task in tasks if task.verdict is option) for option in GRAVITY}
    # What a share is counted of: everybody who recommends something.
    tally = replace(tally, approvals=sum(weights.values()))
    quorum, needed = quorum_of(plan, tally), threshold_of(plan, tally)
    best = max(weights.values())
    if best >= needed and tally.participants >= quorum:
        option = next(option for option in reversed(GRAVITY) if weights[option] == best)
        weight = " by weight" if plan.weights else ""
        took_part = f"{tally.participants} took part ({quorum} needed)"
        return _recommended(plan, option, f"{best} recommended it{weight} ({needed} needed), {took_part}")
    if tally.participants + tally.outstanding_people < quorum:
        return Verdicts(None, "the quorum can no longer be reached", deadlocked=True)
    if tally.outstanding_people == 0 or best + tally.outstanding < needed:
        return Verdicts(None, "no recommendation has enough support", deadlocked=True)
    return OPEN


def _recommended(plan: StagePlan, option: Verdict, why: str) -> Verdicts:
    return Verdicts(plan.positive, f"{option}: {why}", recommendation=option)


def _approval(plan: StagePlan, tally: Tally, needed: int, quorum: int) -> str:
    return f"{_in_favour(plan, tally, needed)}, {tally.participants} took part ({quorum} needed)"


def _in_favour(plan: StagePlan, tally: Tally, needed: int) -> str:
    did = "endorsed" if plan.positive is StageOutcome.ENDORSED else "approved"
    return f"{tally.approvals} {did}{' by weight' if plan.weights else ''} ({needed} needed)"


def _outcome_of(plan: StagePlan, verdict: Verdict | None) -> StageOutcome | None:
    match verdict:
        case Verdict.APPROVE | Verdict.ENDORSE:
            return plan.positive
        case Verdict.REJECT:
            return StageOutcome.REJECTED
        case Verdict.REQUEST_CHANGES:
            return StageOutcome.CHANGES_REQUESTED
    return None


def _casting_vote(plan: StagePlan, tasks: list[TaskState]) -> Verdicts | None:
    """Where several had said their word before it was needed and disagree, the most cautious one counts."""
    brought_in = [task for task in tasks if task.reason is AssignmentReason.ESCALATION]
    said = {_outcome_of(plan, task.verdict) for task in brought_in}
    for outcome in (StageOutcome.REJECTED, StageOutcome.CHANGES_REQUESTED, plan.positive):
        if outcome in said:
            return Verdicts(outcome, "decided by the casting vote of the escalation")
    return None


def _failure(plan: StagePlan, tasks: list[TaskState], tally: Tally, quorum: int) -> Verdicts:
    """A stage fails only when no answer still to come can change how."""
    if tally.participants + tally.outstanding_people < quorum:
        return Verdicts(None, "the quorum can no longer be reached", deadlocked=True)
    needed = threshold_of(plan, tally)
    if tally.approvals + tally.outstanding >= needed or tally.participants < quorum:
        return OPEN
    if (broken := _tie(plan, tasks, tally)) is not None:
        return broken
    reason = (
        f"{_in_favour(plan, tally, needed)}, {tally.rejections} rejected, {tally.change_requests} requested changes"
    )
    if tally.rejections > tally.change_requests + tally.outstanding:
        return Verdicts(StageOutcome.REJECTED, reason)
    unbeatable = tally.change_requests >= max(1, tally.rejections + tally.outstanding)
    if unbeatable and not tally.veto_outstanding:
        return Verdicts(StageOutcome.CHANGES_REQUESTED, reason)
    if tally.outstanding_people == 0:
        # Nobody objected, too few approved: that is no ground to turn a proposal away, so someone else decides.
        return Verdicts(None, "too few approved, and nobody objected", deadlocked=True)
    return OPEN


def _tie(plan: StagePlan, tasks: list[TaskState], tally: Tally) -> Verdicts | None:
    """What follows where exactly half approve, or still can; None when there can be no tie, or nobody who breaks it."""
    if plan.tie_break is None or 2 * (tally.approvals + tally.outstanding) < _base(plan, tally):
        return None
    if tally.outstanding_people:
        return OPEN
    said = {_outcome_of(plan, task.verdict) for task in tasks if task.role == plan.tie_break} - {None}
    if len(said) != 1:
        return None
    role = plan.tie_break.replace("_", " ")
    return Verdicts(said.pop(), f"exactly half approved, and the vote of the {role} decided")
