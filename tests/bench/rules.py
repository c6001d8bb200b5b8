"""What the pure rules cost by themselves: the check of a large framework, and one act on a case with many tasks."""

import json
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from imprimatur.frameworks.checker import check_file
from imprimatur.rules.admission import refusal
from imprimatur.rules.clock import next_deadline
from imprimatur.rules.plan import plan_of
from imprimatur.rules.transition import settle, transition, wants_to_continue
from models.case import CaseState, TaskState
from models.commit import Resolution, Step
from models.events import Decided
from models.framework import Framework
from models.plan import Plan
from models.vocabulary import Verdict
from tests.bench.scenario import bench_framework
from tests.simulator import START, Desk, Simulator

STAGES, TASKS, SIDE_BY_SIDE = 60, 200, 20
CHECKS = 15
WRITTEN = Resolution(position=1, ledger_digest="0" * 64)
VOTINGS: tuple[dict[str, Any], ...] = (
    {"quorum": 3, "threshold": 2, "veto": ["academic_director"]},
    {"quorum_percent": 60, "method": "percentage", "threshold_percent": 66.7, "weights": {"academic_director": 3}},
    {"quorum": 2, "method": "majority", "counted_of": "votes", "tie_break": "academic_director"},
    {"quorum": 2, "method": "unanimity", "deputies": "deputy", "recusal": "lowers_quorum"},
)


def wide_framework() -> dict[str, Any]:
    """60 stages in ten ranks, each of which needs three of the rank before; all ways of voting and all of time."""
    document = bench_framework().model_dump(mode="json", exclude_unset=True) | {"id": "wide"}
    partner = {"country": "DE", "subdivision": "BE", "time_zone": "Europe/Berlin"}
    document["calendars"] |= {"partner": partner | {"hours": {"start": "08:30", "end": "16:45"}}}
    reviewed = [_stage(number) for number in range(STAGES - 1)]
    publication = {"id": "publication", "name": "Publication", "asks": "Publish.", "kind": "publication"}
    document["stages"] = [*reviewed, publication | {"needs": [stage["id"] for stage in reviewed]}]
    document["speed_to_market"] |= {"within": {"business_days": 200}}
    return document


def _stage(number: int) -> dict[str, Any]:
    rank, place = divmod(number, 6)
    return {
        "id": f"stage-{number}",
        "name": f"Review {number}",
        "asks": "Judge whether what is promised is shown.",
        "needs": [f"stage-{6 * (rank - 1) + (place + step) % 6}" for step in range(3)] if rank else [],
        "reviewers": [{"role": "quality_reviewer", "count": 3}, {"role": "academic_director", "count": 1}],
        "voting": VOTINGS[number % len(VOTINGS)],
        "verdicts": ["approve", "reject", "request_changes", "abstain", "recuse"],
        "criteria": [{"id": f"criterion-{n}", "question": "Is it clear?", "required": n == 0} for n in range(4)],
        "material": ["learning_outcomes", "workload.hours", "assessment"],
        "sla": {
            "within": {"business_days": 10},
            "calendar": ("campus", "partner")[number % 2],
            "remind_before": [{"business_days": 3}, {"business_hours": 4}],
            "escalate_to": "academic_director",
            "then": [{"after": {"business_days": 2}, "to": "governance_office"}],
        },
    }


def check_ms(folder: Path) -> tuple[float, float]:
    """Milliseconds to read, validate and check a file of 60 stages: the first time, and the median of more."""
    file = folder / "wide.yaml"
    # What stands twice in it would be written as an alias, which a framework may not have.
    document = json.loads(json.dumps(wide_framework()))
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    first = _median_ms(check_file, [file])
    framework, problems = check_file(file)
    assert framework is not None and len(framework.stages) == STAGES and problems == []
    return first, _median_ms(check_file, [file] * CHECKS)


def act_ms(stages: int) -> float:
    """Milliseconds for one decision with 200 open tasks in so many stages, as the workflow acts; the median."""
    plan, state = _crowded(stages)
    return _median_ms(lambda task: _decide(state, plan, task), state.open_tasks())


def _crowded(stages: int) -> tuple[Plan, CaseState]:
    document = wide_framework()
    reviewed = [stage | {"needs": [], "voting": VOTINGS[2]} for stage in document["stages"][:stages]]
    last = document["stages"][-1] | {"needs": [stage["id"] for stage in reviewed]}
    plan = plan_of(Framework.model_validate(document | {"stages": [*reviewed, last]}))
    people: list[tuple[str, str | None]] = [(f"q{n}@example.org", "quality_reviewer") for n in range(TASKS // stages)]
    case = Simulator(plan, Desk({stage["id"]: people for stage in reviewed}))
    case.submit()
    assert len(case.state.open_tasks()) == TASKS
    return plan, case.state


def _decide(state: CaseState, plan: Plan, task: TaskState) -> None:
    """The steps of an update: its validator, the check once it has its turn, the step, what the commit answered."""
    event = Decided(decision_id="d", task_id=task.id, actor=task.assignee, verdict=Verdict.APPROVE)
    assert refusal(state, event, plan) is None
    assert refusal(state, event, plan) is None
    after, effects = transition(state, event, plan, START)
    Step.model_construct(
        event=event,
        at=START,
        case_id=after.case_id,
        seq=after.seq,
        framework_digest=plan.digest,
        digest=after.digest,
        status=after.status,
        round=after.round,
        version=after.version,
        effects=effects,
    )
    after = settle(after, WRITTEN)
    assert not wants_to_continue(after, plan)
    next_deadline(after)


def _median_ms(act: Callable[..., object], items: Iterable[Any]) -> float:
    seconds = []
    for item in items:
        began = time.perf_counter()
        act(item)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000
