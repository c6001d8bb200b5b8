"""Control flow: what comes from outside, and whether it waits for the case or is lost."""

import datetime as dt

from imprimatur.rules.condition_words import condition
from models.vocabulary import CaseStatus, ConditionStatus
from tests.governed import QUINN
from tests.patterns.cases import PatternCase
from tests.patterns.catalogue import control

MINUTE = dt.timedelta(minutes=1)


@control(
    23,
    "Transient Trigger",
    """A committee's decision that comes before its sitting has begun is refused, and not kept: when the sitting begins
    nothing happens by itself, and the decision has to be sent again.""",
    """
    committees:
      board:
        name: Curriculum Board
        calendar: campus
        sittings: {dates: [2026-03-18], at: "14:00"}
    stages:
      - id: board
        committee: board
        reviewers: [{addresses: [quinn.reviewer@example.edu]}]
        voting: {quorum: 1, threshold: 1}
    """,
)
def test_a_decision_before_its_time_is_lost(case: PatternCase) -> None:
    sits_at = case.state.stages["board"].sits_at
    assert sits_at is not None
    assert case.refused(case.answer_of(QUINN)) == "sitting_to_come"
    case.pass_time(sits_at + MINUTE - case.now)
    assert (case.opened, case.asked("board")) == ({"board"}, [QUINN])
    case.answer(QUINN)
    assert case.state.status is CaseStatus.PUBLISHED


@control(
    24,
    "Persistent Trigger",
    """That a condition of an approval is met counts whenever it is reported and accepted: if the case is not ready for
    its publication yet, it is kept until it is; if the case waits for it, the publication follows at once.""",
    """
    stages:
      - {id: quality, conditions: allowed}
      - id: industry
    """,
    "starter.py fulfil CONDITION --as ana.proposer@example.edu --evidence 'See page 3.'",
    "starter.py accept CONDITION --as quinn.reviewer@example.edu",
)
def test_what_is_met_early_is_kept_and_what_is_met_late_is_waited_for(case: PatternCase) -> None:
    given = [condition(text, blocking=True) for text in ("Name the assessor.", "State the workload.")]
    case.answer(QUINN, stage="quality", conditions=given)
    case.approve("quality")
    early, late = case.state.conditions
    _meet(case, early)
    assert case.state.conditions[early].status is ConditionStatus.ACCEPTED
    assert case.opened == {"industry"}
    case.approve("industry")
    assert (case.state.status, case.opened) == (CaseStatus.IN_REVIEW, set()), "the other one is not met"
    _meet(case, late)
    assert case.state.status is CaseStatus.PUBLISHED


def _meet(case: PatternCase, condition_id: str) -> None:
    case.does("fulfil", subject=condition_id)
    case.does("accept", subject=condition_id)
