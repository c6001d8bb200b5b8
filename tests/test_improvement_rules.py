"""When a review is called, what its stages recommend, and what its outcome means: the pure rules."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.errors import DocumentInvalid, InputError
from imprimatur.rules.answers import check_answer
from imprimatur.rules.improvement import (
    below_the_line,
    consequence,
    months_later,
    partners_gone,
    sign_offs_ending,
    superseded,
)
from imprimatur.rules.recommending import conclusion
from imprimatur.rules.voting import GRAVITY, OPTIONS, evaluate
from imprimatur.store.indicators_file import read_file, read_lines
from models.case import StageState, TaskState
from models.framework import StageDef
from models.improvement import Months, ReviewDef, ReviewOf, Threshold
from models.plan import Plan, StagePlan
from models.proposal import Partner
from models.vocabulary import (
    AssignmentReason,
    DecidedBy,
    Indicator,
    RecordStatus,
    ReviewOutcome,
    ReviewTrigger,
    StageOutcome,
    TaskStatus,
    Verdict,
    VotingMethod,
)

RULE = ReviewDef(framework="improvement-review", every=Months(months=24))
ON = dt.date(2028, 3, 2)
C, V, P, R, A = Verdict.CONTINUE, Verdict.REVISE, Verdict.PAUSE, Verdict.RETIRE, Verdict.ABSTAIN


def plan(**rule: Any) -> StagePlan:
    stated = {"quorum": 2, "threshold": 2} | rule
    return StagePlan(id="peers", recommends=True, positive=StageOutcome.RECOMMENDED, **stated)


def task(number: int, verdict: Verdict | None, reason: AssignmentReason = AssignmentReason.ROLE) -> TaskState:
    status = TaskStatus.OPEN if verdict is None else TaskStatus.DECIDED
    return TaskState(
        id=f"t-{number}", stage="peers", round=1, assignee=f"p{number}", reason=reason, status=status, verdict=verdict
    )


def tasks(*verdicts: Verdict | None) -> list[TaskState]:
    return [task(number, verdict) for number, verdict in enumerate(verdicts)]


# --- what a stage recommends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "verdicts", "recommended", "deadlocked"),
    [
        ({}, (C, None, None), None, False),
        ({}, (C, C, None), C, False),
        ({}, (C, R, None), None, False),
        ({}, (C, R, R), R, False),
        ({}, (C, R, P), None, True),
        ({}, (C, R), None, True),
        ({}, (A, A, C), None, True),
        ({"threshold": 1}, (C, R), R, False),
        ({"threshold": 1}, (A, C), C, False),
        ({"threshold": 1, "quorum": 3}, (C, C), None, True),
        ({"threshold": 1, "waits_for_all": True}, (C, C, None), None, False),
        ({"method": VotingMethod.MAJORITY, "threshold": 0}, (C, C, None), C, False),
        ({"method": VotingMethod.MAJORITY, "threshold": 0}, (C, V, V), V, False),
        ({"method": VotingMethod.UNANIMITY, "threshold": 0}, (P, P), P, False),
        ({"method": VotingMethod.UNANIMITY, "threshold": 0}, (P, R), None, True),
    ],
)
def test_an_option_is_recommended_that_reaches_the_threshold_by_itself(
    rule: dict[str, Any], verdicts: tuple[Verdict | None, ...], recommended: Verdict | None, deadlocked: bool
) -> None:
    found = evaluate(plan(**rule), tasks(*verdicts))
    assert (found.recommendation, found.deadlocked) == (recommended, deadlocked)
    assert found.outcome is (StageOutcome.RECOMMENDED if recommended else None)


def test_a_deadlock_is_broken_by_whom_it_was_escalated_to() -> None:
    director = task(9, P, AssignmentReason.ESCALATION)
    found = evaluate(plan(), [*tasks(C, R), director], deadlocked=True)
    assert (found.recommendation, found.reason) == (P, "pause: by the casting vote of the escalation")


verdicts = st.lists(st.sampled_from([None, A, *GRAVITY]), max_size=7)


@given(verdicts, st.integers(1, 4), st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter_and_nothing_waits_for_nobody(
    given_: list[Verdict | None], quorum: int, threshold: int, order: Any
) -> None:
    voted, rule = tasks(*given_), plan(quorum=quorum, threshold=threshold)
    found = evaluate(rule, voted)
    shuffled = list(voted)
    order.shuffle(shuffled)
    assert evaluate(rule, shuffled) == found
    if None not in given_:
        assert found.deadlocked or found.recommendation in OPTIONS
    if found.recommendation is not None:
        assert given_.count(found.recommendation) >= threshold


# --- what the case comes to -------------------------------------------------------------------------------------------


def concluded(rule: DecidedBy, *said: Verdict | None, until: tuple[dt.date | None, ...] = ()) -> Any:
    ids = [f"s{number}" for number in range(len(said))]
    stages = {
        name: StageState(id=name, round=1, recommendation=verdict) for name, verdict in zip(ids, said, strict=True)
    }
    held = {
        f"t{number}": TaskState(
            id=f"t{number}",
            stage=ids[-1],
            round=1,
            assignee="p",
            reason=AssignmentReason.ROLE,
            verdict=R,
            teach_out_on=day,
        )
        for number, day in enumerate(until)
    }
    about = ReviewOf(case_id="mc-a", number=1, trigger=ReviewTrigger.DUE, reason="it is", decided_by=rule)
    course = Plan(framework="x@1", digest="", stages=tuple(StagePlan(id=name) for name in ids))
    return conclusion(about, course, stages, held)


@pytest.mark.parametrize(
    ("rule", "said", "outcome"),
    [
        (DecidedBy.LAST, (R, C), "continue"),
        (DecidedBy.GRAVEST, (R, C), "retire"),
        (DecidedBy.GRAVEST, (V, P, C), "pause"),
        (DecidedBy.LAST, (R, None), "retire"),
        (DecidedBy.LAST, (None, None), "continue"),
    ],
)
def test_the_framework_says_which_recommendation_is_the_outcome(
    rule: DecidedBy, said: tuple[Verdict | None, ...], outcome: str
) -> None:
    assert concluded(rule, *said).outcome == outcome


def test_learners_have_until_the_latest_day_that_was_named() -> None:
    first, last = dt.date(2029, 1, 1), dt.date(2029, 7, 1)
    assert concluded(DecidedBy.LAST, R, until=(last, None, first)).teach_out_on == last
    assert concluded(DecidedBy.LAST, R, until=(None,)).teach_out_on is None
    assert concluded(DecidedBy.LAST, C, until=(last,)).teach_out_on is None


@pytest.mark.parametrize(
    ("outcome", "status", "again"),
    [
        (ReviewOutcome.CONTINUE, RecordStatus.OFFERED, True),
        (ReviewOutcome.REVISE, RecordStatus.OFFERED, True),
        (ReviewOutcome.PAUSE, RecordStatus.PAUSED, True),
        (ReviewOutcome.RETIRE, RecordStatus.TEACHING_OUT, False),
    ],
)
def test_an_outcome_says_what_becomes_of_the_record(outcome: ReviewOutcome, status: RecordStatus, again: bool) -> None:
    found = consequence(RULE, outcome, ON, None)
    assert (found.status, found.again) == (status, again)
    assert found.told.startswith("Reviewed on 2028-03-02: ")


def test_what_is_retired_is_taught_out_for_as_long_as_the_framework_says_and_never_until_yesterday() -> None:
    assert consequence(RULE, ReviewOutcome.RETIRE, ON, None).retire_on == dt.date(2029, 3, 2)
    assert consequence(RULE, ReviewOutcome.RETIRE, ON, dt.date(2030, 1, 1)).retire_on == dt.date(2030, 1, 1)
    assert consequence(RULE, ReviewOutcome.RETIRE, ON, dt.date(2020, 1, 1)).retire_on == ON


def test_years_are_counted_by_the_calendar_where_it_is() -> None:
    auckland = ZoneInfo("Pacific/Auckland")
    at = dt.datetime(2028, 2, 28, 20, 0, tzinfo=dt.UTC)
    assert at.astimezone(auckland).date() == dt.date(2028, 2, 29)
    assert months_later(at, 12, auckland).astimezone(auckland).date() == dt.date(2029, 2, 28)


# --- evidence ---------------------------------------------------------------------------------------------------------

ENROLMENT = Threshold(indicator=Indicator.ENROLMENT, below=15, periods=2)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], False),
        ([("2026", 3.0)], False),
        ([("2026", 3.0), ("2027", 14.0)], True),
        ([("2026", 3.0), ("2027", 15.0)], False),
        ([("2027", 3.0), ("2026", 30.0), ("2028", 4.0)], True),
    ],
)
def test_an_indicator_speaks_when_its_latest_periods_are_all_below_the_line(
    values: list[tuple[str, float]], found: bool
) -> None:
    assert bool(below_the_line([ENROLMENT], {Indicator.ENROLMENT: values})) is found


def test_the_reason_is_told_in_plain_words_and_a_later_period_is_another_fact() -> None:
    [first] = below_the_line([ENROLMENT], {Indicator.ENROLMENT: [("2026", 3.0), ("2027", 4.0)]})
    [second] = below_the_line([ENROLMENT], {Indicator.ENROLMENT: [("2026", 3.0), ("2027", 4.0), ("2028", 4.5)]})
    assert first.reason == "enrolment is below 15: 3 in 2026, 4 in 2027"
    assert first.key != second.key


def test_a_partner_has_left_when_nobody_of_it_is_there_any_more() -> None:
    partner = Partner(organisation="Harbour Software", contact_email="mere@harbour.example")
    gone = {"mere@harbour.example": False}
    assert partners_gone([partner], {}, []) == [], "the directory need not know a contact"
    assert partners_gone([partner], {"mere@harbour.example": True}, []) == []
    assert partners_gone([partner], gone, ["harbour  software"]) == [], "somebody else of it is there"
    [found] = partners_gone([partner], gone, ["Elsewhere"])
    assert found.reason == "the partner Harbour Software has left: none of its people is active any more"


def test_a_sign_off_speaks_before_it_ends_and_when_it_has() -> None:
    now = dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    ends = {"Industry": dt.datetime(2028, 2, 1, tzinfo=dt.UTC), "Quality": dt.datetime(2028, 4, 1, tzinfo=dt.UTC)}
    assert [item.reason for item in sign_offs_ending(ends, RULE, now)] == [
        "the approval of Industry ends on 2028-02-01"
    ]
    late = sign_offs_ending({"Industry": dt.datetime(2027, 12, 1, tzinfo=dt.UTC)}, RULE, now)
    assert [item.reason for item in late] == ["the approval of Industry ended on 2027-12-01"]


def test_a_newer_version_supersedes_a_framework() -> None:
    assert superseded("Policy", "1.0", "1.0") == []
    [found] = superseded("Policy", "1.0", "1.1")
    assert (found.trigger, found.key) == (ReviewTrigger.FRAMEWORK_SUPERSEDED, "framework 1.1")


# --- answers ----------------------------------------------------------------------------------------------------------

STAGE = StageDef.model_validate(
    {
        "id": "peers",
        "name": "Peers",
        "asks": "Say it.",
        "kind": "recommendation",
        "reviewers": [{"role": "quality_reviewer"}],
        "voting": {"quorum": 1, "threshold": 1},
        "sla": {"within": {"business_days": 5}, "calendar": "campus", "escalate_to": "academic_director"},
    }
)


def test_a_day_of_an_end_comes_with_retiring_and_every_change_with_a_reason() -> None:
    assert check_answer(STAGE, "continue", "", {}) is C
    assert check_answer(STAGE, "retire", "Nobody comes.", {}, teach_out_on=ON) is R
    with pytest.raises(DocumentInvalid) as early:
        check_answer(STAGE, "pause", "Wait.", {}, teach_out_on=ON)
    assert early.value.code == "teach_out_without_retiring"
    for verdict in ("revise", "pause", "retire"):
        with pytest.raises(DocumentInvalid) as silent:
            check_answer(STAGE, verdict, "", {})
        assert silent.value.code == "comment_required"
    with pytest.raises(InputError):
        check_answer(STAGE, "approve", "", {})


# --- files of indicators ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (",enrolment,2026,5", "case"),
        ("mc-a,enrollment,2026,5", "indicator"),
        ("mc-a,enrolment,26,5", "period"),
        ("mc-a,enrolment,2026-13,5", "period"),
        ("mc-a,enrolment,2026,many", "value"),
        ("mc-a,enrolment,2026,nan", "value"),
        ("mc-a,enrolment,2026,-1", "value"),
        ("mc-a,completion_rate,2026,101", "value"),
        ("mc-a,enrolment,2026,", "value"),
        ("mc-a,enrolment,2026,5,a,b", ""),
    ],
)
def test_a_line_that_cannot_be_used_is_told_with_its_field(line: str, field: str) -> None:
    good, rejected = read_file(f"case,indicator,period,value,source\nmc-a,enrolment,2025,7\n{line}", "x.csv")
    assert [(item.line, item.value, item.source) for item in good] == [(2, 7.0, "x.csv")]
    assert [(item.line, item.field) for item in rejected] == [(3, field)]


def test_the_same_indicator_and_period_twice_is_told_once() -> None:
    _, rejected = read_file("case,indicator,period,value\nmc-a,enrolment,2025,7\nmc-a,enrolment,2025,8", "x.csv")
    assert [(item.line, item.problem) for item in rejected] == [
        (3, "line 2 has a value for the same indicator and period")
    ]


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("case,indicator,value", "indicator_columns_missing"),
        ("case,indicator,period,value,value", "indicator_columns_repeated"),
    ],
)
def test_a_file_without_its_columns_is_not_read(heading: str, code: str) -> None:
    with pytest.raises(InputError) as error:
        read_file(f"{heading}\n", "x.csv")
    assert error.value.code == code


def test_a_program_gives_numbers_and_nought_is_one() -> None:
    good, rejected = read_lines(
        [(1, {"case": "mc-a", "indicator": "enrolment", "period": "2026", "value": 0})], "registry"
    )
    assert (good[0].value, good[0].source, rejected) == (0.0, "registry", [])


@pytest.mark.parametrize("period", ["2026", "2026-S1", "2026-S2", "2026-Q1", "2026-Q4", "2026-H2", "2026-07"])
def test_periods_are_written_so_that_they_sort(period: str) -> None:
    good, _ = read_file(f"case,indicator,period,value\nmc-a,enrolment,{period},1", "x.csv")
    assert good[0].period == period
