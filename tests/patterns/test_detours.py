"""Resources: tasks that change hands, rest, are left out or done again."""

import datetime as dt

from imprimatur.store.task_page import task_page
from models.vocabulary import AssignmentReason, CaseStatus, StageOutcome, TaskClosure, Verdict
from tests.governed import DIRECTOR, QUINN, ROSA, SAM, VERA, VITO, mails
from tests.patterns.cases import Cases, PatternCase
from tests.patterns.catalogue import resource

ADVISER = "ivo.adviser@example.org"


@resource(
    27,
    "Delegation",
    "Whoever holds a task passes it on, without giving a reason; the old link is void from then on.",
    """
    stages:
      - {id: quality, reviewers: [{addresses: [quinn.reviewer@example.edu]}], voting: {quorum: 1, threshold: 1}}
    """,
    "starter.py delegate TASK --to vera.deputy@example.edu --as quinn.reviewer@example.edu",
)
def test_a_holder_passes_a_task_on(case: PatternCase) -> None:
    old = case.answer_of(QUINN)
    case.does("delegate")
    assert case.asked("quality") == [VERA]
    assert case.task_of(VERA).reason is AssignmentReason.DELEGATION
    assert case.task_of(QUINN).closure is TaskClosure.DELEGATED
    assert case.refused(old) == "task_closed"
    case.answer(VERA)
    assert case.state.status is CaseStatus.PUBLISHED


@resource(
    28,
    "Escalation",
    "When a stage is late, people who were not asked before get a task of their own, first one role and later another.",
    """
    stages:
      - id: quality
        sla:
          within: {business_days: 5}
          escalate_to: academic_director
          then: [{after: {business_days: 2}, to: deputy}]
    """,
)
def test_a_late_stage_goes_to_other_people(case: PatternCase) -> None:
    assert case.asked("quality") == [QUINN, ROSA, SAM]
    case.until_due("quality", -dt.timedelta(minutes=1))
    assert len(case.tasks("quality")) == 3, "not before it is late"
    case.pass_time(dt.timedelta(minutes=1))
    assert case.asked("quality") == [DIRECTOR, QUINN, ROSA, SAM]
    assert case.task_of(DIRECTOR).reason is AssignmentReason.ESCALATION
    case.pass_time(dt.timedelta(days=4))
    assert len(case.tasks("quality")) == 5
    case.answer(DIRECTOR)
    case.answer(QUINN)
    assert case.outcomes == {"quality": "approved"}


@resource(
    29,
    "Deallocation",
    "Whoever has claimed a task gives it back: it is offered to the others again, but not to those who have had it.",
    """
    stages:
      - id: quality
        reviewers: [{role: quality_reviewer, claim: true}]
        voting: {quorum: 1, threshold: 1}
    """,
    "starter.py claim TASK --as rosa.reviewer@example.edu",
    "starter.py return TASK --as rosa.reviewer@example.edu --reason 'No time.'",
    lacks="a task that was assigned without an offer is passed on or stood aside from, not given back.",
)
def test_what_is_given_back_is_offered_to_the_others(case: PatternCase) -> None:
    case.does("claim")
    assert (case.offered("quality"), case.asked("quality")) == ([], [ROSA])
    case.does("return")
    assert (case.offered("quality"), case.asked("quality")) == ([QUINN, SAM], [])
    assert case.task_of(ROSA).closure is TaskClosure.RETURNED


@resource(
    30,
    "Stateful Reallocation",
    """Whoever takes a task over, from its holder or by the office, finds everything that belongs to it: the time that
    is left, the role with its weight and veto, and the advice that was given.""",
    """
    stages:
      - id: quality
        reviewers: [{role: academic_director}, {role: quality_reviewer}]
        voting: {quorum: 2, threshold: 2, veto: [academic_director]}
    """,
    "starter.py ask-advice TASK --of ivo.adviser@example.org --question 'Is it fair?' --as dora.director@example.edu",
    "starter.py advise TASK --text 'It is.' --as ivo.adviser@example.org",
    "starter.py delegate TASK --to vera.deputy@example.edu --as dora.director@example.edu",
    "starter.py reassign TASK --to vito.deputy@example.edu --reason 'Vera is ill.' --as omar.office@example.edu",
)
def test_a_task_changes_hands_with_all_that_belongs_to_it(case: PatternCase) -> None:
    task, due_at = case.task_of(DIRECTOR), case.state.stages["quality"].due_at
    case.does("ask-advice")
    case.does("advise", task)
    case.pass_time(dt.timedelta(days=2))
    case.does("delegate")
    case.does("reassign", case.task_of(VERA))
    assert case.asked("quality") == [QUINN, ROSA, SAM, VITO]
    page = task_page(case.database, case.task_of(VITO).id, VITO)
    assert page.task["due_at"] == due_at
    assert [advice["text"] for advice in page.advice] == ["It is."]
    assert case.task_of(VITO).role == task.role == "academic_director"
    case.answer(QUINN)
    case.answer(ROSA)
    assert case.opened == {"quality"}, "the veto has come along"
    case.answer(VITO, "reject")
    assert case.state.stages["quality"].outcome is StageOutcome.REJECTED


@resource(
    32,
    "Suspension/Resumption",
    """While a case is on hold all its tasks rest: they stay with whom they are, nothing falls due, and the time that
    was left counts on when it is resumed.""",
    """
    stages:
      - {id: quality, sla: {within: {business_days: 5}}}
    """,
    "starter.py hold CASE --as omar.office@example.edu --reason 'The law is about to change.'",
    "starter.py resume CASE --as omar.office@example.edu --reason 'It has not changed.'",
    lacks="the office holds the whole case; a reviewer cannot put a single task to rest.",
)
def test_what_is_on_hold_rests_and_goes_on(case: PatternCase) -> None:
    tasks, answer = case.tasks("quality"), case.answer_of(QUINN)
    due_at = case.state.stages["quality"].due_at
    case.does("hold")
    assert case.refused(answer) == "case_on_hold"
    case.pass_time(dt.timedelta(weeks=4))
    assert case.tasks("quality") == tasks and not case.state.stages["quality"].breached
    case.does("resume")
    later = case.state.stages["quality"].due_at
    assert due_at is not None and later is not None
    assert later - due_at > dt.timedelta(weeks=3)
    case.answer(QUINN)
    case.until_due("quality")
    assert case.state.stages["quality"].breached, "the clock runs again"


@resource(
    33,
    "Skip",
    """A reviewer who abstains is done with the task and has judged nothing; the office, by two people, skips a whole
    stage, and what needs it opens.""",
    """
    stages:
      - {id: quality, verdicts: [approve, reject, abstain], voting: {quorum: 3, threshold: 2}}
      - {id: ethics, needs: [quality], voting: {quorum: 3, threshold: 3}}
      - {id: industry, needs: [ethics]}
    """,
    "starter.py skip CASE --stage ethics --as omar.office@example.edu --reason 'There are no data of learners.'",
    "starter.py confirm CASE ACT --as lena.office@example.edu",
)
def test_a_task_or_a_stage_is_left_out(case: PatternCase) -> None:
    case.answer(QUINN, "abstain")
    assert case.task_of(QUINN).verdict is Verdict.ABSTAIN and case.asked("quality") == [ROSA, SAM]
    case.approve("quality")
    assert case.opened == {"ethics"}
    case.does("skip")
    case.does("confirm")
    assert (case.outcomes["ethics"], case.opened) == ("skipped", {"industry"})
    assert {task.verdict for task in case.tasks("ethics")} == {None}


@resource(
    34,
    "Redo",
    """An answer that was given by mistake is annulled as long as its stage is open, and its reviewer is asked once
    more; later the case is sent back, and the stage and all that need it are done again, by those who know it where
    that is preferred.""",
    """
    stages:
      - id: quality
        reviewers: [{role: quality_reviewer, count: 2, familiar: true, pick: round_robin}]
      - {id: industry, needs: [quality]}
    """,
    "starter.py annul TASK --as omar.office@example.edu --reason 'It was meant for another case.'",
    "starter.py send-back CASE --to quality --as omar.office@example.edu --reason 'The figures were old.'",
    lacks="the office reopens what was answered; a reviewer alone cannot.",
)
def test_what_was_answered_is_done_again(case: PatternCase) -> None:
    first, second = case.asked("quality")
    case.answer(first, "reject")
    case.does("annul", case.task_of(first))
    assert case.asked("quality") == [first, second]
    assert case.task_of(first).verdict is None and len(case.tasks("quality")) == 3
    case.approve("quality")
    assert case.opened == {"industry"}
    case.does("send-back")
    assert (case.opened, case.asked("quality")) == ({"quality"}, [first, second])
    case.approve("quality")
    assert (case.opened, case.openings("industry")) == ({"industry"}, 2), "what came after is repeated"


@resource(
    43,
    "Additional Resources",
    """Whoever holds a task asks others for advice while deciding: they get a page of their own and are heard, and the
    decision stays with the holder.""",
    """
    stages:
      - {id: quality, reviewers: [{addresses: [quinn.reviewer@example.edu]}], voting: {quorum: 1, threshold: 1}}
    """,
    "starter.py ask-advice TASK --of ivo.adviser@example.org --question 'Is it fair?' --as quinn.reviewer@example.edu",
    "starter.py advise TASK --text 'It promises too much.' --as ivo.adviser@example.org",
    lacks="whoever is asked gives advice; nobody can share the task itself.",
)
def test_a_holder_calls_in_others(cases: Cases) -> None:
    case = cases.begin()
    task = case.task_of(QUINN)
    case.does("ask-advice")
    assert mails(case, "advice_asked") == [ADVISER]
    case.does("advise", task)
    [given] = task_page(case.database, task.id, QUINN).advice
    assert (given["adviser"], given["text"]) == (ADVISER, "It promises too much.")
    assert (case.asked("quality"), case.outcomes) == ([QUINN], {})
    case.answer(QUINN)
    assert case.state.status is CaseStatus.PUBLISHED
