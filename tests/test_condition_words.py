"""Conditions of an approval as people write them, and what an answer with them must look like."""

import datetime as dt

import pytest

from imprimatur.errors import DocumentInvalid, InputError
from imprimatur.frameworks.loader import shipped
from imprimatur.rules.answers import CONDITION_LIMIT, CONDITIONS_LIMIT, check_answer
from imprimatur.rules.condition_words import condition, parse_condition
from models.calendars import BusinessDuration
from models.conditions import Condition
from models.framework import StageDef
from models.vocabulary import Conditions, Verdict

A, R = Verdict.APPROVE, Verdict.REJECT


def asked(owner: str = "") -> Condition:
    return Condition(id="c1", text="Name the assessor.", owner=owner)


STAGE = (
    shipped()["industry-credit"].stage("quality").model_copy(update={"conditions": Conditions.ALLOWED, "criteria": ()})
)


def problems_of(stage: StageDef, verdict: Verdict, *conditions: Condition) -> list[str]:
    try:
        check_answer(stage, verdict, "because", {}, conditions=conditions)
    except DocumentInvalid as error:
        return [problem.code for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("verdict", "conditions", "expected"),
    [
        (A, [asked()], []),
        (A, [asked(owner="dean@example.org")] * CONDITIONS_LIMIT, []),
        (R, [asked()], ["condition_without_approval"]),
        (A, [asked()] * (CONDITIONS_LIMIT + 1), ["conditions_too_many"]),
        (A, [Condition(id="c", text=" ")], ["condition_text_required"]),
        (A, [Condition(id="c", text="x" * (CONDITION_LIMIT + 1))], ["condition_too_long"]),
        (
            A,
            [asked(owner="the dean"), Condition(id="c", text="")],
            ["condition_owner_malformed", "condition_text_required"],
        ),
    ],
)
def test_an_answer_with_conditions_is_checked(
    verdict: Verdict, conditions: list[Condition], expected: list[str]
) -> None:
    assert problems_of(STAGE, verdict, *conditions) == expected


def test_a_stage_takes_conditions_only_where_its_framework_says_so() -> None:
    assert problems_of(shipped()["industry-credit"].stage("proposal"), A, asked()) == ["conditions_not_offered"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Name the assessor", {}),
        ("Name the assessor | blocking", {"blocking": True}),
        ("Name the assessor|due 10d|owner d@e.org", {"due": BusinessDuration(business_days=10), "owner": "d@e.org"}),
        ("Name the assessor | due 6h", {"due": BusinessDuration(business_hours=6)}),
        ("Name the assessor | due 2026-12-24 | blocking", {"due_on": dt.date(2026, 12, 24), "blocking": True}),
    ],
)  # fmt: skip
def test_a_condition_is_written_in_one_line(words: str, expected: dict[str, object]) -> None:
    assert parse_condition(words) == Condition.model_validate({"id": "", "text": "Name the assessor"} | expected)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("x | soon", "condition_malformed"),
        ("x | blocking yes", "condition_malformed"),
        ("x | due", "condition_malformed"),
        ("x | due 1d | due 2d", "condition_malformed"),
        ("x | due tomorrow", "due_malformed"),
        ("x | due 0d", "due_malformed"),
        ("x | due 1001d", "due_malformed"),
        ("x | due 99999h", "due_malformed"),
        ("x | due 2026-13-01", "due_malformed"),
    ],
)
def test_what_is_no_condition_is_refused(words: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_condition(words)
    assert refused.value.code == code and refused.value.hint


@pytest.mark.parametrize("due", ["", " 10D "])
def test_how_a_time_is_spelled_does_not_matter(due: str) -> None:
    assert (condition("x", due=due).due is None) == (not due.strip())
