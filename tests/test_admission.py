"""Who may do what now: the table of refusals, each with its kind, its code and what it tells."""

import pytest

from imprimatur import errors
from imprimatur.rules.admission import refusal
from imprimatur.rules.refusal import Refusal
from models.case import CaseState, TaskState
from models.events import Continued, Decided, Event, Revised, Submitted, Ticked, Withdrawn
from models.vocabulary import AssignmentReason, CaseStatus, TaskClosure, TaskStatus, Verdict

PROPOSER, REVIEWER, OTHER = "ana@example.edu", "quinn@example.edu", "sam@example.edu"
TASK = TaskState(id="t-1", stage="quality", round=1, assignee=REVIEWER, reason=AssignmentReason.ROLE)
FINAL = [status for status in CaseStatus if status.is_final]


def case(status: CaseStatus = CaseStatus.IN_REVIEW, task: TaskState = TASK) -> CaseState:
    return CaseState(case_id="mc-1", status=status, proposer=PROPOSER, digest="d1", tasks={task.id: task})


def closed(closure: TaskClosure) -> CaseState:
    facts = {"status": TaskStatus.CLOSED, "closed_by": OTHER, "closure": closure}
    return case(task=TASK.model_copy(update=facts))


def decided(actor: str = REVIEWER, task: str = "t-1") -> Decided:
    return Decided(decision_id="d-1", task_id=task, actor=actor, verdict=Verdict.APPROVE)


def revised(actor: str = PROPOSER, digest: str = "d2") -> Revised:
    return Revised(actor=actor, digest=digest, complete=True, changed=("title",))


def withdrawn(actor: str = PROPOSER, reason: str = "No longer needed.", by_office: bool = False) -> Withdrawn:
    return Withdrawn(actor=actor, reason=reason, by_office=by_office)


DONE = case(task=TASK.model_copy(update={"status": TaskStatus.DECIDED, "verdict": Verdict.REJECT}))
REVISING, INCOMPLETE = case(CaseStatus.REVISING), case(CaseStatus.INCOMPLETE)
SUBMITTED, CASE_1 = Submitted(actor=PROPOSER, digest="d1", complete=True), CaseState(case_id="mc-1", version=1)
BY = f"by the decision of {OTHER}."
CLOSED = {
    TaskClosure.OUTCOME_CERTAIN: f"the stage was decided, {BY}",
    TaskClosure.REVISION_REQUESTED: f"a new version is awaited, after the decision of {OTHER}.",
    TaskClosure.CASE_REJECTED: f"the proposal was rejected, {BY}",
    TaskClosure.CASE_WITHDRAWN: f"the proposal was withdrawn by {OTHER}.",
    TaskClosure.CASE_PUBLISHED: f"the micro-credential was published, after the decision of {OTHER}.",
    TaskClosure.CASE_CONCLUDED: f"the review was concluded, after the decision of {OTHER}.",
    TaskClosure.TIME_RAN_OUT: f"the time to answer ran out, as noted by {OTHER}.",
    TaskClosure.STAGE_SKIPPED: f"the stage was skipped by {OTHER}.",
    TaskClosure.STAGE_OVERRIDDEN: f"the stage was decided in the reviewers' place by {OTHER}.",
    TaskClosure.SENT_BACK: f"the case was sent back to an earlier stage by {OTHER}.",
    TaskClosure.REASSIGNED: f"the task was given to someone else by {OTHER}.",
    TaskClosure.DELEGATED: f"the task was passed on by {OTHER}.",
    TaskClosure.ANNULLED: f"the answer was annulled by {OTHER}.",
    TaskClosure.CLAIMED: f"someone else claimed the task, namely {OTHER}.",
    TaskClosure.RETURNED: f"the task was given back by {OTHER}.",
    TaskClosure.FRAMEWORK_CHANGED: f"the policy was changed for this case by {OTHER}.",
    TaskClosure.LEFT: f"its holder left, as noted by {OTHER}.",
}
REFUSED: list[tuple[CaseState, Event, str, str, str]] = [
    (CASE_1, SUBMITTED, "Refused", "already_submitted", "was submitted already"),
    (case(), decided(task="t-2"), "NotFound", "task_unknown", "There is no task t-2 in this case."),
    (case(), decided(OTHER), "NotAllowed", "not_your_task", f"not to {OTHER}"),
    (case(), decided("Quinn@example.edu"), "NotAllowed", "not_your_task", "assigned to someone else"),
    # Whose task it is comes first: nobody learns from a refusal how someone else decided.
    (DONE, decided(OTHER), "NotAllowed", "not_your_task", "assigned"),
    (DONE, decided(), "Gone", "already_decided", "already: reject."),
    *((closed(closure), decided(), "Gone", "task_closed", words) for closure, words in CLOSED.items()),
    (case(), revised(), "Refused", "revision_not_requested", "is being reviewed"),
    (case(), revised(OTHER), "Refused", "revision_not_requested", "is being reviewed"),
    (REVISING, revised(OTHER), "NotAllowed", "not_the_proposer", f"{OTHER} did not propose"),
    (INCOMPLETE, revised(OTHER), "NotAllowed", "not_the_proposer", f"{OTHER} did not propose"),
    (REVISING, revised(digest="d1"), "Refused", "proposal_unchanged", "exactly what the last one said"),
    (INCOMPLETE, revised(digest="d1"), "Refused", "proposal_unchanged", "exactly what the last one said"),
    (case(), withdrawn(OTHER), "NotAllowed", "not_the_proposer", f"{OTHER} did not propose"),
    (case(), withdrawn(reason=" \n"), "Refused", "reason_required", "needs a reason"),
    (case(), withdrawn(OTHER, "", by_office=True), "Refused", "reason_required", "needs a reason"),
    *[(case(status), revised(), "Gone", "case_closed", f"it was {status}.") for status in FINAL],
    *[(case(status), withdrawn(), "Gone", "case_closed", f"it was {status}.") for status in FINAL],
]  # fmt: skip


@pytest.mark.parametrize(("state", "event", "kind", "code", "said"), REFUSED)
def test_what_is_refused_and_why(state: CaseState, event: Event, kind: str, code: str, said: str) -> None:
    found = refusal(state, event)
    assert isinstance(found, Refusal)
    assert (found.kind, found.code) == (kind, code)
    assert said in found.message
    assert found.hint.endswith(".")
    assert errors.error_class(found.kind).__name__ == kind


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (case(), decided()),
        (REVISING, revised()),
        (INCOMPLETE, revised()),
        *[(case(status), withdrawn()) for status in CaseStatus if not status.is_final],
        (case(), withdrawn(OTHER, by_office=True)),
        (case(), Ticked()),
        (case(), Continued()),
        (CaseState(case_id="mc-1"), SUBMITTED),
    ],
)
def test_what_is_admitted(state: CaseState, event: Event) -> None:
    assert refusal(state, event) is None


def test_every_way_a_task_closes_is_told() -> None:
    told = {state.tasks["t-1"].closure for state, _, _, code, _ in REFUSED if code == "task_closed"}
    assert told == set(TaskClosure)


def test_an_error_that_crossed_a_border_by_an_unknown_name_is_a_refusal() -> None:
    assert errors.error_class("Forgotten") is errors.Refused
