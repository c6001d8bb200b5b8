"""What holds for every voting rule, whoever votes: methods, weights, shares, vetoes, recusals, deputies, ties."""

from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imprimatur.rules.voting import evaluate
from models.plan import StagePlan
from models.vocabulary import Recusal, StageOutcome
from tests.ballots import ANSWERS, A, Ballot, R, Vote, X, ballots, completions, counted, pending, rules, tasks_of

MANY = settings(max_examples=120, deadline=None)
partly = rules().flatmap(lambda plan: st.tuples(st.just(plan), ballots(plan)))
complete = rules().flatmap(lambda plan: st.tuples(st.just(plan), ballots(plan, ANSWERS)))
Case = tuple[StagePlan, Ballot]


def outcome(plan: StagePlan, ballot: Ballot, **how: bool) -> StageOutcome | None:
    return evaluate(plan, tasks_of(ballot), **how).outcome


@MANY
@given(complete)
def test_a_full_ballot_is_counted_by_the_words_of_the_reference(case: Case) -> None:
    plan, ballot = case
    result = evaluate(plan, tasks_of(ballot))
    assert result.outcome is counted(plan, ballot)
    assert result.deadlocked == (result.outcome is None), "a full ballot is decided or deadlocked"


@MANY
@given(partly, st.booleans())
def test_an_outcome_is_certain_whatever_the_rest_answers(case: Case, late: bool) -> None:
    """Early close never anticipates: every completion of the ballot leads to the same outcome, deputies included."""
    plan, ballot = case
    assume(pending(ballot) <= (2 if plan.deputies else 3))
    found = outcome(plan, ballot, late=late)
    if found is not None and not _cast_already(plan, ballot):
        assert {counted(plan, completion) for completion in completions(plan, ballot)} == {found}


def _cast_already(plan: StagePlan, ballot: Ballot) -> bool:
    """A casting vote decides a deadlock at once, though others could still speak."""
    return "casting vote" in evaluate(plan, tasks_of(ballot), late=True).reason


@MANY
@given(partly, st.randoms(), st.booleans(), st.booleans())
def test_the_order_of_votes_does_not_matter(case: Case, random: Any, deadlocked: bool, late: bool) -> None:
    plan, ballot = case
    tasks = tasks_of(ballot)
    shuffled = list(tasks)
    random.shuffle(shuffled)
    assert evaluate(plan, shuffled, deadlocked, late) == evaluate(plan, tasks, deadlocked, late)


@MANY
@given(partly, st.integers(0, 7))
def test_an_approval_more_never_hurts(case: Case, number: int) -> None:
    plan, ballot = case
    assume(number < len(ballot) and ballot[number].deputy is None)
    better = (*ballot[:number], replace(ballot[number], verdict=A), *ballot[number + 1 :])
    if outcome(plan, ballot) is plan.positive:
        assert outcome(plan, better) is plan.positive


@MANY
@given(partly, st.integers(0, 7))
def test_a_rejection_more_never_helps(case: Case, number: int) -> None:
    plan, ballot = case
    assume(number < len(ballot) and ballot[number].deputy is None and ballot[number].verdict is not X)
    worse = (*ballot[:number], replace(ballot[number], verdict=R), *ballot[number + 1 :])
    if outcome(plan, worse) is plan.positive:
        assert outcome(plan, ballot) in (plan.positive, None)
        assert counted(plan, _all_approve(ballot)) is plan.positive


def _all_approve(ballot: Ballot) -> Ballot:
    return tuple(
        replace(
            vote,
            verdict=vote.verdict or A,
            deputy=vote.deputy and replace(vote.deputy, verdict=vote.deputy.verdict or A),
        )
        for vote in ballot
    )


@MANY
@given(complete, st.sampled_from(["member", "chair"]), st.integers(1, 5))
def test_more_weight_for_those_who_approve_never_hurts(case: Case, role: str, more: int) -> None:
    plan, ballot = case
    assume(plan.deputies != role)
    ballot = tuple(replace(vote, verdict=A, deputy=None) if vote.role == role else vote for vote in ballot)
    heavier = plan.model_copy(update={"weights": plan.weights | {role: plan.weight_of(role) + more}})
    if outcome(plan, ballot) is plan.positive:
        assert outcome(heavier, ballot) is plan.positive


@MANY
@given(partly)
def test_who_waits_for_every_answer_closes_only_by_a_veto_before(case: Case) -> None:
    plan, ballot = case
    patient = plan.model_copy(update={"waits_for_all": True})
    if pending(ballot):
        assert evaluate(patient, tasks_of(ballot)).reason in ("", "a reviewer with a veto rejected")
    assert outcome(patient, ballot, late=True) is outcome(plan.model_copy(update={"waits_for_all": False}), ballot)


@MANY
@given(partly)
def test_weights_of_one_and_everything_counted_alike_change_nothing(case: Case) -> None:
    plan, ballot = case
    plain = plan.model_copy(update={"weights": {}})
    stated = plan.model_copy(update={"weights": dict.fromkeys(("member", "chair", "deputy", "director"), 1)})
    assert outcome(plain, ballot) is outcome(stated, ballot)


@MANY
@given(complete)
def test_a_deputy_takes_a_place_and_makes_no_other(case: Case) -> None:
    """Whoever stood aside and was replaced leaves the count as if the deputy had been asked in the first place."""
    plan, ballot = case
    at_once = tuple(vote.deputy or vote for vote in ballot)
    assert outcome(plan, ballot) is outcome(plan, at_once)


@MANY
@given(complete)
def test_a_recusal_that_lowers_the_quorum_is_as_if_nobody_had_been_asked(case: Case) -> None:
    plan, ballot = case
    shares = plan.model_copy(update={"recusal": Recusal.LOWERS_QUORUM, "quorum_percent": 50.0})
    stayed = tuple(vote for vote in ballot if vote.verdict is not X or vote.deputy is not None)
    assert outcome(shares, ballot) is outcome(shares, stayed)


@MANY
@given(complete, st.sampled_from([A, R, ANSWERS[2]]))
def test_in_a_deadlock_the_escalation_decides_alone(case: Case, verdict: Any) -> None:
    plan, ballot = case
    ballot = tuple(vote for vote in ballot if not vote.escalated)
    assume(evaluate(plan, tasks_of(ballot)).deadlocked)
    found = outcome(plan, (*ballot, Vote(verdict, "director", escalated=True)), deadlocked=True)
    assert found is {A: plan.positive, R: StageOutcome.REJECTED}.get(verdict, StageOutcome.CHANGES_REQUESTED)
