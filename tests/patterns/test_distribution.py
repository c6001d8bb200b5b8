"""Resources: who is asked, and who may do what."""

from pathlib import Path

import pytest

from imprimatur.errors import InputError
from imprimatur.store.people import import_people
from models.events import PassedOn
from models.vocabulary import CaseStatus
from tests.facts import OFFICE, SECOND, add_people, example
from tests.governed import DIRECTOR, QUINN, ROSA, SAM, VERA, VITO
from tests.patterns.cases import Cases, PatternCase, sized
from tests.patterns.catalogue import resource


@resource(
    1,
    "Direct Distribution",
    "A stage names the addresses of those who are asked.",
    """
    stages:
      - id: quality
        reviewers: [{addresses: [dora.director@example.edu, dean@example.org]}]
    """,
)
def test_those_who_are_named_are_asked_and_nobody_else(case: PatternCase) -> None:
    assert case.asked("quality") == ["dean@example.org", DIRECTOR]


@resource(
    2,
    "Role-Based Distribution",
    "A stage names a role; whoever holds it when the stage opens is asked.",
    """
    stages:
      - {id: quality, reviewers: [{role: quality_reviewer}]}
    """,
)
def test_whoever_holds_the_role_is_asked(cases: Cases) -> None:
    assert cases.begin().asked("quality") == [QUINN, ROSA, SAM]
    add_people(cases.database, cases.folder, f"{SAM},Sam,,yes", f"{VERA},Vera,quality_reviewer,yes")
    assert cases.begin().asked("quality") == [QUINN, ROSA, VERA]


@resource(
    3,
    "Deferred Distribution",
    "The policy does not say who: the proposal does, with its partners' contacts or its unit, when the stage opens.",
    """
    stages:
      - {id: industry, reviewers: [{partners: lead}], voting: {quorum: 1, threshold: 1}}
    """,
)
def test_the_proposal_says_who_is_asked(cases: Cases) -> None:
    partners = example("industry-credit").partners
    for leader in partners:
        led = tuple(partner.model_copy(update={"lead": partner is leader}) for partner in partners)
        assert cases.begin(sized(partners=led)).asked("industry") == [leader.contact_email]


@resource(
    4,
    "Authorization",
    """What somebody may do follows from the role: the stage offers certain verdicts, one role has a veto, only the
    task's holder and the office pass it on, and only the office acts on the case.""",
    """
    stages:
      - id: quality
        reviewers: [{role: quality_reviewer, count: 1}, {role: academic_director}]
        verdicts: [approve, reject]
        voting: {quorum: 2, threshold: 1, veto: [academic_director]}
    """,
    "starter.py hold CASE --as quinn.reviewer@example.edu --reason 'Not now.'  # refused: not_the_office",
    "starter.py hold CASE --as omar.office@example.edu --reason 'The senate will decide.'",
    lacks="""the acts that belong to the office and to a task's holder are fixed; a policy sets verdicts, vetoes and
    weights.""",
)
def test_roles_say_who_may_do_what(cases: Cases) -> None:
    case, held = cases.begin(), cases.begin()
    by_reviewer, by_office = held.pattern.acts
    held.run(by_reviewer)
    held.run(by_office)
    assert held.state.status is CaseStatus.ON_HOLD
    [peer] = {QUINN, ROSA, SAM}.intersection(case.asked("quality"))
    with pytest.raises(InputError) as refused:
        case.answer(peer, "request_changes")
    assert refused.value.code == "verdict_not_offered"
    stranger = PassedOn(actor=VITO, task_id=case.task_of(peer).id, to=VERA, reason="I am free.")
    assert case.refused(stranger) == "not_your_task"
    case.answer(peer)
    assert case.opened == {"quality"}, "the role with the veto is heard"
    case.answer(DIRECTOR, "reject")
    assert case.state.status is CaseStatus.REJECTED


@resource(
    5,
    "Separation of Duties",
    """Nobody decides under two roles in one case: whoever checked a proposal is passed over when its reviewers are
    looked for, and cannot get a task of it by delegation either.""",
    """
    stages:
      - {id: check, reviewers: [{role: governance_office, count: 1}], voting: {quorum: 1, threshold: 1}}
      - {id: quality, needs: [check]}
    """,
    lacks="two stages that ask the same role may ask the same person; give them roles of their own to separate them.",
)
def test_whoever_checked_does_not_review(cases: Cases) -> None:
    both = "governance_office;quality_reviewer"
    add_people(cases.database, cases.folder, f"{SECOND},Lena,{both},yes", f"{OFFICE},Omar,{both},yes")
    case = cases.begin()
    [checker] = case.asked("check")
    case.approve("check")
    assert checker not in case.asked("quality") and {SECOND, OFFICE} - {checker} <= set(case.asked("quality"))
    passed = PassedOn(actor=QUINN, task_id=case.task_of(QUINN).id, to=checker, reason="")
    assert case.refused(passed) == "two_hats"


@resource(
    7,
    "Retain Familiar",
    "With `familiar: true` whoever reviewed the stage's last round is asked again, whosever turn it would be.",
    """
    stages:
      - id: quality
        reviewers: [{role: quality_reviewer, count: 1, pick: round_robin, familiar: true}]
        voting: {quorum: 1, threshold: 1}
      - id: second
        reviewers: [{role: deputy, count: 1, pick: round_robin}]
        voting: {quorum: 1, threshold: 1}
    """,
    lacks="it holds from round to round of one stage, not from one stage to another.",
)
def test_whoever_knows_the_case_is_asked_again(case: PatternCase) -> None:
    [familiar], in_turn = case.asked("quality"), case.asked("second")
    case.answer(familiar, "request_changes")
    case.revise(example("industry-credit.revised"))
    assert case.asked("quality") == [familiar]
    assert [*in_turn, *case.asked("second")] == [VERA, VITO], "without it the next one is asked"


UNITS = """\
email,name,roles,units,organisation,active
design.lead@example.edu,Ida,programme_lead,School of Digital Design,,yes
health.lead@example.edu,Hal,programme_lead,School of Health,,yes
design.member@example.edu,Mia,member,School of Digital Design,,yes
"""


@resource(
    10,
    "Organisational Distribution",
    """A role is narrowed to a unit, by name or to the proposal's own: here the programme lead of the school that
    proposes.""",
    """
    stages:
      - {id: quality, reviewers: [{role: programme_lead, unit: own}], voting: {quorum: 1, threshold: 1}}
    """,
    lacks="the directory knows roles and units, but not who reports to whom.",
)
def test_the_place_in_the_organisation_says_who_is_asked(cases: Cases) -> None:
    _import(cases.folder / "units.csv", cases)
    assert cases.begin().asked("quality") == ["design.lead@example.edu"]
    assert cases.begin(sized(unit="School of Health")).asked("quality") == ["health.lead@example.edu"]


def _import(file: Path, cases: Cases) -> None:
    file.write_text(UNITS, encoding="utf-8")
    assert import_people(cases.database, file).rejected == []
