"""Tracks: which stages apply to a proposal, why, and what becomes of it when the proposal changes."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imprimatur.frameworks.tracks import course_of, select_track
from imprimatur.rules.plan import plan_of
from models.calendars import BusinessDuration
from models.effects import KeepStage, OpenStage
from models.events import Revised
from models.framework import Framework
from models.plan import Plan, StagePlan
from models.tracks import Selection
from models.vocabulary import CaseStatus, StageOutcome, StageStatus, Verdict
from tests.policies import changed, checked, policy, publication, stage
from tests.simulator import DAY, PROPOSER, Desk, Simulator
from tests.tracks import FAST, USUAL, proposal


def tracked(*tracks: dict[str, Any], **change: Any) -> Framework:
    return Framework.model_validate(policy(tracks=list(tracks), **change))


# --- choosing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "track", "skipped"), [(5, "fast", ["quality"]), (5.5, "usual", []), (None, "usual", [])]
)
def test_the_first_track_that_fits_is_taken(points: float | None, track: str, skipped: list[str]) -> None:
    found = select_track(tracked(FAST, USUAL), proposal(points))
    assert found is not None
    assert (found.track, list(found.skipped)) == (track, skipped)
    assert [(seen.rule, seen.values) for seen in found.rules] == [("track fast", {"proposal.workload.credits": points})]


def test_without_a_fitting_track_the_whole_framework_applies() -> None:
    found = select_track(tracked(FAST), proposal(15))
    assert found is not None and (found.track, found.skipped, found.within) == (None, {}, {})


def test_a_framework_without_conditions_is_the_same_for_all() -> None:
    framework = tracked()
    assert course_of(framework, proposal(5)) == (plan_of(framework), None)


def test_in_doubt_the_fuller_review_is_held() -> None:
    unguarded = "proposal.workload.credits <= 5"
    stages = [stage("check"), stage("extra", "check", when="proposal.workload.credits > 20"), publication("extra")]
    found = select_track(tracked(FAST | {"when": unguarded}, stages=stages), proposal(None))
    assert found is not None and (found.track, found.skipped) == (None, {})
    assert [seen.holds for seen in found.rules] == [None, None]


def test_a_stage_that_does_not_apply_says_when_it_would() -> None:
    stages = [stage("check"), stage("extra", "check", when="proposal.workload.credits > 20"), publication("extra")]
    plan, found = course_of(tracked(stages=stages), proposal(5))
    assert found is not None and found.skipped == {"extra": "it applies only when proposal.workload.credits > 20"}
    assert plan.stage("extra").skip == found.skipped["extra"] and not plan.stage("check").skip


@pytest.mark.parametrize(
    ("choice", "left_out"),
    [
        ({"without": ["quality"]}, {"quality"}),
        ({"without": []}, set()),
        ({"stages": ["check"]}, {"quality", "industry"}),
        ({"stages": ["check", "quality", "industry"]}, set()),
    ],
)
def test_a_track_names_what_applies_or_what_does_not(choice: dict[str, Any], left_out: set[str]) -> None:
    found = select_track(tracked({"id": "any", "why": "always"} | choice), proposal(5))
    assert found is not None and set(found.skipped) == left_out


def test_a_promise_of_the_track_takes_the_place_of_the_frameworks() -> None:
    plan, _ = course_of(tracked(FAST), proposal(3))
    assert plan.stage("industry").within == BusinessDuration(business_days=5)
    assert plan.stage("check").within is None
    assert plan.within == BusinessDuration(business_days=10)


# --- checking ------------------------------------------------------------------------------------------------------

SPOILT: list[tuple[str, Any, str, str]] = [
    ("tracks[0].when", "proposal.workload.credit > 1", "expression_field_unknown", "tracks[0].when"),
    ("tracks[0].when", "proposal.title > 1", "expression_types_differ", "tracks[0].when"),
    ("tracks[0].when", "proposal.title", "expression_not_boolean", "tracks[0].when"),
    ("tracks[0].when", "proposal.title ==", "expression_malformed", "tracks[0].when"),
    ("tracks[0].when", "answers.check.clear > 1", "expression_field_unknown", "tracks[0].when"),
    ("tracks[1].id", "fast", "track_repeated", "tracks[1].id"),
    ("tracks[0].without", ["qualty"], "stage_unknown", "tracks[0].without[0]"),
    ("tracks[0].without", ["publication"], "publication_left_out", "tracks[0].without[0]"),
    ("tracks[1].without", ["check", "quality", "industry"], "nobody_decides", "tracks[1]"),
    ("tracks[0].sla", {"industy": {"business_days": 5}}, "stage_unknown", "tracks[0].sla.industy"),
    ("tracks[0].sla", {"quality": {"business_days": 5}}, "track_key_idle", "tracks[0].sla.quality"),
    ("tracks[0].sla", {"publication": {"business_days": 5}}, "track_key_idle", "tracks[0].sla.publication"),
    ("tracks[0].sla", {"industry": {"business_days": 0}}, "promise_empty", "tracks[0].sla.industry"),
    ("tracks[0].speed_to_market", {"business_hours": 9999}, "promise_too_long", "tracks[0].speed_to_market"),
    ("stages[1].quality_gate", True, "gate_left_out", "tracks[0]"),
    ("stages[2].when", "answers.check.clarity > 1", "expression_field_unknown", "stages[2].when"),
    ("stages[2].when", "answers.quality.clear > 1", "expression_field_unknown", "stages[2].when"),
    ("stages[3].when", "true", "stage_key_idle", "stages[3].when"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "value", "code", "place"), SPOILT)
def test_what_cannot_be_is_found_at_its_place(where: str, value: Any, code: str, place: str) -> None:
    sound = policy(tracks=[FAST, USUAL])
    assert checked(sound) == []
    assert [(problem.code, problem.where) for problem in checked(changed(sound, where, value))] == [(code, place)]


def test_a_track_behind_one_that_is_always_taken_is_found() -> None:
    [problem] = checked(policy(tracks=[USUAL, FAST]))
    assert (problem.code, problem.where) == ("track_unreachable", "tracks[1]")


def test_a_quality_gate_depends_on_nothing() -> None:
    gate = stage("quality", "check", when="proposal.workload.credits > 1", quality_gate=True)
    problems = checked(policy(stage("check"), gate, publication("quality")))
    assert [(problem.code, problem.where) for problem in problems] == [("gate_left_out", "stages[1].when")]


def test_somebody_decides_whatever_the_conditions_come_to() -> None:
    problems = checked(policy(stage("check", when="proposal.workload.credits > 1"), publication("check")))
    assert [(problem.code, problem.where) for problem in problems] == [("nobody_decides", "stages")]


def test_scores_of_a_stage_that_comes_before_can_be_asked_about() -> None:
    stages = [
        stage("check"),
        stage("middle", "check"),
        stage("late", "middle", when="lowest.check.clear < 2"),
        publication("late"),
    ]
    assert checked(policy(*stages)) == []  # fmt: skip


# --- whatever happens ----------------------------------------------------------------------------------------------

IDS = ("check", "quality", "ethics", "industry")


def plan_without(skipped: set[str]) -> Plan:
    def review(stage_id: str, *needs: str, **change: Any) -> StagePlan:
        skip = "it does not apply" if stage_id in skipped else ""
        return StagePlan(id=stage_id, needs=needs, quorum=1, threshold=1, skip=skip, **change)

    stages = (
        review("check", material=("title",)),
        review("quality", "check"),
        review("ethics", "quality"),
        review("industry", "check", material=()),
        StagePlan(id="publication", needs=("ethics", "industry"), automatic=True, publishes=True),
    )
    return Plan(framework="tiny@1", digest="f" * 64, stages=stages)


class AnyTrack(RuleBasedStateMachine):
    """Random tracks and changes of track: what does not apply never opens, and the case always goes on."""

    @initialize(skipped=st.sets(st.sampled_from(IDS)))
    def begin(self, skipped: set[str]) -> None:
        desk = Desk({name: [(f"{name}@example.org", None)] for name in IDS}, ["director@example.org"])
        self.case = Simulator(plan_without(skipped), desk)
        self.skipped = skipped
        self.case.submit()

    @precondition(lambda self: self.case.state.open_tasks())
    @rule(pick=st.integers(0, 9), verdict=st.sampled_from([Verdict.APPROVE, Verdict.REQUEST_CHANGES]))
    def somebody_decides(self, pick: int, verdict: Verdict) -> None:
        tasks = self.case.state.open_tasks()
        task = tasks[pick % len(tasks)]
        assert self.case.decide_task(task.id, task.assignee, verdict) is None

    @precondition(lambda self: self.case.state.status is CaseStatus.REVISING)
    @rule(skipped=st.sets(st.sampled_from(IDS)), changed=st.sampled_from(["title", "partners"]))
    def proposer_revises(self, skipped: set[str], changed: str) -> None:
        before = {name for name, found in self.case.state.stages.items() if found.outcome is StageOutcome.APPROVED}
        self.skipped = skipped
        event = Revised(
            actor=PROPOSER,
            digest=f"d{self.case.state.version + 1}",
            complete=True,
            changed=(changed,),
            plan=plan_without(skipped),
            selection=Selection(track="another"),
        )
        assert self.case.play(event) is None
        kept = {effect.stage for effect in self.case.last if isinstance(effect, KeepStage)}
        touched = {"quality", "ethics"} | ({"check"} if changed == "title" else set())
        assert kept == before - touched

    @rule(days=st.integers(0, 40))
    def time_passes(self, days: int) -> None:
        self.case.pass_time(days * DAY)

    @invariant()
    def what_does_not_apply_is_never_open(self) -> None:
        for name in self.skipped:
            found = self.case.state.stages[name]
            assert found.status is StageStatus.CLOSED or self.case.state.status is CaseStatus.REVISING
        assert not any(isinstance(e, OpenStage) and e.stage in self.skipped for e in self.case.last)

    @invariant()
    def never_stuck(self) -> None:
        if self.case.state.status is CaseStatus.IN_REVIEW:
            assert self.case.state.open_tasks()
        if self.case.state.status is CaseStatus.PUBLISHED:
            assert all(found.outcome and found.outcome.lets_pass for found in self.case.state.stages.values())


TestAnyTrack = AnyTrack.TestCase
TestAnyTrack.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)


def test_without_anyone_to_decide_a_simulated_case_is_published_at_once() -> None:
    """The rules do as the plan says; that a framework leaves people to decide is the check's concern."""
    case = Simulator(plan_without(set(IDS)), Desk({}))
    case.submit()
    assert case.state.status is CaseStatus.PUBLISHED
    assert case.kinds()[:6] == ["add_version", "start_clock", *["skip_stage"] * 4]
