"""Examples of mail that tells what was done, of mail that goes by the clock, and of several mails as one."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from imprimatur import ids
from imprimatur.mail.combining import COMBINED, Combined, Letter
from imprimatur.mail.context import MailContext
from imprimatur.mail.example_parts import (
    AT,
    CASE,
    DUE,
    OFFICE,
    REVIEWER,
    TASK,
    about_case,
    about_task,
    decisions,
    stage_of,
    task_of,
)
from imprimatur.mail.regular import OpenTask, RegularContext
from imprimatur.mail.sign_in import SignInContext
from imprimatur.store.outbox import Mail
from imprimatur.store.preferences import Preferences
from models.vocabulary import (
    AssignmentReason,
    Digest,
    HandoverOutcome,
    MailKind,
    ReviewOutcome,
    TaskClosure,
    TaskStatus,
)

COLLEAGUE, COLLEAGUE_NAME = "sam.okoye@example.edu", "Sam Okoye"
WHY = "I am away until the end of the month."


def sent_examples() -> Iterator[tuple[str, Letter]]:
    """By name."""
    yield from _changes()
    yield from _passed_on()
    yield from _receipts()
    yield from _digests()
    yield from _agendas()
    data = {"link_id": "example", "expires_at": (AT + dt.timedelta(minutes=15)).isoformat()}
    mail = Mail("m-example", "", None, MailKind.SIGN_IN, OFFICE, "Lena Virtanen", data, AT, 0)
    yield "sign_in", SignInContext(mail, "Lena Virtanen", Preferences(), AT)
    yield from _reviews()
    yield from _handed_over()
    yield from _combined()


def _telling(context: MailContext, **data: Any) -> MailContext:
    return replace(context, mail=replace(context.mail, data=data))


def _changes() -> Iterator[tuple[str, MailContext]]:
    kind, was = MailKind.CHANGED, (DUE - dt.timedelta(days=1)).isoformat()
    told: dict[str, Any] = {"was": was, "due_at": DUE.isoformat(), "reason": ""}
    yield "changed", about_task(kind, **told, what="extended")
    for what in ("resumed", "placed", "anew"):
        yield f"changed/{what}", about_task(kind, **told | {"was": None}, what=what)
    held = task_of(due_at=None)
    reason = "The partner is being reorganised."
    yield "changed/held", about_task(kind, task=held, what="held", was=was, due_at=None, reason=reason)


def _passed_on() -> Iterator[tuple[str, MailContext]]:
    task = task_of(reason=str(AssignmentReason.DELEGATION), on_behalf_of="rosa.lindt@example.edu")
    delegated = replace(about_task(MailKind.DELEGATION, task=task, reason=WHY), principal="Rosa Lindt")
    yield "delegation", delegated
    yield "delegation/without-words", replace(delegated, mail=replace(delegated.mail, data={"reason": ""}))
    closed = task_of(status=str(TaskStatus.CLOSED), closure=str(TaskClosure.DELEGATED))
    kind = MailKind.PASSED_ON
    passed_on = about_task(kind, task=closed)
    yield "passed_on", _telling(passed_on, to=COLLEAGUE, to_name=COLLEAGUE_NAME, reason=WHY)
    yield "passed_on/without-words", _telling(passed_on, to=COLLEAGUE, to_name="", reason="")


def _receipts() -> Iterator[tuple[str, MailContext]]:
    decided = task_of(status=str(TaskStatus.DECIDED))
    told: dict[str, Any] = {
        "verdict": "approve",
        "decision_id": "d-exampleexample23",
        "version": 1,
        "position": 12,
        "ledger_digest": "sha256:" + "5e" * 32,
        "scores": {},
        "comment": "",
        "conditions": [],
    }
    said: dict[str, Any] = {
        "scores": {"outcomes": 3, "no_duplication": 4},
        "comment": "Well thought out.",
        "conditions": ["Name the second examiner of the practical test."],
    }
    yield "receipt", about_task(MailKind.RECEIPT, task=decided, **told | said)
    yield "receipt/short", about_task(MailKind.RECEIPT, task=decided, **told)
    reason = "2 approved (2 needed), 0 rejected, 0 requested changes"
    told = {"stage": "quality", "round": 1, "outcome": "approved", "reason": reason}
    yield "stage_outcome", replace(_telling(about_case(MailKind.STAGE_OUTCOME), **told), decisions=decisions())


def _reviews() -> Iterator[tuple[str, MailContext]]:
    case = about_case(MailKind.REVIEW, stage=False)
    of: dict[str, Any] = {"of": CASE, "number": 1}
    due = "the time that the framework gives between reviews is over"
    yield "review", _telling(case, happened="begun", reason=due, **of)
    yield "review/coming", _telling(case, happened="coming", of=CASE, due_at=DUE.isoformat(), reason="")
    for outcome in ReviewOutcome:
        reason = f"the stage conclusion recommended to {outcome}"
        yield f"review/{outcome}", _telling(case, happened="concluded", outcome=str(outcome), reason=reason, **of)


def _handed_over() -> Iterator[tuple[str, MailContext]]:
    case = about_case(MailKind.HANDED_OVER, stage=False)
    taken_up, sent_back = map(str, (HandoverOutcome.TAKEN_UP, HandoverOutcome.SENT_BACK))
    yield "handed_over", _telling(case, of=CASE, outcome=taken_up, comment="It is course ENG-214, from March on.")
    yield "handed_over/without-words", _telling(case, of=CASE, outcome=taken_up, comment="")
    yield "handed_over/sent-back", _telling(case, of=CASE, outcome=sent_back, comment="There is no room in March.")


def _open_task(number: int, effort: str, due_at: dt.datetime | None, wanted: str = "decision") -> OpenTask:
    title = "Battery Systems for Electric Vehicles"
    return OpenTask(f"{TASK[:-1]}{number}", CASE, title, "quality", "Quality review", 1, effort, wanted, due_at)


def _person(kind: MailKind, data: dict[str, Any]) -> dict[str, Any]:
    mail = Mail("m-example", "", None, kind, REVIEWER, "Quinn Abara", data, AT, 0)
    return {"mail": mail, "name": "Quinn Abara", "known": True, "preferences": Preferences(), "now": AT}


def _digests() -> Iterator[tuple[str, RegularContext]]:
    open_tasks = (
        _open_task(2, "quick", DUE, "acknowledgement"),
        _open_task(3, "review", AT - dt.timedelta(days=1)),
        _open_task(4, "review", DUE),
        _open_task(5, "offer", None),
    )
    for every, tasks in ((Digest.DAILY, open_tasks), (Digest.WEEKLY, open_tasks[2:3])):
        data = {"every": str(every), "period": "2026-03-02", "time_zone": "Europe/Lisbon"}
        name = "digest" if every is Digest.DAILY else "digest/weekly"
        yield name, RegularContext(**_person(MailKind.DIGEST, data), tasks=tasks)


def _agendas() -> Iterator[tuple[str, RegularContext]]:
    place = {"case_id": CASE, "stage": "quality", "stage_name": "Quality review", "round": 1}
    first = {**place, "title": "Battery Systems for Electric Vehicles", "unit": "School of Engineering"}
    second = {**place, "case_id": "mc-example2346", "title": "Soil Care", "unit": ""}
    items = ({**first, "consent": False, "late": False}, {**second, "consent": True, "late": True})
    data: dict[str, Any] = {
        "committee": "board",
        "committee_name": "Curriculum Board",
        "on": "2026-03-06",
        "sits_at": "2026-03-06T08:30:00+00:00",
        "time_zone": "Europe/Lisbon",
        "items": list(items),
    }
    for name, edition in (("agenda", 1), ("agenda/changed", 2)):
        told = _person(MailKind.AGENDA, data | {"edition": edition})
        yield name, RegularContext(**told, tasks=(_open_task(2, "review", DUE),), items=items)


def _together(*contexts: MailContext) -> Combined:
    mails = [f"m-example-{number}" for number in range(len(contexts))]
    named = zip(contexts, mails, strict=True)
    return Combined(ids.carrier_id(mails), tuple(replace(c, mail=replace(c.mail, mail_id=m)) for c, m in named))


def _combined() -> Iterator[tuple[str, Combined]]:
    plain = about_task(MailKind.TASK, stage=stage_of(criteria=()))
    yield COMBINED, _together(about_task(MailKind.TASK), plain, about_task(MailKind.REMINDER))
    closed = task_of(status=str(TaskStatus.CLOSED), closure=str(TaskClosure.OUTCOME_CERTAIN))
    told = about_task(MailKind.TASK_CLOSED, task=closed)
    yield f"{COMBINED}/without-answers", _together(told, told)
