"""What a proposal counts towards adds up, or it is returned with every reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.rules.stacking import Known, claim_problems, is_at_least, pathway_problems, reached
from models.proposal import Proposal
from models.stacking import Pathway

CERTIFICATE = Pathway.model_validate(
    {
        "id": "certificate",
        "title": "Certificate",
        "kind": "certificate",
        "credits": 60,
        "credit_system": "ects",
        "level": {"framework": "EQF", "value": "7"},
        "lowest_level": "6",
        "most_stacked": 30,
    }
)
OPEN = CERTIFICATE.model_copy(update={"id": "open", "level": None, "lowest_level": None, "most_stacked": None})
KNOWN = Known({"certificate": CERTIFICATE, "open": OPEN}, {"mc-a": ["mc-b"], "mc-b": [], "mc-c": ["mc-own"]})
SOUND: dict[str, Any] = {
    "title": "Tenders",
    "workload": {"credits": 5, "credit_system": "ects"},
    "level": {"framework": "eqf", "value": "6"},
}


def proposal(claims: list[dict[str, Any]] | None = None, builds_on: list[str] | None = None, **other: Any) -> Proposal:
    stacking = {"stackable": True, "claims": claims or [], "builds_on": builds_on or []}
    return Proposal.model_validate(SOUND | {"stackability": stacking} | other)


def problems(found: Proposal, case_id: str | None = "mc-own") -> list[str]:
    return [item.problem for item in claim_problems(found, KNOWN, case_id)]


def test_what_adds_up_is_no_problem() -> None:
    claims: list[dict[str, Any]] = [{"pathway": "certificate", "credits": 3}, {"pathway": "open"}]
    assert problems(proposal(claims, ["mc-a", "mc-b"])) == []
    assert problems(Proposal(title="Says nothing")) == []


@pytest.mark.parametrize(
    ("claims", "other", "expected"),
    [
        ([{"pathway": "nowhere"}], {}, "name the pathway nowhere, which is not known, in entry 1"),
        ([{"pathway": "open"}, {"pathway": "open"}], {}, "name the pathway open twice"),
        (
            [{"pathway": "open", "credits": 6}],
            {},
            "count 6 credits towards open, more than the 5 that it has",
        ),
        ([{"pathway": "open"}], {"workload": None}, "count towards open without a workload in credits"),
        (
            [{"pathway": "open"}],
            {"workload": {"credits": 3, "credit_system": "us"}},
            "count us credits towards open, which counts ects credits",
        ),
        (
            [{"pathway": "certificate"}],
            {"workload": {"credits": 40, "credit_system": "ects"}},
            "count 40 credits towards certificate, which takes at most 30",
        ),
        ([{"pathway": "certificate"}], {"level": None}, "which asks for a level of EQF, and none is stated"),
        (
            [{"pathway": "certificate"}],
            {"level": {"framework": "NZQF", "value": "7"}},
            "which asks for a level of EQF, and none is stated",
        ),
        (
            [{"pathway": "certificate"}],
            {"level": {"framework": "EQF", "value": "5"}},
            "which takes EQF level 6 and above, not 5",
        ),
    ],
)
def test_a_claim_that_does_not_add_up_is_named(claims: list[dict[str, Any]], other: Any, expected: str) -> None:
    (found,) = problems(proposal(claims, **other))
    assert expected in found


def test_a_credential_that_stands_alone_counts_towards_nothing() -> None:
    alone = proposal(stackability={"stackable": False, "claims": [{"pathway": "open"}]})
    assert problems(alone) == ["are made though the proposal says that it stands alone"]


@pytest.mark.parametrize(
    ("builds_on", "expected"),
    [
        (["mc-unknown"], "names mc-unknown, of which no case is known, in entry 1"),
        (["mc-own"], "names the proposal itself, in entry 1"),
        (["mc-c"], "names mc-c, which itself builds on this one, in entry 1"),
        (["mc-a", "mc-a"], "names mc-a twice"),
    ],
)
def test_a_foundation_that_cannot_be_is_named(builds_on: list[str], expected: str) -> None:
    assert problems(proposal(builds_on=builds_on)) == [expected]


@pytest.mark.parametrize(
    ("level", "lowest", "enough"),
    [("6", "6", True), ("10", "9", True), ("5", "6", False), ("B", "b", True), ("B", "A", False), ("7", "A", False)],
)
def test_levels_compare_as_numbers_where_they_are_numbers(level: str, lowest: str, enough: bool) -> None:
    assert is_at_least(level, lowest) is enough


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"most_stacked": 61}, "most_stacked is 61, more than its 60 credits"),
        ({"level": None}, "lowest_level needs the level, whose framework it is counted in"),
        ({"counts_towards": [{"pathway": "nowhere"}]}, "it counts towards nowhere, which is not known"),
        ({"counts_towards": [{"pathway": "certificate"}]}, "it counts towards certificate, which counts towards it"),
        ({"counts_towards": [{"pathway": "small"}]}, "60 credits towards small are more than 10"),
        ({"counts_towards": [{"pathway": "american"}]}, "american counts us credits, not ects"),
        ({"counts_towards": [{"pathway": "above"}]}, "it counts towards above, which counts towards it"),
    ],
)
def test_a_pathway_that_cannot_be_is_named(change: dict[str, Any], expected: str) -> None:
    others = {
        "small": OPEN.model_copy(update={"id": "small", "credits": 10.0}),
        "american": OPEN.model_copy(update={"id": "american", "credit_system": "us"}),
        "above": Pathway.model_validate(
            OPEN.model_dump() | {"id": "above", "counts_towards": [{"pathway": "certificate"}]}
        ),
    }
    assert expected in pathway_problems(Pathway.model_validate(CERTIFICATE.model_dump() | change), others)


EDGES = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=4))


@given(EDGES, st.sampled_from("abcdef"))
def test_everything_that_is_reached_is_one_step_from_the_start_or_from_what_is_reached(
    edges: dict[str, list[str]], start: str
) -> None:
    found = reached(start, edges)
    expected: set[str] = set()
    for _ in range(7):
        expected |= {target for name in {start, *expected} for target in edges.get(name, ())}
    assert found == expected
