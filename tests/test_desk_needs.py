"""What the desk counts and lists, against a second computation over the same rows, which are drawn at random."""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import insert

from imprimatur.access.viewer import Scope
from imprimatur.store.case_listing import SOON, Filters, Need, matching
from imprimatur.store.desk_reading import LISTED, office_desk
from imprimatur.store.engine import Database
from models.tables import CaseRow, ConditionRow, IncidentRow, StageRow, TaskRow
from models.vocabulary import CaseStatus, ConditionStatus, StageStatus, TaskStatus
from tests.facts import OFFICE, START

CASES = 60
UNSETTLED = (ConditionStatus.PROPOSED, ConditionStatus.OPEN, ConditionStatus.FULFILLED)
UNITS = ("School of Law", "School of Design", None)
Row = dict[str, Any]


@dataclass
class _Drawn:
    """A case with its rows; whatever is looked at is drawn at random, also what no rule would bring about."""

    row: Row
    stages: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    conditions: list[Row] = field(default_factory=list)
    incident: Row | None = None

    @property
    def promised(self) -> dt.datetime | None:
        due: list[dt.datetime] = [stage["due_at"] for stage in self._open_stages() if stage["due_at"]]
        whole: dt.datetime | None = self.row["due_at"]
        return min(due, default=whole)

    def _open_stages(self) -> list[Row]:
        return [stage for stage in self.stages if stage["status"] == StageStatus.OPEN]

    def needs(self, now: dt.datetime) -> set[Need]:
        found = {Need.INCIDENT} if self.incident and self.incident["resolved_at"] is None else set()
        if self.row["closed_at"]:
            return found
        if self._is_late(now):
            found.add(Need.OVERDUE)
        elif any(
            due and due < now + SOON for due in (self.row["due_at"], *(each["due_at"] for each in self._open_stages()))
        ):
            found.add(Need.AT_RISK)
        if self.row["status"] == CaseStatus.INCOMPLETE:
            found.add(Need.INCOMPLETE)
        coming = any(
            each["status"] != StageStatus.CLOSED and (each["opens_at"] or (each["sits_at"] and not each["begun_at"]))
            for each in self.stages
        )
        asked = any(task["status"] in (TaskStatus.OPEN, TaskStatus.OFFERED) for task in self.tasks)
        held_up = any(each["blocking"] and each["status"] in UNSETTLED for each in self.conditions)
        if self.row["status"] == CaseStatus.IN_REVIEW and not asked and not coming and not held_up:
            found.add(Need.NOBODY)
        return found

    def _is_late(self, now: dt.datetime) -> bool:
        if self.row["breached_at"] or (self.row["due_at"] and self.row["due_at"] < now):
            return True
        for stage in self._open_stages():
            due, breached = stage["due_at"], stage["breached_at"]
            if (due and due < now) or (breached and (due is None or due <= breached)):
                return True
        return False


def _maybe(dice: random.Random, likely: float, about: dt.datetime) -> dt.datetime | None:
    """A time within five days of another; several of them are the same."""
    return about + dt.timedelta(hours=12 * dice.randint(-10, 10)) if dice.random() < likely else None


def _draw(dice: random.Random, number: int, now: dt.datetime) -> _Drawn:
    case_id, opened_at = f"mc-drawn{number:03d}", START + dt.timedelta(hours=dice.randrange(20))
    ended = dice.random() < 0.2
    status = dice.choice([status for status in CaseStatus if status.is_final == ended])
    row = {
        "case_id": case_id,
        "framework_id": "f",
        "framework_version": "1.0",
        "framework_digest": "",
        "digest": "",
        "title": "Drawn",
        "proposer": "ana.proposer@example.edu",
        "unit": dice.choice(UNITS),
        "status": str(status),
        "opened_at": opened_at,
        "updated_at": opened_at,
        "closed_at": now if ended else None,
        "closing_reason": "",
        "due_at": _maybe(dice, 0.4, now + 3 * SOON),
        "breached_at": _maybe(dice, 0.1, now),
    }
    drawn = _Drawn(row)
    for stage in range(dice.randrange(3)):
        drawn.stages.append(
            {
                "case_id": case_id,
                "stage": f"s{stage}",
                "round": 1,
                "name": f"Stage {stage}",
                "reason": "",
                "status": str(dice.choice(list(StageStatus))),
                "opened_at": opened_at,
                "due_at": _maybe(dice, 0.7, now + 2 * SOON),
                "breached_at": _maybe(dice, 0.2, now),
                "opens_at": _maybe(dice, 0.1, now),
                "sits_at": _maybe(dice, 0.2, now),
                "begun_at": _maybe(dice, 0.5, now),
            }
        )
    for task in range(dice.randrange(3)):
        drawn.tasks.append(
            {
                "task_id": f"t-{number}-{task}",
                "case_id": case_id,
                "stage": "s0",
                "round": 1,
                "reason": "role",
                "assignee": "quinn.reviewer@example.edu",
                "assignee_name": "",
                "opened_at": opened_at,
                "status": str(dice.choice(list(TaskStatus))),
            }
        )
    if dice.random() < 0.3:
        drawn.conditions.append(
            {
                "condition_id": f"c-{number}",
                "case_id": case_id,
                "decision_id": "",
                "task_id": "",
                "stage": "s0",
                "round": 1,
                "number": 1,
                "text": "",
                "owner": "",
                "set_by": "",
                "proposed_at": opened_at,
                "evidence": "",
                "reason": "",
                "blocking": dice.random() < 0.7,
                "status": str(dice.choice(list(ConditionStatus))),
            }
        )
    if dice.random() < 0.25:
        told = {"incident_id": f"i-{number}", "case_id": case_id, "kind": "role_empty", "detail": ""}
        drawn.incident = told | {"opened_at": opened_at, "resolved_at": _maybe(dice, 0.4, now)}
    return drawn


def _keep(database: Database, drawn: list[_Drawn]) -> None:
    rows: list[tuple[Any, list[Row]]] = [
        (CaseRow, [each.row for each in drawn]),
        (StageRow, [stage for each in drawn for stage in each.stages]),
        (TaskRow, [task for each in drawn for task in each.tasks]),
        (ConditionRow, [condition for each in drawn for condition in each.conditions]),
        (IncidentRow, [each.incident for each in drawn if each.incident]),
    ]
    with database.write() as connection:
        for table, values in rows:
            connection.execute(insert(table), values)


def _urgency(drawn: _Drawn) -> tuple[bool, dt.datetime, dt.datetime, str]:
    opened_at = drawn.row["opened_at"]
    return drawn.promised is None, drawn.promised or opened_at, opened_at, drawn.row["case_id"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scope", [Scope(OFFICE, everything=True), Scope(OFFICE, units=frozenset({"School of Law"}))])
def test_the_desk_counts_and_lists_what_a_second_computation_finds(database: Database, seed: int, scope: Scope) -> None:
    now = START + dt.timedelta(days=20)
    dice = random.Random(seed)
    drawn = [_draw(dice, number, now) for number in range(CASES)]
    _keep(database, drawn)
    seen = [each for each in drawn if scope.everything or each.row["unit"] in scope.units]
    desk = office_desk(database, scope, now)
    assert desk.open == sum(each.row["closed_at"] is None for each in seen)
    for need in Need:
        wanted = sorted((each for each in seen if need in each.needs(now)), key=_urgency)
        assert desk.counts[need] == len(wanted), need
        listed = [(line.case_id, line.due_at, line.late) for line in desk.lists[need]]
        told = [(each.row["case_id"], each.promised, Need.OVERDUE in each.needs(now)) for each in wanted]
        assert listed == [(case_id, due_at, late) for case_id, due_at, late in told[:LISTED]], need
        ids = {each.row["case_id"] for each in wanted}
        assert set(matching(database, scope, Filters(need=need), now, most=CASES)) == ids, need


def test_the_rows_that_are_drawn_have_every_need() -> None:
    """Or the comparison would say nothing about some."""
    now = START + dt.timedelta(days=20)
    for seed in range(4):
        dice = random.Random(seed)
        found = [_draw(dice, number, now).needs(now) for number in range(CASES)]
        assert {need for needs in found for need in needs} == set(Need)
        assert any(not needs for needs in found)
