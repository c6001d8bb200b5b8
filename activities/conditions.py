"""What conditions of approvals write: rows, ledger events, and mail to whoever has to do something about them."""

import datetime as dt
from typing import Any

from sqlalchemy import select

from activities.book import OFFICE_ROLE, SYSTEM, Book
from activities.resolving import calendar_of
from imprimatur.rules.business_time import WorkCalendar, add_business_time, subtract_business_time
from imprimatur.rules.ledger import instant_text
from imprimatur.store.people import holders
from models import conditions as c
from models.calendars import BusinessDuration
from models.effects import RecordDecision
from models.tables import ConditionRow
from models.vocabulary import ConditionAct, ConditionStatus, EventType, MailKind

# Before a condition is due, its owner hears of it so often.
REMIND_BEFORE = (BusinessDuration(business_days=5), BusinessDuration(business_days=1))
Row = dict[str, Any]

_TABLE = ConditionRow.__table__  # type: ignore[attr-defined]


def propose_conditions(book: Book, effect: RecordDecision) -> None:
    """They are written with the decision, and come into force when its stage has passed."""
    decision = effect.decision
    for number, given in enumerate(decision.conditions, 1):
        row: Row = {
            "condition_id": given.id,
            "case_id": book.step.case_id,
            "decision_id": decision.decision_id,
            "task_id": decision.task_id,
            "stage": effect.stage,
            "round": effect.round,
            "number": number,
            "text": given.text,
            "owner": given.owner or book.proposer,
            "set_by": decision.actor,
            "blocking": given.blocking,
            "due": given.due.model_dump(exclude_none=True) if given.due else None,
            "due_on": given.due_on,
            "status": str(ConditionStatus.PROPOSED),
            "proposed_at": book.step.at,
            "evidence": "",
            "reason": "",
        }
        book.rows.insert(ConditionRow, **row)
        book.conditions[given.id] = row


def told_of(decision: Any) -> list[dict[str, Any]]:
    """Conditions as the event of their decision tells them."""
    return [
        given.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"blocking": given.blocking}
        for given in decision.conditions
    ]


def open_condition(book: Book, effect: c.OpenCondition) -> None:
    row = _row(book, effect.condition)
    stage = book.stage_def(row["stage"])
    name = stage.sla.calendar if stage.sla else book.framework.speed_to_market.calendar
    due_at, due_reason = _due(row, book.step.at, calendar_of(book.framework, name))
    remind_at: tuple[dt.datetime, ...] = ()
    if due_at is not None:
        calendar = calendar_of(book.framework, name)
        before = {subtract_business_time(due_at, span, calendar) for span in REMIND_BEFORE}
        remind_at = tuple(sorted(instant for instant in before if instant > book.step.at))
    opened = {"opened_at": book.step.at, "due_at": due_at, "due_reason": due_reason}
    _change(book, row, ConditionStatus.OPEN, **opened)
    _event(
        book,
        EventType.CONDITION_SET,
        row,
        row["set_by"],
        text=row["text"],
        owner=row["owner"],
        blocking=row["blocking"],
        due_at=instant_text(due_at) if due_at else None,
    )
    _tell(book, row, "set", row["owner"])
    facts: dict[str, Any] = {"condition": effect.condition}
    facts |= {"due_at": due_at, "remind_at": remind_at} if due_at else {}
    book.condition_resolutions.append(c.ConditionResolution.model_construct(_fields_set=set(facts), **facts))


def _due(row: Row, at: dt.datetime, calendar: WorkCalendar) -> tuple[dt.datetime | None, Row | None]:
    """A span of business time is counted from now; a date means the close of that day, and no earlier than now."""
    if row["due"]:
        due = add_business_time(at, BusinessDuration.model_validate(row["due"]), calendar)
        return due.due_at, due.explanation()
    if row["due_on"]:
        return max(calendar.closing(row["due_on"]), at), None
    return None, None


def fulfil_condition(book: Book, effect: c.FulfilCondition) -> None:
    row = _row(book, effect.condition)
    _change(book, row, ConditionStatus.FULFILLED, evidence=effect.evidence, fulfilled_at=book.step.at)
    _event(book, EventType.CONDITION_FULFILLED, row, effect.actor, evidence=effect.evidence)
    _tell(book, row, "fulfilled", row["set_by"], evidence=effect.evidence)


def judge_condition(book: Book, effect: c.JudgeCondition) -> None:
    row = _row(book, effect.condition)
    status, type_, happened = {
        ConditionAct.ACCEPT: (ConditionStatus.ACCEPTED, EventType.CONDITION_ACCEPTED, "accepted"),
        ConditionAct.REOPEN: (ConditionStatus.OPEN, EventType.CONDITION_REOPENED, "reopened"),
        ConditionAct.WAIVE: (ConditionStatus.WAIVED, EventType.CONDITION_WAIVED, "waived"),
    }[effect.act]
    settled = {"settled_by": effect.actor, "settled_at": book.step.at} if status.is_settled else {}
    _change(book, row, status, reason=effect.reason, **settled)
    _event(book, type_, row, effect.actor, reason=effect.reason)
    _tell(book, row, happened, row["owner"], reason=effect.reason)


def lapse_condition(book: Book, effect: c.LapseCondition) -> None:
    """Whoever was never told of it is not told that it is gone."""
    row = _row(book, effect.condition)
    told = row["status"] != ConditionStatus.PROPOSED
    _change(book, row, ConditionStatus.LAPSED, reason=effect.reason, settled_by=SYSTEM, settled_at=book.step.at)
    _event(book, EventType.CONDITION_LAPSED, row, SYSTEM, reason=effect.reason)
    if told:
        _tell(book, row, "lapsed", row["owner"], reason=effect.reason)


def remind_of_condition(book: Book, effect: c.RemindOfCondition) -> None:
    row = _row(book, effect.condition)
    _event(book, EventType.CONDITION_REMINDED, row, SYSTEM, owner=row["owner"])
    _tell(book, row, "reminder", row["owner"])


def breach_condition(book: Book, effect: c.BreachCondition) -> None:
    """The owner hears of it, who set it and the office."""
    row = _row(book, effect.condition)
    book.rows.update(ConditionRow, {"condition_id": effect.condition}, breached_at=effect.due_at)
    due_at = instant_text(effect.due_at)
    _event(book, EventType.CONDITION_BREACHED, row, SYSTEM, due_at=due_at, owner=row["owner"])
    office = [person.email for person in holders(book.connection, OFFICE_ROLE)]
    for person in dict.fromkeys([row["owner"], row["set_by"], *office]):
        _tell(book, row, "late", person)


def _row(book: Book, condition_id: str) -> Row:
    """The condition as this step has left it so far."""
    if condition_id not in book.conditions:
        query = select(_TABLE).where(_TABLE.c.condition_id == condition_id)
        book.conditions[condition_id] = dict(book.connection.execute(query).mappings().one())
    return book.conditions[condition_id]


def _change(book: Book, row: Row, status: ConditionStatus, **values: Any) -> None:
    book.rows.update(ConditionRow, {"condition_id": row["condition_id"]}, status=str(status), **values)
    row |= values | {"status": str(status)}


def _event(book: Book, type_: EventType, row: Row, actor: str, **data: Any) -> None:
    book.event(type_, actor, condition_id=row["condition_id"], stage=row["stage"], **data)


def _tell(book: Book, row: Row, happened: str, recipient: str, **data: Any) -> None:
    due_at = row.get("due_at")
    book.mail(
        MailKind.CONDITION,
        recipient,
        happened=happened,
        stage=row["stage"],
        condition_id=row["condition_id"],
        text=row["text"],
        owner=row["owner"],
        set_by=row["set_by"],
        blocking=row["blocking"],
        due_at=instant_text(due_at) if due_at else None,
        **({"reason": "", "evidence": ""} | data),
    )
