"""Ways that requests for payment took, told by hand: with their outcome, or why there is no such way."""

import datetime as dt

from models.vocabulary import CaseStatus
from tests.approvals.log import Entry, Trace

DAY = dt.timedelta(days=1)
MONDAY = dt.datetime(2017, 1, 9, 9, 17, 18, tzinfo=dt.timezone(dt.timedelta(hours=1)))

IN, REFUSED, SAVED = "SUBMITTED by EMPLOYEE", "REJECTED by EMPLOYEE", "SAVED by EMPLOYEE"
ADMIN, NO_ADMIN = "APPROVED by ADMINISTRATION", "REJECTED by ADMINISTRATION"
PRE, NO_PRE = "APPROVED by PRE_APPROVER", "REJECTED by PRE_APPROVER"
OWNER, NO_OWNER = "APPROVED by BUDGET OWNER", "REJECTED by BUDGET OWNER"
BOSS, PASSED_ON, NO_BOSS = "FINAL_APPROVED by SUPERVISOR", "APPROVED by SUPERVISOR", "REJECTED by SUPERVISOR"
DIRECTOR, MISSING = "FINAL_APPROVED by DIRECTOR", "REJECTED by MISSING"
ORDERED, PAID = "Request Payment", "Payment Handled"

WAYS = {
    "straight": ([IN, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "by_two_desks": ([IN, ADMIN, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "by_three_desks": ([IN, ADMIN, OWNER, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "by_four_desks": ([IN, ADMIN, OWNER, PASSED_ON, DIRECTOR, ORDERED, PAID], CaseStatus.PUBLISHED),
    "pre_approved": ([IN, PRE, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "handed_in_anew": ([IN, NO_ADMIN, IN, ADMIN, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "kept_meanwhile": ([IN, ADMIN, NO_OWNER, REFUSED, IN, ADMIN, OWNER, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "other_desks_the_next_time": ([IN, NO_PRE, REFUSED, IN, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "sent_back_by_the_payment_office": ([IN, BOSS, MISSING, IN, BOSS, ORDERED, PAID], CaseStatus.PUBLISHED),
    "given_up": ([IN, ADMIN, NO_BOSS, REFUSED], CaseStatus.WITHDRAWN),
    "left_with_the_employee": ([IN, PRE, BOSS, MISSING], CaseStatus.REVISING),
    "sent_back_once_ordered": ([IN, BOSS, ORDERED, MISSING], CaseStatus.REVISING),
    "never_handed_in": ([SAVED], CaseStatus.INCOMPLETE),
    "saved_again": ([IN, NO_ADMIN, REFUSED, SAVED], CaseStatus.INCOMPLETE),
    "not_paid_yet": ([IN, PRE, BOSS], CaseStatus.IN_REVIEW),
}
IMPOSSIBLE = {
    "paid_without_an_order": ([IN, ADMIN, BOSS, PAID], "task_unknown", 4),
    "ordered_without_approval": ([IN, ADMIN, ORDERED], "task_unknown", 3),
    "director_before_supervisor": ([IN, PRE, DIRECTOR, PASSED_ON, ORDERED, PAID], "task_unknown", 3),
    "owner_before_administration": ([IN, OWNER, ADMIN, BOSS], "task_unknown", 2),
    "handed_in_during_review": ([IN, ADMIN, IN, ADMIN, BOSS], "revision_not_requested", 3),
    "kept_during_review": ([IN, NO_ADMIN, IN, REFUSED, IN], "revision_not_requested", 4),
    "approved_twice": ([IN, ADMIN, ADMIN, BOSS], "already_decided", 3),
    "sent_back_when_paid": ([IN, BOSS, ORDERED, PAID, MISSING], "already_decided", 5),
    "of_another_log": ([IN, "ARCHIVED by CLERK"], "activity_unknown", None),
}
LONGEST = [IN, NO_ADMIN, IN, ADMIN, OWNER, NO_BOSS, REFUSED, IN, ADMIN, OWNER, PASSED_ON, DIRECTOR, ORDERED, PAID]


def trace(*names: str, apart: dt.timedelta = DAY) -> Trace:
    """Activities without the words that all of them begin with."""
    full = [f"Request For Payment {name}" if " by " in name else name for name in names]
    return Trace("1", tuple(Entry(MONDAY + number * apart, name) for number, name in enumerate(full)))
