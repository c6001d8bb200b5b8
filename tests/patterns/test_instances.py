"""Control flow: several reviewers of one stage, and how many of them are waited for."""

import datetime as dt

from models.proposal import Partner
from models.vocabulary import CaseStatus, TaskClosure
from tests.facts import example
from tests.governed import DIRECTOR, QUINN, ROSA, SAM, VERA, mails
from tests.patterns.cases import Cases, PatternCase, sized
from tests.patterns.catalogue import control

MERE, JONAS = "mere.tane@harbour-software.example", "jonas.weber@fieldnote.example"
THIRD = "ines@third.example"


@control(
    14,
    "Multiple Instances with a priori Run-Time Knowledge",
    """How many are asked is found when the stage opens: here as many as the proposal has partners. The stage passes
    when all of them have answered.""",
    """
    stages:
      - id: industry
        reviewers: [{partners: all}]
        voting: {quorum_percent: 100, method: unanimity}
      - {id: quality, needs: [industry]}
    """,
)
def test_as_many_are_asked_as_the_proposal_says_and_all_are_waited_for(cases: Cases) -> None:
    two = example("industry-credit")
    three = sized(partners=(*two.partners, Partner(organisation="Third", contact_email=THIRD)))
    for proposal, expected in ((two, [JONAS, MERE]), (three, [THIRD, JONAS, MERE])):
        case = cases.begin(proposal)
        assert case.asked("industry") == expected
        for person in expected:
            assert case.opened == {"industry"}
            case.answer(person)
        assert case.opened == {"quality"}


@control(
    15,
    "Multiple Instances without a priori Run-Time Knowledge",
    """While reviewers are at work others are added: by the escalation when the stage is late, and by each further one.
    The stage waits for them as well.""",
    """
    stages:
      - id: quality
        voting: {quorum: 3, method: unanimity, counted_of: votes}
        sla:
          within: {business_days: 5}
          escalate_to: academic_director
          then: [{after: {business_days: 2}, to: deputy}]
      - {id: industry, needs: [quality]}
    """,
    lacks="only rules add reviewers, and only when the stage is late; nobody adds one by hand.",
)
def test_reviewers_who_are_added_at_work_are_waited_for_too(case: PatternCase) -> None:
    assert case.asked("quality") == [QUINN, ROSA, SAM]
    case.answer(QUINN)
    case.until_due("quality")
    assert case.asked("quality") == [DIRECTOR, ROSA, SAM]
    case.answer(ROSA)
    case.pass_time(dt.timedelta(days=4))
    added = [person for person in case.asked("quality") if person not in (DIRECTOR, SAM)]
    assert len(added) == 1 and len(case.tasks("quality")) == 5
    for person in (SAM, *added, DIRECTOR):
        assert case.opened == {"quality"}
        case.answer(person)
    assert case.opened == {"industry"}


@control(
    30,
    "Structured Partial Join",
    "Branches that are reviewer rules of one stage: two of the three let the case go on, once.",
    """
    stages:
      - id: quality
        reviewers:
          - {role: quality_reviewer, count: 1}
          - {role: academic_director}
          - {partners: lead}
        voting: {quorum: 2, threshold: 2}
      - {id: industry, needs: [quality]}
    """,
    lacks="""branches of several stages are always waited for, all of them; and the branch that is left over is
    withdrawn, where the pattern would let it go on.""",
)
def test_two_of_three_branches_let_the_case_go_on_once(cases: Cases) -> None:
    for number in range(3):
        case = cases.begin()
        branches = case.asked("quality")
        assert len(branches) == 3 and {DIRECTOR, MERE} < set(branches)
        left_over = branches.pop(number)
        first, second = branches
        case.answer(first)
        assert case.opened == {"quality"}
        late = case.answer_of(left_over)
        case.answer(second)
        assert case.opened == {"industry"}
        assert case.refused(late) == "task_closed"
        case.approve("industry")
        assert (case.state.status, case.openings("industry")) == (CaseStatus.PUBLISHED, 1)


@control(
    34,
    "Static Partial Join for Multiple Instances",
    """Three are asked and two must approve: with the second the case goes on, and an answer that comes later changes
    nothing.""",
    """
    stages:
      - id: quality
        reviewers: [{role: quality_reviewer, count: 3}]
        voting: {quorum: 2, threshold: 2}
      - {id: industry, needs: [quality]}
    """,
    lacks="whoever has not answered by then is not let finish, but told that the answer is no longer needed.",
)
def test_the_second_of_three_approvals_lets_the_case_go_on(case: PatternCase) -> None:
    late = case.answer_of(SAM, "reject")
    case.answer(ROSA)
    assert case.opened == {"quality"}
    case.answer(QUINN)
    assert (case.opened, case.openings("industry")) == ({"industry"}, 1)
    assert case.refused(late) == "task_closed"
    assert case.outcomes == {"quality": "approved"}


@control(
    35,
    "Cancelling Partial Join for Multiple Instances",
    """As many are asked as the proposal has partners; as soon as one of them endorses, the tasks of the others are
    withdrawn and they are told.""",
    """
    stages:
      - id: industry
        kind: endorsement
        reviewers: [{partners: all}]
        voting: {quorum: 1, threshold: 1}
      - {id: quality, needs: [industry]}
    """,
)
def test_enough_answers_withdraw_the_tasks_of_the_others(case: PatternCase) -> None:
    assert case.asked("industry") == [JONAS, MERE]
    case.answer(JONAS, "endorse")
    assert (case.opened, case.openings("quality")) == ({"quality"}, 1)
    assert case.asked("industry") == []
    assert case.task_of(MERE).closure is TaskClosure.OUTCOME_CERTAIN
    assert mails(case, "task_closed") == [MERE]


@control(
    36,
    "Dynamic Partial Join for Multiple Instances",
    """Whether enough approve is judged anew after every answer, by whoever has been asked by then: sixty per cent are
    two of three, but three of four once an escalation has added one.""",
    """
    stages:
      - id: quality
        voting: {quorum: 2, method: percentage, threshold_percent: 60, counted_of: votes}
        sla:
          within: {business_days: 5}
          escalate_to: academic_director
      - {id: industry, needs: [quality]}
    """,
    lacks="whoever has not answered when the share is reached is not let finish.",
)
def test_a_share_is_judged_anew_as_reviewers_are_added(cases: Cases) -> None:
    in_time, late = cases.begin(), cases.begin()
    for case in (in_time, late):
        case.answer(QUINN)
    in_time.answer(ROSA)
    assert in_time.opened == {"industry"}
    late.until_due("quality")
    assert late.asked("quality") == [DIRECTOR, ROSA, SAM]
    late.answer(ROSA)
    assert late.opened == {"quality"}, "two of four are not enough"
    late.answer(DIRECTOR)
    assert late.opened == {"industry"}
    assert late.task_of(SAM, "quality").closure is TaskClosure.OUTCOME_CERTAIN
    assert VERA not in [task.assignee for task in late.tasks("quality")]
