"""Two versions of a framework beside each other: nothing that differs is left out, and nothing else is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.frameworks.comparing import compare
from imprimatur.frameworks.loader import institutions, shipped
from models.framework import Framework

ALL = [*shipped().values(), *institutions().values()]


def amended(policy: Framework, *path: Any, to: Any) -> Framework:
    document = json.loads(json.dumps(policy.model_dump(mode="json")))
    at = document
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = to
    return Framework.model_validate(document)


@pytest.mark.parametrize("policy", ALL, ids=lambda policy: policy.id)
def test_a_version_is_the_same_as_itself(policy: Framework) -> None:
    found = compare(policy, policy)
    assert found.is_same and [stage.stage for stage in found.stages] == [stage.id for stage in policy.stages]


@given(before=st.sampled_from(ALL), after=st.sampled_from(ALL))
def test_what_differs_is_told_and_turns_round_with_the_versions(before: Framework, after: Framework) -> None:
    found, back = compare(before, after), compare(after, before)
    assert found.is_same == (before.digest == after.digest)
    assert {(one.key, one.before, one.after) for one in found.whole} == {
        (one.key, one.after, one.before) for one in back.whole
    }
    fates = {stage.stage: stage.fate for stage in found.stages}
    turned = {"added": "removed", "removed": "added"}
    assert {stage.stage: turned.get(stage.fate, stage.fate) for stage in back.stages} == fates
    for stage in found.stages:
        assert (stage.fate == "same") == (not stage.changes)
        assert all(one.before != one.after for one in stage.changes)


INDUSTRY = shipped()["industry-credit"]


@pytest.mark.parametrize(
    ("path", "to", "told"),
    [
        (("stages", 1, "voting", "quorum"), 3, ("voting.quorum", "2", "3")),
        (("stages", 1, "sla", "within"), {"business_days": 1}, ("sla.within", "10 business days", "1 business day")),
        (("stages", 1, "sla", "within"), {"business_hours": 4}, ("sla.within", "10 business days", "4 business hours")),
    ],
)
def test_a_changed_key_of_a_stage_is_told_in_plain_words(
    path: tuple[Any, ...], to: Any, told: tuple[str, str, str]
) -> None:
    found = compare(INDUSTRY, amended(INDUSTRY, *path, to=to))
    [change] = found.stages[1].changes
    assert (change.key, change.before, change.after) == told
    assert found.stages[1].fate == "altered" and not found.whole


def test_words_alone_ask_no_stage_again_and_numbers_do() -> None:
    worded = compare(INDUSTRY, amended(INDUSTRY, "stages", 1, "asks", to="Something else."))
    numbered = compare(INDUSTRY, amended(INDUSTRY, "stages", 1, "voting", "quorum", to=3))
    assert not worded.stages[1].asked_again and numbered.stages[1].asked_again


def test_what_belongs_to_no_stage_is_told_by_its_place() -> None:
    name = INDUSTRY.speed_to_market.calendar
    later = compare(INDUSTRY, amended(INDUSTRY, "calendars", name, "hours", "end", to="18:00"))
    [change] = later.whole
    assert change.key == f"calendars.{name}.hours" and change.after.endswith("18:00")
