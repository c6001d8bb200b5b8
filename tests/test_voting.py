"""When a stage's outcome is certain."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.rules.voting import evaluate
from models.case import TaskState
from models.plan import StagePlan
from models.vocabulary import AssignmentReason, StageOutcome, TaskStatus, Verdict

A, R, C, N, X = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN, Verdict.RECUSE
OPEN = None


def votes(*cast: Verdict | None, roles: tuple[str | None, ...] = (), escalated: int = 0) -> list[TaskState]:
    """Tasks by verdict; None is a task still open; the last ``escalated`` ones came by escalation."""
    return [
        TaskState(
            id=f"t-{number}",
            stage="quality",
            round=1,
            assignee=f"r{number}@example.org",
            reason=AssignmentReason.ESCALATION if number >= len(cast) - escalated else AssignmentReason.ROLE,
            role=roles[number] if number < len(roles) else None,
            status=TaskStatus.OPEN if verdict is None else TaskStatus.DECIDED,
            verdict=verdict,
        )
        for number, verdict in enumerate(cast)
    ]


def plan(quorum: int, threshold: int, *veto: str) -> StagePlan:
    return StagePlan(id="quality", quorum=quorum, threshold=threshold, veto=veto)


@pytest.mark.parametrize(
    ("rule", "cast", "outcome"),
    [
        ((1, 1), (OPEN,), None),
        ((1, 1), (A,), StageOutcome.APPROVED),
        ((1, 1), (R,), StageOutcome.REJECTED),
        ((1, 1), (C,), StageOutcome.CHANGES_REQUESTED),
        ((2, 2), (A, OPEN, OPEN), None),
        ((2, 2), (A, A, OPEN), StageOutcome.APPROVED),
        ((3, 2), (A, A, OPEN), None),
        ((3, 2), (A, A, N), StageOutcome.APPROVED),
        ((2, 1), (A, N, OPEN), StageOutcome.APPROVED),
        ((2, 2), (R, OPEN, OPEN), None),
        ((2, 2), (R, R, OPEN), StageOutcome.REJECTED),
        ((2, 2), (C, C, OPEN), StageOutcome.CHANGES_REQUESTED),
        # One for and one against: the third may still make it two of either.
        ((2, 2), (C, R, OPEN), None),
        ((2, 2), (C, R, N), StageOutcome.CHANGES_REQUESTED),
        ((2, 2), (C, R, R), StageOutcome.REJECTED),
        ((2, 2), (C, A, OPEN), None),
        ((2, 2), (C, A, A), StageOutcome.APPROVED),
        ((2, 2), (C, A, N), StageOutcome.CHANGES_REQUESTED),
    ],
)
def test_outcome(rule: tuple[int, int], cast: tuple[Verdict | None, ...], outcome: StageOutcome | None) -> None:
    result = evaluate(plan(*rule), votes(*cast))
    assert result.outcome is outcome
    assert not result.deadlocked


def test_a_veto_rejects_at_once() -> None:
    result = evaluate(plan(2, 2, "chair"), votes(A, R, None, roles=("member", "chair", "member")))
    assert result.outcome is StageOutcome.REJECTED


def test_an_ordinary_rejection_is_no_veto() -> None:
    result = evaluate(plan(2, 2, "chair"), votes(A, R, None, roles=("member", "member", "chair")))
    assert result.outcome is None


def test_approval_waits_for_whoever_holds_a_veto() -> None:
    tasks = votes(A, A, None, roles=("member", "member", "chair"))
    assert evaluate(plan(2, 2, "chair"), tasks).outcome is None


@pytest.mark.parametrize("cast", [(N, N, N), (N, A, N), (X, X, OPEN), (X, X, X), ()])
def test_too_little_to_decide_is_a_deadlock_and_no_rejection(cast: tuple[Verdict | None, ...]) -> None:
    result = evaluate(plan(2, 2), votes(*cast))
    assert result.deadlocked
    assert result.outcome is None


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (A, StageOutcome.APPROVED),
        (R, StageOutcome.REJECTED),
        (C, StageOutcome.CHANGES_REQUESTED),
        (N, None),
        (None, None),
    ],
)
def test_the_escalation_has_the_casting_vote(verdict: Verdict | None, outcome: StageOutcome | None) -> None:
    result = evaluate(plan(3, 3), votes(N, X, N, verdict, escalated=1), deadlocked=True)
    assert result.outcome is outcome


def test_without_a_deadlock_an_escalation_votes_like_anyone() -> None:
    assert evaluate(plan(2, 2), votes(None, None, None, A, escalated=1)).outcome is None


ballots = st.lists(st.sampled_from([A, R, C, N, X, None]), max_size=7)
rules = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(ballots, rules)
def test_an_outcome_is_certain_whatever_the_rest_answers(cast: list[Verdict | None], rule: tuple[int, int]) -> None:
    """Early close never anticipates: every completion of the ballot leads to the same outcome."""
    result = evaluate(plan(*rule), votes(*cast))
    if result.outcome is None or cast.count(None) > 3:
        return
    free = [index for index, verdict in enumerate(cast) if verdict is None]
    for rest in product([A, R, C, N, X], repeat=len(free)):
        complete = list(cast)
        for index, verdict in zip(free, rest, strict=True):
            complete[index] = verdict
        assert evaluate(plan(*rule), votes(*complete)).outcome is result.outcome


@given(ballots, rules)
def test_a_stage_never_closes_against_its_rule(cast: list[Verdict | None], rule: tuple[int, int]) -> None:
    quorum, threshold = rule
    outcome = evaluate(plan(*rule), votes(*cast)).outcome
    took_part = sum(verdict not in (None, X) for verdict in cast)
    if outcome is StageOutcome.APPROVED:
        assert cast.count(A) >= threshold
    if outcome is not None:
        assert took_part >= quorum
    if outcome is StageOutcome.REJECTED:
        assert cast.count(R) > cast.count(C)


@given(ballots, rules)
def test_a_full_ballot_is_decided_or_deadlocked(cast: list[Verdict | None], rule: tuple[int, int]) -> None:
    complete = [verdict or A for verdict in cast]
    result = evaluate(plan(*rule), votes(*complete))
    assert (result.outcome is None) == result.deadlocked


@given(ballots, rules, st.randoms())
def test_the_order_of_votes_does_not_matter(cast: list[Verdict | None], rule: tuple[int, int], random: object) -> None:
    shuffled = list(cast)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert evaluate(plan(*rule), votes(*shuffled)) == evaluate(plan(*rule), votes(*cast))
