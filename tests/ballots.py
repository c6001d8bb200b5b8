"""Ballots of a stage, for tests of voting: any rule, any people, any answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from hypothesis import strategies as st

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

A, R, C, N, X = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN, Verdict.RECUSE
ANSWERS = (A, R, C, N, X)
ROLES = (None, "member", "chair")


@dataclass(frozen=True)
class Vote:
    """One reviewer's answer (None: still to come), and the deputy's who came in place of one who stood aside."""

    verdict: Verdict | None
    role: str | None = None
    escalated: bool = False
    deputy: "Vote | None" = None


Ballot = tuple[Vote, ...]


def votes(*cast: Verdict | None, roles: Sequence[str | None] = (), escalated: int = 0) -> list[TaskState]:
    """Tasks by verdict; None is a task still open; the last ``escalated`` ones came by escalation."""
    return tasks_of(
        tuple(
            Vote(verdict, roles[number] if number < len(roles) else None, number >= len(cast) - escalated)
            for number, verdict in enumerate(cast)
        )
    )


def tasks_of(ballot: Ballot) -> list[TaskState]:
    found: list[TaskState] = []
    for number, vote in enumerate(ballot):
        found.append(
            _task(f"t-{number}", vote, AssignmentReason.ESCALATION if vote.escalated else AssignmentReason.ROLE)
        )
        if vote.deputy is not None:
            found.append(_task(f"t-{number}-deputy", vote.deputy, AssignmentReason.DEPUTY, stands_for=f"t-{number}"))
    return found


def _task(task_id: str, vote: Vote, reason: AssignmentReason, stands_for: str | None = None) -> TaskState:
    return TaskState(
        id=task_id,
        stage="quality",
        round=1,
        assignee=f"{task_id}@example.org",
        reason=reason,
        role=vote.role,
        stands_for=stands_for,
        status=TaskStatus.OPEN if vote.verdict is None else TaskStatus.DECIDED,
        verdict=vote.verdict,
    )


@st.composite
def rules(draw: st.DrawFn) -> StagePlan:
    method = draw(st.sampled_from(list(VotingMethod)))
    counts, shares = method is VotingMethod.COUNT, method is VotingMethod.PERCENTAGE
    weights = draw(st.dictionaries(st.sampled_from(["member", "chair", "deputy"]), st.integers(1, 4)))
    return StagePlan(
        id="quality",
        positive=draw(st.sampled_from([StageOutcome.APPROVED, StageOutcome.ENDORSED])),
        quorum=draw(st.integers(1, 4)),
        quorum_percent=draw(st.sampled_from([None, None, 25.0, 50.0, 66.7, 100.0])),
        method=method,
        threshold=draw(st.integers(1, 6)) if counts else 0,
        threshold_percent=draw(st.sampled_from([20.0, 50.0, 66.7, 100.0])) if shares else None,
        counted_of=CountedOf.ASKED if counts else draw(st.sampled_from(list(CountedOf))),
        weights=weights,
        veto=draw(st.sampled_from([(), (), ("chair",), ("deputy",)])),
        recusal=draw(st.sampled_from(list(Recusal))),
        deputies=draw(st.sampled_from([None, "deputy", "chair"])),
        tie_break=draw(st.sampled_from([None, "chair", "member"])) if method is VotingMethod.MAJORITY else None,
        waits_for_all=draw(st.sampled_from([False, False, False, True])),
    )


def ballots(plan: StagePlan, verdicts: Sequence[Verdict | None] = (*ANSWERS, None)) -> st.SearchStrategy[Ballot]:
    """Up to six reviewers and two whom an escalation brought in; a deputy for some of those who stood aside."""
    answers = st.sampled_from(list(verdicts))
    plain = st.builds(Vote, answers, st.sampled_from(ROLES))
    reviewers = st.lists(plain.flatmap(lambda vote: _perhaps_replaced(plan, vote, answers)), max_size=6)
    brought_in = st.lists(st.builds(Vote, answers, st.just("director"), st.just(True)), max_size=2)
    return st.builds(lambda some, others: (*some, *others), reviewers, brought_in)


def _perhaps_replaced(
    plan: StagePlan, vote: Vote, answers: st.SearchStrategy[Verdict | None]
) -> st.SearchStrategy[Vote]:
    if vote.verdict is not X or plan.deputies is None:
        return st.just(vote)
    return st.one_of(st.just(vote), answers.map(lambda verdict: replace(vote, deputy=Vote(verdict, plan.deputies))))


def pending(ballot: Ballot) -> int:
    return sum(task.verdict is None for task in tasks_of(ballot))


def completions(plan: StagePlan, ballot: Ballot) -> Iterator[Ballot]:
    """Every way in which the answers still to come can come, those of deputies included."""
    yield from product(*(list(_ends(plan, vote)) for vote in ballot))


def _ends(plan: StagePlan, vote: Vote) -> Iterator[Vote]:
    if vote.deputy is not None and vote.deputy.verdict is None:
        yield from (replace(vote, deputy=replace(vote.deputy, verdict=answer)) for answer in ANSWERS)
    elif vote.verdict is not None:
        yield vote
    else:
        yield from (replace(vote, verdict=answer) for answer in ANSWERS)
        if plan.deputies is not None and not vote.escalated:
            yield from (replace(vote, verdict=X, deputy=Vote(answer, plan.deputies)) for answer in ANSWERS)


def counted(plan: StagePlan, ballot: Ballot) -> StageOutcome | None:
    """The outcome of a ballot to which nothing more can come, by the words of the reference; None: a deadlock."""
    said = [vote for vote in _in_force(ballot) if vote.verdict is not X]
    asked = [vote for vote in _in_force(ballot) if not vote.escalated]
    if any(vote.verdict is R and vote.role in plan.veto for vote in said):
        return StageOutcome.REJECTED
    if plan.recusal is Recusal.LOWERS_QUORUM:
        asked = [vote for vote in asked if vote.verdict is not X]
    gone = sum(vote.verdict is X and not vote.escalated for vote in _in_force(ballot))
    quorum = Fraction(plan.quorum - (gone if plan.recusal is Recusal.LOWERS_QUORUM else 0))
    if plan.quorum_percent is not None:
        quorum = Fraction(str(plan.quorum_percent)) / 100 * len(asked)
    if len(said) < max(Fraction(1), quorum):
        return _cast(plan, ballot)
    yes, no, change = (sum(plan.weight_of(v.role) for v in said if v.verdict is verdict) for verdict in (A, R, C))
    total = yes + no + change
    if plan.counted_of is CountedOf.ASKED:
        total = sum(plan.weight_of(vote.role) for vote in asked)
    if yes and _enough(plan, yes, total):
        return plan.positive
    if plan.tie_break is not None and 2 * yes == total:
        outcomes = {_meant(plan, vote) for vote in said if vote.role == plan.tie_break} - {None}
        if len(outcomes) == 1:
            return outcomes.pop()
    if no > change:
        return StageOutcome.REJECTED
    return StageOutcome.CHANGES_REQUESTED if change else _cast(plan, ballot)


def _in_force(ballot: Ballot) -> list[Vote]:
    return [vote.deputy or vote for vote in ballot]


def _enough(plan: StagePlan, yes: int, total: int) -> bool:
    match plan.method:
        case VotingMethod.COUNT:
            return yes >= plan.threshold
        case VotingMethod.PERCENTAGE:
            return yes * 100 >= Fraction(str(plan.threshold_percent)) * total
        case VotingMethod.MAJORITY:
            return 2 * yes > total
    return yes >= total


def _meant(plan: StagePlan, vote: Vote) -> StageOutcome | None:
    meaning = {A: plan.positive, R: StageOutcome.REJECTED, C: StageOutcome.CHANGES_REQUESTED}
    return meaning.get(vote.verdict) if vote.verdict is not None else None


def _cast(plan: StagePlan, ballot: Ballot) -> StageOutcome | None:
    said = {_meant(plan, vote) for vote in ballot if vote.escalated}
    order = (StageOutcome.REJECTED, StageOutcome.CHANGES_REQUESTED, plan.positive)
    return next((outcome for outcome in order if outcome in said), None)
