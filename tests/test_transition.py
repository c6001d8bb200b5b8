"""How a case changes course, event by event; what holds under any sequence of events is in test_any_case.py."""

import pytest

from imprimatur.rules.clock import next_deadline
from models.case import CaseState
from models.effects import CloseTask, KeepStage, LapseStage
from models.events import Ticked
from models.plan import Plan, StagePlan
from models.vocabulary import CaseStatus, Recusal, TaskClosure, TaskStatus, Verdict
from tests.simulator import DAY, PROPOSER, Desk, Simulator

A, R, C, N = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN

PLAN = Plan(
    framework="bench@1",
    digest="f",
    stages=(
        StagePlan(id="proposal", quorum=1, threshold=1),
        StagePlan(id="quality", needs=("proposal",), quorum=2, threshold=2, material=("learning_outcomes",)),
        StagePlan(id="industry", needs=("proposal",), quorum=1, threshold=1, material=("partners",)),
        StagePlan(id="publication", needs=("quality", "industry"), automatic=True, publishes=True),
    ),
)


def desk(**change: object) -> Desk:
    reviewers: dict[str, list[tuple[str, str | None]]] = {
        "proposal": [("office@example.org", "governance_office")],
        "quality": [(f"q{n}@example.org", "quality_reviewer") for n in range(3)],
        "industry": [("partner@example.org", "industry_partner")],
    }
    return Desk(**({"reviewers": reviewers, "escalation": ["director@example.org"]} | change))  # type: ignore[arg-type]


@pytest.fixture
def case() -> Simulator:
    simulator = Simulator(PLAN, desk())
    simulator.submit()
    return simulator


def stage_status(case: Simulator) -> dict[str, tuple[str, str | None]]:
    return {name: (str(s.status), s.outcome and str(s.outcome)) for name, s in case.state.stages.items()}


def test_the_whole_way(case: Simulator) -> None:
    assert [t.stage for t in case.state.open_tasks()] == ["proposal"]
    case.decide("proposal", A)
    assert {t.stage for t in case.state.open_tasks()} == {"quality", "industry"}, "independent stages run in parallel"
    case.decide("quality", A)
    case.decide("quality", A)
    assert CloseTask in {type(e) for e in case.last}, "the third reviewer is no longer needed"
    case.decide("industry", A)
    assert case.state.status is CaseStatus.PUBLISHED
    assert case.kinds() == ["record_decision", "close_stage", "publish", "close_stage", "close_case"]
    assert case.state.seq == 5, "one commit a step"


def test_remaining_tasks_close_with_the_reason_and_by_whom(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("quality", A)
    last = case.state.open_tasks("quality")[1]
    case.decide("quality", A)
    closed = case.state.tasks[last.id]
    assert (closed.status, closed.closure, closed.closed_by) == (
        TaskStatus.CLOSED,
        TaskClosure.OUTCOME_CERTAIN,
        "q1@example.org",
    )
    refused = case.decide_task(last.id, last.assignee, A)
    assert refused is not None
    assert refused.code == "task_closed"
    assert "q1@example.org" in refused.message


def test_a_rejection_ends_the_case(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("industry", R)
    assert case.state.status is CaseStatus.REJECTED
    assert case.state.open_tasks() == []
    assert stage_status(case)["quality"] == ("closed", "cancelled")


def test_a_rejection_is_put_on_record_where_the_case_goes_on(case: Simulator) -> None:
    stages = tuple(stage.model_copy(update={"goes_on_rejected": stage.id == "quality"}) for stage in PLAN.stages)
    case.plan = PLAN.model_copy(update={"stages": stages})
    case.decide("proposal", A)
    case.decide("quality", R)
    case.decide("quality", R)
    assert stage_status(case)["quality"] == ("closed", "refused")
    assert case.waiting("industry") == ["partner@example.org"]
    case.decide("industry", C)
    assert case.revise("title") is None
    assert stage_status(case)["quality"] == ("waiting", None), "what was refused is sought anew"


def test_requested_changes_stop_every_open_stage_and_the_clock(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("quality", A)
    case.decide("industry", C)
    assert case.state.status is CaseStatus.REVISING
    assert case.state.open_tasks() == []
    assert next_deadline(case.state) is None, "the clock stands still while the proposer revises"
    assert case.kinds()[-2:] == ["request_revision", "pause_clock"]


def test_a_revision_keeps_what_it_does_not_touch(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("industry", A)
    case.decide("quality", C)
    case.decide("quality", C)
    assert case.revise("learning_outcomes") is None
    kept = [e.stage for e in case.last if isinstance(e, KeepStage)]
    lapsed = [e.stage for e in case.last if isinstance(e, LapseStage)]
    assert kept == ["industry"], "partners are material to industry, outcomes are not"
    assert lapsed == ["proposal"], "everything is material to a stage that does not say"
    assert case.state.round == 2
    case.decide("proposal", A)
    assert {t.stage for t in case.state.open_tasks()} == {"quality"}


def test_an_incomplete_proposal_waits_for_its_proposer() -> None:
    case = Simulator(PLAN, desk())
    case.submit(complete=False)
    assert case.state.status is CaseStatus.INCOMPLETE
    assert next_deadline(case.state) is None
    case.revise("title", complete=False)
    assert (case.state.status, case.state.version, case.state.round) == (CaseStatus.INCOMPLETE, 2, 0)
    case.revise("title")
    assert (case.state.status, case.state.version, case.state.round) == (CaseStatus.IN_REVIEW, 3, 1)


def test_a_breach_is_recorded_once_and_escalates(case: Simulator) -> None:
    case.pass_time(9 * DAY)
    assert case.kinds() == ["remind"]
    case.pass_time(30 * DAY)
    kinds = [e.kind for e in case.effects]
    assert (kinds.count("breach"), kinds.count("escalate"), kinds.count("remind")) == (1, 1, 1)
    assert "director@example.org" in {t.assignee for t in case.state.open_tasks()}
    case.pass_time(60 * DAY)
    assert [e.kind for e in case.effects].count("breach_case") == 1


def test_a_timer_that_rings_while_the_clock_stands_still_changes_nothing(case: Simulator) -> None:
    case.decide("proposal", C)
    case.now += 90 * DAY
    before = case.state
    assert case.play(Ticked()) is None
    assert (case.state, case.last) == (before, ())


def test_an_empty_stage_escalates_at_once_and_never_hangs() -> None:
    case = Simulator(PLAN, desk(reviewers={}))
    case.submit()
    assert case.kinds() == ["add_version", "start_clock", "open_stage", "escalate"]
    case.decide("proposal", A)
    assert stage_status(case)["proposal"] == ("closed", "approved")


def test_without_anyone_the_case_looks_again_every_day() -> None:
    case = Simulator(PLAN, desk(reviewers={}, escalation=[]))
    case.submit()
    assert case.state.open_tasks() == []
    case.desk.escalation.append("newcomer@example.org")
    case.pass_time(DAY)
    assert [t.assignee for t in case.state.open_tasks()] == ["newcomer@example.org"]


def test_an_optional_stage_is_skipped_when_there_is_nobody_to_ask() -> None:
    case = Simulator(PLAN, desk(optional={"industry"}))
    case.desk.reviewers.pop("industry")
    case.submit()
    case.decide("proposal", A)
    assert stage_status(case)["industry"] == ("closed", "skipped")
    case.decide("quality", A)
    case.decide("quality", A)
    assert case.state.status is CaseStatus.PUBLISHED


def test_abstentions_alone_hand_the_decision_to_the_escalation(case: Simulator) -> None:
    case.decide("proposal", A)
    for _ in range(3):
        case.decide("quality", N)
    assert [t.assignee for t in case.state.open_tasks("quality")] == ["director@example.org"]
    case.decide("quality", A)
    assert stage_status(case)["quality"] == ("closed", "approved")


def test_a_stage_that_opens_is_not_taken_for_one_that_nobody_reviews() -> None:
    """The case goes on by itself when no deputy is found; another stage stands open beside the one that opens."""
    stages = (
        StagePlan(
            id="first", quorum=2, threshold=1, deputies="deputy", recusal=Recusal.LOWERS_QUORUM, waits_for_all=True
        ),
        StagePlan(id="beside", quorum=1, threshold=1),
        StagePlan(id="next", needs=("first",), quorum=1, threshold=1),
    )
    people: dict[str, list[tuple[str, str | None]]] = {
        "first": [("a@example.org", None), ("b@example.org", None)],
        "beside": [("c@example.org", None)],
        "next": [("d@example.org", None)],
    }
    case = Simulator(Plan(framework="bench@1", digest="f", stages=stages), desk(reviewers=people))
    case.submit()
    case.decide("first", A)
    case.decide("first", Verdict.RECUSE)
    assert case.kinds() == ["record_decision", "call_deputy", "close_stage", "open_stage"]
    assert case.waiting("next") == ["d@example.org"]


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda c: c.decide_task("t-none", "office@example.org", A), "task_unknown"),
        (lambda c: c.decide_task(c.state.open_tasks()[0].id, "stranger@example.org", A), "not_your_task"),
        (lambda c: c.revise("title"), "revision_not_requested"),
    ],
)
def test_refusals(case: Simulator, act: object, code: str) -> None:
    before = case.state
    refused = act(case)  # type: ignore[operator]
    assert refused.code == code
    assert case.state == before, "a refusal changes nothing"


def test_nobody_decides_twice(case: Simulator) -> None:
    task = case.state.open_tasks()[0]
    case.decide("proposal", A)
    refused = case.decide_task(task.id, task.assignee, R)
    assert refused is not None
    assert refused.code == "already_decided"


def test_a_closed_case_takes_nothing_more(case: Simulator) -> None:
    case.withdraw()
    assert case.state.status is CaseStatus.WITHDRAWN
    for refused in (case.withdraw(), case.revise("title")):
        assert refused is not None
        assert refused.code == "case_closed"


def test_the_same_words_are_no_revision(case: Simulator) -> None:
    case.decide("proposal", C)
    digest = case.state.digest
    from imprimatur.rules.admission import refusal
    from models.events import Revised

    refused = refusal(case.state, Revised(actor=PROPOSER, digest=digest, complete=True, changed=()))
    assert refused is not None
    assert refused.code == "proposal_unchanged"


def test_state_survives_its_own_json(case: Simulator) -> None:
    case.decide("proposal", A)
    case.decide("quality", A)
    text = case.state.model_dump_json(exclude_unset=True)
    assert CaseState.model_validate_json(text) == case.state
