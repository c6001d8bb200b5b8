"""Who is asked: what opening, skipping and escalating a stage writes."""

import datetime as dt
from typing import Any

from activities.book import SYSTEM, Book
from activities.resolving import Candidate, Deadlines, find_holders, find_reviewers, next_business_day, stage_deadlines
from activities.tracks import unmet, write_skipped
from imprimatur import ids
from imprimatur.history.ledger import instant_text
from models import effects as c
from models.commit import AssignedTask, StageResolution
from models.framework import StageDef
from models.tables import IncidentRow, StageRow, TaskRow
from models.vocabulary import EventType, IncidentKind, MailKind, StageStatus, TaskStatus


def open_stage(book: Book, effect: c.OpenStage) -> None:
    stage = book.stage_def(effect.stage)
    if (judged := unmet(book, stage)) is not None:
        reason = f"it applies only when {stage.when}"
        _skip_stage(book, effect, reason, when=stage.when, values=judged.values)
        return
    found = find_reviewers(book.connection, stage, book.proposal, barred=[book.proposer])
    if not found.candidates and stage.optional:
        reason = "; ".join(found.passed_over) or "the proposal names nobody to ask"
        _skip_stage(book, effect, reason)
        return
    deadlines = stage_deadlines(book.framework, stage, book.step.at, effect.within)
    due_at = deadlines.due.due_at if deadlines else None
    book.rows.insert(
        StageRow,
        case_id=book.step.case_id,
        stage=stage.id,
        round=effect.round,
        name=stage.name,
        status=str(StageStatus.OPEN),
        outcome=None,
        reason="",
        opened_at=book.step.at,
        due_at=due_at,
        due_reason=deadlines.due.explanation() if deadlines else None,
        closed_at=None,
    )
    book.event(
        EventType.STAGE_OPENED,
        SYSTEM,
        stage=stage.id,
        round=effect.round,
        due_at=instant_text(due_at) if due_at else None,
        calendar=stage.sla.calendar if stage.sla else None,
    )
    tasks = [assign(book, effect.stage, effect.round, candidate, due_at) for candidate in found.candidates]
    report_shortage(book, effect.stage, len(tasks), found.passed_over)
    book.resolutions.append(resolution({"stage": stage.id, "tasks": tuple(tasks)} | timed(deadlines)))


def _skip_stage(book: Book, effect: c.OpenStage, reason: str, **evidence: Any) -> None:
    write_skipped(book, effect.stage, effect.round, reason, **evidence)
    book.resolutions.append(resolution({"stage": effect.stage, "skipped": reason}))


def escalate(book: Book, effect: c.Escalate) -> None:
    sla = book.stage_def(effect.stage).sla
    if effect.step and sla is not None:
        step = sla.then[effect.step - 1]
        _seek(book, effect.stage, effect.round, effect.cause, step.to, step.count)
    else:
        _seek(book, effect.stage, effect.round, effect.cause)


def seek_reviewers(book: Book, effect: c.SeekReviewers) -> None:
    if not _ask_reviewers(book, effect.stage, effect.round):
        _seek(book, effect.stage, effect.round, "no_decision")


def _seek(
    book: Book, stage_id: str, round_number: int, cause: str, role: str | None = None, count: int | None = None
) -> None:
    """Asks holders of ``role``; of the one that the stage escalates to first, when none is named."""
    stage = book.stage_def(stage_id)
    barred = book.people_of_round(stage_id, round_number) | {book.proposer}
    found: tuple[Candidate, ...] = ()
    if stage.sla is not None:
        sla = stage.sla
        found = find_holders(book.connection, role or sla.escalate_to, count or sla.escalate_count, barred)
    if not found:
        if not _ask_reviewers(book, stage_id, round_number):
            _seek_again(book, stage, round_number)
        return
    book.event(
        EventType.STAGE_ESCALATED,
        SYSTEM,
        stage=stage_id,
        round=round_number,
        cause=cause,
        to=[candidate.email for candidate in found],
    )
    resolve_incidents(book, stage_id)
    tasks = tuple(assign(book, stage_id, round_number, candidate, None, cause) for candidate in found)
    book.resolutions.append(resolution({"stage": stage_id, "tasks": tasks}))


def _seek_again(book: Book, stage: StageDef, round_number: int) -> None:
    detail = "the framework names nobody to whom this stage could be escalated"
    if stage.sla is not None:
        detail = f"nobody else holds the role {stage.sla.escalate_to.replace('_', ' ')} to decide this stage"
    book.incident(IncidentKind.NO_ESCALATION_TARGET, stage.id, detail)
    retry_at = next_business_day(book.framework, stage, book.step.at)
    book.event(EventType.REVIEWERS_SOUGHT, SYSTEM, stage=stage.id, round=round_number, retry_at=instant_text(retry_at))
    book.resolutions.append(resolution({"stage": stage.id, "retry_at": retry_at}))


def _ask_reviewers(book: Book, stage_id: str, round_number: int) -> bool:
    """Whether the stage's rules name someone by now, where nobody could be asked before."""
    if book.people_of_round(stage_id, round_number):
        return False
    found = find_reviewers(book.connection, book.stage_def(stage_id), book.proposal, barred=[book.proposer])
    if not found.candidates:
        return False
    for kind in (IncidentKind.NO_REVIEWER, IncidentKind.NO_ESCALATION_TARGET):
        resolve_incidents(book, stage_id, kind=str(kind))
    due_at = book.stage_due_at(stage_id, round_number)
    tasks = tuple(assign(book, stage_id, round_number, candidate, due_at) for candidate in found.candidates)
    report_shortage(book, stage_id, len(tasks), found.passed_over)
    book.resolutions.append(resolution({"stage": stage_id, "tasks": tasks}))
    return True


def assign(
    book: Book,
    stage_id: str,
    round_number: int,
    candidate: Candidate,
    due_at: dt.datetime | None,
    cause: str | None = None,
    attempt: int = 1,
) -> AssignedTask:
    task_id = ids.task_id(book.step.case_id, stage_id, round_number, candidate.email, attempt)
    book.asked_now.setdefault((stage_id, round_number), set()).add(candidate.email)
    book.rows.insert(
        TaskRow,
        task_id=task_id,
        case_id=book.step.case_id,
        stage=stage_id,
        round=round_number,
        assignee=candidate.email,
        assignee_name=candidate.name,
        reason=str(candidate.reason),
        role=candidate.role,
        status=str(TaskStatus.OPEN),
        opened_at=book.step.at,
        due_at=due_at,
    )
    book.event(
        EventType.TASK_ASSIGNED,
        SYSTEM,
        task_id=task_id,
        stage=stage_id,
        round=round_number,
        assignee=candidate.email,
        reason=str(candidate.reason),
        role=candidate.role,
    )
    kind = MailKind.ESCALATION if cause else MailKind.TASK
    data = {"cause": cause} if cause else {}
    book.mail(kind, candidate.email, candidate.name, task_id=task_id, **data)
    facts: dict[str, Any] = {"id": task_id, "assignee": candidate.email, "reason": candidate.reason}
    if candidate.role:
        facts["role"] = candidate.role
    return AssignedTask.model_construct(_fields_set=set(facts), **facts)


def timed(deadlines: Deadlines | None) -> dict[str, Any]:
    """What the case must know of a stage's deadlines; nothing is said of what there is none of."""
    if deadlines is None:
        return {}
    facts: dict[str, Any] = {"due_at": deadlines.due.due_at}
    facts |= {"remind_at": deadlines.remind_at} if deadlines.remind_at else {}
    return facts | ({"escalate_at": deadlines.escalate_at} if deadlines.escalate_at else {})


def report_shortage(book: Book, stage_id: str, number: int, passed_over: tuple[str, ...]) -> None:
    stage = book.stage_def(stage_id)
    needed = stage.voting.least_people if stage.voting else 0
    because = f" ({'; '.join(passed_over)})" if passed_over else ""
    if number == 0 and needed:
        book.incident(IncidentKind.NO_REVIEWER, stage_id, f"nobody can review this stage{because}")
    elif number < needed:
        detail = f"{number} can review this stage, {needed} are needed{because}"
        book.incident(IncidentKind.QUORUM_OUT_OF_REACH, stage_id, detail)


def resolve_incidents(book: Book, stage_id: str, **narrower: str) -> None:
    key = {"case_id": book.step.case_id, "stage": stage_id} | narrower
    book.rows.fill(IncidentRow, key, resolved_at=book.step.at)


def resolution(facts: dict[str, Any]) -> StageResolution:
    return StageResolution.model_construct(_fields_set=set(facts), **facts)
