"""Committees and review windows of a framework: what the check finds at its place, and what is sound."""

from pathlib import Path
from typing import Any

import pytest

from tests.meetings import board, windows
from tests.policies import GONE, changed, checked_file, policy, publication, stage

SAME = "where it was changed"
YEAR = "windows.autumn.every_year"
NEVER = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
DATES = {"dates": ["2026-12-02", "2027-02-03"], "at": "14:00"}


def document() -> dict[str, Any]:
    check = stage("check", reviewers=[{"role": "office"}], voting={"quorum": 1, "threshold": 1}, committee="board")
    stages = [check, stage("quality", "check", window="autumn"), publication("quality")]
    return policy(*stages, committees={"board": board()}, windows=windows())


# Where the document changes, to what, the problem and its place; without a problem the change is a sound one.
SPOILT: list[tuple[str, Any, str, str]] = [
    ("stages[0].committee", "senate", "committee_unknown", SAME),
    ("stages[1].window", "spring", "window_unknown", SAME),
    ("stages[1].window", GONE, "", ""),
    ("stages[0].committee", GONE, "", ""),
    ("stages[2].committee", "board", "stage_key_idle", SAME),
    ("stages[2].window", "autumn", "stage_key_idle", SAME),
    ("stages[0].carry", "confirm", "stage_key_idle", SAME),
    ("stages[0].authentication", "sign_in", "stage_key_idle", SAME),
    ("stages[1].authentication", "sign_in", "", ""),
    ("stages[2].authentication", "sign_in", "stage_key_idle", SAME),
    ("committees.board.calendar", "campsu", "calendar_unknown", SAME),
    ("windows.autumn.calendar", "campsu", "calendar_unknown", SAME),
    ("committees.board.sittings.rule", "FREQ=HOURLY", "recurrence_invalid", SAME),
    ("committees.board.sittings.rule", "every second Wednesday", "recurrence_invalid", SAME),
    (
        "committees.board.sittings.rule",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "committee_never_meets",
        "committees.board",
    ),
    ("committees.board.sittings", DATES, "", ""),
    ("committees.board.sittings", DATES | {"skip": DATES["dates"]}, "committee_never_meets", "committees.board"),
    (YEAR, [{"first": "01-01", "last": "01-02"}], "window_never_open", "windows.autumn"),
    (YEAR, [{"first": "12-10", "last": "01-20"}], "", ""),
]


@pytest.mark.parametrize(("change", "value", "code", "where"), SPOILT)
def test_the_least_change_causes_one_problem_at_its_place(
    tmp_path: Path, change: str, value: Any, code: str, where: str
) -> None:
    found = checked_file(tmp_path, changed(document(), change, value))
    assert [(problem.code, problem.where) for problem in found] == (
        [(code, change if where == SAME else where)] if code else []
    )
    assert all(problem.problem and problem.expected and problem.line for problem in found)


def test_a_committee_decides_and_informs_nobody(tmp_path: Path) -> None:
    told = stage("told", kind="information", voting=None, sla=None, criteria=None, committee="board", window="autumn")
    sound = document()
    sound["stages"].insert(0, {key: value for key, value in told.items() if value is not None})
    sound["stages"][-1]["needs"].append("told")
    found = [(problem.code, problem.where) for problem in checked_file(tmp_path, sound)]
    assert found == [("stage_key_idle", "stages[0].committee"), ("stage_key_idle", "stages[0].window")]
