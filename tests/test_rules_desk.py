"""Claiming, giving back, leaving: whatever people do, no seat is taken twice and no stage is left to nobody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.rules.offers import counted, free_seats
from models.case import Offer, TaskState
from models.events import Claimed, ConflictFound, Decided, HandedOver, TaskReturned
from models.plan import Plan, StagePlan
from models.vocabulary import AssignmentReason, CaseStatus, StageStatus, TaskStatus, Verdict
from tests.simulator import Desk, Simulator

PEOPLE = [f"r{number}@example.org" for number in range(4)]


def offered(number: int, seats: int, *statuses: TaskStatus) -> list[TaskState]:
    return [
        TaskState(
            id=f"t-{number}-{index}",
            stage="quality",
            round=1,
            assignee=f"{number}-{index}@example.org",
            reason=AssignmentReason.ROLE,
            status=status,
            verdict=Verdict.APPROVE if status is TaskStatus.DECIDED else None,
            offer=Offer(rule=number, seats=seats),
        )
        for index, status in enumerate(statuses)
    ]


statuses = st.lists(st.sampled_from(TaskStatus), max_size=5)


@given(statuses, st.integers(1, 3), statuses, st.integers(1, 3))
def test_as_many_offers_count_as_can_be_claimed(
    first: list[TaskStatus], seats: int, second: list[TaskStatus], other_seats: int
) -> None:
    tasks = offered(0, seats, *first) + offered(1, other_seats, *second)
    seen = counted(tasks)
    assert [task for task in seen if task.status is TaskStatus.OFFERED] == []
    assert [t for t in tasks if t.status is not TaskStatus.OFFERED] == [t for t in seen if t in tasks]
    for number, wanted in ((0, seats), (1, other_seats)):
        of_rule = [task for task in tasks if task.offer == Offer(rule=number, seats=wanted)]
        open_now = sum(task.status is TaskStatus.OPEN for task in of_rule)
        seen_open = sum(t.status is TaskStatus.OPEN for t in seen if t.offer == Offer(rule=number, seats=wanted))
        claimed = sum(task.status in (TaskStatus.OPEN, TaskStatus.DECIDED) for task in of_rule)
        on_offer = sum(task.status is TaskStatus.OFFERED for task in of_rule)
        assert free_seats(Offer(rule=number, seats=wanted), tasks) == max(0, wanted - claimed)
        assert seen_open - open_now == min(on_offer, max(0, wanted - claimed))


def play(seats: int, quorum: int, threshold: int, directors: int = 1) -> Simulator:
    plan = Plan(framework="tiny@1", digest="d", stages=(StagePlan(id="quality", quorum=quorum, threshold=threshold),))
    reviewers: list[tuple[str, str | None]] = [(person, "reviewer") for person in PEOPLE]
    directing = [f"d{number}@example.org" for number in range(directors)]
    simulator = Simulator(plan, Desk({"quality": reviewers}, directing, seats={"quality": seats}))
    simulator.submit()
    return simulator


def pending(simulator: Simulator) -> list[TaskState]:
    return [task for task in simulator.state.tasks.values() if task.status.is_pending]


def events(task: TaskState, verdict: Verdict) -> list[Claimed | TaskReturned | HandedOver | Decided]:
    who = {"actor": task.assignee, "task_id": task.id}
    return [
        Claimed(**who),
        TaskReturned(**who),
        HandedOver(actor="system", task_id=task.id, reason="gone"),
        Decided(decision_id="d", verdict=verdict, comment="because", **who),
    ]


verdicts = st.sampled_from([Verdict.APPROVE, Verdict.ABSTAIN, Verdict.RECUSE, Verdict.REJECT])
moves = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 3), verdicts), max_size=25)


@settings(max_examples=300)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), moves)
def test_no_seat_is_taken_twice_and_no_stage_is_left_to_nobody(
    seats: int, quorum: int, threshold: int, directors: int, acts: list[tuple[int, int, Verdict]]
) -> None:
    simulator = play(seats, quorum, threshold, directors)
    for person, act, verdict in acts:
        waiting = pending(simulator)
        if simulator.state.status is not CaseStatus.IN_REVIEW or not waiting:
            break
        task = waiting[person % len(waiting)]
        refused = simulator.play(events(task, verdict)[act])
        assert (refused is None) == _admissible(task, act), refused
        _look_over(simulator, seats)


def _admissible(task: TaskState, act: int) -> bool:
    """Claim what is on offer, give back what was claimed, decide what is one's own; anybody may leave."""
    if task.status is TaskStatus.OFFERED:
        return act in (0, 2)
    return act in (2, 3) or (act == 1 and task.offer is not None)


def _look_over(simulator: Simulator, seats: int) -> None:
    state = simulator.state
    tasks = [task for task in state.tasks.values() if task.offer is not None]
    assert sum(task.status in (TaskStatus.OPEN, TaskStatus.DECIDED) for task in tasks) <= seats
    stage = state.stages["quality"]
    if stage.status is StageStatus.OPEN:
        assert pending(simulator) or stage.retry_at is not None
    else:
        assert not pending(simulator)


@pytest.mark.parametrize("times", [1, 2])
def test_a_conflict_is_reported_once(times: int) -> None:
    simulator = play(1, 1, 1)
    [task, *_] = pending(simulator)
    simulator.play(Claimed(actor=task.assignee, task_id=task.id))
    found = ConflictFound(actor=task.assignee, task_id=task.id, reason="is a cousin of the proposer")
    reports = 0
    for _ in range(times):
        assert simulator.play(found) is None
        reports += simulator.kinds().count("report_conflict")
    assert reports == 1
