"""Control flow: tasks, stages and cases that end before their time, or by design."""

from models.vocabulary import CaseStatus, TaskClosure, TaskStatus, Verdict
from tests.governed import DIRECTOR, QUINN, ROSA, SAM, mails
from tests.patterns.cases import PatternCase
from tests.patterns.catalogue import control


@control(
    19,
    "Cancel Task",
    """Where the policy says so, a stage that nobody has answered in time is skipped: its tasks are withdrawn and the
    case goes on without it.""",
    """
    stages:
      - id: quality
        sla:
          within: {business_days: 5}
          at_breach: skip
          policy_clause: Senate regulation 14, section 3.
      - {id: industry, needs: [quality]}
    """,
)
def test_tasks_that_nobody_began_are_withdrawn(case: PatternCase) -> None:
    late = case.answer_of(QUINN)
    case.until_due("quality")
    assert {task.closure for task in case.tasks("quality")} == {TaskClosure.TIME_RAN_OUT}
    assert mails(case, "task_closed") == [QUINN, ROSA, SAM]
    assert case.refused(late) == "task_closed"
    assert (case.outcomes, case.opened) == ({"quality": "skipped"}, {"industry"})


@control(
    20,
    "Cancel Case",
    "The proposer or the office withdraws the case: every open task closes, and nothing follows.",
    """
    stages:
      - id: quality
      - id: ethics
      - {id: industry, needs: [quality, ethics]}
    """,
    "starter.py withdraw CASE --as ana.proposer@example.edu --reason 'The partner has left.'",
)
def test_withdrawing_ends_everything_of_a_case(case: PatternCase) -> None:
    case.answer(QUINN, stage="quality")
    late = case.answer_of(ROSA, stage="quality")
    case.does("withdraw")
    assert (case.state.status, case.opened, case.state.open_tasks()) == (CaseStatus.WITHDRAWN, set(), [])
    assert case.outcomes == {"quality": "cancelled", "ethics": "cancelled"} and case.openings("industry") == 0
    assert case.task_of(QUINN, "quality").verdict is Verdict.APPROVE, "what was decided stays on record"
    assert case.refused(late) == "task_closed"


@control(
    25,
    "Cancel Region",
    """Sending back withdraws the tasks of a stage and of all that need it, directly or through others, and leaves
    everything else untouched.""",
    """
    stages:
      - id: check
      - {id: quality, needs: [check]}
      - {id: industry, needs: [quality]}
      - {id: ethics, needs: [check]}
    """,
    "starter.py send-back CASE --to quality --as omar.office@example.edu --reason 'The figures were old.'",
    lacks="the region is what depends on a stage, and begins anew; any other set of stages cannot be named.",
)
def test_sending_back_cancels_what_depends_on_a_stage_and_nothing_else(case: PatternCase) -> None:
    case.approve("check", "quality")
    case.answer(QUINN, stage="industry")
    case.answer(QUINN, stage="ethics")
    before = case.tasks("ethics")
    inside = case.tasks("industry")
    case.does("send-back")
    assert case.opened == {"quality", "ethics"}
    closures = {task.id: task.closure for task in case.tasks("industry")}
    assert sum(closures[task.id] is TaskClosure.SENT_BACK for task in inside) == 2
    assert case.tasks("ethics") == before
    assert case.outcomes == {"check": "approved"}


@control(
    26,
    "Cancel Multiple Instance Activity",
    """When one stage requests changes, the stages beside it are cancelled: the tasks of all reviewers who have not
    answered are withdrawn, answers that were given stay on record, and nothing follows from the stage.""",
    """
    stages:
      - {id: quality, voting: {quorum: 3, threshold: 3}}
      - {id: industry, needs: [quality]}
      - {id: ethics, reviewers: [{role: academic_director}], voting: {quorum: 1, threshold: 1}}
    """,
)
def test_a_request_for_changes_withdraws_all_tasks_of_the_stages_beside_it(case: PatternCase) -> None:
    case.answer(QUINN)
    late = case.answer_of(SAM)
    case.answer(DIRECTOR, "request_changes")
    assert case.outcomes == {"quality": "cancelled", "ethics": "changes_requested"}
    assert case.task_of(QUINN).status is TaskStatus.DECIDED
    for person in (ROSA, SAM):
        assert case.task_of(person).closure is TaskClosure.REVISION_REQUESTED
    assert (case.opened, case.openings("industry")) == (set(), 0)
    assert case.refused(late) == "task_closed"


@control(
    27,
    "Complete Multiple Instance Activity",
    """Two people of the office complete a stage with an outcome of their own: what is not answered is withdrawn, and
    what needs the stage opens.""",
    """
    stages:
      - {id: quality, voting: {quorum: 3, threshold: 3}}
      - {id: industry, needs: [quality]}
    """,
    "starter.py override CASE --stage quality --outcome approved --as omar.office@example.edu --reason 'Two do.'",
    "starter.py confirm CASE ACT --as lena.office@example.edu",
)
def test_overriding_completes_a_stage_before_all_have_answered(case: PatternCase) -> None:
    case.answer(QUINN)
    case.answer(ROSA)
    case.does("override")
    assert case.opened == {"quality"}
    case.does("confirm")
    assert (case.outcomes, case.opened) == ({"quality": "approved"}, {"industry"})
    assert case.task_of(SAM, "quality").closure is TaskClosure.STAGE_OVERRIDDEN
    verdicts = [task.verdict for task in case.tasks("quality")]
    assert verdicts.count(Verdict.APPROVE) == 2, "nobody's answer is made up"


@control(
    43,
    "Explicit Termination",
    """The publication is the designated end: when it is reached the case is over, and what is still open of it, such
    as tasks of those who were only informed, is withdrawn.""",
    """
    stages:
      - id: quality
      - {id: notice, kind: information, reviewers: [{role: academic_director}]}
    """,
)
def test_the_publication_ends_the_case_with_all_that_is_open(case: PatternCase) -> None:
    assert case.asked("notice") == [DIRECTOR]
    case.approve("quality")
    assert case.state.status is CaseStatus.PUBLISHED
    assert case.state.open_tasks() == []
    assert case.task_of(DIRECTOR).closure is TaskClosure.CASE_PUBLISHED
