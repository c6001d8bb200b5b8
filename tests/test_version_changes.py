"""Which changes of a framework alter a stage's rule, and what becomes of a case that moves: the pure rules."""

from typing import Any

import pytest

from imprimatur.frameworks.loader import shipped
from imprimatur.rules.migration import altered_stages, due_change
from imprimatur.rules.plan import plan_of
from imprimatur.rules.refusal import Refusal
from models.events import ActProposed, ChangeScheduled, FrameworkChanged, Held, Resumed, SentBack
from models.framework import Framework
from models.plan import Plan
from models.vocabulary import Boundary, CaseStatus, OfficeAct, StageOutcome, TaskClosure, Verdict
from tests.governed import framework_of, information, review, sla
from tests.simulator import DAY, Desk, Simulator

A, C = Verdict.APPROVE, Verdict.REQUEST_CHANGES
NOW, STAGE, ROUND = Boundary.NOW, Boundary.NEXT_STAGE, Boundary.NEXT_ROUND
PEOPLE: list[tuple[str, str | None]] = [(f"{name}@example.org", "quality_reviewer") for name in ("q", "r", "s")]
DESK = Desk(dict.fromkeys(("proposal", "quality", "notice", "ethics", "last"), PEOPLE), ["d@example.org"])


def policy(*stages: dict[str, Any], version: str = "1", **change: Any) -> Framework:
    return Framework.model_validate(framework_of(*stages).model_dump(mode="json") | {"version": version} | change)


BEFORE = policy(review("proposal"), review("quality", "proposal"), review("last", "quality"))


def moved(case: Simulator, new: Framework, old: Framework = BEFORE, at: Boundary = NOW) -> Refusal | None:
    facts: dict[str, Any] = {"plan": plan_of(new), "base": old.digest, "altered": altered_stages(old, new), "at": at}
    return case.office(FrameworkChanged if at is NOW else ChangeScheduled, **facts)


def case_of(old: Framework = BEFORE, *approved: str) -> Simulator:
    case = Simulator(plan_of(old), DESK)
    case.submit()
    for stage in approved:
        approve(case, stage)
    return case


def approve(case: Simulator, stage: str) -> None:
    for _ in range(2):
        assert case.decide(stage, A) is None


# --- what a rule is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Peer review"},
        {"asks": "Judge it well."},
        {"source": "Regulation 9."},
        {"material": ["title"]},
        {"needs": []},
        {"sla": sla(within={"business_days": 9})},
        {"sla": sla(remind_before=[])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_words_order_and_promised_times_are_not_the_rule(change: dict[str, Any]) -> None:
    new = policy(review("proposal"), review("quality", **{"needs": ["proposal"]} | change), review("last", "quality"))
    assert altered_stages(BEFORE, new) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"voting": {"quorum": 3, "threshold": 2}},
        {"voting": {"quorum": 2, "method": "majority"}},
        {"reviewers": [{"role": "academic_director"}]},
        {"verdicts": ["approve", "reject"]},
        {"criteria": [{"id": "fit", "question": "Does it fit?"}]},
        {"quality_gate": True},
        {"on_rejection": "proceed"},
        {"sla": sla(at_breach="approve", policy_clause="Regulation 14.")},
        {"sla": sla(escalate_to="admin")},
        {"sla": sla(then=[{"after": {"business_days": 1}, "to": "admin"}])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_vote_depends_on_is_the_rule(change: dict[str, Any]) -> None:
    new = policy(review("proposal"), review("quality", "proposal", **change), review("last", "quality"))
    assert altered_stages(BEFORE, new) == ("quality",)


def test_forbidding_two_hats_alters_every_stage_that_people_decide() -> None:
    stages = (review("proposal"), review("quality", "proposal"), review("last", "quality"))
    loose, strict = policy(*stages, two_hats=True), policy(*stages)
    assert altered_stages(loose, strict) == ("proposal", "quality", "last")
    assert altered_stages(strict, loose) == ()


def test_a_stage_that_only_one_version_has_is_not_altered() -> None:
    new = policy(review("proposal"), review("ethics", "proposal"))
    assert altered_stages(BEFORE, new) == ()


def test_every_shipped_framework_has_the_rules_that_it_has() -> None:
    for framework in shipped().values():
        assert altered_stages(framework, framework) == ()


# --- at once ------------------------------------------------------------------------------------------------------


def test_an_approval_stands_and_an_open_stage_goes_on_where_the_rule_is_the_same() -> None:
    case = case_of(BEFORE, "proposal")
    case.decide("quality", A)
    due_at, round_number = case.state.stages["quality"].due_at, case.state.round
    new = policy(
        review("proposal", asks="Look."), review("quality", "proposal"), review("last", "quality"), version="2"
    )
    assert moved(case, new) is None
    assert case.plan.framework == "governed@2"
    assert case.state.stages["quality"].due_at == due_at and case.state.round == round_number
    assert case.kinds() == ["change_framework"]
    approve_rest = case.state.open_tasks("quality")
    assert len(approve_rest) == 2, "one has answered, and the answer counts"
    case.decide("quality", A)
    approve(case, "last")
    assert case.state.status is CaseStatus.PUBLISHED


def test_what_has_another_rule_is_done_again_in_a_new_round() -> None:
    case = case_of(BEFORE, "proposal", "quality")
    stricter = {"quorum": 3, "threshold": 3}
    new = policy(review("proposal"), review("quality", "proposal", voting=stricter), review("last", "quality"))
    assert moved(case, new) is None
    [change] = [effect for effect in case.last if effect.kind == "change_framework"]
    assert (change.kept, change.goes_on, change.repeated) == (("proposal",), ("last",), ("quality",))
    assert case.state.stages["quality"].round == case.state.round == 2
    assert case.state.stages["last"].round == 1
    for _ in range(3):
        assert case.state.stages["quality"].outcome is None
        case.decide("quality", A)
    assert case.state.stages["quality"].outcome is StageOutcome.APPROVED


def test_an_open_stage_with_another_rule_begins_anew_and_its_tasks_say_why() -> None:
    case = case_of(BEFORE, "proposal")
    case.decide("quality", A)
    new = policy(
        review("proposal"), review("quality", "proposal", quality_gate=True), review("last", "quality"), version="2"
    )
    assert moved(case, new) is None
    closed = [task for task in case.state.tasks.values() if task.closure is TaskClosure.FRAMEWORK_CHANGED]
    assert [task.round for task in closed] == [1, 1]
    assert len(case.state.open_tasks("quality")) == 3, "whoever had answered is asked again"


def test_a_new_stage_opens_beside_what_is_open_and_an_old_one_is_no_longer_asked_for() -> None:
    case = case_of(BEFORE, "proposal")
    new = policy(review("proposal"), review("quality", "proposal"), review("ethics", "proposal"))
    assert moved(case, new) is None
    assert list(case.state.stages) == ["proposal", "quality", "ethics", "publication"]
    approve(case, "ethics")
    approve(case, "quality")
    assert case.state.status is CaseStatus.PUBLISHED


def test_a_case_whose_last_stage_falls_away_is_published() -> None:
    before = policy(review("proposal"), review("quality", "proposal"))
    case = case_of(before, "proposal")
    case.office(SentBack, stage="quality")
    beside = policy(review("proposal"), review("quality", "proposal"), review("ethics", "proposal"))
    assert moved(case, beside, before) is None
    approve(case, "quality")
    refused = moved(case, before, beside)
    assert refused is not None and refused.code == "open_stage_removed"
    assert moved(case, before, beside, STAGE) is None
    approve(case, "ethics")
    assert case.state.status is CaseStatus.PUBLISHED
    assert "ethics" not in case.state.stages


def test_a_stage_that_comes_back_is_done_in_a_new_round() -> None:
    without = policy(review("proposal"), review("last", "proposal"))
    both = policy(review("proposal"), information("notice", "proposal"), review("last", "proposal"), version="2")
    case = case_of(both, "proposal")
    assert moved(case, without, both) is None
    assert case.state.open_tasks("notice") == [], "nobody is informed of a stage that there is no more"
    assert moved(case, both, without) is None
    rounds = {task.round for task in case.state.tasks.values() if task.stage == "notice"}
    assert rounds == {1, 2}


def test_an_act_that_waits_in_a_stage_that_begins_anew_is_void() -> None:
    case = case_of(BEFORE, "proposal")
    facts = {"act_id": "a-1", "act": OfficeAct.SKIP, "stage": "quality", "outcome": StageOutcome.SKIPPED}
    case.office(ActProposed, **facts)
    new = policy(review("proposal"), review("quality", "proposal", quality_gate=True), review("last", "quality"))
    assert moved(case, new) is None
    assert case.state.proposed == {}


# --- at a boundary ------------------------------------------------------------------------------------------------


def test_at_the_next_stage_the_change_comes_between_two_stages() -> None:
    case = case_of(BEFORE, "proposal")
    new = policy(review("proposal"), review("quality", "proposal"), review("ethics", "quality"), version="2")
    assert moved(case, new, at=STAGE) is None
    assert case.plan.framework == "governed@1", "quality is open"
    approve(case, "quality")
    assert case.kinds()[-2:] == ["change_framework", "open_stage"]
    assert case.plan.framework == "governed@2"
    assert [task.stage for task in case.state.open_tasks()] == ["ethics"] * 3


def test_at_the_next_round_the_change_comes_before_the_new_version_of_the_proposal() -> None:
    case = case_of(BEFORE, "proposal")
    stricter = review("proposal", voting={"quorum": 3, "threshold": 3})
    new = policy(stricter, review("quality", "proposal"), review("last", "quality"), version="2")
    assert moved(case, new, at=ROUND) is None
    for _ in range(2):
        case.decide("quality", C)
    assert case.state.status is CaseStatus.REVISING
    assert case.plan.framework == "governed@2"
    case.revise("delivery")
    assert [task.stage for task in case.state.open_tasks()] == ["proposal"] * 3


@pytest.mark.parametrize("at", [STAGE, ROUND])
def test_a_case_that_waits_for_its_proposer_moves_at_once(at: Boundary) -> None:
    case = case_of()
    for _ in range(2):
        case.decide("proposal", C)
    new = policy(review("proposal"), version="2")
    assert moved(case, new, at=at) is None
    assert case.kinds() == ["schedule_change", "change_framework"]
    case.revise("title")
    approve(case, "proposal")
    assert case.state.status is CaseStatus.PUBLISHED


def test_a_case_on_hold_moves_later() -> None:
    case = case_of()
    case.office(Held)
    new = policy(review("proposal"), version="2")
    refused = moved(case, new)
    assert refused is not None and refused.code == "case_on_hold"
    assert moved(case, new, at=STAGE) is None
    assert due_change(case.state, case.plan) is None
    case.office(Resumed)
    case.pass_time(DAY)
    approve(case, "proposal")
    assert case.plan.framework == "governed@2" and case.state.status is CaseStatus.PUBLISHED


def test_the_last_word_counts_and_the_own_version_takes_it_back() -> None:
    case = case_of()
    second, third = policy(review("proposal"), version="2"), policy(review("proposal"), version="3")
    assert moved(case, second, at=STAGE) is None
    assert moved(case, second, at=STAGE) is None
    assert case.kinds() == [], "it waits already"
    assert moved(case, third, at=STAGE) is None
    assert case.state.change is not None and case.state.change.plan.framework == "governed@3"
    assert moved(case, BEFORE, at=STAGE) is None
    assert case.state.change is None
    refused = moved(case, BEFORE, at=STAGE)
    assert refused is not None and refused.code == "framework_unchanged"


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"by_office": False}, "not_the_office"),
        ({"reason": " "}, "reason_required"),
        ({"base": "another"}, "framework_moved_on"),
        ({"plan": plan_of(BEFORE)}, "framework_unchanged"),
        ({"plan": plan_of(policy(review("last")))}, "open_stage_removed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_is_refused_with_its_code(change: dict[str, Any], code: str) -> None:
    case = case_of()
    plan: Plan = plan_of(policy(review("proposal"), version="2"))
    facts = {"plan": plan, "base": BEFORE.digest, "actor": "o@example.org", "reason": "so", "by_office": True}
    refused = case.play(FrameworkChanged(**facts | change))
    assert refused is not None and refused.code == code


def test_a_closed_case_stays_as_it_is() -> None:
    case = case_of()
    case.withdraw()
    refused = moved(case, policy(review("proposal"), version="2"))
    assert refused is not None and refused.code == "case_closed"
