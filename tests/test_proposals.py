"""Whether a proposal says what its framework asks for, what changed between two, and what its digest covers."""

import json
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.frameworks.loader import shipped
from imprimatur.rules.completeness import FieldProblem, changed_fields, missing
from models.framework import FieldRule, Framework
from models.proposal import Proposal
from tests.facts import example
from tests.policies import policy

LETTERS = st.text("abcdefghij élß—字\n", min_size=1, max_size=12).filter(str.strip)
PROPOSALS = st.fixed_dictionaries(
    {},
    optional={
        "title": LETTERS,
        "summary": LETTERS,
        "country": st.sampled_from(["NZ", "EE"]),
        "learning_outcomes": st.lists(LETTERS | st.just(""), max_size=3),
        "workload": st.fixed_dictionaries(
            {}, optional={"hours": st.integers(1, 400) | st.floats(0.5, 400), "credits": st.integers(1, 40)}
        ),
        "level": st.just({"framework": "EQF", "value": "6"}),
        "assessment": st.fixed_dictionaries(
            {}, optional={"description": LETTERS, "types": st.lists(LETTERS, max_size=2)}
        ),
        "mode": st.sampled_from(["online", "onsite"]),
        "partners": st.lists(
            st.fixed_dictionaries(
                {"organisation": LETTERS}, optional={"contact_email": st.just("a@example.org"), "lead": st.booleans()}
            ),
            max_size=2,
        ),
        "price": st.fixed_dictionaries(
            {"amount": st.sampled_from(["0", "0.00", "-0", "1450", "1450.0", "99.9"]), "currency": st.just("NZD")}
        ),
        "delivery": st.fixed_dictionaries(
            {}, optional={"starts_on": st.sampled_from(["2027-03-01", "2027-03-02"]), "location": LETTERS}
        ),
        "stackability": st.fixed_dictionaries({"stackable": st.booleans()}),
    },
).map(Proposal.model_validate)  # fmt: skip


def asked(proposal: dict[str, Any], **rule: Any) -> list[str]:
    """The problems of one field under one rule."""
    framework = Framework.model_validate(policy(proposal={"fields": [rule]}))
    found = missing(Proposal.model_validate(proposal), framework)
    assert found.recommended == ()
    assert {problem.field for problem in found.required} <= {rule["field"]}
    return [problem.problem for problem in found.required]


# --- completeness -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "proposal"),
    [
        ("title", {}),
        ("title", {"title": ""}),
        ("title", {"title": " \n "}),
        ("summary", {"summary": "  "}),
        ("learning_outcomes", {"learning_outcomes": []}),
        ("learning_outcomes", {"learning_outcomes": ["", " "]}),
        ("workload", {"workload": {}}),
        ("workload.hours", {}),
        ("workload.hours", {"workload": {"credits": 3}}),
        ("assessment", {"assessment": {"description": "", "types": []}}),
        ("assessment", {"assessment": {"types": [""]}}),
        ("assessment.description", {"assessment": {"types": ["testing"]}}),
        ("assessment.types", {"assessment": {"description": "A test."}}),
        ("partners", {"partners": []}),
        ("delivery", {"delivery": {"location": ""}}),
        ("delivery.starts_on", {"delivery": {"location": "Here"}}),
        ("price.amount", {}),
        ("credential_kind", {}),
    ],
)
def test_what_says_nothing_is_missing(field: str, proposal: dict[str, Any]) -> None:
    assert asked(proposal, field=field) == ["is missing"]


@pytest.mark.parametrize(
    ("field", "proposal"),
    [
        ("title", {"title": "x"}),
        ("price.amount", {"price": {"amount": 0, "currency": "NZD"}}),
        ("price", {"price": {"amount": 0, "currency": "NZD"}}),
        ("stackability", {"stackability": {"stackable": False}}),
        ("stackability.stackable", {"stackability": {"stackable": False}}),
        ("partners", {"partners": [{"organisation": "x"}]}),
        ("partners.lead", {"partners": [{"organisation": "x"}]}),
        ("learning_outcomes", {"learning_outcomes": ["", "x"]}),
        # It is asked of every partner that there is, and there is none.
        ("partners.contact_email", {}),
        ("delivery.starts_on", {"delivery": {"starts_on": "2027-01-01"}}),
    ],
)
def test_what_is_said_is_not_missing(field: str, proposal: dict[str, Any]) -> None:
    assert asked(proposal, field=field) == []


RULES: list[tuple[str, dict[str, Any], Any, list[str]]] = [
    ("workload.hours", {"minimum": 1}, 1, []),
    ("workload.hours", {"minimum": 1}, 0.5, ["must be at least 1, is 0.5"]),
    ("workload.hours", {"maximum": 5}, 5, []),
    ("workload.hours", {"maximum": 5}, 6, ["may be at most 5, is 6"]),
    ("price", {}, {"amount": 1, "currency": "EUR"}, []),
    ("learning_outcomes", {"min_items": 2}, ["a", "b"], []),
    ("learning_outcomes", {"min_items": 2}, ["a", ""], ["needs at least 2 entries, has 1"]),
    ("learning_outcomes", {"max_items": 1}, ["a", ""], []),
    ("learning_outcomes", {"max_items": 1}, ["a", "b"], ["may have at most 1 entry, has 2"]),
    ("partners", {"max_items": 1}, [{"organisation": "a"}] * 2, ["may have at most 1 entry, has 2"]),
    ("title", {"max_words": 2}, "one two", []),
    ("title", {"max_words": 1}, "one two", ["may have at most 1 word, has 2"]),
    ("learning_outcomes", {"max_words": 2}, ["a", "b c d"], ["may have at most 2 words, has 3, in entry 2"]),
    ("country", {"one_of": ["NZ", "AU"]}, "NZ", []),
    ("country", {"one_of": ["NZ", "AU"]}, "EE", ["must be one of NZ, AU, not EE"]),
    ("mode", {"one_of": ["online"]}, "onsite", ["must be one of online, not onsite"]),
    ("assessment.types", {"one_of": ["test"]}, ["test", "talk"], ["must be one of test, not talk, in entry 2"]),
    ("title", {"forbidden_words": ["degree"]}, "Degrees of freedom", []),
    ("title", {"forbidden_words": ["degree"]}, "A DEGREE, of sorts", ["may not contain the word 'degree'"]),
    ("title", {"forbidden_words": ["post-grad"]}, "Post-grad study", ["may not contain the word 'post-grad'"]),
    ("title", {"forbidden_words": ["new zealand"]}, "In  New\nZealand", ["may not contain the word 'new zealand'"]),
    ("title", {"forbidden_words": ["c++"]}, "C++ for all", ["may not contain the word 'c++'"]),
    ("unit", {"one_of": ["a"], "max_words": 1}, "b c", ["may have at most 1 word, has 2", "must be one of a, not b c"]),
]  # fmt: skip


@pytest.mark.parametrize(("field", "keys", "value", "problems"), RULES)
def test_each_key_of_a_rule(field: str, keys: dict[str, Any], value: Any, problems: list[str]) -> None:
    name, _, part = field.partition(".")
    assert asked({name: {part: value} if part else value}, field=field, **keys) == problems


def test_a_rule_for_a_part_asks_it_of_every_entry() -> None:
    partners = [{"organisation": "a", "contact_email": "a@example.org"}, {"organisation": "b"}]
    assert asked({"partners": partners}, field="partners.contact_email") == ["is missing, in entry 2"]
    assert asked({"partners": partners[:1]}, field="partners.contact_email") == []


def test_an_amount_of_money_is_a_number() -> None:
    price = {"price": {"amount": "9.51", "currency": "EUR"}}
    assert asked(price, field="price.amount", maximum=9.5) == ["may be at most 9.5, is 9.51"]


def test_every_key_of_a_rule_is_in_the_table() -> None:
    # Those that ask nothing by themselves.
    others = {"field", "presence", "why"}
    assert {key for _, keys, _, _ in RULES for key in keys} | others == set(FieldRule.model_fields)


def test_what_is_recommended_is_told_apart_with_the_reason() -> None:
    fields = [
        {"field": "title", "why": "Learners look for it."},
        {"field": "price", "presence": "recommended"},
        {"field": "workload.hours", "presence": "recommended", "minimum": 5, "why": "Short ones are rare."},
    ]
    framework = Framework.model_validate(policy(proposal={"fields": fields}))
    found = missing(Proposal.model_validate({"workload": {"hours": 4}}), framework)
    assert found.required == (FieldProblem("title", "is missing", "Learners look for it."),)
    assert found.recommended == (
        FieldProblem("price", "is missing", None),
        FieldProblem("workload.hours", "must be at least 5, is 4", "Short ones are rare."),
    )


REQUIRED = [
    (name, rule.field)
    for name, framework in shipped().items()
    for rule in framework.proposal.fields
    if rule.presence == "required"
]
complete_one = cache(example)


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_required_field_that_is_taken_away_is_told(name: str, field: str) -> None:
    framework, complete = shipped()[name], complete_one(name)
    assert missing(complete, framework).required == ()
    told = missing(without(complete, field), framework).required
    assert FieldProblem(field, "is missing", told[0].why) in told
    assert {problem.field.partition(".")[0] for problem in told} == {field.partition(".")[0]}


def without(proposal: Proposal, field: str) -> Proposal:
    document = proposal.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    name, _, part = field.partition(".")
    if part:
        del document[name][part]
    else:
        del document[name]
    return Proposal.model_validate(document)


@given(PROPOSALS, st.sampled_from(sorted(shipped())))
@settings(deadline=None)
def test_a_proposal_is_complete_once_everything_told_is_mended(proposal: Proposal, name: str) -> None:
    framework, complete = shipped()[name], complete_one(name)
    mended = proposal
    for problem in missing(proposal, framework).required:
        top = problem.field.partition(".")[0]
        mended = mended.model_copy(update={top: getattr(complete, top)})
    assert missing(mended, framework).required == ()


@given(PROPOSALS)
@settings(deadline=None)
def test_nothing_is_told_twice_and_only_what_has_a_rule(proposal: Proposal) -> None:
    for framework in shipped().values():
        found = missing(proposal, framework)
        told = [*found.required, *found.recommended]
        assert len(set(told)) == len(told)
        assert {problem.field for problem in told} <= {rule.field for rule in framework.proposal.fields}


# --- changes ----------------------------------------------------------------------------------------------------


def values_of(proposal: Proposal, path: str) -> Any:
    name, _, part = path.partition(".")
    value = getattr(proposal, name)
    return getattr(value, part) if part else value


@given(PROPOSALS, PROPOSALS)
@settings(max_examples=300, deadline=None)
def test_changes_are_exactly_what_differs(old: Proposal, new: Proposal) -> None:
    changed = changed_fields(old, new)
    assert (changed == []) == (old == new) == (old.digest == new.digest)
    assert len(set(changed)) == len(changed)
    for path in changed:
        assert values_of(old, path) != values_of(new, path)
    for name in Proposal.model_fields:
        same = getattr(old, name) == getattr(new, name)
        assert same == all(path.partition(".")[0] != name for path in changed)
    assert changed_fields(new, old) == changed


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({}, {"title": "x"}, ["title"]),
        ({"title": "x"}, {"title": " x "}, []),
        ({"workload": {"hours": 5}}, {"workload": {"hours": 5.0}}, []),
        ({"workload": {"hours": 5}}, {"workload": {"hours": 6, "credits": 1}}, ["workload.hours", "workload.credits"]),
        ({}, {"workload": {"hours": 5}}, ["workload"]),
        ({"partners": [{"organisation": "a"}]}, {"partners": [{"organisation": "b"}]}, ["partners"]),
        ({"price": {"amount": 5, "currency": "EUR"}}, {"price": {"amount": "5.00", "currency": "EUR"}}, []),
        ({"learning_outcomes": ["a", "b"]}, {"learning_outcomes": ["b", "a"]}, ["learning_outcomes"]),
        ({"summary": "a", "title": "a"}, {"summary": "b", "title": "b"}, ["title", "summary"]),
    ],
)
def test_changes_are_named_one_level_deep(old: dict[str, Any], new: dict[str, Any], changed: list[str]) -> None:
    assert changed_fields(Proposal.model_validate(old), Proposal.model_validate(new)) == changed


def test_the_revised_example_changes_what_reviewers_asked_for() -> None:
    changed = changed_fields(example("industry-credit"), example("industry-credit.revised"))
    assert changed == ["learning_outcomes", "assessment.description"]


# --- digests ----------------------------------------------------------------------------------------------------


@given(PROPOSALS)
@settings(deadline=None)
def test_what_is_kept_is_what_was_said(proposal: Proposal) -> None:
    kept = Proposal.model_validate_json(proposal.canonical)
    assert (kept, kept.digest) == (proposal, proposal.digest)
    document = json.loads(proposal.canonical)
    assert Proposal.model_validate(dict(reversed(document.items()))).digest == proposal.digest
    assert None not in document.values()


def test_an_amount_has_one_form() -> None:
    written = ("1450", "1450.0", "1450.00", 1450, 1450.0, "1.45E+3", "01450")
    found = {Proposal.model_validate({"price": {"amount": amount, "currency": "NZD"}}) for amount in written}
    assert len({proposal.digest for proposal in found}) == 1
    [amount] = {str(proposal.price.amount) for proposal in found if proposal.price}
    assert amount == "1450.00"
    assert Proposal.model_validate({"price": {"amount": "-0", "currency": "NZD"}}).price == Proposal.model_validate(
        {"price": {"amount": Decimal(0), "currency": "NZD"}}
    ).price  # fmt: skip


def test_a_digest_that_was_given_once_is_given_for_ever() -> None:
    said = {"title": "Pêche", "workload": {"hours": 2.5, "credits": 3}, "price": {"amount": "9.90", "currency": "EUR"}}
    proposal = Proposal.model_validate(said)
    expected = '{"price":{"amount":"9.90","currency":"EUR"},"title":"Pêche","workload":{"credits":3,"hours":2.5}}'
    assert proposal.canonical.decode() == expected
    assert proposal.digest == "bafc909252941c754a143e0dc858a93728b1daa9aa2f55a2a024cb5ee6a30744"


def test_a_proposal_without_a_title_has_something_to_be_called() -> None:
    assert Proposal().display_title == "Untitled proposal"
    assert Proposal.model_validate({"title": "  Two \n lines "}).display_title == "Two lines"
