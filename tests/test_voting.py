"""When a stage's outcome is certain: the cases that the reference explains, one by one.

What holds for any rule and any ballot is in test_voting_properties.py.
"""

import pytest
from pydantic import ValidationError

from imprimatur.rules.plan import plan_of
from imprimatur.rules.voting import Tally, Verdicts, evaluate, quorum_of, threshold_of
from models.case import TaskState
from models.framework import Framework, VotingRule
from models.plan import StagePlan
from models.vocabulary import CountedOf, Recusal, StageOutcome, Verdict, VotingMethod
from tests.ballots import A, C, N, R, Vote, X, tasks_of, votes
from tests.policies import changed, policy

OPEN = None


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


YES, NO, CHANGE = StageOutcome.APPROVED, StageOutcome.REJECTED, StageOutcome.CHANGES_REQUESTED
SHARE = {"method": VotingMethod.PERCENTAGE}
MOST, ALL = {"method": VotingMethod.MAJORITY}, {"method": VotingMethod.UNANIMITY}
OF_VOTES = {"counted_of": CountedOf.VOTES}
HEAVY_CHAIR = {"weights": {"chair": 3}}
CHAIR = ("chair",)


def ruled(**rule: object) -> StagePlan:
    return StagePlan.model_validate({"id": "quality", "quorum": 1} | rule)


@pytest.mark.parametrize(
    ("rule", "cast", "roles", "outcome"),
    [
        # 66.7 % of three who were asked: two are 66.67 %, and not enough.
        (SHARE | {"threshold_percent": 66.7}, (A, A, OPEN), (), None),
        (SHARE | {"threshold_percent": 66.7}, (A, A, N), (), None),
        (SHARE | {"threshold_percent": 66.6}, (A, A, OPEN), (), YES),
        (SHARE | {"threshold_percent": 50}, (A, R, OPEN, OPEN), (), None),
        (SHARE | {"threshold_percent": 50}, (A, R, A, OPEN), (), YES),
        (SHARE | {"threshold_percent": 50}, (A, R, R, R), (), NO),
        # Of the votes, an abstention counts for nothing.
        (SHARE | OF_VOTES | {"threshold_percent": 50}, (A, N, N, N), (), YES),
        (SHARE | OF_VOTES | {"threshold_percent": 50}, (A, N, N, OPEN), (), YES),
        (SHARE | OF_VOTES | {"threshold_percent": 60}, (A, N, N, OPEN), (), None),
        (SHARE | OF_VOTES | {"threshold_percent": 60}, (A, R, N), (), NO),
        (MOST, (A, A, OPEN), (), YES),
        (MOST, (A, A, OPEN, OPEN), (), None),
        (MOST, (A, A, N, N), (), None),
        (MOST | OF_VOTES, (A, A, N, N), (), YES),
        (MOST | OF_VOTES, (A, A, OPEN, OPEN), (), None),
        (MOST | OF_VOTES, (A, R), (), NO),
        (ALL, (A, A, A), (), YES),
        (ALL, (A, A, OPEN), (), None),
        (ALL, (A, R, OPEN), (), None),
        (ALL, (R, R, OPEN), (), NO),
        (ALL, (C, OPEN), (), CHANGE),
        (ALL, (C, OPEN, OPEN), (), None),
        (ALL, (C, A), (), CHANGE),
        (ALL | OF_VOTES, (A, N, N), (), YES),
        (ALL | OF_VOTES, (A, N, OPEN), (), None),
        # A chair's word weighs three.
        (HEAVY_CHAIR | {"threshold": 3}, (A, OPEN, OPEN), CHAIR, YES),
        (HEAVY_CHAIR | {"threshold": 3}, (OPEN, A, A), CHAIR, None),
        (HEAVY_CHAIR | {"threshold": 4}, (A, A, OPEN), CHAIR, YES),
        (HEAVY_CHAIR | {"threshold": 3}, (R, A, A), CHAIR, NO),
        (HEAVY_CHAIR | MOST, (R, A, A), CHAIR, NO),
        (HEAVY_CHAIR | MOST, (A, R, R), CHAIR, YES),
        (HEAVY_CHAIR | SHARE | {"threshold_percent": 60}, (A, R, R), CHAIR, YES),
        (HEAVY_CHAIR | SHARE | {"threshold_percent": 61}, (A, R, R), CHAIR, NO),
        # Weights are no people: the quorum counts heads.
        (HEAVY_CHAIR | {"quorum": 2, "threshold": 3}, (A, OPEN, OPEN), CHAIR, None),
        (HEAVY_CHAIR | {"quorum": 2, "threshold": 3}, (A, N, OPEN), CHAIR, YES),
        ({"quorum_percent": 50, "threshold": 1}, (A, OPEN, OPEN, OPEN), (), None),
        ({"quorum_percent": 50, "threshold": 1}, (A, N, OPEN, OPEN), (), YES),
        ({"quorum_percent": 100, "threshold": 1}, (A, N, X), (), None),
        # Exactly half: the chair's vote decides, and nobody else's.
        (MOST | {"tie_break": "chair"}, (A, R), CHAIR, YES),
        (MOST | {"tie_break": "chair"}, (R, A), CHAIR, NO),
        (MOST | {"tie_break": "chair"}, (C, A), CHAIR, CHANGE),
        (MOST | {"tie_break": "chair"}, (N, A, R), CHAIR, NO),
        (MOST | OF_VOTES | {"tie_break": "chair"}, (A, R, N), CHAIR, YES),
        (MOST | {"tie_break": "chair"}, (A, R, R, OPEN), CHAIR, None),
        (MOST | {"tie_break": "chair"}, (A, R, R, A), CHAIR, YES),
        (MOST | {"tie_break": "chair"}, (A, R, R, R), CHAIR, NO),
        (MOST | {"tie_break": "chair"}, (A, R, R, R, OPEN), CHAIR, NO),
        (MOST | {"tie_break": "chair"}, (A, R), ("chair", "chair"), NO),
        ({"threshold": 1, "waits_for_all": True}, (A, OPEN), (), None),
        ({"threshold": 1, "waits_for_all": True}, (A, R), (), YES),
        ({"threshold": 1, "waits_for_all": True, "veto": CHAIR}, (R, OPEN), CHAIR, NO),
        ({"threshold": 1, "positive": StageOutcome.ENDORSED}, (Verdict.ENDORSE,), (), StageOutcome.ENDORSED),
    ],
)  # fmt: skip
def test_every_method_counts_as_the_reference_says(
    rule: dict[str, object], cast: tuple[Verdict | None, ...], roles: tuple[str, ...], outcome: StageOutcome | None
) -> None:
    assert evaluate(ruled(**rule), votes(*cast, roles=roles)).outcome is outcome


@pytest.mark.parametrize(
    ("rule", "ballot", "result"),
    [
        # One of three stands aside: as many as before must take part, or one less.
        ({"quorum": 3, "threshold": 2}, votes(A, A, X), "deadlock"),
        ({"quorum": 3, "threshold": 2, "recusal": Recusal.LOWERS_QUORUM}, votes(A, A, X), YES),
        ({"quorum": 3, "threshold": 3, "recusal": Recusal.LOWERS_QUORUM}, votes(A, A, X), "deadlock"),
        ({"quorum": 1, "threshold": 1, "recusal": Recusal.LOWERS_QUORUM}, votes(X, X), "deadlock"),
        (ALL, votes(A, A, X), "deadlock"),
        (ALL | {"recusal": Recusal.LOWERS_QUORUM}, votes(A, A, X), YES),
        # A deputy is asked in the place of whoever stood aside, and adds nothing to what is needed.
        (ALL | {"quorum": 3, "deputies": "deputy"}, tasks_of((Vote(A), Vote(A), Vote(X, deputy=Vote(A)))), YES),
        (ALL | {"quorum": 3, "deputies": "deputy"}, tasks_of((Vote(A), Vote(A), Vote(X, deputy=Vote(None)))), None),
        # Where a deputy would weigh more than the reviewer, nothing is certain before the reviewer has answered.
        (MOST | OF_VOTES | {"weights": {"chair": 2}}, votes(A, OPEN, roles=CHAIR), YES),
        (MOST | OF_VOTES | {"weights": {"chair": 2, "d": 3}, "deputies": "d"}, votes(A, OPEN, roles=CHAIR), None),
        ({"threshold": 1, "deputies": "d", "veto": ("d",)}, votes(A, OPEN), None),
        # Whoever an escalation brought in has no deputy.
        ({"threshold": 1, "deputies": "d", "veto": ("d",)}, votes(A, OPEN, escalated=1), YES),
    ],
)  # fmt: skip
def test_who_stands_aside(rule: dict[str, object], ballot: list[TaskState], result: StageOutcome | str | None) -> None:
    found = evaluate(ruled(**rule), ballot)
    assert ("deadlock" if found.deadlocked else found.outcome) == result


@pytest.mark.parametrize(
    ("rule", "cast", "needed"),
    [
        ({"quorum": 3, "threshold": 2}, (OPEN,) * 5, (3, 2)),
        ({"quorum_percent": 60, "threshold": 2}, (OPEN,) * 5, (3, 2)),
        ({"quorum_percent": 61} | MOST, (OPEN,) * 5, (4, 3)),
        (SHARE | {"threshold_percent": 66.7}, (OPEN,) * 1000, (1, 667)),
        (SHARE | {"threshold_percent": 33.3}, (OPEN,) * 1000, (1, 333)),
        (SHARE | {"threshold_percent": 0.1}, (OPEN,) * 3, (1, 1)),
        (MOST | OF_VOTES, (A, R, N, N, OPEN), (1, 2)),
        (ALL | OF_VOTES, (A, N, N), (1, 1)),
        ({"quorum": 4, "threshold": 1, "recusal": Recusal.LOWERS_QUORUM}, (X, X, OPEN, OPEN), (2, 1)),
        ({"quorum": 2, "threshold": 1, "recusal": Recusal.LOWERS_QUORUM}, (X, X, X), (1, 1)),
        ({"quorum_percent": 50, "recusal": Recusal.LOWERS_QUORUM} | MOST, (X, X, OPEN, OPEN), (1, 2)),
    ],
)  # fmt: skip
def test_quorum_and_threshold_are_whole_numbers_and_exact(
    rule: dict[str, object], cast: tuple[Verdict | None, ...], needed: tuple[int, int]
) -> None:
    tally = Tally.of(ruled(**rule), votes(*cast))
    assert (quorum_of(ruled(**rule), tally), threshold_of(ruled(**rule), tally)) == needed


def test_an_escalated_person_votes_and_raises_nothing_that_is_needed() -> None:
    assert evaluate(ruled(**ALL), votes(A, A, OPEN, A, escalated=1)).outcome is YES
    assert evaluate(ruled(quorum_percent=100, threshold=1), votes(A, OPEN, N, escalated=1)).outcome is YES


def test_of_several_casting_votes_the_most_cautious_counts() -> None:
    for ballot, outcome in (((A, A), YES), ((A, C), CHANGE), ((C, R), NO), ((R, A), NO)):
        assert evaluate(ruled(quorum=3, threshold=3), votes(X, *ballot, escalated=2)).outcome is outcome


def test_a_casting_vote_outweighs_numbers_that_are_reached_only_by_it() -> None:
    """Two were to take part and one did: the director completes the quorum, and says no."""
    rule = ruled(quorum=2, threshold=1)
    assert evaluate(rule, votes(A)).deadlocked
    assert evaluate(rule, votes(A, R, escalated=1), deadlocked=True).outcome is NO


def test_in_an_objection_window_nobody_votes_and_someone_must_have_been_asked() -> None:
    window = ruled(objection=True)
    assert evaluate(window, []).deadlocked
    assert evaluate(window, votes(Verdict.ACKNOWLEDGE, Verdict.OBJECT, OPEN)) == Verdicts(None, "")
    assert evaluate(window, votes(Verdict.OBJECT, A, escalated=1), deadlocked=True).outcome is YES
    assert evaluate(window, votes(Verdict.OBJECT, R, escalated=1), deadlocked=True).outcome is NO


@pytest.mark.parametrize(
    ("rule", "cast", "reason"),
    [
        ({"quorum": 2, "threshold": 2}, (A, A), "2 approved (2 needed), 2 took part (2 needed)"),
        (HEAVY_CHAIR | {"threshold": 3}, (A, N), "3 approved by weight (3 needed), 2 took part (1 needed)"),
        ({"threshold": 1, "positive": "endorsed"}, (A,), "1 endorsed (1 needed), 1 took part (1 needed)"),
        ({"threshold": 2}, (A, R), "1 approved (2 needed), 1 rejected, 0 requested changes"),
        (MOST | {"tie_break": "chair"}, (A, R), "exactly half approved, and the vote of the chair decided"),
        ({"threshold": 1, "veto": CHAIR}, (R, A), "a reviewer with a veto rejected"),
    ],
)  # fmt: skip
def test_an_outcome_says_by_what_numbers(rule: dict[str, object], cast: tuple[Verdict, ...], reason: str) -> None:
    assert evaluate(ruled(**rule), votes(*cast, roles=CHAIR)).reason == reason


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"threshold": 1}, "give exactly one of quorum and quorum_percent"),
        ({"quorum": 1, "quorum_percent": 50, "threshold": 1}, "give exactly one of quorum and quorum_percent"),
        ({"quorum": 1}, "the method count needs a threshold"),
        ({"quorum": 1, "threshold": 1, "threshold_percent": 5}, "the method count takes no threshold_percent"),
        ({"quorum": 1, "method": "percentage"}, "the method percentage needs a threshold_percent"),
        ({"quorum": 1, "method": "majority", "threshold": 1}, "the method majority takes no threshold"),
        ({"quorum": 1, "threshold": 1, "counted_of": "votes"}, "counted_of says nothing"),
        ({"quorum": 1, "method": "unanimity", "tie_break": "chair"}, "only a majority can be missed by a tie"),
    ],
)
def test_numbers_that_do_not_belong_together_are_no_rule(rule: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        VotingRule.model_validate(rule)


def test_a_plan_says_all_that_the_rule_says() -> None:
    rule = {
        "quorum_percent": 50.0,
        "method": "majority",
        "counted_of": "votes",
        "weights": {"reviewer": 2},
        "veto": ["reviewer"],
        "recusal": "lowers_quorum",
        "deputies": "office",
        "tie_break": "reviewer",
        "early_close": False,
    }
    document = changed(policy(), "stages[1].voting", rule)
    plan = plan_of(Framework.model_validate(document)).stage("quality")
    told = plan.model_dump(mode="json")
    assert {name: told[name] for name in rule if name in told} | {"early_close": False} == rule
    assert plan.waits_for_all
