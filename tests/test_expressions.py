"""Conditions in a framework: typed, checked before they are used, and neither true nor false in doubt."""

import datetime as dt
import operator
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example as including
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from imprimatur.errors import Problem
from imprimatur.frameworks.expressions import LONGEST_VALUE, asks_for_scores, judge, problem_of
from imprimatur.frameworks.fields import model_in
from imprimatur.frameworks.situation import Situation, known_scores
from models.framework import Criterion, StageDef
from models.proposal import Proposal
from tests.facts import example

FULL, EMPTY = example("industry-credit"), Proposal()
KNOWN = (("quality", ("risk", "fit")), ("in_house", ("clear",)))
SCORES = {"quality": {"risk": [1, 4]}}


def holds(expression: str, proposal: Proposal = FULL) -> bool | None:
    return judge(expression, Situation(proposal, SCORES), KNOWN).holds


@pytest.mark.parametrize(
    ("expression", "full", "empty"),
    [
        ("true", True, True),
        ("proposal.workload.credits <= 15", True, None),
        ("15 >= proposal.workload.credits", True, None),
        ("has(proposal.workload.credits) && proposal.workload.credits <= 5", False, False),
        ("proposal.workload.hours / proposal.workload.credits > 25.5", True, None),
        ("proposal.workload.hours * 2 + 1 == 781", True, None),
        ("-1 < proposal.workload.hours", True, None),
        ("proposal.workload.hours > -1", True, None),
        ('proposal.credential_kind == "industry_credit"', True, False),
        ('proposal.mode in ["online", "blended"]', True, False),
        ("proposal.mode == null", False, True),
        ("proposal.stackability.stackable", True, None),
        ("!has(proposal.price) || proposal.price.amount < 2000", True, True),
        ('proposal.delivery.starts_on < "2027-04-01"', True, None),
        ("size(proposal.partners) >= 2", True, False),
        ("proposal.partners.exists(p, p.lead)", True, False),
        ("proposal.partners.all(partner, has(partner.contact_email))", True, True),
        ('proposal.learning_outcomes.exists(text, text.contains("prototype"))', True, False),
        ('proposal.title.matches("(a+)+$")', False, None),
        ("proposal.workload.credits > 1\n  && proposal.workload.hours > 1", True, None),
        ("proposal.workload.credits > 100 || proposal.workload.hours > 1", True, None),
        ("answers.quality.risk == 2.5", True, True),
        ("lowest.quality.risk == 1", True, True),
        ("highest.quality.risk >= 4", True, True),
        ("answers.quality.fit > 0", None, None),
        ("has(answers.quality.fit)", False, False),
        ("has(answers.in_house.clear) && answers.in_house.clear > 1", False, False),
    ],
)
def test_what_an_expression_comes_to(expression: str, full: bool | None, empty: bool | None) -> None:
    assert problem_of(expression, KNOWN) is None
    assert (holds(expression), holds(expression, EMPTY)) == (full, empty)


@pytest.mark.parametrize(
    ("expression", "code", "told"),
    [
        ("proposal.workload.credit < 1", "expression_field_unknown", "did you mean 'credits'?"),
        ("proposal.titel == 'x'", "expression_field_unknown", "line 1, column 9"),
        ("true &&\n proposal.x", "expression_field_unknown", "line 2"),
        ("credits > 5", "expression_field_unknown", "'credits'"),
        ("now() > 1", "expression_field_unknown", "'now'"),
        ("answers.industry.need > 1", "expression_field_unknown", "'industry'"),
        ("proposal.title > 3", "expression_types_differ", "a text and a whole number"),
        ("size(proposal.partners) > 1.5", "expression_types_differ", "a whole number and a number"),
        ("proposal.workload.credits in [5]", "expression_types_differ", "cannot be done"),
        ("proposal.title.startsWith(3)", "expression_types_differ", "cannot be done"),
        ("proposal.title", "expression_not_boolean", "a text"),
        ("proposal.workload.hours", "expression_not_boolean", "a number"),
        ("proposal.partners", "expression_not_boolean", "a list"),
        ("dyn(true)", "expression_not_boolean", "something else"),
        ("", "expression_malformed", "line 1"),
        ("proposal.title ==", "expression_malformed", "line 1, column 18"),
        ("__import__('os').system('true')", "expression_field_unknown", "'__import__'"),
        ("lambda: 1", "expression_malformed", "line 1"),
        ("(" * 200 + "true" + ")" * 200, "expression_malformed", "cannot be understood"),
    ],
)
def test_what_cannot_be_used_is_told_before_it_is(expression: str, code: str, told: str) -> None:
    found = problem_of(expression, KNOWN)
    assert found is not None and found.expected
    assert (found.code, told in found.problem) == (code, True), found.problem
    with pytest.raises(ValueError, match=r".+"):
        holds(expression)


def test_scores_are_unknown_where_nobody_has_scored_before() -> None:
    found = problem_of("answers.quality.risk > 1")
    assert found is not None and found.code == "expression_field_unknown"
    assert found.expected == "one of proposal"


def _leaves(model: type[BaseModel], prefix: str = "proposal") -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield f"{prefix}.{name}"
        inner = model_in(info.annotation)
        if inner is not None and "tuple" not in str(info.annotation):
            yield from _leaves(inner, f"{prefix}.{name}")


@pytest.mark.parametrize("path", list(_leaves(Proposal)))
def test_every_field_of_a_proposal_can_be_asked_about(path: str) -> None:
    assert holds(f"has({path})", EMPTY) is False
    assert judge(f"has({path})", Situation(EMPTY)).values.keys() == {path}


OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@given(st.sampled_from(sorted(OPERATORS)), st.integers(-1000, 1000), st.floats(0.5, 999), st.booleans())
@settings(max_examples=200, deadline=None)
def test_numbers_compare_however_they_are_written(sign: str, number: int, credit_points: float, turned: bool) -> None:
    proposal = Proposal.model_validate({"workload": {"credits": credit_points}})
    left, right = ("proposal.workload.credits", str(number))[:: -1 if turned else 1]
    expected = OPERATORS[sign](*(credit_points, number)[:: -1 if turned else 1])
    assert holds(f"{left} {sign} {right}", proposal) is expected


TOKENS = [
    "proposal",
    ".",
    "title",
    "workload",
    "credits",
    "(",
    ")",
    "==",
    "<",
    "5",
    "1.5",
    '"a"',
    "&&",
    "!",
    "has",
    "answers",
]


@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join)))
@including("\x00")
@including("proposal.\U0001f393")
@including("5.0.0 < proposal.workload.credits")
@including("proposal.workload.credits < 5 < 6")
@settings(max_examples=400, deadline=None)
def test_whatever_is_written_is_either_usable_or_a_problem(expression: str) -> None:
    found = problem_of(expression, KNOWN)
    assert found is None or isinstance(found, Problem)
    if found is None:
        assert holds(expression) in (True, False, None)


def test_values_are_told_by_field_short_and_without_what_lists_hold() -> None:
    seen = judge(
        'proposal.title.contains("x") || size(proposal.partners) > 9 || proposal.workload.credits > 99'
        ' || has(proposal.level) || proposal.price.amount > 1 || proposal.unit == "y" || proposal.source_url == "z"',
        Situation(FULL.model_copy(update={"summary": "s", "unit": "u" * 500, "source_url": None})),
    ).values
    assert seen == {
        "proposal.title": FULL.title,
        "proposal.partners": "2 entries",
        "proposal.workload.credits": 15.0,
        "proposal.level": "stated",
        "proposal.price.amount": 1450.0,
        "proposal.unit": "u" * LONGEST_VALUE + "...",
        "proposal.source_url": None,
    }


@pytest.mark.parametrize(
    ("expression", "asks"),
    [
        ("answers.quality.risk > 1", True),
        ("has( lowest . quality . risk )", True),
        ("proposal.title == 'answers.quality.risk'", False),
        ('proposal.title == "say \\"highest.x.y\\""', False),
        ("proposal.title == '''lowest.x.y'''", False),
        ("true // answers.quality.risk", False),
        ("proposal.partners.exists(answersmine, true)", False),
    ],
)
def test_what_needs_scores_is_told_from_what_only_speaks_of_them(expression: str, asks: bool) -> None:
    assert asks_for_scores(expression) is asks


def test_a_hyphen_in_an_id_is_written_as_an_underscore() -> None:
    stage = StageDef(
        id="in-house", name="In house", asks="Judge.", criteria=(Criterion(id="to-be-clear", question="Clear?"),)
    )
    known = known_scores([stage, StageDef(id="silent", name="Silent", asks="Judge.")])
    assert known == (("in_house", ("to_be_clear",)),)
    situation = Situation(EMPTY, {"in_house": {"to_be_clear": [3]}})
    assert judge("answers.in_house.to_be_clear > 2", situation, known).holds is True


def test_an_expression_that_would_take_for_ever_is_left_undecided() -> None:
    many = Proposal(learning_outcomes=tuple(str(number) for number in range(3000)))
    inner = "proposal.learning_outcomes.exists({}, {})"
    nested = inner.format("a", inner.format("b", inner.format("c", 'a + b + c == "x"')))
    assert problem_of(nested) is None
    assert holds(nested, many) is None


def test_dates_compare_as_they_are_written() -> None:
    proposal = Proposal.model_validate({"delivery": {"starts_on": dt.date(2026, 9, 1)}})
    values: dict[str, Any] = judge('proposal.delivery.starts_on >= "2026-09-01"', Situation(proposal)).values
    assert values == {"proposal.delivery.starts_on": "2026-09-01"}
