"""Whether a framework can work: each problem by the least change that causes it, and graphs of any shape."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.frameworks.checker import Holders, check_file, most_reviewers
from models.framework import ReviewerRule
from tests.error_codes import problem_codes
from tests.policies import (
    GONE,
    HOLDERS,
    changed,
    checked,
    checked_file,
    nearest_line,
    policy,
    publication,
    stage,
)
from tests.test_frameworks_meetings import SPOILT as MEETINGS
from tests.test_frameworks_policies import SPOILT as POLICIES

SAME = "where it was changed"
ALL_WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HOURS, DAYS = "business_hours", "business_days"
CRITERION = {"id": "clear", "question": "Is it?"}

# Where the document changes, to what, the problem and its place; without a problem the change is a sound one.
SPOILT: list[tuple[str, Any, str, str]] = [
    ("calendars.campus.country", "XX", "calendar_invalid", "calendars.campus"),
    ("calendars.campus.subdivision", "ZZ", "calendar_invalid", "calendars.campus"),
    ("calendars.campus.time_zone", "Mars/Olympus", "calendar_invalid", "calendars.campus"),
    ("calendars.campus.time_zone", "a\0b", "calendar_invalid", "calendars.campus"),
    ("calendars.campus.weekend", ALL_WEEK, "calendar_never_open", "calendars.campus"),
    ("speed_to_market.calendar", "campsu", "calendar_unknown", SAME),
    ("stages[1].sla.calendar", "campsu", "calendar_unknown", SAME),
    ("proposal.fields[0].field", "titel", "field_unknown", SAME),
    ("proposal.fields[0].field", "workload.minutes", "field_unknown", SAME),
    ("stages[1].material", ["title", "outcomes"], "field_unknown", "stages[1].material[1]"),
    ("proposal.fields[1]", {"field": "title"}, "field_repeated", "proposal.fields[1].field"),
    ("proposal.fields[0].minimum", 1, "rule_idle", SAME),
    ("proposal.fields[0].min_items", 1, "rule_idle", SAME),
    ("proposal.fields[1]", {"field": "workload.hours", "max_words": 3}, "rule_idle", "proposal.fields[1].max_words"),
    ("proposal.fields[1]", {"field": "price.amount", "max_items": 3}, "rule_idle", "proposal.fields[1].max_items"),
    ("proposal.fields[1]", {"field": "partners", "max_words": 3}, "rule_idle", "proposal.fields[1].max_words"),
    ("proposal.fields[1]", {"field": "level", "maximum": 3}, "rule_idle", "proposal.fields[1].maximum"),
    ("proposal.fields[1]", {"field": "country", "one_of": ["NZ"]}, "", ""),
    ("proposal.fields[1]", {"field": "mode", "one_of": ["afar"]}, "value_unknown", "proposal.fields[1].one_of[0]"),
    ("proposal.fields[0].max_words", GONE, "", ""),
    ("proposal.fields[1].max_items", 1, "", ""),
    ("proposal.fields[1].min_items", 3, "", ""),
    ("stages[1].needs", ["chek"], "stage_unknown", "stages[1].needs[0]"),
    ("stages[1].criteria", [CRITERION, CRITERION], "criterion_repeated", "stages[1].criteria[1].id"),
    ("stages[1].voting", GONE, "voting_missing", SAME),
    ("stages[1].sla", GONE, "sla_missing", SAME),
    ("stages[1].verdicts", ["reject", "abstain"], "approval_impossible", SAME),
    ("stages[1].verdicts", [], "", ""),
    ("stages[1].optional", True, "optional_never_empty", SAME),
    ("stages[2].optional", True, "", ""),
    ("stages[1].voting.quorum", 3, "quorum_out_of_reach", SAME),
    ("stages[1].voting.threshold", 3, "threshold_out_of_reach", SAME),
    ("stages[1].reviewers[0].count", 1, "quorum_out_of_reach", "stages[1].voting.quorum"),
    ("stages[1].reviewers[0].count", GONE, "", ""),
    ("stages[1].reviewers", [{"addresses": ["a@x.org", "A@x.org"]}], "quorum_out_of_reach", "stages[1].voting.quorum"),
    ("stages[1].reviewers", [{"addresses": ["a@x.org", "b@x.org"]}], "", ""),
    ("stages[1].reviewers", [{"partners": "lead"}], "quorum_out_of_reach", "stages[1].voting.quorum"),
    ("stages[1].reviewers", [{"partners": "all"}], "", ""),
    ("stages[1].reviewers", [{"unit": "Health"}], "", ""),
    ("stages[1].voting.veto", ["reviewer"], "", ""),
    ("stages[1].voting.veto", ["reviewer", "chair"], "veto_unheld", "stages[1].voting.veto[1]"),
    ("stages[1].voting.veto", ["industry_partner"], "veto_unheld", "stages[1].voting.veto[0]"),
    ("stages[2].voting.veto", ["industry_partner"], "", ""),
    ("speed_to_market.within", {DAYS: 0}, "promise_empty", SAME),
    ("speed_to_market.within", {HOURS: 0}, "promise_empty", SAME),
    ("stages[1].sla.within", {HOURS: 8001}, "promise_too_long", SAME),
    ("stages[1].sla.within", {HOURS: 8000}, "", ""),
    ("speed_to_market.within", {HOURS: 8001}, "promise_too_long", SAME),
    ("stages[1].sla.remind_before", [{DAYS: 1}, {DAYS: 5}], "reminder_too_early", "stages[1].sla.remind_before[1]"),
    ("stages[1].sla.remind_before", [{HOURS: 40}], "reminder_too_early", "stages[1].sla.remind_before[0]"),
    ("stages[1].sla.remind_before", [{HOURS: 10_000}], "reminder_too_early", "stages[1].sla.remind_before[0]"),
    ("stages[1].sla.remind_before", [{HOURS: 39}], "", ""),
    ("stages[3].needs", ["quality"], "published_too_early", SAME),
    ("stages[3].needs", ["quality", "industry", "check"], "", ""),
    ("stages[3].optional", True, "publication_reviewed", SAME),
    ("stages[3].reviewers", [{"role": "reviewer"}], "publication_reviewed", SAME),
    ("stages[3].voting", {"quorum": 1, "threshold": 1}, "automatic_stage", "stages[3]"),
    ("stages[3].criteria", [CRITERION], "automatic_stage", "stages[3]"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "value", "code", "where"), SPOILT)
def test_the_least_change_causes_one_problem_at_its_place(
    tmp_path: Path, change: str, value: Any, code: str, where: str
) -> None:
    spoilt = changed(policy(), change, value)
    where = change if where == SAME else where
    found = checked_file(tmp_path, spoilt)
    told = [(problem.code, problem.where, problem.file, problem.line) for problem in found]
    assert told == ([(code, where, "policy.json", nearest_line(spoilt, where))] if code else [])
    assert all(problem.problem and problem.expected for problem in found)


@pytest.mark.parametrize(
    ("change", "value", "told"),
    [
        ("stages[1].reviewers", GONE, {"reviewers_missing": "stages[1].reviewers"}),
        ("stages[3].kind", "review", {"publication_not_single": "stages", "reviewers_missing": "stages[3].reviewers"}),
        (
            "proposal.fields[1]",
            {"field": "workload.hours", "minimum": 10, "maximum": 9},
            {"rule_contradictory": "proposal.fields[1].minimum"},
        ),
        (
            "proposal.fields[1]",
            {"field": "learning_outcomes", "min_items": 3, "max_items": 2},
            {"rule_contradictory": "proposal.fields[1].min_items"},
        ),
        (
            "stages[1].sla.within",
            {DAYS: 0},
            {
                "promise_empty": "stages[1].sla.within",
                "reminder_too_early": "stages[1].sla.remind_before[0]",
            },
        ),
        (
            "stages[1].voting",
            {"quorum": 3, "threshold": 4},
            {
                "quorum_out_of_reach": "stages[1].voting.quorum",
                "threshold_out_of_reach": "stages[1].voting.threshold",
            },
        ),
    ],
)
def test_a_change_that_causes_more_is_told_in_full(change: str, value: Any, told: dict[str, str]) -> None:
    assert {problem.code: problem.where for problem in checked(changed(policy(), change, value))} == told


def test_the_framework_that_is_spoilt_is_sound() -> None:
    assert checked(policy(), HOLDERS) == []


def test_every_problem_is_in_a_table() -> None:
    here = {code for _, _, code, _ in [*SPOILT, *MEETINGS, *POLICIES] if code} | TOLD_BY_TESTS_OF_THEIR_OWN
    assert problem_codes() - OF_NOTATION - OF_ANSWERS == here


TOLD_BY_TESTS_OF_THEIR_OWN = {
    "stage_repeated", "cycle", "stage_unreachable", "role_unheld", "publication_not_single", "reviewers_missing",
    "rule_contradictory", "expression_field_unknown", "expression_malformed", "expression_not_boolean",
    "expression_types_differ", "gate_left_out", "nobody_decides", "publication_left_out", "track_key_idle",
    "track_repeated", "track_unreachable", "recommendation_missing", "recommendation_outside_review",
    "recommendation_without_choice", "review_beyond_limit", "review_framework_itself", "review_interval_unusual",
    "review_key_idle", "silence_recommends_nothing", "stage_unfit_for_review", "threshold_repeated",
    "handover_framework_itself", "handover_key_idle", "handover_outside_handover", "handover_stage_missing",
    "handover_without_choice", "silence_takes_nothing_up", "stage_unfit_for_handover", "target_repeated",
}  # fmt: skip
OF_NOTATION = {
    "malformed", "not_a_mapping", "duplicate_key", "unknown_key", "missing_key", "wrong_type", "wrong_form",
    "wrong_length", "out_of_range", "not_allowed", "invalid", "more_problems",
}  # fmt: skip
OF_ANSWERS = {
    "condition_owner_malformed",
    "condition_text_required",
    "condition_too_long",
    "condition_without_approval",
    "conditions_not_offered",
    "conditions_too_many",
    "comment_not_printable",
    "comment_required",
    "comment_too_long",
    "criterion_unknown",
    "score_out_of_range",
    "score_required",
    "statement_required",
    "statement_not_offered",
    "statement_without_approval",
    "teach_out_without_retiring",
    "statement_not_printable",
    "statement_too_long",
}


def test_all_problems_are_told_at_once_in_the_order_of_the_document(tmp_path: Path) -> None:
    spoilt = policy()
    for place, value in (
        ("speed_to_market.calendar", "campsu"),
        ("stages[2].needs", ["chek"]),
        ("stages[1].voting.quorum", 5),
        ("proposal.fields[0].field", "titel"),
        ("calendars.campus.country", "XX"),
    ):
        spoilt = changed(spoilt, place, value)
    found = checked_file(tmp_path, spoilt)
    expected = ["calendar_invalid", "field_unknown", "quorum_out_of_reach", "stage_unknown", "calendar_unknown"]
    assert [problem.code for problem in found] == expected
    assert [problem.line for problem in found] == sorted(problem.line or 0 for problem in found)


def test_yaml_comments_count_as_lines(tmp_path: Path) -> None:
    spoilt = changed(policy(), "stages[1].needs", ["chek"])
    file = tmp_path / "policy.yaml"
    text = "# one\n# two\n" + yaml.safe_dump(spoilt, sort_keys=False)
    file.write_text(text, encoding="utf-8")
    [problem] = check_file(file)[1]
    assert problem.line == 1 + text.splitlines().index("  - chek")
    assert str(problem).startswith(f"policy.yaml:{problem.line}: stages[1].needs[0]: there is no stage 'chek'")


# --- the directory ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (HOLDERS, []),
        (HOLDERS | {"office": 0}, [("role_unheld", "stages[0].reviewers[0].role")]),
        (
            {"office": 1, "reviewer": 2},
            [
                ("role_unheld", "stages[0].sla.escalate_to"),
                ("role_unheld", "stages[1].sla.escalate_to"),
                ("role_unheld", "stages[2].sla.escalate_to"),
                ("role_unheld", "speed_to_market.escalate_to"),
            ],
        ),
        (HOLDERS | {"reviewer": 1}, [("quorum_out_of_reach", "stages[1].voting.quorum")]),
    ],
)
def test_a_framework_is_checked_against_the_directory(held: Holders, told: list[tuple[str, str]]) -> None:
    found = [(problem.code, problem.where) for problem in checked(policy(), held)]
    assert sorted(found) == sorted(told)
    assert checked(policy()) == [], "without a directory nothing is said about it"


def test_an_empty_directory_is_told_role_by_role() -> None:
    found = checked(policy(), {})
    assert {problem.code for problem in found} == {"role_unheld"}
    assert all(problem.expected for problem in found)


@pytest.mark.parametrize(
    ("rules", "named", "active"),
    [
        ([{"role": "reviewer"}], None, 3),
        ([{"role": "reviewer", "count": 2}], 2, 2),
        ([{"role": "reviewer", "count": 9}], 9, 3),
        ([{"role": "reviewer", "unit": "Health"}], None, 3),
        ([{"unit": "Health"}], None, None),
        ([{"partners": "all"}], None, None),
        ([{"partners": "all", "count": 4}], 4, 4),
        ([{"partners": "lead"}], 1, 1),
        ([{"addresses": ["a@x.org", "b@x.org", "B@x.org"]}], 2, 2),
        ([{"addresses": ["a@x.org", "b@x.org"], "count": 1}], 1, 1),
        ([{"role": "office", "count": 1}, {"role": "reviewer", "count": 2}], 3, 3),
        ([{"role": "office", "count": 1}, {"partners": "all"}], None, None),
        ([], 0, 0),
    ],
)
def test_the_most_reviewers_that_rules_can_name(
    rules: list[dict[str, Any]], named: int | None, active: int | None
) -> None:
    found = tuple(ReviewerRule.model_validate(rule) for rule in rules)
    assert (most_reviewers(found), most_reviewers(found, HOLDERS)) == (named, active)


# --- graphs -----------------------------------------------------------------------------------------------------


def test_a_repeated_stage_is_told_at_its_second_place() -> None:
    found = checked(policy(stage("a"), stage("b"), stage("a", "b"), publication("a", "b")))
    assert ("stage_repeated", "stages[2].id") in [(problem.code, problem.where) for problem in found]


def test_a_cycle_is_named_and_what_waits_for_it_can_never_open() -> None:
    found = checked(
        policy(stage("a"), stage("b", "a", "d"), stage("c", "b"), stage("d", "c"), publication("a", "b", "c", "d"))
    )
    [cycle] = [problem for problem in found if problem.code == "cycle"]
    assert cycle.problem in {
        f"stages wait for each other: {path}" for path in ("b -> d -> c -> b", "c -> b -> d -> c", "d -> c -> b -> d")
    }
    told = [problem.where for problem in found if problem.code == "stage_unreachable"]
    assert told == ["stages[1]", "stages[2]", "stages[3]", "stages[4]"]


def test_a_stage_that_needs_itself_is_a_cycle() -> None:
    found = checked(policy(stage("a", "a"), publication("a")))
    assert "stages wait for each other: a -> a" in [problem.problem for problem in found]


def test_publication_may_need_a_stage_through_others() -> None:
    assert checked(policy(stage("a"), stage("b", "a"), stage("c", "b"), publication("c"))) == []


def test_two_publications_are_one_too_many() -> None:
    second = publication("a") | {"id": "again"}
    found = checked(policy(stage("a"), publication("a"), second))
    assert [(problem.code, problem.where) for problem in found] == [("publication_not_single", "stages")]


def test_a_framework_of_60_stages_is_checked() -> None:
    chain = [stage(f"s{n}", *[f"s{earlier}" for earlier in range(max(0, n - 3), n)]) for n in range(59)]
    assert checked(policy(*chain, publication("s58")), HOLDERS) == []
    chain[10]["needs"] = ["s58"]
    codes = [problem.code for problem in checked(policy(*chain, publication("s58")))]
    assert codes.count("cycle") == 1
    assert codes.count("stage_unreachable") == 50


graphs = st.integers(1, 7).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), max_size=3, unique=True), min_size=size, max_size=size)
)


def in_a_cycle(needs: list[list[int]], start: int) -> bool:
    """Whether a stage waits for itself, found by walking down from it."""
    seen: set[int] = set()
    waiting = list(needs[start])
    while waiting:
        node = waiting.pop()
        if node == start:
            return True
        if node not in seen:
            seen.add(node)
            waiting += needs[node]
    return False


def can_open(needs: list[list[int]], node: int, path: tuple[int, ...] = ()) -> bool:
    """By the definition: all that it needs can open, and it is not among what it waits for."""
    return node not in path and all(can_open(needs, need, (*path, node)) for need in needs[node])


@given(graphs)
@settings(max_examples=200, deadline=None)
def test_cycles_and_unreachable_stages_are_found_in_any_graph(needs: list[list[int]]) -> None:
    stages = [stage(f"s{n}", *[f"s{need}" for need in wanted]) for n, wanted in enumerate(needs)]
    found = checked(policy(*stages, publication(*[f"s{n}" for n in range(len(needs))])))
    cycles = [problem for problem in found if problem.code == "cycle"]
    unreachable = {problem.where for problem in found if problem.code == "stage_unreachable"}
    assert bool(cycles) == any(in_a_cycle(needs, n) for n in range(len(needs)))
    closed = {n for n in range(len(needs)) if not can_open(needs, n)}
    assert unreachable == {f"stages[{n}]" for n in closed | ({len(needs)} if closed else set())}
    for cycle in cycles:
        path = [int(name.strip().removeprefix("s")) for name in cycle.problem.split(":")[1].split("->")]
        assert len(path) > 1
        assert path[0] == path[-1]
        assert all(need in needs[node] for node, need in pairwise(path))
        assert cycle.where == f"stages[{path[0]}].needs"
