"""Each kind of mail against each state in which it could find things when it is about to leave."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from imprimatur.mail.regular import REGULAR
from imprimatur.mail.truth import CONDITION_IS, TRUTHS, UNKNOWN, Situation, Standing
from imprimatur.store.outbox import Mail
from imprimatur.store.preferences import Preferences
from models.vocabulary import CaseStatus, ConditionStatus, MailKind, TaskStatus

AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DUE = AT + dt.timedelta(days=3)
PENDING = {TaskStatus.OPEN, TaskStatus.OFFERED}
FINAL = {CaseStatus.PUBLISHED, CaseStatus.REJECTED, CaseStatus.WITHDRAWN, CaseStatus.CONCLUDED}
AWAITED = {CaseStatus.INCOMPLETE, CaseStatus.REVISING}
ALL_CASES, ALL_TASKS = set(CaseStatus), set(TaskStatus)
DATA: dict[MailKind, dict[str, Any]] = {
    MailKind.CHANGED: {"what": "extended", "due_at": DUE.isoformat()},
    MailKind.CONDITION: {"happened": "set"},
    MailKind.STAGE_OUTCOME: {"outcome": "approved"},
}
STANDINGS = {
    MailKind.CONDITION: Standing(condition="open"),
    MailKind.INCIDENT: Standing(incident_open=True),
    MailKind.CONFIRMATION: Standing(act_confirmed=False),
    MailKind.STAGE_OUTCOME: Standing(outcome="approved"),
}
# In which states of the case, and of the task, a mail still says what is so.
TRUE_WHEN: dict[MailKind, tuple[set[CaseStatus], set[TaskStatus]]] = {
    MailKind.TASK: (ALL_CASES, PENDING),
    MailKind.DELEGATION: (ALL_CASES, PENDING),
    MailKind.ESCALATION: (ALL_CASES, PENDING),
    MailKind.ADVICE_ASKED: (ALL_CASES, PENDING),
    MailKind.ADVICE_GIVEN: (ALL_CASES, PENDING),
    MailKind.REMINDER: (ALL_CASES - {CaseStatus.ON_HOLD}, PENDING),
    MailKind.CHANGED: (ALL_CASES - {CaseStatus.ON_HOLD}, PENDING),
    MailKind.TASK_CLOSED: (ALL_CASES, ALL_TASKS - PENDING),
    MailKind.PASSED_ON: (ALL_CASES, ALL_TASKS - PENDING),
    MailKind.RETURNED: (AWAITED, ALL_TASKS),
    MailKind.REVISION: (AWAITED, ALL_TASKS),
    MailKind.BREACH: (ALL_CASES - FINAL, ALL_TASKS),
    MailKind.CONFIRMATION: (ALL_CASES - FINAL, ALL_TASKS),
    MailKind.STAGE_OUTCOME: (ALL_CASES - FINAL - AWAITED, ALL_TASKS),
    MailKind.OUTCOME: (FINAL, ALL_TASKS),
    MailKind.INCIDENT: (ALL_CASES, ALL_TASKS),
    MailKind.CONDITION: (ALL_CASES, ALL_TASKS),
    MailKind.RECEIPT: (ALL_CASES, ALL_TASKS),
    MailKind.REVIEW: (ALL_CASES, ALL_TASKS),
    MailKind.HANDED_OVER: (ALL_CASES, ALL_TASKS),
    MailKind.REPLY_RECORDED: (ALL_CASES, ALL_TASKS),
    MailKind.REPLY_NOT_RECORDED: (ALL_CASES, ALL_TASKS),
}


def situation(kind: MailKind, case: CaseStatus = CaseStatus.IN_REVIEW, task: TaskStatus = TaskStatus.OPEN) -> Situation:
    mail = Mail("m-1", "mc-1", "t-1", kind, "quinn@example.edu", "", DATA.get(kind, {}), AT, 0)
    facts = {"status": str(task), "due_at": DUE}
    return Situation(mail, {"status": str(case)}, facts, STANDINGS.get(kind, UNKNOWN), Preferences())


def stale(found: Situation, **data: Any) -> str | None:
    if data:
        found = replace(found, mail=replace(found.mail, data={**found.mail.data, **data}))
    return TRUTHS[found.mail.kind](found)


def test_every_kind_of_mail_has_a_truth() -> None:
    assert set(TRUTHS) == set(MailKind) == set(TRUE_WHEN) | REGULAR | {MailKind.SIGN_IN}


@pytest.mark.parametrize("kind", TRUE_WHEN)
def test_a_mail_leaves_in_those_states_only_in_which_it_is_true(kind: MailKind) -> None:
    cases, tasks = TRUE_WHEN[kind]
    for case in CaseStatus:
        for task in TaskStatus:
            expected = case in cases and task in tasks
            assert (stale(situation(kind, case, task)) is None) is expected, (case, task)


def test_what_keeps_a_mail_back_is_told() -> None:
    assert stale(situation(MailKind.REMINDER, task=TaskStatus.DECIDED)) == "the task is decided"
    assert stale(situation(MailKind.REMINDER, CaseStatus.ON_HOLD)) == "the case is on_hold"
    assert stale(situation(MailKind.OUTCOME)) == "the case is in_review"


def test_nobody_is_told_that_they_are_late_who_has_more_time() -> None:
    late = situation(MailKind.REMINDER)
    assert stale(late, late=True) == "the task has more time"
    assert stale(late, late=False) is None
    assert stale(replace(late, task={"status": "open", "due_at": AT}), late=True) is None


def test_a_due_time_that_has_changed_again_is_not_told() -> None:
    changed = situation(MailKind.CHANGED)
    assert stale(changed, due_at=AT.isoformat()) == "it has changed again"
    assert stale(changed, due_at=None) == "it has changed again"
    held = replace(situation(MailKind.CHANGED, CaseStatus.ON_HOLD), task={"status": "open", "due_at": None})
    assert stale(held, what="held", due_at=None) is None
    assert stale(changed, what="held", due_at=None) == "the case is in_review"


@pytest.mark.parametrize("happened", CONDITION_IS)
@pytest.mark.parametrize("status", ConditionStatus)
def test_what_is_told_of_a_condition_is_so(happened: str, status: ConditionStatus) -> None:
    found = replace(situation(MailKind.CONDITION), standing=Standing(condition=str(status)))
    expected = None if CONDITION_IS[happened] is status else f"the condition is {status}"
    assert stale(found, happened=happened) == expected


def test_what_is_over_is_not_told() -> None:
    for kind, standing, why in [
        (MailKind.INCIDENT, Standing(incident_open=False), "the incident is resolved"),
        (MailKind.CONFIRMATION, Standing(act_confirmed=True), "the act is confirmed"),
        (MailKind.STAGE_OUTCOME, Standing(outcome=None), "the outcome no longer stands"),
        (MailKind.STAGE_OUTCOME, Standing(outcome="refused"), "the outcome no longer stands"),
    ]:
        assert stale(replace(situation(kind), standing=standing)) == why


def test_receipts_go_to_whoever_wants_them() -> None:
    unwanted = replace(situation(MailKind.RECEIPT), preferences=Preferences(receipts=False))
    assert stale(unwanted) == "its recipient wants no receipts"
