"""Acts of the office and of those who pass a task on: what each does, and why it is refused."""

from typing import Any

import pytest

from imprimatur.rules.clock import next_deadline
from imprimatur.rules.refusal import Refusal
from models.calendars import BusinessDuration
from models.effects import CallDeputy, Escalate, OverrideStage, PassOn, Remind, SendBack
from models.events import ActConfirmed, ActProposed, Annulled, Extended, Held, Nudged, PassedOn, Resumed, SentBack
from models.plan import Plan, StagePlan
from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    OfficeAct,
    StageOutcome,
    TaskClosure,
    TaskStatus,
    Verdict,
)
from tests.simulator import DAY, OFFICE, SECOND, Desk, Simulator

A, R, C, N, X = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN, Verdict.RECUSE
THREE_DAYS = BusinessDuration(business_days=3)
STRANGER, NEWCOMER = "stranger@example.org", "newcomer@example.org"
SKIP, OVERRIDE = OfficeAct.SKIP, OfficeAct.OVERRIDE

PLAN = Plan(
    framework="bench@1",
    digest="f",
    stages=(
        StagePlan(id="check", quorum=1, threshold=1),
        StagePlan(id="notice", informs=True),
        StagePlan(id="quality", needs=("check",), quorum=2, threshold=2, deputies="deputy"),
        StagePlan(id="faculty", needs=("check",), quorum=1, threshold=1, positive=StageOutcome.ENDORSED),
        StagePlan(id="board", needs=("quality",), quorum=1, threshold=1),
        StagePlan(id="publication", needs=("board", "faculty", "notice"), automatic=True, publishes=True),
    ),
)


@pytest.fixture
def case() -> Simulator:
    """In review, with the stages quality and faculty open."""
    people: dict[str, list[tuple[str, str | None]]] = {
        name: [(f"{name}-{n}@example.org", None) for n in range(3)] for name in ("quality", "faculty")
    }
    people |= {"check": [(OFFICE, None)], "notice": [("rector@example.org", None)], "board": [("b@example.org", None)]}
    found = Simulator(PLAN, Desk(people, ["director@example.org", "dean@example.org"], ["deputy@example.org"]))
    found.submit()
    found.decide("check", A)
    return found


def propose(
    case: Simulator, act: OfficeAct, outcome: StageOutcome, stage: str = "quality", actor: str = OFFICE
) -> Refusal | None:
    return case.office(ActProposed, actor=actor, act_id="a-1", act=act, stage=stage, outcome=outcome)


def confirm(case: Simulator, actor: str = SECOND, act_id: str = "a-1") -> Refusal | None:
    return case.office(ActConfirmed, actor=actor, act_id=act_id)


def pass_on(case: Simulator, number: int = 0, to: str = NEWCOMER, **facts: Any) -> Refusal | None:
    task = case.state.open_tasks("quality")[number]
    return case.play(PassedOn(**{"actor": task.assignee, "task_id": task.id, "to": to, "reason": ""} | facts))


def decided(case: Simulator) -> str:
    """A task of quality that was answered."""
    task = case.state.open_tasks("quality")[0]
    case.decide("quality", A)
    return task.id


# --- hold and resume ----------------------------------------------------------------------------------------------


def test_on_hold_every_clock_stands_and_nobody_decides(case: Simulator) -> None:
    case.pass_time(4 * DAY)
    left = {name: stage.due_at - case.now for name, stage in case.state.stages.items() if stage.due_at}
    assert case.office(Held) is None
    assert case.kinds() == ["hold_case", "pause_clock", "pause_stage", "pause_stage"]
    assert (case.state.status, next_deadline(case.state)) == (CaseStatus.ON_HOLD, None)
    refused = case.decide("quality", A)
    assert refused is not None and refused.code == "case_on_hold"
    before = len(case.effects)
    case.pass_time(90 * DAY)
    assert len(case.effects) == before, "nothing falls due"
    assert case.office(Resumed) is None
    assert case.state.status is CaseStatus.IN_REVIEW
    assert case.kinds() == ["resume_case", "resume_clock", "resume_stage", "resume_stage"]
    for name in ("quality", "faculty"):
        assert case.state.stages[name].due_at == case.now + left[name]


def test_a_held_case_can_still_be_withdrawn(case: Simulator) -> None:
    case.office(Held)
    assert case.withdraw() is None
    assert case.state.status is CaseStatus.WITHDRAWN
    assert case.state.open_tasks() == []


def test_who_was_looked_for_is_looked_for_again_after_a_hold(case: Simulator) -> None:
    case.desk.escalation.clear()
    for _ in range(3):
        case.decide("quality", N)
    assert case.state.stages["quality"].retry_at is not None
    case.office(Held)
    case.pass_time(30 * DAY)
    case.desk.escalation.append("director@example.org")
    case.office(Resumed)
    assert case.waiting("quality") == ["director@example.org"]


# --- more time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("passed", "counted_from"), [(4, 10), (15, 15)])
def test_more_time_counts_from_the_due_time_or_from_now(case: Simulator, passed: int, counted_from: int) -> None:
    begin = case.now
    case.pass_time(passed * DAY)
    assert case.office(Extended, stage="quality", by=THREE_DAYS) is None
    stage = case.state.stages["quality"]
    assert (stage.due_at, stage.breached) == (begin + (counted_from + 3) * DAY, False)
    case.pass_time(30 * DAY)
    assert [e.kind for e in case.effects if e.kind == "breach"] == ["breach"] * (3 if passed > 10 else 2)


# --- two people ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "outcome", "stage", "became", "closure", "status"),
    [
        (SKIP, "skipped", "quality", "skipped", TaskClosure.STAGE_SKIPPED, CaseStatus.IN_REVIEW),
        (OVERRIDE, "approved", "quality", "approved", TaskClosure.STAGE_OVERRIDDEN, CaseStatus.IN_REVIEW),
        (OVERRIDE, "approved", "faculty", "endorsed", TaskClosure.STAGE_OVERRIDDEN, CaseStatus.IN_REVIEW),
        (OVERRIDE, "rejected", "quality", "rejected", TaskClosure.STAGE_OVERRIDDEN, CaseStatus.REJECTED),
    ],
)
def test_an_act_of_two_people_takes_effect_when_the_second_agrees(
    case: Simulator, act: OfficeAct, outcome: str, stage: str, became: str, closure: TaskClosure, status: CaseStatus
) -> None:
    waiting = [task.id for task in case.state.open_tasks(stage)]
    assert propose(case, act, StageOutcome(outcome), stage) is None
    assert case.kinds() == ["propose_act"]
    assert case.stages()[stage] == ("open", None), "one person alone changes nothing"
    assert confirm(case) is None
    [overridden] = [effect for effect in case.last if isinstance(effect, OverrideStage)]
    assert (overridden.act.actor, overridden.confirmed_by, str(overridden.act.outcome)) == (OFFICE, SECOND, became)
    assert case.stages()[stage] == ("closed", became)
    assert {case.state.tasks[task].closure for task in waiting} == {closure}
    assert (case.state.status, case.state.proposed) == (status, {})
    if status is CaseStatus.IN_REVIEW and stage == "quality":
        assert case.waiting("board") == ["b@example.org"]


def test_a_rejection_by_the_office_is_a_refusal_where_the_case_goes_on(case: Simulator) -> None:
    stages = tuple(stage.model_copy(update={"goes_on_rejected": stage.id == "quality"}) for stage in case.plan.stages)
    case.plan = case.plan.model_copy(update={"stages": stages})
    propose(case, OVERRIDE, StageOutcome.REJECTED)
    confirm(case)
    assert case.stages()["quality"] == ("closed", "refused")
    assert case.waiting("board") == ["b@example.org"]


def test_the_same_act_proposed_twice_is_one(case: Simulator) -> None:
    propose(case, SKIP, StageOutcome.SKIPPED)
    before = case.state
    assert propose(case, SKIP, StageOutcome.SKIPPED) is None
    assert (case.state, case.last) == (before, ())


def test_an_act_that_was_overtaken_takes_no_effect(case: Simulator) -> None:
    propose(case, SKIP, StageOutcome.SKIPPED)
    case.office(SentBack, stage="check")
    case.decide("check", A)
    refused = confirm(case)
    assert refused is not None and refused.code == "act_overtaken"
    assert case.stages()["quality"] == ("open", None)


# --- sent back ----------------------------------------------------------------------------------------------------


def test_sent_back_the_stage_and_all_that_needs_it_are_decided_anew(case: Simulator) -> None:
    case.decide("quality", A)
    case.decide("quality", A)
    assert case.stages()["board"] == ("open", None)
    assert case.office(SentBack, stage="quality") is None
    [effect] = [effect for effect in case.last if isinstance(effect, SendBack)]
    assert effect.reopened == ("quality", "board", "publication")
    assert case.stages() == {
        "check": ("closed", "approved"),
        "notice": ("closed", "informed"),
        "quality": ("open", None),
        "faculty": ("open", None),
        "board": ("waiting", None),
        "publication": ("waiting", None),
    }
    assert {task.closure for task in case.state.tasks.values() if task.stage == "board"} == {TaskClosure.SENT_BACK}
    assert (case.state.round, case.state.stages["quality"].round, case.state.stages["faculty"].round) == (2, 2, 1)
    assert len(case.waiting("quality")) == 3


def test_sent_back_who_was_only_informed_is_informed_again(case: Simulator) -> None:
    assert case.office(SentBack, stage="notice") is None
    assert [task.round for task in case.state.open_tasks("notice")] == [2]


# --- passed on ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_office", [False, True])
def test_a_task_passed_on_is_its_new_holders(case: Simulator, by_office: bool) -> None:
    task = case.state.open_tasks("quality")[0]
    by: dict[str, Any] = {"actor": OFFICE, "by_office": True, "reason": "she is ill"} if by_office else {}
    assert pass_on(case, **by) is None
    [effect] = [effect for effect in case.last if isinstance(effect, PassOn)]
    assert effect.why == ("reassignment" if by_office else "delegation")
    closed = case.state.tasks[task.id]
    assert closed.closure is (TaskClosure.REASSIGNED if by_office else TaskClosure.DELEGATED)
    assert closed.closed_by == (OFFICE if by_office else task.assignee)
    refused = case.decide_task(task.id, task.assignee, A)
    assert refused is not None and refused.code == "task_closed"
    assert NEWCOMER in case.waiting("quality")
    case.decide("quality", A, by=2)
    case.decide("quality", A)
    assert case.stages()["quality"] == ("closed", "approved")


def test_whoever_takes_over_an_escalation_has_its_casting_vote(case: Simulator) -> None:
    for _ in range(3):
        case.decide("quality", N)
    assert case.waiting("quality") == ["director@example.org"]
    assert pass_on(case) is None
    [task] = case.state.open_tasks("quality")
    assert (task.assignee, task.reason) == (NEWCOMER, AssignmentReason.ESCALATION)
    case.decide("quality", A)
    assert case.stages()["quality"] == ("closed", "approved")


def test_a_deputys_place_stays_one_place_when_it_is_passed_on(case: Simulator) -> None:
    case.decide("quality", X)
    assert [e.cause for e in case.last if isinstance(e, CallDeputy)] == ["recused"]
    assert pass_on(case, number=2) is None
    assert case.waiting("quality") == ["quality-1@example.org", "quality-2@example.org", NEWCOMER]


def test_without_a_deputy_a_recusal_leaves_the_others(case: Simulator) -> None:
    case.desk.deputies.clear()
    case.decide("quality", X)
    assert len(case.waiting("quality")) == 2
    case.decide("quality", X)
    assert [e.cause for e in case.effects if isinstance(e, Escalate)] == ["no_decision"], "two can no longer take part"


def test_the_last_who_could_decide_stands_aside_and_others_are_looked_for(case: Simulator) -> None:
    case.desk.deputies.clear()
    for verdict in (X, X):
        case.decide("quality", verdict)
    director = next(t for t in case.state.open_tasks("quality") if t.reason is AssignmentReason.ESCALATION)
    case.decide_task(director.id, director.assignee, N)
    case.decide("quality", X)
    assert case.waiting("quality") == ["dean@example.org"]


# --- nudges and mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "reminded"), [(None, {"quality", "faculty"}), ("faculty", {"faculty"})])
def test_a_nudge_reminds_whoever_is_waited_for(case: Simulator, stage: str | None, reminded: set[str]) -> None:
    case.decide("quality", A)
    assert case.office(Nudged, stage=stage) is None
    found = [effect for effect in case.last if isinstance(effect, Remind)]
    assert {effect.stage for effect in found} == reminded
    assert {effect.actor for effect in found} == {OFFICE}
    assert all(case.state.tasks[task].status is TaskStatus.OPEN for effect in found for task in effect.tasks)


def test_an_annulled_answer_no_longer_counts_and_is_asked_again(case: Simulator) -> None:
    task_id = decided(case)
    assert case.office(Annulled, task_id=task_id) is None
    annulled = case.state.tasks[task_id]
    assert (annulled.status, annulled.verdict, annulled.closure) == (TaskStatus.CLOSED, None, TaskClosure.ANNULLED)
    again = case.state.open_tasks("quality")[-1]
    assert (again.assignee, again.reason) == (annulled.assignee, AssignmentReason.REPETITION)
    assert again.id != task_id
    case.decide("quality", A)
    assert case.stages()["quality"] == ("open", None), "the annulled approval is none"
    case.decide("quality", A)
    assert case.stages()["quality"] == ("closed", "approved")


def test_an_answer_can_be_annulled_twice(case: Simulator) -> None:
    first = decided(case)
    case.office(Annulled, task_id=first)
    second = case.state.open_tasks("quality")[-1].id
    case.decide_task(second, case.state.tasks[second].assignee, R)
    assert case.office(Annulled, task_id=second) is None
    assert len({first, second, case.state.open_tasks("quality")[-1].id}) == 3
