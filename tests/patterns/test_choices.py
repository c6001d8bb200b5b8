"""Control flow: repetition, choices that time or people make, and milestones."""

from models.vocabulary import CaseStatus, TaskClosure
from tests.facts import example
from tests.governed import DIRECTOR, QUINN, ROSA, SAM
from tests.patterns.cases import Cases, PatternCase
from tests.patterns.catalogue import control


@control(
    10,
    "Arbitrary Cycles",
    """The office sends a case back to any stage that it has reached, and reviewers of any stage request changes; so a
    loop can be entered and left at several places.""",
    """
    stages:
      - id: check
      - {id: quality, needs: [check]}
      - {id: industry, needs: [quality]}
    """,
    "starter.py send-back CASE --to quality --as omar.office@example.edu --reason 'The figures were old.'",
    "starter.py send-back CASE --to check --as omar.office@example.edu --reason 'The rules have changed.'",
    lacks="""a framework itself may have no cycle (the check reports `cycle`); repeating is an act or a verdict, not an
    arc of the policy.""",
)
def test_a_loop_is_entered_and_left_at_several_places(cases: Cases) -> None:
    case = cases.begin()
    for line, entered in zip(case.pattern.acts, ("quality", "check"), strict=True):
        case.approve("check", "quality")
        assert case.opened == {"industry"}
        case.run(line)
        assert case.opened == {entered}
    assert (case.state.round, case.openings("check"), case.openings("quality")) == (3, 2, 2)
    case.approve("check", "quality")
    assert (case.openings("quality"), case.openings("industry")) == (3, 3)
    case.approve("industry")
    assert case.state.status is CaseStatus.PUBLISHED, "one way out"
    other = cases.begin()
    other.approve("check")
    other.answer(QUINN, "request_changes")
    other.answer(ROSA, "request_changes")
    other.revise(example("industry-credit.revised"))
    assert other.opened == {"check"}
    other.approve("check")
    other.answer(QUINN, "reject")
    other.answer(ROSA, "reject")
    assert other.state.status is CaseStatus.REJECTED, "another one"


@control(
    16,
    "Deferred Choice",
    """An objection window is a race: if somebody objects in time, whoever `escalate_to` names decides; if nobody does,
    the stage passes by itself. Which of the two it is, nobody knows before, and the other way closes.""",
    """
    stages:
      - id: window
        kind: objection
        sla:
          within: {business_days: 5}
          policy_clause: Senate regulation 14, section 3.
          escalate_to: academic_director
      - {id: industry, needs: [window]}
    """,
)
def test_what_happens_first_decides_which_way_is_taken(cases: Cases) -> None:
    objected, silent = cases.begin(), cases.begin()
    for case in (objected, silent):
        assert case.asked("window") == [QUINN, ROSA, SAM]
    objected.answer(ROSA, "object")
    assert objected.asked("window") == [DIRECTOR, QUINN, SAM]
    objected.until_due("window")
    assert (objected.opened, objected.asked("window")) == ({"window"}, [DIRECTOR]), "time decides no more"
    objected.answer(DIRECTOR, "approve")
    assert objected.opened == {"industry"}
    late = silent.answer_of(ROSA, "object")
    silent.until_due("window")
    assert silent.opened == {"industry"} and DIRECTOR not in [task.assignee for task in silent.tasks("window")]
    assert silent.refused(late) == "task_closed"


@control(
    18,
    "Milestone",
    """An information stage runs beside the others: its tasks can be done once what it needs has passed, and only until
    the case ends, however far the others have come.""",
    """
    stages:
      - id: check
      - {id: notice, kind: information, needs: [check]}
      - {id: quality, needs: [check]}
    """,
)
def test_a_task_is_possible_between_two_points_of_the_case(case: PatternCase) -> None:
    assert case.tasks("notice") == [], "the milestone is not reached"
    case.approve("check")
    assert case.asked("notice") == [QUINN, ROSA, SAM]
    case.answer(QUINN, "acknowledge", "notice")
    case.answer(QUINN, "approve", "quality")
    case.answer(ROSA, "acknowledge", "notice")
    late = case.answer_of(SAM, "acknowledge", "notice")
    case.approve("quality")
    assert case.state.status is CaseStatus.PUBLISHED
    assert case.task_of(SAM, "notice").closure is TaskClosure.CASE_PUBLISHED
    assert case.refused(late) == "task_closed", "it has passed"


@control(
    21,
    "Structured Loop",
    """A stage that requests changes is held anew with the new version, and so on until it passes; the test comes after
    each round, and only then what needs the stage opens.""",
    """
    stages:
      - {id: quality, verdicts: [approve, reject, request_changes]}
      - {id: industry, needs: [quality]}
    """,
)
def test_a_stage_is_repeated_until_it_passes(case: PatternCase) -> None:
    for number, version in enumerate(("industry-credit.revised", "industry-credit"), 1):
        assert (case.state.round, case.opened, case.openings("quality")) == (number, {"quality"}, number)
        case.answer(QUINN, "request_changes")
        case.answer(ROSA, "request_changes")
        assert (case.state.status, case.opened) == (CaseStatus.REVISING, set())
        case.revise(example(version))
    assert (case.state.round, case.openings("industry")) == (3, 0)
    case.approve("quality")
    assert (case.opened, case.openings("quality"), case.openings("industry")) == ({"industry"}, 3, 1)
