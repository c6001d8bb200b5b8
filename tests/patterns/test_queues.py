"""Resources: how a task comes to somebody, what they find in their queue, and who sees it."""

import datetime as dt

import pytest

from imprimatur.errors import NotFound
from imprimatur.store.reading import open_tasks
from imprimatur.store.task_page import task_page
from models.vocabulary import TaskClosure, TaskStatus
from tests.governed import DIRECTOR, QUINN, ROSA, SAM, mails
from tests.patterns.cases import Cases, PatternCase
from tests.patterns.catalogue import resource

OFFERED_TO_A_ROLE = """
stages:
  - id: quality
    reviewers: [{role: quality_reviewer, claim: true}]
    voting: {quorum: 1, threshold: 1}
"""


def in_queue(case: PatternCase, person: str) -> list[str]:
    """Stages of the tasks that somebody has, as they are listed."""
    return [task.stage for task in open_tasks(case.database, person=person)]


@resource(
    12,
    "Distribution by Offer - Single Resource",
    """A task is offered to one person, who is bound to nothing: it is decided only after a claim, can be given back,
    and goes to whom the stage escalates to if nobody wants it.""",
    """
    stages:
      - id: quality
        reviewers: [{addresses: [rosa.reviewer@example.edu], claim: true}]
        voting: {quorum: 1, threshold: 1}
        sla: {escalate_to: academic_director}
    """,
    "starter.py claim TASK --as rosa.reviewer@example.edu",
    "starter.py return TASK --as rosa.reviewer@example.edu --reason 'No time.'",
)
def test_one_person_is_offered_a_task_and_bound_to_nothing(case: PatternCase) -> None:
    assert (case.offered("quality"), case.asked("quality")) == ([ROSA], [])
    assert case.refused(case.answer_of(ROSA)) == "task_not_claimed"
    case.does("claim")
    assert case.asked("quality") == [ROSA]
    case.does("return")
    assert (case.offered("quality"), case.asked("quality")) == ([], [DIRECTOR])


@resource(
    13,
    "Distribution by Offer - Multiple Resources",
    "A task is offered to everybody whom a rule names; nobody is bound before claiming it.",
    OFFERED_TO_A_ROLE,
    "starter.py claim TASK --as rosa.reviewer@example.edu",
)
def test_many_are_offered_one_task(case: PatternCase) -> None:
    assert (case.offered("quality"), case.asked("quality")) == ([QUINN, ROSA, SAM], [])
    for person in (QUINN, ROSA, SAM):
        assert in_queue(case, person) == ["quality"]
        assert case.refused(case.answer_of(person)) == "task_not_claimed"
    case.does("claim")
    assert (case.offered("quality"), case.asked("quality")) == ([], [ROSA])


@resource(
    14,
    "Distribution by Allocation - Single Resource",
    "With `count: 1` and no `claim` one person gets the task and is bound: it stays until it is answered or passed on.",
    """
    stages:
      - id: quality
        reviewers: [{role: quality_reviewer, count: 1}]
        voting: {quorum: 1, threshold: 1}
      - {id: industry, needs: [quality]}
    """,
)
def test_one_person_has_the_task_without_being_asked_first(case: PatternCase) -> None:
    [holder] = case.asked("quality")
    assert case.offered("quality") == []
    assert [in_queue(case, person) for person in (QUINN, ROSA, SAM)].count(["quality"]) == 1
    assert mails(case, "task") == [holder]
    case.answer(holder)
    assert case.opened == {"industry"}


@resource(
    19,
    "Distribution on Enablement",
    "Reviewers are looked up and hear of a task in the step in which its stage opens, neither before nor after.",
    """
    stages:
      - {id: check, reviewers: [{role: academic_director}], voting: {quorum: 1, threshold: 1}}
      - {id: quality, needs: [check]}
    """,
)
def test_a_task_is_distributed_as_its_stage_opens(case: PatternCase) -> None:
    assert (mails(case, "task"), in_queue(case, QUINN)) == ([DIRECTOR], [])
    case.answer(DIRECTOR)
    assert [effect.stage for effect in case.steps[-1].effects if effect.kind == "open_stage"] == ["quality"]
    assert (mails(case, "task"), in_queue(case, QUINN)) == ([DIRECTOR, QUINN, ROSA, SAM], ["quality"])


@resource(
    21,
    "Resource-Initiated Allocation",
    """The first to claim a task on offer has it, without having to begin; the offers of the others close, and they are
    told.""",
    OFFERED_TO_A_ROLE,
    "starter.py claim TASK --as sam.reviewer@example.edu",
    "starter.py claim TASK --as rosa.reviewer@example.edu  # refused: task_closed",
)
def test_the_first_to_claim_has_the_task(case: PatternCase) -> None:
    first, second = case.pattern.acts
    case.run(first)
    assert case.asked("quality") == [SAM]
    assert (case.task_of(SAM).status, case.task_of(SAM).verdict) == (TaskStatus.OPEN, None)
    assert case.task_of(ROSA).closure is TaskClosure.CLAIMED
    assert mails(case, "task_closed") == [QUINN, ROSA]
    case.run(second)
    assert case.asked("quality") == [SAM]


TWO_DUE_TIMES = """
stages:
  - {id: thorough, sla: {within: {business_days: 20}}}
  - {id: quick, sla: {within: {business_days: 3}}}
"""


@resource(
    24,
    "System-Determined Work Queue Content",
    "`starter.py tasks --person EMAIL` lists somebody's open tasks, the earliest due first, those without a date last.",
    f"{TWO_DUE_TIMES.rstrip()}\n  - {{id: notice, kind: information}}\n",
    lacks="reviewers get each task by a mail of its own; the list is the command's, and its order cannot be set.",
)
def test_a_queue_is_in_the_order_in_which_things_are_due(cases: Cases) -> None:
    case = cases.begin()
    assert in_queue(case, QUINN) == ["quick", "thorough", "notice"]
    case.pass_time(dt.timedelta(days=1))
    cases.begin()
    assert in_queue(case, QUINN) == ["quick", "quick", "thorough", "thorough", "notice", "notice"]


@resource(
    26,
    "Selection Autonomy",
    "Whoever has several tasks answers them in whatever order they like; none has to wait for another.",
    TWO_DUE_TIMES,
)
def test_people_choose_which_of_their_tasks_comes_next(cases: Cases) -> None:
    for first, second in (("quick", "thorough"), ("thorough", "quick")):
        case = cases.begin()
        case.answer(QUINN, stage=first)
        assert case.asked(first) == [ROSA, SAM] and QUINN in case.asked(second)
        case.answer(QUINN, stage=second)
        assert case.asked(second) == [ROSA, SAM]


@resource(
    40,
    "Configurable Unallocated Work Item Visibility",
    """A task on offer is seen by those to whom the policy offers it, among their tasks and on a page of its own, and
    by no other reviewer; the office sees all.""",
    """
    stages:
      - id: quality
        reviewers: [{role: quality_reviewer, claim: true}]
        voting: {quorum: 1, threshold: 1}
      - id: ethics
        reviewers: [{role: deputy, claim: true}]
        voting: {quorum: 1, threshold: 1}
    """,
    lacks="to see a task on offer and to be able to claim it are one; they cannot be set apart.",
)
def test_what_is_on_offer_is_seen_by_those_to_whom_it_is_offered(case: PatternCase) -> None:
    everybody = {task.assignee for task in case.state.tasks.values()}
    for stage in ("quality", "ethics"):
        offered = case.offered(stage)
        for task in case.tasks(stage):
            assert task_page(case.database, task.id, task.assignee).on_offer
            for other in everybody - {task.assignee}:
                _does_not_see(case, task.id, other)
        assert {person for person in everybody if stage in in_queue(case, person)} == set(offered)
    assert len(open_tasks(case.database)) == 5


@resource(
    41,
    "Configurable Allocated Work Item Visibility",
    """A task that somebody holds is seen by its holder and, if the holder wishes, by those who are asked for advice on
    it; to other reviewers its page does not exist, and the office sees all.""",
    """
    stages:
      - {id: quality, reviewers: [{role: quality_reviewer}]}
    """,
    "starter.py ask-advice TASK --of ivo.adviser@example.org --question 'Is it fair?' --as quinn.reviewer@example.edu",
    lacks="the holder opens the task to single people; a policy cannot open it to a role or a unit.",
)
def test_what_somebody_holds_is_seen_by_whom_they_let(case: PatternCase) -> None:
    task, adviser = case.task_of(QUINN), "ivo.adviser@example.org"
    assert task_page(case.database, task.id, QUINN).is_open
    for other in (ROSA, DIRECTOR, adviser):
        _does_not_see(case, task.id, other)
    case.does("ask-advice")
    assert task_page(case.database, task.id, adviser).asked is not None
    _does_not_see(case, task.id, ROSA)
    assert in_queue(case, ROSA) == ["quality"], "a task of her own"
    assert len(open_tasks(case.database, case_id=case.case_id)) == 3


def _does_not_see(case: PatternCase, task: str, person: str) -> None:
    with pytest.raises(NotFound) as refused:
        task_page(case.database, task, person)
    assert refused.value.code == "task_unknown"
