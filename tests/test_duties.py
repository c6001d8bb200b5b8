"""Separation of duties: nobody decides about a proposal of their own, and nobody under two roles in one case."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.history.export import history, sentence
from imprimatur.rules.admission import refusal
from imprimatur.rules.standing import Bench, Facts, Held, Matter, other_hat
from imprimatur.store.engine import Database
from models.case import CaseState, TaskState
from models.events import ActConfirmed, ActProposed, Annulled, Claimed, Decided, Event, PassedOn
from models.framework import Framework
from models.plan import Plan, StagePlan
from models.proposal import Partner
from models.vocabulary import (
    AssignmentReason,
    CaseStatus,
    EventType,
    OfficeAct,
    StageOutcome,
    TaskStatus,
    Verdict,
)
from tests.facts import OFFICE, PROPOSER, Play, add_people, amended, everything, example, furnish, ledger_rows

LENA = "lena.office@example.edu"
QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
DIRECTOR = "dora.director@example.edu"


# --- rules --------------------------------------------------------------------------------------------------------

PLAN = Plan(
    framework="tiny@1",
    digest="d",
    stages=(StagePlan(id="check"), StagePlan(id="quality"), StagePlan(id="news", informs=True)),
)
RELAXED = PLAN.model_copy(update={"two_hats": True})


def task(stage: str, person: str, role: str | None, status: TaskStatus = TaskStatus.OPEN, **more: Any) -> TaskState:
    facts = {"verdict": Verdict.APPROVE} if status is TaskStatus.DECIDED else {}
    return TaskState(
        id=f"{stage}-{person}-{more.get('round', 1)}",
        stage=stage,
        assignee=person,
        role=role,
        status=status,
        reason=AssignmentReason.ROLE,
        **({"round": 1} | facts | more),
    )


def case(*tasks: TaskState) -> CaseState:
    known = {found.id: found for found in tasks}
    return CaseState(case_id="mc-1", status=CaseStatus.IN_REVIEW, proposer="ana@example.edu", round=2, tasks=known)


def decision(found: TaskState, verdict: Verdict = Verdict.APPROVE) -> Decided:
    return Decided(decision_id="d", task_id=found.id, actor=found.assignee, verdict=verdict)


def code(state: CaseState, event: Event, plan: Plan | None = PLAN) -> str | None:
    refused = refusal(state, event, plan)
    return refused.code if refused else None


CHECKED = task("check", "quinn@example.edu", "office", TaskStatus.DECIDED)
OWN = task("quality", "quinn@example.edu", "reviewer", round=2)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (CHECKED, "two_hats"),
        (task("quality", "quinn@example.edu", "director", TaskStatus.DECIDED), "two_hats"),
        (task("check", "quinn@example.edu", None, TaskStatus.DECIDED), "two_hats"),
        (task("check", "Quinn@Example.edu", "office", TaskStatus.DECIDED), "two_hats"),
        (task("check", "quinn@example.edu", "reviewer", TaskStatus.DECIDED), None),
        (task("check", "sam@example.edu", "office", TaskStatus.DECIDED), None),
        # What is only held may still be given up, and whoever was told of something decided nothing.
        (task("check", "quinn@example.edu", "office"), None),
        (task("check", "quinn@example.edu", "office", TaskStatus.CLOSED), None),
        (task("news", "quinn@example.edu", "office", TaskStatus.DECIDED), None),
    ],
)
def test_whoever_decided_under_another_role_cannot_decide(before: TaskState, expected: str | None) -> None:
    state = case(before, OWN)
    assert code(state, decision(OWN)) == expected
    assert code(state, decision(OWN), RELAXED) is None


@pytest.mark.parametrize("verdict", [Verdict.RECUSE, Verdict.ACKNOWLEDGE])
def test_standing_aside_and_taking_note_are_no_decisions(verdict: Verdict) -> None:
    assert code(case(CHECKED, OWN), decision(OWN, verdict)) is None
    assert (
        code(case(task("check", "ana@example.edu", None)), decision(task("check", "ana@example.edu", None), verdict))
        is None
    )


@pytest.mark.parametrize("address", ["ana@example.edu", "Ana@Example.EDU"])
@pytest.mark.parametrize("plan", [PLAN, RELAXED, None])
def test_nobody_decides_about_a_proposal_of_their_own(address: str, plan: Plan | None) -> None:
    """Not even where a framework lets people wear two hats."""
    own = task("check", address, "office")
    other = task("check", "sam@example.edu", "office")
    offered = task("quality", address, "office", TaskStatus.OFFERED)
    state = case(own, other, offered)
    assert code(state, decision(own), plan) == "own_proposal"
    assert code(state, Claimed(actor=address, task_id=offered.id), plan) == "own_proposal"
    for by_office in (True, False):
        passed = PassedOn(actor="sam@example.edu", task_id=other.id, to=address, reason="x", by_office=by_office)
        assert code(case(other), passed, plan) == "own_proposal"


@pytest.mark.parametrize(
    "act",
    [
        ActProposed(
            act_id="a", act=OfficeAct.OVERRIDE, actor="Ana@example.edu", stage="check", reason="x",
            outcome=StageOutcome.APPROVED, by_office=True,
        ),
        ActConfirmed(act_id="a", actor="ana@example.edu", by_office=True),
        Annulled(actor="ana@example.edu", task_id=CHECKED.id, reason="x", by_office=True),
    ],
    ids=lambda act: act.kind,
)  # fmt: skip
def test_a_proposer_of_the_office_decides_nothing_in_the_reviewers_place(act: Event) -> None:
    assert code(case(CHECKED), act) == "own_proposal"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (CHECKED, "two_hats"),
        (task("check", "quinn@example.edu", "office"), "two_hats"),
        (task("check", "quinn@example.edu", "office", TaskStatus.OFFERED), None),
        (task("check", "quinn@example.edu", "reviewer"), None),
    ],
)
def test_whoever_has_another_role_takes_nothing_over(before: TaskState, expected: str | None) -> None:
    """Neither by delegation nor by reassignment nor by a claim: an open task counts as well as a decision."""
    other = task("quality", "sam@example.edu", "reviewer", round=2)
    offer = task("quality", "quinn@example.edu", "reviewer", TaskStatus.OFFERED, round=2)
    passed = PassedOn(actor="sam@example.edu", task_id=other.id, to="quinn@example.edu", reason="x")
    for event, state in (
        (passed, case(before, other)),
        (passed.model_copy(update={"actor": "lena@example.edu", "by_office": True}), case(before, other)),
        (Claimed(actor="quinn@example.edu", task_id=offer.id), case(before, offer)),
    ):
        assert code(state, event) == expected
        assert code(state, event, RELAXED) is None


names = st.sampled_from(["ana@example.edu", "Quinn@example.edu", "quinn@example.edu", "sam@example.edu"])
roles = st.sampled_from([None, "office", "reviewer", "director"])
helds = st.lists(st.builds(Held, person=names, role=roles, stage=st.sampled_from(["check", "quality"])))


@given(helds, names, roles, st.booleans())
def test_a_barrier_stands_exactly_where_duties_would_meet(
    held: list[Held], person: str, role: str | None, two_hats: bool
) -> None:
    bench = Bench(Matter("ana@example.edu"), tuple(held), two_hats, Facts())
    wears_another = any(h.person.lower() == person.lower() and h.role != role for h in held)
    expected = person == "ana@example.edu" or (wears_another and not two_hats)
    assert (bench.barrier(person, role) is not None) == expected
    assert (other_hat(held, person, role) is not None) == wears_another


# --- in the commit ------------------------------------------------------------------------------------------------


def asked(play: Play, stage: str) -> list[str]:
    return sorted(found.assignee for found in play.state.open_tasks(stage))


def passed_over(play: Play) -> dict[str, str]:
    """Everybody who was ever passed over in this case, with the reason given last."""
    rows = ledger_rows(play.database, play.case_id)
    events = [row["data"] for row in rows if row["type"] == EventType.REVIEWERS_PASSED_OVER]
    return {item["person"]: item["why"] for event in events for item in event["people"]}


def with_two_roles(database: Database, folder: Path, policy: Framework | str = "industry-credit") -> Play:
    """Lena checks proposals and reviews them as well; Omar is on nobody's list of reviewers."""
    furnish(database)
    add_people(database, folder, f"{LENA},Lena Virtanen,governance_office;quality_reviewer,yes", f"{SAM},Sam,,no")
    play = Play(database, folder, policy)
    play.submit(example("industry-credit"))
    assert asked(play, "proposal") == [LENA]
    play.decide("proposal")
    return play


def test_whoever_checked_the_proposal_does_not_review_it(database: Database, tmp_path: Path) -> None:
    play = with_two_roles(database, tmp_path)
    assert asked(play, "quality") == [QUINN, ROSA]
    assert passed_over(play)[LENA] == "decides in proposal already, as governance office"
    told = [sentence(event) for event in history(database, play.case_id)]
    assert f"Passed over for quality (round 1): {LENA} decides in proposal already, as governance office" in told


def test_a_framework_can_allow_two_hats(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = with_two_roles(database, tmp_path, amended(database, "industry-credit", two_hats=True))
    assert asked(play, "quality") == [LENA, QUINN, ROSA]
    play.act(Decided(decision_id="d", task_id=_task(play, LENA), actor=LENA, verdict=Verdict.APPROVE))


def _task(play: Play, person: str) -> str:
    return next(found.id for found in play.state.open_tasks() if found.assignee == person)


def test_the_same_role_in_another_stage_is_no_second_hat(database: Database, tmp_path: Path) -> None:
    furnish(database)
    reviewers = [{"role": "governance_office"}]
    play = Play(database, tmp_path, amended(database, "industry-credit", "quality", reviewers=reviewers))
    play.submit(example("industry-credit"))
    [checker] = asked(play, "proposal")
    play.decide("proposal")
    assert checker in asked(play, "quality")


def test_stages_that_open_together_share_nobody_between_two_roles(database: Database, tmp_path: Path) -> None:
    """Quinn reviews quality; in the very same step the industry stage asks the partner's contact, who is Quinn."""
    furnish(database)
    proposal = example("industry-credit")
    partner = Partner(organisation="Quinn and Sons", contact_email=QUINN.title())
    play = Play(database, tmp_path)
    play.submit(proposal.model_copy(update={"partners": (*proposal.partners, partner)}))
    play.decide("proposal")
    both = set(asked(play, "quality")) & set(asked(play, "industry"))
    assert both == set()
    assert QUINN in set(asked(play, "quality")) | set(asked(play, "industry"))
    assert "decides in" in passed_over(play)[QUINN]


def test_a_proposer_who_is_the_partners_contact_does_not_sign_off(database: Database, tmp_path: Path) -> None:
    furnish(database)
    proposal = example("industry-credit")
    own = tuple(partner.model_copy(update={"contact_email": PROPOSER.title()}) for partner in proposal.partners)
    play = Play(database, tmp_path)
    play.submit(proposal.model_copy(update={"partners": own}))
    play.decide("proposal")
    assert passed_over(play)[PROPOSER] == "proposed it"
    [incident] = everything(database)["incident"]
    assert incident["detail"] == f"nobody can review this stage ({PROPOSER} proposed it)"
    [escalated] = play.state.open_tasks("industry")
    assert escalated.reason is AssignmentReason.ESCALATION, "nobody else can sign off"


def test_a_second_role_is_no_way_into_a_later_round(database: Database, tmp_path: Path) -> None:
    play = with_two_roles(database, tmp_path)
    while play.state.open_tasks("quality"):
        play.decide("quality", Verdict.REQUEST_CHANGES, "unclear", outcomes=2)
    # From now on the check is Omar's; what Lena decided in the first round still counts.
    add_people(database, tmp_path, f"{LENA},Lena Virtanen,quality_reviewer,yes")
    play.revise(example("industry-credit.revised"))
    assert play.state.stages["proposal"].outcome is StageOutcome.APPROVED, "the check stays valid"
    assert (play.state.round, asked(play, "quality")) == (2, [QUINN, ROSA])


def test_an_escalation_passes_over_whoever_decided_under_another_role(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_people(
        database,
        tmp_path,
        f"{LENA},Lena Virtanen,governance_office;academic_director,yes",
        f"{OFFICE},Omar,,no",
    )
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    assert asked(play, "proposal") == [LENA]
    play.decide("proposal")
    play.pass_time(play.state.stages["quality"].due_at - play.now)  # type: ignore[operator]
    assert DIRECTOR in asked(play, "quality") and LENA not in asked(play, "quality")


def test_a_deputy_is_not_the_proposer_nor_anyone_with_another_role(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_people(
        database,
        tmp_path,
        f"{PROPOSER},Ana Matai,proposer;deputy,yes",
        f"{LENA},Lena Virtanen,governance_office;deputy,yes",
        f"{OFFICE},Omar,,no",
        "zoe@example.edu,Zoe,deputy,yes",
    )
    voting = {"quorum": 3, "threshold": 2, "deputies": "deputy"}
    policy = amended(
        database,
        "industry-credit",
        "quality",
        voting=voting,
        verdicts=["approve", "reject", "request_changes", "recuse"],
    )
    play = Play(database, tmp_path, policy)
    play.submit(example("industry-credit"))
    play.decide("proposal")
    play.decide("quality", Verdict.RECUSE)
    assert "zoe@example.edu" in asked(play, "quality")
    assert passed_over(play)[LENA].startswith("decides in proposal")
    assert passed_over(play)[PROPOSER] == "proposed it"


def test_a_delegate_wears_the_hat_of_whoever_delegated(database: Database, tmp_path: Path) -> None:
    """Rosa takes the check over from the office; so she does not review quality as well."""
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.act(PassedOn(actor=LENA, task_id=_task(play, LENA), to=ROSA, reason=""))
    play.decide("proposal")
    assert asked(play, "quality") == [QUINN, SAM]
    assert passed_over(play)[ROSA] == "decides in proposal already, as governance office"


def test_a_task_that_closed_unanswered_is_no_hat(database: Database, tmp_path: Path) -> None:
    """Lena and Omar are both asked, one of them suffices; the other's task closes in the step that opens quality."""
    furnish(database)
    people = [f"{person},Person,governance_office;quality_reviewer,yes" for person in (LENA, OFFICE)]
    add_people(database, tmp_path, *people, f"{SAM},Sam,,no", f"{ROSA},Rosa,,no")
    voting = {"quorum": 1, "threshold": 1}
    policy = amended(database, "industry-credit", "proposal", reviewers=[{"role": "governance_office"}], voting=voting)
    play = Play(database, tmp_path, policy)
    play.submit(example("industry-credit"))
    assert asked(play, "proposal") == [LENA, OFFICE]
    play.decide("proposal")
    [decided] = [t.assignee for t in play.state.tasks.values() if t.status is TaskStatus.DECIDED]
    [other] = {LENA, OFFICE} - {decided}
    assert asked(play, "quality") == sorted([other, QUINN])
