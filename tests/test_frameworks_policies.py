"""What a framework says of votes, silence and kinds of stage: each problem by the least change that causes it."""

from pathlib import Path
from typing import Any

import pytest

from imprimatur.frameworks.checker import check_file
from tests.policies import GONE, HOLDERS, changed, checked, checked_file, nearest_line, policy, publication, stage

SAME = "where it was changed"
HOURS, DAYS = "business_hours", "business_days"
CRITERION = {"id": "clear", "question": "Is it?"}
CLAUSE = "Senate regulation 14"
RULE = {
    "quorum_percent": 50,
    "method": "majority",
    "counted_of": "votes",
    "weights": {"chair": 2, "deputy": 1},
    "veto": ["chair"],
    "recusal": "lowers_quorum",
    "deputies": "deputy",
    "tie_break": "chair",
    "early_close": False,
}
SLA = {
    "within": {DAYS: 5},
    "calendar": "campus",
    "at_breach": "reassign",
    "deputies": "deputy",
    "escalate_to": "director",
    "then": [{"after": {DAYS: 2}, "to": "director"}, {"after": {DAYS: 4}, "to": "office", "count": 2}],
}
STEP = {"after": {HOURS: 5}, "to": "office"}
NOTHING: dict[str, Any] = {"voting": GONE, "sla": GONE, "criteria": GONE}
WINDOW = {"within": {DAYS: 5}, "calendar": "campus", "escalate_to": "director", "policy_clause": CLAUSE}


def governed() -> dict[str, Any]:
    """A framework that says all that can be said, and is sound."""
    return policy(
        stage("notice", kind="information", **NOTHING),
        stage(
            "quality",
            reviewers=[{"role": "chair"}, {"role": "reviewer"}],
            voting=RULE,
            verdicts=["approve", "reject", "request_changes", "abstain", "recuse"],
            sla=SLA,
        ),
        stage("window", kind="objection", **NOTHING | {"sla": WINDOW}),
        stage("faculty", kind="endorsement"),
        publication("notice", "quality", "window", "faculty"),
    )


# Where the document changes, to what, the problem and its place; without a problem the change is a sound one.
SPOILT: list[tuple[str, Any, str, str]] = [
    ("stages[1].voting", GONE, "voting_missing", SAME),
    ("stages[1].sla", GONE, "sla_missing", SAME),
    ("stages[2].sla", GONE, "sla_missing", SAME),
    ("stages[3].voting", GONE, "voting_missing", SAME),
    ("stages[3].sla", GONE, "sla_missing", SAME),
    ("stages[0].voting", {"quorum": 1, "threshold": 1}, "stage_key_idle", SAME),
    ("stages[0].sla", WINDOW, "stage_key_idle", SAME),
    ("stages[0].criteria", [CRITERION], "stage_key_idle", SAME),
    ("stages[0].quality_gate", True, "stage_key_idle", SAME),
    ("stages[0].quality_gate", False, "", ""),
    ("stages[0].on_rejection", "proceed", "stage_key_idle", SAME),
    ("stages[0].on_rejection", "end_case", "", ""),
    ("stages[2].voting", {"quorum": 1, "threshold": 1}, "stage_key_idle", SAME),
    ("stages[2].criteria", [CRITERION], "stage_key_idle", SAME),
    ("stages[2].on_rejection", "proceed", "", ""),
    ("stages[4].quality_gate", True, "stage_key_idle", SAME),
    ("stages[4].on_rejection", "proceed", "stage_key_idle", SAME),
    ("stages[4].verdicts", ["approve"], "verdict_unfit", "stages[4].verdicts[0]"),
    ("stages[0].verdicts", ["acknowledge", "approve"], "verdict_unfit", "stages[0].verdicts[1]"),
    ("stages[1].verdicts", ["approve", "recuse", "object"], "verdict_unfit", "stages[1].verdicts[2]"),
    ("stages[1].verdicts", ["approve", "recuse", "endorse"], "verdict_unfit", "stages[1].verdicts[2]"),
    ("stages[2].verdicts", ["object", "reject"], "verdict_unfit", "stages[2].verdicts[1]"),
    ("stages[2].verdicts", ["object", "recuse"], "", ""),
    ("stages[3].verdicts", ["endorse", "approve"], "verdict_unfit", "stages[3].verdicts[1]"),
    ("stages[1].verdicts", ["reject", "recuse"], "approval_impossible", SAME),
    ("stages[3].verdicts", ["reject"], "approval_impossible", SAME),
    ("stages[3].verdicts", [], "", ""),
    # Silence decides only by a clause, never at a gate.
    ("stages[2].sla.policy_clause", GONE, "silence_without_clause", SAME),
    ("stages[2].quality_gate", True, "silence_at_quality_gate", SAME),
    ("stages[2].sla.at_breach", "remind", "stage_key_idle", SAME),
    ("stages[3].sla.at_breach", "approve", "silence_without_clause", "stages[3].sla.policy_clause"),
    ("stages[3].sla.at_breach", "skip", "silence_without_clause", "stages[3].sla.policy_clause"),
    ("stages[3].sla.at_breach", "reject", "silence_without_clause", "stages[3].sla.policy_clause"),
    ("stages[3].sla.at_breach", "remind", "", ""),
    ("stages[3].sla.at_breach", "escalate", "", ""),
    ("stages[3].sla.at_breach", "reassign", "deputies_missing", "stages[3].sla.deputies"),
    ("stages[3].sla.deputies", "deputy", "stage_key_idle", SAME),
    ("stages[3].sla.policy_clause", CLAUSE, "", ""),
    ("stages[1].quality_gate", True, "", ""),
    # Roles that are spoken of, and worn by nobody.
    ("stages[1].voting.veto", ["dean"], "veto_unheld", "stages[1].voting.veto[0]"),
    ("stages[1].voting.veto", ["deputy"], "", ""),
    ("stages[1].voting.weights", {"dean": 2}, "weight_unheld", "stages[1].voting.weights.dean"),
    ("stages[1].voting.tie_break", "dean", "tie_break_unheld", SAME),
    ("stages[1].verdicts", ["approve", "reject"], "stage_key_idle", "stages[1].voting.deputies"),
    # Weights bring a threshold nearer, and no quorum.
    ("stages[3].voting", {"quorum": 2, "threshold": 4, "weights": {"reviewer": 2}}, "", ""),
    (
        "stages[3].voting",
        {"quorum": 2, "threshold": 5, "weights": {"reviewer": 2}},
        "threshold_out_of_reach",
        "stages[3].voting.threshold",
    ),
    (
        "stages[3].voting",
        {"quorum": 3, "threshold": 4, "weights": {"reviewer": 2}},
        "quorum_out_of_reach",
        "stages[3].voting.quorum",
    ),
    ("stages[3].voting", {"quorum_percent": 100, "method": "unanimity"}, "", ""),
    # Each step later than the one before, as far as like is compared with like.
    ("stages[1].sla.then[1].after", {DAYS: 2}, "steps_out_of_order", SAME),
    ("stages[1].sla.then[1].after", {DAYS: 1}, "steps_out_of_order", SAME),
    ("stages[1].sla.then[1].after", {HOURS: 1}, "", ""),
    ("stages[1].sla.then", [STEP, STEP], "steps_out_of_order", "stages[1].sla.then[1].after"),
    ("stages[1].sla.then[1].after", {HOURS: 8001}, "promise_too_long", SAME),
]  # fmt: skip


@pytest.mark.parametrize(("change", "value", "code", "where"), SPOILT)
def test_the_least_change_causes_one_problem_at_its_place(
    tmp_path: Path, change: str, value: Any, code: str, where: str
) -> None:
    spoilt = changed(governed(), change, value)
    where = change if where == SAME else where
    found = checked_file(tmp_path, spoilt)
    told = [(problem.code, problem.where, problem.file, problem.line) for problem in found]
    assert told == ([(code, where, "policy.json", nearest_line(spoilt, where))] if code else [])
    assert all(problem.problem and problem.expected for problem in found)


@pytest.mark.parametrize("at_breach", ["approve", "skip"])
def test_silence_at_a_gate_is_a_problem_also_with_a_clause(at_breach: str) -> None:
    silent = changed(changed(governed(), "stages[3].sla.at_breach", at_breach), "stages[3].sla.policy_clause", CLAUSE)
    assert checked(silent) == []
    [problem] = checked(changed(silent, "stages[3].quality_gate", True))
    assert (problem.code, problem.where) == ("silence_at_quality_gate", "stages[3].quality_gate")


def test_silence_may_reject_at_a_gate() -> None:
    silent = changed(changed(governed(), "stages[3].sla.at_breach", "reject"), "stages[3].sla.policy_clause", CLAUSE)
    assert checked(changed(silent, "stages[3].quality_gate", True)) == []


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (HOLDERS | {"chair": 1, "deputy": 1}, []),
        (
            HOLDERS | {"chair": 1},
            [("role_unheld", "stages[1].sla.deputies"), ("role_unheld", "stages[1].voting.deputies")],
        ),
        (
            HOLDERS | {"chair": 1, "deputy": 1, "office": 0},
            [("role_unheld", "stages[1].sla.then[1].to")],
        ),
    ],
)
def test_everyone_who_may_be_called_is_looked_for_in_the_directory(
    held: dict[str, int], told: list[tuple[str, str]]
) -> None:
    found = [(problem.code, problem.where) for problem in checked(governed(), held)]
    assert sorted(found) == sorted(told)


SHIPPED = sorted((Path(__file__).parents[1] / "imprimatur" / "frameworks").rglob("*.yaml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_framework_that_is_shipped_is_sound(file: Path) -> None:
    framework, problems = check_file(file)
    assert framework is not None
    assert problems == []
