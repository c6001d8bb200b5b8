"""What each effect of a step writes."""

from collections.abc import Callable
from typing import Any

from activities.book import SYSTEM, Book
from activities.publishing import publication_of
from activities.resolving import (
    Candidate,
    calendar_of,
    find_holders,
    find_reviewers,
    next_business_day,
    stage_deadlines,
)
from imprimatur import ids
from imprimatur.history.ledger import instant_text
from imprimatur.rules.business_time import (
    DueTime,
    add_business_seconds,
    add_business_time,
    business_seconds_between,
)
from imprimatur.rules.completeness import missing
from imprimatur.store.people import holders
from models import case as c
from models.tables import DecisionRow, IncidentRow, PublicationRow, StageRow, TaskRow, VersionRow
from models.vocabulary import (
    EventType,
    IncidentKind,
    MailKind,
    StageOutcome,
    StageStatus,
    TaskStatus,
)


def perform(book: Book, effect: c.Effect) -> None:
    _HANDLERS[type(effect)](book, effect)


def _add_version(book: Book, effect: c.AddVersion) -> None:
    step, framework = book.step, book.framework
    if effect.version == 1:
        book.case = {
            "case_id": step.case_id,
            "framework_id": framework.id,
            "framework_version": framework.version,
            "framework_digest": step.framework_digest,
            "proposer": effect.actor,
            "opened_at": step.at,
            "closing_reason": "",
        }
        book.event(
            EventType.CASE_SUBMITTED,
            effect.actor,
            title=book.proposal.display_title,
            framework=framework.id,
            version=framework.version,
            digest=step.framework_digest,
        )
    book.changes |= {"title": book.proposal.display_title, "unit": book.proposal.unit}
    book.rows.insert(
        VersionRow,
        case_id=step.case_id,
        version=effect.version,
        digest=effect.digest,
        submitted_by=effect.actor,
        submitted_at=step.at,
        complete=effect.complete,
        changed=list(effect.changed),
    )
    book.event(
        EventType.PROPOSAL_VERSION_ADDED,
        effect.actor,
        version=effect.version,
        digest=effect.digest,
        changed=list(effect.changed),
    )
    if not effect.complete:
        _return_to_proposer(book)


def _return_to_proposer(book: Book) -> None:
    lacking = [
        {"field": item.field, "problem": item.problem, "why": item.why or ""}
        for item in missing(book.proposal, book.framework).required
    ]
    book.event(
        EventType.CASE_RETURNED,
        SYSTEM,
        missing=[{"field": item["field"], "problem": item["problem"]} for item in lacking],
    )
    book.mail(MailKind.RETURNED, book.proposer, missing=lacking)


def _due_reason(due: DueTime) -> dict[str, Any]:
    return due.explanation()


def _open_stage(book: Book, effect: c.OpenStage) -> None:
    stage = book.stage_def(effect.stage)
    found = find_reviewers(book.connection, stage, book.proposal, barred=[book.proposer])
    if not found.candidates and stage.optional:
        reason = "; ".join(found.passed_over) or "the proposal names nobody to ask"
        _skip_stage(book, effect, reason)
        return
    deadlines = stage_deadlines(book.framework, stage, book.step.at)
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
        due_reason=_due_reason(deadlines.due) if deadlines else None,
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
    tasks = [_assign(book, effect.stage, effect.round, candidate, due_at) for candidate in found.candidates]
    _report_shortage(book, effect, len(tasks), found.passed_over)
    resolution: dict[str, Any] = {"stage": stage.id, "tasks": tuple(tasks)}
    if deadlines:
        resolution |= {"due_at": due_at}
        if deadlines.remind_at:
            resolution |= {"remind_at": deadlines.remind_at}
    book.resolutions.append(_resolution(resolution))


def _resolution(facts: dict[str, Any]) -> c.StageResolution:
    return c.StageResolution.model_construct(_fields_set=set(facts), **facts)


def _skip_stage(book: Book, effect: c.OpenStage, reason: str) -> None:
    stage = book.stage_def(effect.stage)
    book.rows.insert(
        StageRow,
        case_id=book.step.case_id,
        stage=stage.id,
        round=effect.round,
        name=stage.name,
        status=str(StageStatus.CLOSED),
        outcome=str(StageOutcome.SKIPPED),
        reason=reason,
        opened_at=book.step.at,
        due_at=None,
        due_reason=None,
        closed_at=book.step.at,
    )
    book.event(EventType.STAGE_SKIPPED, SYSTEM, stage=stage.id, reason=reason)
    book.resolutions.append(_resolution({"stage": stage.id, "skipped": reason}))


def _report_shortage(book: Book, effect: c.OpenStage, number: int, passed_over: tuple[str, ...]) -> None:
    voting = book.stage_def(effect.stage).voting
    needed = max(voting.quorum, voting.threshold) if voting else 1
    because = f" ({'; '.join(passed_over)})" if passed_over else ""
    if number == 0:
        book.incident(IncidentKind.NO_REVIEWER, effect.stage, f"nobody can review this stage{because}")
    elif number < needed:
        detail = f"{number} can review this stage, {needed} are needed{because}"
        book.incident(IncidentKind.QUORUM_OUT_OF_REACH, effect.stage, detail)


def _assign(
    book: Book, stage_id: str, round_number: int, candidate: Candidate, due_at: Any, cause: str | None = None
) -> c.AssignedTask:
    task_id = ids.task_id(book.step.case_id, stage_id, round_number, candidate.email)
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
    return c.AssignedTask.model_construct(_fields_set=set(facts), **facts)


def _keep_stage(book: Book, effect: c.KeepStage) -> None:
    book.event(EventType.STAGE_KEPT, SYSTEM, stage=effect.stage)


def _lapse_stage(book: Book, effect: c.LapseStage) -> None:
    book.event(EventType.STAGE_LAPSED, SYSTEM, stage=effect.stage, changed=list(effect.changed))


def _record_decision(book: Book, effect: c.RecordDecision) -> None:
    decision, step = effect.decision, book.step
    outcome = next((e.outcome for e in step.effects if isinstance(e, c.CloseStage) and e.stage == effect.stage), None)
    book.event(
        EventType.DECISION_RECORDED,
        decision.actor,
        decision_id=decision.decision_id,
        task_id=decision.task_id,
        stage=effect.stage,
        round=effect.round,
        verdict=str(decision.verdict),
        comment=decision.comment,
        scores=decision.scores,
        digest=effect.digest,
        channel=str(decision.channel),
    )
    book.rows.insert(
        DecisionRow,
        decision_id=decision.decision_id,
        task_id=decision.task_id,
        case_id=step.case_id,
        stage=effect.stage,
        round=effect.round,
        actor=decision.actor,
        verdict=str(decision.verdict),
        comment=decision.comment,
        scores=decision.scores,
        digest=effect.digest,
        channel=str(decision.channel),
        decided_at=step.at,
        position=book.position,
        ledger_digest=book.head,
        stage_outcome=str(outcome) if outcome else None,
        case_status=str(step.status),
    )
    book.rows.update(TaskRow, {"task_id": decision.task_id}, status=str(TaskStatus.DECIDED), closed_at=step.at)


def _close_task(book: Book, effect: c.CloseTask) -> None:
    task = book.open_task_of(effect.task)
    book.rows.update(
        TaskRow,
        {"task_id": effect.task},
        status=str(TaskStatus.CLOSED),
        closed_at=book.step.at,
        closure=str(effect.closure),
        closed_by=effect.closed_by,
    )
    book.event(
        EventType.TASK_CLOSED,
        SYSTEM,
        task_id=effect.task,
        stage=task["stage"],
        assignee=task["assignee"],
        closure=str(effect.closure),
        closed_by=effect.closed_by,
    )
    book.mail(MailKind.TASK_CLOSED, task["assignee"], task["assignee_name"], task_id=effect.task)


def _close_stage(book: Book, effect: c.CloseStage) -> None:
    stage = book.stage_def(effect.stage)
    key = {"case_id": book.step.case_id, "stage": effect.stage, "round": effect.round}
    closed = {
        "status": str(StageStatus.CLOSED),
        "outcome": str(effect.outcome),
        "reason": effect.reason,
        "closed_at": book.step.at,
    }
    if stage.is_automatic:
        opened = {"name": stage.name, "opened_at": book.step.at, "due_at": None, "due_reason": None}
        book.rows.insert(StageRow, **key, **opened, **closed)
    else:
        book.rows.update(StageRow, key, **closed)
    book.event(
        EventType.STAGE_CLOSED,
        SYSTEM,
        stage=effect.stage,
        round=effect.round,
        outcome=str(effect.outcome),
        reason=effect.reason,
    )


def _request_revision(book: Book, effect: c.RequestRevision) -> None:
    book.event(EventType.REVISION_REQUESTED, SYSTEM, stage=effect.stage, round=effect.round)
    book.mail(MailKind.REVISION, book.proposer, stage=effect.stage, round=effect.round)


def _start_clock(book: Book, effect: c.StartClock) -> None:
    sla = book.framework.speed_to_market
    _set_case_due(book, add_business_time(book.step.at, sla.within, calendar_of(book.framework, sla.calendar)))


def _set_case_due(book: Book, due: DueTime) -> None:
    book.due_at = due.due_at
    book.changes |= {
        "due_at": due.due_at,
        "due_reason": _due_reason(due),
        "clock_remaining_seconds": None,
    }


def _pause_clock(book: Book, effect: c.PauseClock) -> None:
    calendar = calendar_of(book.framework, book.framework.speed_to_market.calendar)
    remaining = max(0, business_seconds_between(book.step.at, book.case["due_at"], calendar))
    book.changes |= {"due_at": None, "due_reason": None, "clock_remaining_seconds": remaining}
    book.event(EventType.CLOCK_PAUSED, SYSTEM, remaining_seconds=remaining)


def _resume_clock(book: Book, effect: c.ResumeClock) -> None:
    calendar = calendar_of(book.framework, book.framework.speed_to_market.calendar)
    _set_case_due(book, add_business_seconds(book.step.at, book.case["clock_remaining_seconds"], calendar))
    book.event(EventType.CLOCK_RESUMED, SYSTEM, due_at=instant_text(book.changes["due_at"]))


def _remind(book: Book, effect: c.Remind) -> None:
    for task_id in effect.tasks:
        task = book.open_task_of(task_id)
        book.event(
            EventType.REMINDER_SENT,
            SYSTEM,
            stage=effect.stage,
            round=effect.round,
            task_id=task_id,
            assignee=task["assignee"],
        )
        book.mail(MailKind.REMINDER, task["assignee"], task["assignee_name"], task_id=task_id)


def _breach(book: Book, effect: c.Breach) -> None:
    key = {"case_id": book.step.case_id, "stage": effect.stage, "round": effect.round}
    book.rows.update(StageRow, key, breached_at=effect.due_at)
    book.event(
        EventType.SLA_BREACHED,
        SYSTEM,
        stage=effect.stage,
        round=effect.round,
        due_at=instant_text(effect.due_at),
        waiting_for=[book.open_task_of(task)["assignee"] for task in effect.tasks],
    )


def _publish(book: Book, effect: c.Publish) -> None:
    record = publication_of(book)
    book.rows.insert(PublicationRow, **record)
    book.event(
        EventType.CREDENTIAL_PUBLISHED,
        SYSTEM,
        slug=record["slug"],
        version=record["version"],
        digest=record["digest"],
    )
    book.published.append((record["slug"], record["achievement"]))


def _escalate(book: Book, effect: c.Escalate) -> None:
    _seek(book, effect.stage, effect.round, effect.cause)


def _seek_reviewers(book: Book, effect: c.SeekReviewers) -> None:
    _seek(book, effect.stage, effect.round, "no_decision")


def _seek(book: Book, stage_id: str, round_number: int, cause: str) -> None:
    stage = book.stage_def(stage_id)
    barred = book.people_of_round(stage_id, round_number) | {book.proposer}
    found: tuple[Candidate, ...] = ()
    if stage.sla is not None:
        found = find_holders(book.connection, stage.sla.escalate_to, stage.sla.escalate_count, barred)
    if not found:
        role = stage.sla.escalate_to if stage.sla else "nobody"
        book.incident(
            IncidentKind.NO_ESCALATION_TARGET, stage_id, f"nobody else holds the role {role} to decide this stage"
        )
        retry_at = next_business_day(book.framework, stage, book.step.at)
        book.resolutions.append(_resolution({"stage": stage_id, "retry_at": retry_at}))
        return
    book.event(
        EventType.STAGE_ESCALATED,
        SYSTEM,
        stage=stage_id,
        round=round_number,
        cause=cause,
        to=[candidate.email for candidate in found],
    )
    for kind in (IncidentKind.NO_REVIEWER, IncidentKind.QUORUM_OUT_OF_REACH, IncidentKind.NO_ESCALATION_TARGET):
        incident_id = ids.incident_id(book.step.case_id, stage_id, round_number, kind)
        book.rows.update(IncidentRow, {"incident_id": incident_id}, resolved_at=book.step.at)
    tasks = tuple(_assign(book, stage_id, round_number, candidate, None, cause) for candidate in found)
    book.resolutions.append(_resolution({"stage": stage_id, "tasks": tasks}))


def _breach_case(book: Book, effect: c.BreachCase) -> None:
    book.changes["breached_at"] = effect.due_at
    book.event(EventType.CASE_SLA_BREACHED, SYSTEM, due_at=instant_text(effect.due_at))
    for person in holders(book.connection, book.framework.speed_to_market.escalate_to):
        book.mail(MailKind.BREACH, person.email, person.name, due_at=instant_text(effect.due_at))


def _close_case(book: Book, effect: c.CloseCase) -> None:
    book.changes |= {"closed_at": book.step.at, "closing_reason": effect.reason}
    book.event(EventType.CASE_CLOSED, effect.actor, status=str(effect.status), reason=effect.reason)
    data = {"slug": book.published[-1][0]} if book.published else {}
    book.mail(MailKind.OUTCOME, book.proposer, status=str(effect.status), reason=effect.reason, **data)


_HANDLERS: dict[type[c.Effect], Callable[[Book, Any], None]] = {
    c.AddVersion: _add_version,
    c.OpenStage: _open_stage,
    c.SeekReviewers: _seek_reviewers,
    c.KeepStage: _keep_stage,
    c.LapseStage: _lapse_stage,
    c.RecordDecision: _record_decision,
    c.CloseTask: _close_task,
    c.CloseStage: _close_stage,
    c.RequestRevision: _request_revision,
    c.StartClock: _start_clock,
    c.PauseClock: _pause_clock,
    c.ResumeClock: _resume_clock,
    c.Remind: _remind,
    c.Breach: _breach,
    c.Escalate: _escalate,
    c.BreachCase: _breach_case,
    c.Publish: _publish,
    c.CloseCase: _close_case,
}
