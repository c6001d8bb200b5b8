"""Identifiers are stored and named in mails and addresses: they never change, and never meet."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur import ids


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (ids.task_id("mc-abcdefghijkl", "quality", 1, "quinn@example.edu"), "t-guedaeepqivumddl"),
        (ids.decision_id("t-1", "quinn@example.edu", "approve", "", {"b": 1, "a": 2}), "d-mynwykqm5mkuegcp"),
        (ids.mail_id("mc-abcdefghijkl", 3, 1), "m-aqxgirj3txl5w2dw"),
        (ids.incident_id("mc-abcdefghijkl", "quality", 1, "no_reviewer"), "i-x3upltfnyo2brmf2"),
        (ids.imported_case_id("industry-credit", "record-7"), "mc-gnj6kk6bjyilh2qv"),
    ],
)
def test_what_is_derived_is_kept_for_ever(found: str, kept: str) -> None:
    assert found == kept


def test_the_order_of_scores_makes_no_other_decision() -> None:
    one, other = (ids.decision_id("t-1", "q@example.edu", "approve", "", scores) for scores in SCORES)
    assert one == other


SCORES = ({"a": 1, "b": 2}, {"b": 2, "a": 1})


@given(
    st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4), st.integers(1, 3), st.text(max_size=4)), unique=True)
)
def test_different_tasks_have_different_ids(parts: list[tuple[str, str, int, str]]) -> None:
    plain = [part for part in parts if not any("\x1f" in str(value) for value in part)]
    assert len({ids.task_id(*part) for part in plain}) == len(plain)


def test_a_new_case_has_an_id_that_can_stand_in_an_address() -> None:
    found = {ids.new_case_id() for _ in range(1000)}
    assert len(found) == 1000
    assert all(re.fullmatch("mc-[a-z2-7]{12}", case_id) for case_id in found)


def test_a_case_is_found_by_its_workflow() -> None:
    assert ids.case_of_workflow(ids.workflow_id("mc-abcdefghijkl")) == "mc-abcdefghijkl"
