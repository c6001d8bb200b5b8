"""What is wrong with a framework or proposal, in the words of the person who wrote it."""

import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints

from imprimatur.errors import DocumentInvalid
from imprimatur.frameworks.documents import Document, parse
from imprimatur.frameworks.loader import PROBLEM_LIMIT, load_framework, load_proposal, validate
from imprimatur.frameworks.wording import PATTERN_MEANINGS
from models.framework import Framework
from models.proposal import Proposal
from tests.facts import EXAMPLES
from tests.policies import GONE, changed, nearest_line, policy

EXAMPLE: dict[str, Any] = parse((EXAMPLES / "industry-credit.yaml").read_text(encoding="utf-8"), Path("x.yaml")).data
FULL = EXAMPLE | {
    "attachments": [{"name": "Letter", "sha256": "0" * 64, "media_type": "text/plain"}],
    "source_url": "https://example.org/course",
    "existing_coursework": "None.",
}
DETAILED = changed(
    policy(),
    "calendars.campus.closures",
    [{"first_on": "2026-12-24", "last_on": "2026-12-31", "reason": "Closed"}],
)


def told(document: Any, model: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    return [(p.code, p.where, p.problem, p.expected) for p in validate(Document(document), model, "file")[1]]


def only(document: Any, model: type[BaseModel]) -> tuple[str, str, str, str]:
    [problem] = told(document, model)
    return problem


# --- words ------------------------------------------------------------------------------------------------------

CLOSURE = "calendars.campus.closures[0]"
ONE_SOURCE = "name reviewers by one of role, partners, addresses, or by unit"
ONE_LABEL = "give one label for each point of the scale, or none"
NO_ADDRESS = "'nobody' is no mail address: An email address must have an @-sign"
FIELD_NAME = "a short name: a small letter, then small letters, digits, - or _"
WRONG_FRAMEWORKS = [
    ("nmae", "x", "unknown_key", "there is no key 'nmae' here; did you mean 'name'?"),
    ("zzz", "x", "unknown_key", "there is no key 'zzz' here"),
    ("stages[1].vetting", {}, "unknown_key", "there is no key 'vetting' here; did you mean 'voting'?"),
    ("stages[1].voting.qorum", 1, "unknown_key", "there is no key 'qorum' here; did you mean 'quorum'?"),
    ("calendars.campus.closure", [], "unknown_key", "there is no key 'closure' here; did you mean 'closures'?"),
    ("calendars.campus.hours.ends", "17:00", "unknown_key", "there is no key 'ends' here; did you mean 'end'?"),
    ("name", GONE, "missing_key", "this key is missing"),
    ("stages[0].asks", GONE, "missing_key", "this key is missing"),
    ("id", "Tiny One", "wrong_form", f"'Tiny One' is not {FIELD_NAME}"),
    ("version", "1.0.0.0", "wrong_form", "'1.0.0.0' is not a version such as \"1.0\""),
    ("version", 1.0, "wrong_type", "1.0 is a number here"),
    ("format", 2, "not_allowed", "2 is not allowed here"),
    ("credential_kind", "noncredit", "not_allowed", "'noncredit' is not allowed here; did you mean 'non_credit'?"),
    ("stages[1].verdicts", ["aprove"], "not_allowed", "'aprove' is not allowed here; did you mean 'approve'?"),
    ("summary", True, "wrong_type", "true is a truth value here"),
    ("summary", None, "wrong_type", "nothing is not text"),
    ("summary", "  ", "wrong_length", "the text is empty"),
    ("name", "x" * 201, "wrong_length", "the text has 201 characters"),
    ("stages", {}, "wrong_type", "a mapping is not a list"),
    ("stages", [], "wrong_length", "the list is empty"),
    ("calendars", {}, "wrong_length", "the mapping is empty"),
    ("calendars", "campus", "wrong_type", "'campus' is not a mapping of keys to values"),
    ("calendars.campus.country", "nz", "wrong_form", "'nz' is not a country code of two capital letters such as NZ"),
    ("calendars.campus.weekend", ["Sun"], "not_allowed", "'Sun' is not allowed here; did you mean 'sun'?"),
    ("calendars.campus.hours.start", 540, "wrong_type", '540 is not a time of day such as "09:00"'),
    ("calendars.campus.hours.start", "25:00", "wrong_type", "'25:00' is not a time of day such as \"09:00\""),
    ("calendars.campus.hours.start", "18:00", "invalid", "working hours must start before they end"),
    (f"{CLOSURE}.first_on", "2026-02-30", "wrong_type", "'2026-02-30' is not a date such as \"2026-12-24\""),
    (f"{CLOSURE}.first_on", 20261224, "wrong_type", '20261224 is not a date such as "2026-12-24"'),
    (f"{CLOSURE}.first_on", "2027-01-01", "invalid", "a closure must begin before it ends"),
    ("stages[1].voting.quorum", "two", "wrong_type", "'two' is not a whole number"),
    ("stages[1].voting.quorum", True, "wrong_type", "true is not a whole number"),
    ("stages[1].voting.quorum", 1.5, "wrong_type", "1.5 is not a whole number"),
    ("stages[1].voting.quorum", 0, "out_of_range", "0 is too small"),
    ("stages[1].voting.quorum", 501, "out_of_range", "501 is too large"),
    ("stages[1].optional", "perhaps", "wrong_type", "'perhaps' is not true or false"),
    ("stages[1].sla.within", {}, "invalid", "give exactly one of business_days and business_hours"),
    ("stages[1].sla.within.business_hours", 4, "invalid", "give exactly one of business_days and business_hours"),
    ("stages[1].reviewers[0].partners", "all", "invalid", ONE_SOURCE),
    ("stages[1].reviewers[0]", {}, "invalid", ONE_SOURCE),
    ("stages[1].reviewers[0]", {"partners": "all", "unit": "Health"}, "invalid", "a unit can narrow a role only"),
    ("stages[1].reviewers[0]", {"addresses": ["nobody"]}, "wrong_form", NO_ADDRESS),
    ("stages[1].criteria[0].scale", {"minimum": 4}, "invalid", "a scale's minimum must be below its maximum"),
    ("stages[1].criteria[0].scale", {"labels": ["no"]}, "invalid", ONE_LABEL),
    ("proposal.fields[0].field", "T", "wrong_form", "'T' is not a field of a proposal such as title or workload.hours"),
    ("proposal.fields", ["title"], "wrong_type", "'title' is not a mapping of keys to values"),
    ("publication.issuer_url", "x.org", "wrong_form", "'x.org' is not a web address that begins with https:// or http://"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "value", "code", "problem"), WRONG_FRAMEWORKS)
def test_a_wrong_framework_is_explained(change: str, value: Any, code: str, problem: str) -> None:
    found = only(changed(DETAILED, change, value), Framework)
    assert found[0] == code
    assert found[2] == problem
    assert found[1].startswith(change.rsplit(".", 1)[0].split("[")[0])


WRONG_PROPOSALS = [
    ("titel", "x", "unknown_key", "there is no key 'titel' here; did you mean 'title'?"),
    ("partners[0].email", "x", "unknown_key", "there is no key 'email' here"),
    ("title", 2026, "wrong_type", "2026 is a number here"),
    ("title", ["a"], "wrong_type", "a list is not text"),
    ("title", "a\x00b", "invalid", "the character U+0000 cannot be part of a text"),
    ("title", "\ud800", "invalid", "the character U+D800 cannot be part of a text"),
    ("summary", "\ud800", "wrong_type", "half of a surrogate pair stands alone"),
    ("summary", "x" * 20_001, "wrong_length", "the text has 20,001 characters"),
    ("country", "NZL", "wrong_form", "'NZL' is not a country code of two capital letters such as NZ"),
    ("language", "English", "wrong_form", "'English' is not a language code such as en or pt-BR"),
    ("learning_outcomes", "Reads.", "wrong_type", "'Reads.' is not a list"),
    ("learning_outcomes[1]", {"text": "x"}, "wrong_type", "a mapping is not text"),
    ("workload", 390, "wrong_type", "390 is not a mapping of keys to values"),
    ("workload.hours", "many", "wrong_type", "'many' is not a number"),
    ("workload.hours", True, "wrong_type", "true is not a number"),
    ("workload.hours", float("nan"), "wrong_type", "nan is not a number"),
    ("workload.hours", 0, "out_of_range", "0 is too small"),
    ("workload.credits", 1001, "out_of_range", "1001 is too large"),
    ("workload.credit_system", "ecst", "not_allowed", "'ecst' is not allowed here; did you mean 'ects'?"),
    ("level.value", "", "wrong_length", "the text is empty"),
    ("assessment.supervision", "none", "not_allowed", "'none' is not allowed here"),
    ("mode", "remote", "not_allowed", "'remote' is not allowed here"),
    ("partners[0].lead", "maybe", "wrong_type", "'maybe' is not true or false"),
    ("partners[0].organisation", GONE, "missing_key", "this key is missing"),
    ("price.amount", "1.999", "out_of_range", "'1.999' has too many digits"),
    ("price.amount", 10**13, "out_of_range", "10000000000000 has too many digits"),
    ("price.amount", "free", "wrong_type", "'free' is not a number"),
    ("price.amount", -1, "out_of_range", "-1 is too small"),
    ("price.currency", "€", "wrong_form", "'€' is not a currency code of three capital letters such as EUR"),
    ("delivery.starts_on", "next May", "wrong_type", "'next May' is not a date such as \"2026-12-24\""),
    ("attachments[0].sha256", "abc", "wrong_form", "'abc' is not a SHA-256 digest of 64 hexadecimal digits"),
    ("source_url", "ftp://x", "wrong_form", "'ftp://x' is not a web address that begins with https:// or http://"),
    ("source_url", "https://x\x00", "invalid", "the character U+0000 cannot be part of a text"),
    ("credential_kind", "industry", "not_allowed", "'industry' is not allowed here; did you mean 'industry_credit'?"),
]


@pytest.mark.parametrize(("change", "value", "code", "problem"), WRONG_PROPOSALS)
def test_a_wrong_proposal_is_explained(change: str, value: Any, code: str, problem: str) -> None:
    found = only(changed(FULL, change, value), Proposal)
    assert (found[0], found[1], found[2]) == (code, change, problem)


def test_what_was_expected_is_said() -> None:
    expectations = {
        "stages[1].voting.quorum": (0, "at least 1"),
        "stages[1].sla.escalate_count": (51, "at most 50"),
        "name": ("", "at least 1 character"),
        "summary": ("x" * 4001, "at most 4,000 characters"),
        "stages": ([], "at least 1 entry"),
        "version": (1.0, 'text in quotes: "1.0"'),
        "stages[1].voting.qorum": (1, "one of quorum, threshold, veto"),
    }
    for change, (value, expected) in expectations.items():
        assert only(changed(policy(), change, value), Framework)[3] == expected


@pytest.mark.parametrize(("data", "said"), [(None, "nothing"), ([], "a list"), ("x", "'x'"), (5, "5"), (True, "true")])
def test_a_document_that_is_no_mapping_is_told(data: Any, said: str) -> None:
    code, where, problem, expected = only(data, Proposal)
    assert (code, where, expected) == ("not_a_mapping", "", "keys and values")
    assert problem == f"the document is not a mapping of keys to values but {said}"


WEIRD: list[Any] = [
    None, True, 5, -5, 5.5, float("nan"), float("inf"), 10**17, "", "x" * 25_000, "no", "\x00", "\ud800", "a b", [],
    ["x"], {}, {"titel": 1}, [[]], [None], "2026-13-40", "25:00", "9:00", "<b>@", "a@b", "1e9", "999999999999.999",
]  # fmt: skip
FOREIGN = ("Input", "input", "String", "Tuple", "Dictionary", "Decimal", "Value", "validation", "Field", "Extra")


def places(value: Any, where: str = "") -> Iterator[str]:
    if where:
        yield where
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from places(entry, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from places(entry, f"{where}[{number}]")


@pytest.mark.parametrize(("document", "model"), [(DETAILED, Framework), (FULL, Proposal)])
def test_no_wrong_value_is_explained_in_the_words_of_a_library(
    document: dict[str, Any], model: type[BaseModel]
) -> None:
    seen = 0
    for where in places(document):
        for value in WEIRD:
            for code, place, problem, expected in told(changed(document, where, value), model):
                seen += 1
                assert place.startswith(where.rsplit(".", 1)[0].split("[")[0]), (where, value, place)
                assert not any(word in problem for word in FOREIGN), (where, value, problem)
                assert expected or code == "invalid", (where, value, problem)
                assert not problem.endswith("."), problem
    assert seen > 500


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*Framework.model_fields, *Proposal.model_fields, "campus", "x"]) | st.text(max_size=3),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_values_end_in_problems_and_not_in_a_crash(data: Any) -> None:
    for model in (Framework, Proposal):
        found, problems = validate(Document(data), model, "file")
        assert (found is None) == bool(problems)


def test_a_key_of_a_calendar_must_be_a_short_name() -> None:
    document = policy()
    document["calendars"]["Main Campus"] = document["calendars"]["campus"]
    code, where, problem, _ = only(document, Framework)
    assert (code, where) == ("wrong_form", "calendars.Main Campus")
    assert "'Main Campus' is not a short name" in problem


def test_every_pattern_of_the_models_has_a_meaning_and_every_meaning_a_pattern() -> None:
    found = {pattern for model in (Framework, Proposal) for pattern in patterns_of(model)}
    assert found == set(PATTERN_MEANINGS)


def patterns_of(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for info in annotation.model_fields.values():
            yield from patterns_of(info.annotation)
            for mark in info.metadata:
                yield from patterns_of(mark)
                # A constraint that stands directly on a field is unpacked.
                if isinstance(pattern := getattr(mark, "pattern", None), str):
                    yield pattern
    elif isinstance(annotation, StringConstraints) and annotation.pattern is not None:
        assert isinstance(annotation.pattern, str)
        yield annotation.pattern
    for inner in typing.get_args(annotation):
        yield from patterns_of(inner)


# --- files ------------------------------------------------------------------------------------------------------


def test_all_problems_of_a_file_are_raised_at_once_with_their_lines(tmp_path: Path) -> None:
    spoilt = policy()
    changes = [
        ("name", ""),
        ("calendars.campus.country", "nz"),
        ("stages[2].voting.qorum", 1),
        ("publication.issuer_name", 5),
    ]
    for change, value in changes:
        spoilt = changed(spoilt, change, value)
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(spoilt, indent=1), encoding="utf-8")
    with pytest.raises(DocumentInvalid, match=r"policy\.json is no usable framework: 4 problems") as caught:
        load_framework(file)
    assert caught.value.code == "framework_invalid"
    assert [(p.where, p.line, p.file) for p in caught.value.problems] == [
        (change, nearest_line(spoilt, change), "policy.json") for change, _ in changes
    ]
    assert caught.value.details["problems"][0]["expected"] == "at least 1 character"


def test_one_problem_is_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "proposal.yaml"
    file.write_text("# a comment\ntitle: 5\n", encoding="utf-8")
    with pytest.raises(DocumentInvalid, match=r"no usable proposal: 1 problem\.") as caught:
        load_proposal(file)
    assert str(caught.value.problems[0]) == "proposal.yaml:2: title: 5 is a number here"


def test_a_key_given_twice_makes_a_proposal_unusable(tmp_path: Path) -> None:
    file = tmp_path / "proposal.yaml"
    file.write_text("title: one\ncountry: nz\ntitle: two\n", encoding="utf-8")
    with pytest.raises(DocumentInvalid) as caught:
        load_proposal(file)
    assert [(p.code, p.line) for p in caught.value.problems] == [("wrong_form", 2), ("duplicate_key", 3)]


@pytest.mark.parametrize("repeated", [0, PROBLEM_LIMIT + 10])
def test_nobody_is_told_more_than_can_be_read(tmp_path: Path, repeated: int) -> None:
    file = tmp_path / "proposal.yaml"
    lines = [f"key{n}: 1" for n in range(PROBLEM_LIMIT + 50)] + ["title: x"] * repeated
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DocumentInvalid, match=f"more than {PROBLEM_LIMIT} problems") as caught:
        load_proposal(file)
    assert len(caught.value.problems) == PROBLEM_LIMIT + 1
    left_out = 50 + max(0, repeated - 1)
    assert caught.value.problems[-1].problem == f"there are {left_out} more problems"
