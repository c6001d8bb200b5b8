"""What happens to a task in its holder's hands: claimed, given back, passed on, left behind, asked anew; and advice."""

from dataclasses import replace
from typing import Any

from activities.assigning import assign, because, record_choice, resolution
from activities.book import SYSTEM, Book
from activities.staffing import Candidate, Found, find_again, find_successor
from imprimatur import ids
from imprimatur.store.people import people_by_email
from models import effects as c
from models.case import Offer
from models.tables import AdviceRow, DecisionRow, IncidentRow, TaskRow
from models.vocabulary import (
    AssignmentReason,
    EventType,
    IncidentKind,
    MailKind,
    TaskClosure,
    TaskStatus,
)


def close_task(book: Book, task: dict[str, Any], closure: TaskClosure, closed_by: str) -> None:
    closed = {"status": str(TaskStatus.CLOSED), "closure": str(closure), "closed_by": closed_by}
    task |= closed
    book.rows.update(TaskRow, {"task_id": task["task_id"]}, closed_at=book.step.at, **closed)
    book.event(
        EventType.TASK_CLOSED,
        SYSTEM,
        task_id=task["task_id"],
        stage=task["stage"],
        assignee=task["assignee"],
        closure=str(closure),
        closed_by=closed_by,
    )


def claim_task(book: Book, effect: c.ClaimTask) -> None:
    task = book.tasks()[effect.task]
    task["status"] = str(TaskStatus.OPEN)
    book.rows.update(TaskRow, {"task_id": effect.task}, status=task["status"])
    book.event(EventType.TASK_CLAIMED, effect.actor, task_id=effect.task, stage=effect.stage, round=effect.round)


def offer_again(book: Book, effect: c.OfferAgain) -> None:
    """To everyone in the pool but whoever had it; several people could take it before, and may take it now."""
    task, stage = book.tasks()[effect.task], book.stage_def(effect.stage)
    offer = Offer(rule=task["offer_rule"], seats=task["offer_seats"])
    if effect.returned:
        close_task(book, task, TaskClosure.RETURNED, effect.actor)
        facts = {"task_id": effect.task, "stage": effect.stage, "round": effect.round, "reason": effect.reason}
        book.event(EventType.TASK_RETURNED, effect.actor, **facts)
    found = find_again(book, stage, effect.round, offer, book.people_of_round(effect.stage, effect.round))
    candidates = tuple(replace(candidate, offer=offer) for candidate in found.candidates)
    _ask_instead(book, effect, task, replace(found, candidates=candidates))


def replace_holder(book: Book, effect: c.Replace) -> None:
    task, stage = book.tasks()[effect.task], book.stage_def(effect.stage)
    found = find_successor(book, stage, effect.round, task["role"])
    reason = _kept_reason(task, AssignmentReason.SUCCESSION)
    candidates = tuple(
        replace(candidate, reason=reason, on_behalf_of=candidate.on_behalf_of or task["assignee"])
        for candidate in found.candidates
    )
    _resolve_conflict(book, effect.stage, task["assignee"])
    _ask_instead(book, effect, task, replace(found, candidates=candidates))


def _ask_instead(book: Book, effect: c.OfferAgain | c.Replace, task: dict[str, Any], found: Found) -> None:
    if not found.candidates:
        detail = f"nobody can take over the task of {task['assignee']}{because(found)}"
        book.incident(IncidentKind.NO_SUCCESSOR, effect.stage, detail, about=task["assignee"])
        return
    record_choice(book, effect.stage, effect.round, found)
    due_at = book.stage_due_at(effect.stage, effect.round)
    tasks = tuple(assign(book, effect.stage, effect.round, candidate, due_at) for candidate in found.candidates)
    book.resolutions.append(resolution({"stage": effect.stage, "tasks": tasks}))


def _kept_reason(task: dict[str, Any], reason: AssignmentReason) -> AssignmentReason:
    """Whoever takes over from someone whom an escalation brought in has the casting vote as well."""
    return AssignmentReason.ESCALATION if task["reason"] == AssignmentReason.ESCALATION else reason


def _offer_of(task: dict[str, Any]) -> Offer | None:
    return None if task["offer_rule"] is None else Offer(rule=task["offer_rule"], seats=task["offer_seats"])


def pass_on(book: Book, effect: c.PassOn) -> None:
    task = book.open_task_of(effect.task)
    delegated = effect.why == "delegation"
    closure = TaskClosure.DELEGATED if delegated else TaskClosure.REASSIGNED
    close_task(book, task, closure, effect.actor)
    book.event(
        EventType.TASK_PASSED_ON,
        effect.actor,
        stage=effect.stage,
        round=effect.round,
        why=effect.why,
        reason=effect.reason,
        **{"from": task["assignee"], "to": effect.to},
    )
    named = people_by_email(book.connection, [effect.to])
    # Whoever cannot be reached, or has left, is not written to.
    if not delegated and effect.actor != SYSTEM:
        book.mail(MailKind.TASK_CLOSED, task["assignee"], task["assignee_name"], task_id=effect.task)
    if delegated:
        told = {"to": effect.to, "to_name": named[0].name if named else "", "reason": effect.reason}
        book.mail(MailKind.PASSED_ON, task["assignee"], task["assignee_name"], task_id=effect.task, **told)
    _resolve_conflict(book, effect.stage, task["assignee"])
    # Its mail need not arrive any more.
    undelivered = {"case_id": book.step.case_id, "task_id": effect.task, "kind": str(IncidentKind.MAIL_BOUNCED)}
    book.rows.fill(IncidentRow, undelivered, resolved_at=book.step.at)
    reason = AssignmentReason.DELEGATION if delegated else AssignmentReason.REASSIGNMENT
    candidate = Candidate(
        effect.to,
        named[0].name if named else "",
        _kept_reason(task, reason),
        task["role"],
        on_behalf_of=task["assignee"],
        offer=_offer_of(task),
    )
    due_at = book.stage_due_at(effect.stage, effect.round)
    kind, told = (MailKind.DELEGATION, {"reason": effect.reason}) if delegated else (MailKind.TASK, {})
    assigned = assign(book, effect.stage, effect.round, candidate, due_at, told, kind=kind)
    book.resolutions.append(resolution({"stage": effect.stage, "tasks": (assigned,)}))


def ask_again(book: Book, effect: c.AskAgain) -> None:
    """The decision stays where it is, marked as annulled; its reviewer gets another task."""
    task = book.tasks()[effect.task]
    closed = {"status": str(TaskStatus.CLOSED), "closure": str(TaskClosure.ANNULLED), "closed_by": effect.actor}
    book.rows.update(TaskRow, {"task_id": effect.task}, **closed)
    book.rows.update(DecisionRow, {"task_id": effect.task}, annulled_at=book.step.at)
    book.event(
        EventType.DECISION_ANNULLED,
        effect.actor,
        stage=effect.stage,
        round=effect.round,
        task_id=effect.task,
        assignee=task["assignee"],
        reason=effect.reason,
    )
    candidate = Candidate(
        task["assignee"],
        task["assignee_name"],
        _kept_reason(task, AssignmentReason.REPETITION),
        task["role"],
        on_behalf_of=task["on_behalf_of"],
        offer=_offer_of(task),
    )
    due_at = book.stage_due_at(effect.stage, effect.round)
    assigned = assign(book, effect.stage, effect.round, candidate, due_at)
    book.resolutions.append(resolution({"stage": effect.stage, "tasks": (assigned,)}))


def ask_advice(book: Book, effect: c.AskAdvice) -> None:
    named = people_by_email(book.connection, [effect.adviser])
    name = named[0].name if named else ""
    book.rows.insert(
        AdviceRow,
        # The step makes it unlike earlier advice of the same person.
        advice_id=ids.advice_id(effect.task, effect.adviser, book.step.seq),
        task_id=effect.task,
        case_id=book.step.case_id,
        stage=effect.stage,
        round=effect.round,
        asked_by=effect.actor,
        question=effect.question,
        asked_at=book.step.at,
        adviser=effect.adviser,
        adviser_name=name,
        text="",
        given_at=None,
    )
    facts = {"task_id": effect.task, "stage": effect.stage, "round": effect.round}
    book.event(EventType.ADVICE_ASKED, effect.actor, adviser=effect.adviser, question=effect.question, **facts)
    told = {"asked_by": effect.actor, "question": effect.question}
    book.mail(MailKind.ADVICE_ASKED, effect.adviser, name, task_id=effect.task, **told)


def attach_advice(book: Book, effect: c.AttachAdvice) -> None:
    # Only the advice that is still awaited: what was given before stays.
    awaited = {"task_id": effect.task, "adviser": effect.adviser, "text": ""}
    book.rows.update(AdviceRow, awaited, text=effect.text, given_at=book.step.at)
    facts = {"task_id": effect.task, "stage": effect.stage, "round": effect.round}
    book.event(EventType.ADVICE_GIVEN, effect.adviser, text=effect.text, **facts)
    task = book.tasks()[effect.task]
    told = {"adviser": effect.adviser, "text": effect.text}
    book.mail(MailKind.ADVICE_GIVEN, task["assignee"], task["assignee_name"], task_id=effect.task, **told)


def report_conflict(book: Book, effect: c.ReportConflict) -> None:
    assignee = book.tasks()[effect.task]["assignee"]
    detail = f"{assignee} {effect.reason} and cannot answer: the task must be given up or reassigned"
    book.incident(IncidentKind.CONFLICT_OF_INTEREST, effect.stage, detail, about=assignee)


def stood_aside(book: Book, effect: c.RecordDecision) -> None:
    """A conflict is over when whoever had it has stood aside."""
    _resolve_conflict(book, effect.stage, effect.decision.actor)


def _resolve_conflict(book: Book, stage_id: str, person: str) -> None:
    incident = book.incident_id(IncidentKind.CONFLICT_OF_INTEREST, stage_id, person)
    book.rows.fill(IncidentRow, {"incident_id": incident}, resolved_at=book.step.at)
