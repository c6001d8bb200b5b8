"""What happens when a stage's time runs out: each policy, further steps, objection windows, information."""

from typing import Any

import pytest

from imprimatur.rules.clock import next_deadline
from models.calendars import BusinessDuration
from models.effects import Breach, CallDeputy, CloseStage, CloseTask, Escalate, Remind
from models.events import Extended, Held, PassedOn, Resumed, Ticked
from models.plan import Plan, StagePlan
from models.vocabulary import (
    AssignmentReason,
    AtBreach,
    CaseStatus,
    StageOutcome,
    TaskClosure,
    Verdict,
)
from tests.simulator import DAY, PROPOSER, Desk, Simulator

A, R, C, N = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN
CLAUSE = "Senate regulation 14, section 3."
DIRECTOR, DEAN, DEPUTY = "director@example.org", "dean@example.org", "deputy@example.org"
PEOPLE: list[tuple[str, str | None]] = [(f"q{number}@example.org", "quality_reviewer") for number in range(3)]


def case(desk: dict[str, Any] | None = None, **stage: Any) -> Simulator:
    """A case of one stage, then publication."""
    first = StagePlan.model_validate({"id": "quality", "quorum": 2, "threshold": 2, "policy_clause": CLAUSE} | stage)
    publication = StagePlan(id="publication", needs=("quality",), automatic=True, publishes=True)
    people: dict[str, Any] = {"reviewers": {"quality": PEOPLE}, "escalation": [DIRECTOR, DEAN]}
    found = Simulator(Plan(framework="bench@1", digest="f", stages=(first, publication)), Desk(**people | (desk or {})))
    found.submit()
    return found


def run_out(found: Simulator) -> Simulator:
    found.pass_time(10 * DAY)
    assert found.state.stages["quality"].breached
    return found


def escalations(found: Simulator) -> list[tuple[str, int]]:
    return [(effect.cause, effect.step) for effect in found.effects if isinstance(effect, Escalate)]


@pytest.mark.parametrize(
    ("policy", "cast", "outcome", "status", "after"),
    [
        (AtBreach.ESCALATE, (A,), None, CaseStatus.IN_REVIEW, ["breach", "escalate"]),
        (AtBreach.REMIND, (A,), None, CaseStatus.IN_REVIEW, ["breach", "remind"]),
        (AtBreach.REASSIGN, (A,), None, CaseStatus.IN_REVIEW, ["breach", "call_deputy", "call_deputy"]),
        (AtBreach.SKIP, (A,), StageOutcome.SKIPPED, CaseStatus.PUBLISHED, ["breach"]),
        (AtBreach.APPROVE, (A,), StageOutcome.APPROVED, CaseStatus.PUBLISHED, ["breach"]),
        (AtBreach.APPROVE, (N,), StageOutcome.APPROVED, CaseStatus.PUBLISHED, ["breach"]),
        (AtBreach.REJECT, (), StageOutcome.REJECTED, CaseStatus.REJECTED, ["breach"]),
        # Silence never outweighs what somebody said.
        (AtBreach.SKIP, (R,), None, CaseStatus.IN_REVIEW, ["breach", "escalate"]),
        (AtBreach.APPROVE, (C,), None, CaseStatus.IN_REVIEW, ["breach", "escalate"]),
        (AtBreach.REJECT, (A,), None, CaseStatus.IN_REVIEW, ["breach", "escalate"]),
        (AtBreach.REJECT, (C,), None, CaseStatus.IN_REVIEW, ["breach", "escalate"]),
        (AtBreach.REJECT, (R,), StageOutcome.REJECTED, CaseStatus.REJECTED, ["breach"]),
    ],
)
def test_each_policy_at_breach(
    policy: AtBreach, cast: tuple[Verdict, ...], outcome: StageOutcome | None, status: CaseStatus, after: list[str]
) -> None:
    found = case({"deputies": [DEPUTY, DEAN]}, at_breach=policy)
    for verdict in cast:
        found.decide("quality", verdict)
    run_out(found)
    assert found.state.stages["quality"].outcome is outcome
    assert found.state.status is status
    assert found.kinds()[: len(after)] == after
    assert found.said().count("breach") == 1


@pytest.mark.parametrize("policy", [AtBreach.SKIP, AtBreach.APPROVE, AtBreach.REJECT])
def test_what_silence_decides_cites_the_clause(policy: AtBreach) -> None:
    found = run_out(case(at_breach=policy))
    reason = f"nobody decided in time; the policy says: {CLAUSE.rstrip('.')}"
    [closed] = [effect for effect in found.last if isinstance(effect, CloseStage) and effect.stage == "quality"]
    assert closed.reason == reason
    tasks = {(effect.closure, effect.closed_by) for effect in found.last if isinstance(effect, CloseTask)}
    assert tasks == {(TaskClosure.TIME_RAN_OUT, "system")}
    assert found.state.open_tasks() == []


def test_an_endorsement_by_silence_is_an_endorsement() -> None:
    found = run_out(case(at_breach=AtBreach.APPROVE, positive=StageOutcome.ENDORSED))
    assert found.stages()["quality"] == ("closed", "endorsed")


def test_a_rejection_by_silence_is_a_refusal_where_the_case_goes_on() -> None:
    found = run_out(case(at_breach=AtBreach.REJECT, goes_on_rejected=True))
    assert found.stages()["quality"] == ("closed", "refused")
    assert found.state.status is CaseStatus.PUBLISHED


def test_who_is_late_is_reminded_every_day_until_someone_decides() -> None:
    found = run_out(case(at_breach=AtBreach.REMIND))
    found.pass_time(3 * DAY)
    reminders = [effect for effect in found.effects if isinstance(effect, Remind)]
    assert [effect.again for effect in reminders] == [False, True, True, True, True]
    found.decide("quality", A)
    found.pass_time(DAY)
    assert len(next(effect for effect in found.last if isinstance(effect, Remind)).tasks) == 2
    found.decide("quality", A)
    assert found.state.status is CaseStatus.PUBLISHED
    assert next_deadline(found.state) is None


def test_daily_reminders_outlive_a_task_that_is_passed_on() -> None:
    found = run_out(case(at_breach=AtBreach.REMIND))
    task = found.state.open_tasks("quality")[0]
    assert found.office(PassedOn, task_id=task.id, to="new@example.org") is None
    found.pass_time(DAY)
    assert found.kinds() == ["remind"]
    assert "new@example.org" in found.waiting("quality")


def test_deputies_take_the_place_of_those_who_were_silent() -> None:
    found = case({"deputies": [DEPUTY, DEAN]}, at_breach=AtBreach.REASSIGN)
    found.decide("quality", A)
    run_out(found)
    assert found.waiting("quality") == [DEPUTY, DEAN]
    assert {t.closure for t in found.state.tasks.values() if t.assignee in dict(PEOPLE[1:])} == {
        TaskClosure.TIME_RAN_OUT
    }
    found.decide("quality", A)
    assert found.state.status is CaseStatus.PUBLISHED


def test_without_deputies_the_stage_is_escalated() -> None:
    found = run_out(case(at_breach=AtBreach.REASSIGN))
    assert [effect.cause for effect in found.last if isinstance(effect, CallDeputy)] == ["silent"] * 3
    assert found.waiting("quality") != [] and set(found.waiting("quality")) <= {DIRECTOR, DEAN}


def test_a_stage_that_waits_for_everyone_does_so_until_it_is_late() -> None:
    found = case(waits_for_all=True)
    found.decide("quality", A)
    found.decide("quality", A)
    assert found.stages()["quality"] == ("open", None)
    run_out(found)
    assert found.stages()["quality"] == ("closed", "approved"), "the votes are counted as they stand"
    assert escalations(found) == []
    assert found.state.status is CaseStatus.PUBLISHED


def test_a_stage_that_waits_for_everyone_and_is_undecided_escalates() -> None:
    found = case(waits_for_all=True)
    found.decide("quality", A)
    run_out(found)
    assert escalations(found) == [("breach", 0)]
    found.decide("quality", A)
    assert found.state.status is CaseStatus.PUBLISHED, "late, it waits for nobody any more"


# --- further steps ------------------------------------------------------------------------------------------------


def test_a_stage_is_escalated_in_steps() -> None:
    found = run_out(case({"steps": (2, 5)}))
    assert escalations(found) == [("breach", 0)]
    found.pass_time(2 * DAY)
    assert escalations(found) == [("breach", 0), ("breach", 1)]
    found.pass_time(30 * DAY)
    assert escalations(found) == [("breach", 0), ("breach", 1), ("breach", 2)]
    assert {DIRECTOR, DEAN} <= set(found.waiting("quality"))


def test_steps_that_fell_due_together_are_all_taken() -> None:
    found = case({"steps": (2, 5)})
    found.now += 40 * DAY
    found.play(Ticked())
    assert escalations(found) == [("breach", 0), ("breach", 1), ("breach", 2)]
    assert found.said().count("remind") == 0, "nobody is reminded of what is late already"


def test_after_a_deadlock_those_who_come_know_that_they_decide() -> None:
    found = case({"steps": (2,)})
    for _ in range(3):
        found.decide("quality", N)
    run_out(found)
    found.pass_time(2 * DAY)
    assert escalations(found) == [("no_decision", 0), ("no_decision", 0), ("no_decision", 1)]


def test_an_extension_begins_anew_with_everything_that_follows() -> None:
    found = run_out(case({"steps": (2, 5)}))
    found.pass_time(3 * DAY)
    assert found.office(Extended, stage="quality", by=BusinessDuration(business_days=4)) is None
    stage = found.state.stages["quality"]
    assert (stage.breached, stage.due_at) == (False, found.now + 4 * DAY)
    found.pass_time(30 * DAY)
    assert escalations(found) == [("breach", step) for step in (0, 1, 0, 1, 2)]
    assert [e.due_at for e in found.effects if isinstance(e, Breach)][1] == stage.due_at


def test_a_hold_leaves_only_the_steps_that_are_still_to_come() -> None:
    found = run_out(case({"steps": (2, 5)}))
    found.pass_time(3 * DAY)
    assert found.office(Held) is None
    assert next_deadline(found.state) is None
    found.pass_time(60 * DAY)
    assert found.office(Resumed) is None
    found.pass_time(60 * DAY)
    assert escalations(found) == [("breach", 0), ("breach", 1), ("breach", 2)]


# --- the clock of the case ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", ["hold", "revision"])
def test_a_timer_that_rings_while_the_clock_stands_still_changes_nothing(stop: str) -> None:
    found = case()
    if stop == "hold":
        found.office(Held)
    else:
        found.decide("quality", C)
        found.decide("quality", C)
    found.now += 90 * DAY
    before = found.state
    assert found.play(Ticked()) is None
    assert (found.state, found.last) == (before, ())


def test_a_case_that_is_late_when_silence_ends_it_was_late_before() -> None:
    found = case({"case_days": 5}, at_breach=AtBreach.REJECT)
    found.now += 30 * DAY
    found.play(Ticked())
    assert found.kinds()[0] == "breach_case"
    assert found.kinds()[-1] == "close_case"


# --- objection windows --------------------------------------------------------------------------------------------


def window(**desk: Any) -> Simulator:
    return case(desk, quorum=0, threshold=0, objection=True)


def test_without_an_objection_the_window_closes_and_the_stage_has_passed() -> None:
    found = window()
    found.decide("quality", Verdict.ACKNOWLEDGE)
    run_out(found)
    assert found.state.status is CaseStatus.PUBLISHED
    assert found.said().count("breach") == 0, "nobody was late"
    [closed] = [effect for effect in found.last if isinstance(effect, CloseStage) and effect.stage == "quality"]
    assert closed.reason == f"nobody objected in time; the policy says: {CLAUSE.rstrip('.')}"


@pytest.mark.parametrize(
    ("verdict", "status"), [(A, CaseStatus.PUBLISHED), (R, CaseStatus.REJECTED), (C, CaseStatus.REVISING)]
)
def test_an_objection_is_resolved_by_whoever_the_stage_escalates_to(verdict: Verdict, status: CaseStatus) -> None:
    found = window()
    found.decide("quality", Verdict.OBJECT)
    assert escalations(found) == [("objection", 0)]
    assert found.waiting("quality") == ["q1@example.org", "q2@example.org", DIRECTOR]
    run_out(found)
    assert found.waiting("quality") == [DIRECTOR], "nobody else can object any more"
    assert found.stages()["quality"] == ("open", None)
    found.decide("quality", verdict)
    assert found.state.status is status


def test_a_second_objection_is_heard_with_the_first() -> None:
    found = window()
    for _ in range(2):
        found.decide("quality", Verdict.OBJECT)
    assert escalations(found) == [("objection", 0)]


def test_an_objection_that_nobody_can_resolve_is_brought_up_every_day() -> None:
    found = window(escalation=[])
    found.decide("quality", Verdict.OBJECT)
    task = found.state.open_tasks("quality")[0]
    assert found.office(PassedOn, task_id=task.id, to="new@example.org") is None
    found.pass_time(20 * DAY)
    assert found.stages()["quality"] == ("open", None)
    found.desk.escalation.append(DIRECTOR)
    found.pass_time(DAY)
    assert found.waiting("quality") == [DIRECTOR]


def test_who_resolves_an_objection_can_pass_it_on_and_stand_aside() -> None:
    found = window()
    found.decide("quality", Verdict.OBJECT)
    director = next(t for t in found.state.open_tasks("quality") if t.assignee == DIRECTOR)
    assert found.play(PassedOn(actor=DIRECTOR, task_id=director.id, to="vice@example.org", reason="")) is None
    vice = next(t for t in found.state.open_tasks("quality") if t.assignee == "vice@example.org")
    assert vice.reason is AssignmentReason.ESCALATION, "the casting vote goes with it"
    assert found.decide_task(vice.id, vice.assignee, Verdict.RECUSE) is None
    assert found.waiting("quality")[-1] == DEAN
    dean = found.state.open_tasks("quality")[-1]
    found.decide_task(dean.id, DEAN, A)
    assert found.state.status is CaseStatus.PUBLISHED


def test_where_nobody_was_asked_silence_is_no_consent() -> None:
    found = window(reviewers={})
    assert escalations(found) == [("no_decision", 0)]
    found.pass_time(30 * DAY)
    assert found.stages()["quality"] == ("open", None)
    found.decide("quality", A)
    assert found.state.status is CaseStatus.PUBLISHED


# --- information --------------------------------------------------------------------------------------------------


def informed() -> Simulator:
    stages = (
        StagePlan(id="notice", informs=True, material=("title",)),
        StagePlan(id="quality", needs=("notice",), quorum=1, threshold=1),
        StagePlan(id="publication", needs=("quality",), automatic=True, publishes=True),
    )
    people = {"notice": PEOPLE[:2], "quality": PEOPLE[2:]}
    found = Simulator(Plan(framework="bench@1", digest="f", stages=stages), Desk(people, [DIRECTOR]))
    found.submit()
    return found


def test_information_never_blocks() -> None:
    found = informed()
    assert found.stages()["notice"] == ("closed", "informed")
    assert found.waiting("notice") == ["q0@example.org", "q1@example.org"]
    found.pass_time(30 * DAY)
    assert [effect.stage for effect in found.effects if isinstance(effect, Breach)] == ["quality"]
    found.decide("notice", Verdict.ACKNOWLEDGE)
    assert found.kinds() == ["record_decision"]
    found.decide("quality", A)
    assert found.state.status is CaseStatus.PUBLISHED
    assert {t.closure for t in found.state.tasks.values() if t.assignee == "q1@example.org"} == {
        TaskClosure.CASE_PUBLISHED
    }


@pytest.mark.parametrize(("changed", "again"), [("summary", False), ("title", True)])
def test_information_is_given_again_when_something_material_changed(changed: str, again: bool) -> None:
    found = informed()
    found.decide("quality", C)
    assert len(found.waiting("notice")) == 2, "what was only told stands while the proposer revises"
    assert found.revise(changed) is None
    assert found.state.stages["notice"].round == (2 if again else 1)
    rounds = {task.round for task in found.state.open_tasks("notice")}
    assert rounds == ({2} if again else {1}), "nobody keeps a task about a proposal that is no more"


def test_nobody_to_inform_holds_nothing_up() -> None:
    found = Simulator(informed().plan, Desk({"quality": PEOPLE}, [DIRECTOR], optional={"notice"}))
    found.submit()
    assert found.stages()["notice"] == ("closed", "skipped")
    assert found.waiting("quality") != []
    assert found.state.proposer == PROPOSER
