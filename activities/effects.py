"""What each effect of a step writes."""

from collections.abc import Callable
from typing import Any

from activities import acts, carrying, conditions, desk, handing, improving, migrating, readdressing, tracks
from activities.assigning import escalate, open_stage, resolution, resolve_incidents, seek_reviewers
from activities.book import SYSTEM, Book
from activities.publishing import publish
from activities.resolving import calendar_of, next_business_day, valid_until
from imprimatur.rules.business_time import (
    DueTime,
    add_business_seconds,
    add_business_time,
    business_seconds_between,
)
from imprimatur.rules.ledger import instant_text
from imprimatur.store.pathways import required_problems, stacking_values
from imprimatur.store.people import holders
from models import conditions as agreed
from models import effects as c
from models import handover, improvement
from models.tables import DecisionRow, StackingRow, StageRow, TaskRow, VersionRow
from models.vocabulary import (
    Channel,
    EventType,
    MailKind,
    StageOutcome,
    StageStatus,
    TaskClosure,
    TaskStatus,
    Verdict,
)

TOLD_TO_PROPOSER = (
    StageOutcome.APPROVED,
    StageOutcome.ENDORSED,
    StageOutcome.REFUSED,
    StageOutcome.REJECTED,
    StageOutcome.SKIPPED,
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
    # What is about a published micro-credential adds none that could stack.
    for values in stacking_values(book.proposal) if book.framework.publishes else ():
        book.rows.insert(StackingRow, case_id=step.case_id, version=effect.version, **values)
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
        for item in required_problems(book.connection, book.proposal, book.framework, book.step.case_id)
    ]
    lacking += improving.wanted_anew(book)
    book.event(
        EventType.CASE_RETURNED,
        SYSTEM,
        missing=[{"field": item["field"], "problem": item["problem"]} for item in lacking],
    )
    book.mail(MailKind.RETURNED, book.proposer, missing=lacking)


def _record_decision(book: Book, effect: c.RecordDecision) -> None:
    decision, step = effect.decision, book.step
    outcome = next((e.outcome for e in step.effects if isinstance(e, c.CloseStage) and e.stage == effect.stage), None)
    # What is not said is not written into the ledger: older decisions replay into the events that they were.
    signed = {name: value for name in ("statement", "logo", "strength") if (value := getattr(decision, name))}
    until = {"teach_out_on": decision.teach_out_on.isoformat()} if decision.teach_out_on else {}
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
        stage_outcome=str(outcome) if outcome else None,
        case_status=str(step.status),
        **({"conditions": conditions.told_of(decision)} if decision.conditions else {}),
        **signed,
        **until,
    )
    conditions.propose_conditions(book, effect)
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
        **signed,
    )
    book.rows.update(TaskRow, {"task_id": decision.task_id}, status=str(TaskStatus.DECIDED), closed_at=step.at)
    if decision.verdict is Verdict.RECUSE:
        desk.stood_aside(book, effect)
    # A reply is answered in its own thread.
    if decision.channel is not Channel.MAIL:
        _send_receipt(book, effect)


def _send_receipt(book: Book, effect: c.RecordDecision) -> None:
    decision = effect.decision
    book.mail(
        MailKind.RECEIPT,
        decision.actor,
        task_id=decision.task_id,
        decision_id=decision.decision_id,
        verdict=str(decision.verdict),
        comment=decision.comment,
        scores=decision.scores,
        conditions=[given.text for given in decision.conditions],
        version=book.step.version,
        digest=effect.digest,
        position=book.position,
        ledger_digest=book.head,
    )


def _close_task(book: Book, effect: c.CloseTask) -> None:
    task = book.open_task_of(effect.task)
    desk.close_task(book, task, effect.closure, effect.closed_by)
    # Whoever has left is not written to.
    if effect.closure is not TaskClosure.LEFT:
        book.mail(MailKind.TASK_CLOSED, task["assignee"], task["assignee_name"], task_id=effect.task)


def _close_stage(book: Book, effect: c.CloseStage) -> None:
    if effect.stage in book.skipped_now:
        # There was nobody to inform, and that is recorded.
        return
    stage = book.stage_def(effect.stage)
    key = {"case_id": book.step.case_id, "stage": effect.stage, "round": effect.round}
    closed: dict[str, Any] = {
        "status": str(StageStatus.CLOSED),
        "outcome": str(effect.outcome),
        "reason": effect.reason,
        "closed_at": book.step.at,
    }
    if stage.is_automatic:
        opened = {"name": stage.name, "opened_at": book.step.at, "due_at": None, "due_reason": None}
        book.rows.insert(StageRow, **key, **opened, **closed)
    else:
        if stage.valid_for is not None and effect.outcome.stays_valid:
            closed["valid_until"] = valid_until(book.framework, stage, book.step.at)
            book.resolutions.append(resolution({"stage": stage.id, "expires_at": closed["valid_until"]}))
        book.rows.update(StageRow, key, **closed)
        resolve_incidents(book, effect.stage)
    book.event(
        EventType.STAGE_CLOSED,
        SYSTEM,
        stage=effect.stage,
        round=effect.round,
        outcome=str(effect.outcome),
        reason=effect.reason,
    )
    if effect.outcome in TOLD_TO_PROPOSER and not stage.is_automatic and not _told_otherwise(book):
        book.mail(
            MailKind.STAGE_OUTCOME,
            book.proposer,
            stage=effect.stage,
            round=effect.round,
            outcome=str(effect.outcome),
            reason=effect.reason,
        )


def _told_otherwise(book: Book) -> bool:
    """The proposer hears of the end of the case, or of what to change, by a mail that says more."""
    return any(isinstance(effect, c.CloseCase | c.RequestRevision) for effect in book.step.effects)


def _expire_approval(book: Book, effect: c.ExpireApproval) -> None:
    told = {"stage": effect.stage, "round": book.step.round, "of_round": effect.round}
    book.event(EventType.APPROVAL_EXPIRED, SYSTEM, **told, expired_at=instant_text(effect.expired_at))


def _request_revision(book: Book, effect: c.RequestRevision) -> None:
    book.event(EventType.REVISION_REQUESTED, SYSTEM, stage=effect.stage, round=effect.round)
    book.mail(MailKind.REVISION, book.proposer, stage=effect.stage, round=effect.round)


def _start_clock(book: Book, effect: c.StartClock) -> None:
    sla = book.framework.speed_to_market
    _set_case_due(
        book, add_business_time(book.step.at, effect.within or sla.within, calendar_of(book.framework, sla.calendar))
    )
    book.event(EventType.CLOCK_STARTED, SYSTEM, due_at=instant_text(book.changes["due_at"]))


def _set_case_due(book: Book, due: DueTime) -> None:
    book.due_at = due.due_at
    book.changes |= {
        "due_at": due.due_at,
        "due_reason": due.explanation(),
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
            effect.actor,
            stage=effect.stage,
            round=effect.round,
            task_id=task_id,
            assignee=task["assignee"],
        )
        late = effect.again or (task["due_at"] is not None and task["due_at"] <= book.step.at)
        book.mail(MailKind.REMINDER, task["assignee"], task["assignee_name"], task_id=task_id, late=late)
    if effect.again:
        retry_at = next_business_day(book.framework, book.stage_def(effect.stage), book.step.at)
        book.resolutions.append(resolution({"stage": effect.stage, "retry_at": retry_at}))


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


def _breach_case(book: Book, effect: c.BreachCase) -> None:
    book.changes["breached_at"] = effect.due_at
    book.event(EventType.CASE_SLA_BREACHED, SYSTEM, due_at=instant_text(effect.due_at))
    waiting = [
        {"who": task["assignee_name"] or task["assignee"], "stage": book.stage_def(task["stage"]).name}
        for task in book.tasks().values()
        if TaskStatus(task["status"]).is_pending
    ]
    for person in holders(book.connection, book.framework.speed_to_market.escalate_to):
        due_at = instant_text(effect.due_at)
        book.mail(MailKind.BREACH, person.email, person.name, due_at=due_at, waiting_for=waiting)


def _close_case(book: Book, effect: c.CloseCase) -> None:
    book.changes |= {"closed_at": book.step.at, "closing_reason": effect.reason}
    book.event(EventType.CASE_CLOSED, effect.actor, status=str(effect.status), reason=effect.reason)
    if not book.framework.publishes:
        # What it came to is told by a mail of its own.
        return
    data: dict[str, Any] = {"slug": book.published[-1].slug} if book.published else book.awaited
    book.mail(MailKind.OUTCOME, book.proposer, status=str(effect.status), reason=effect.reason, **data)


_HANDLERS: dict[type[c.Effect], Callable[[Book, Any], None]] = {
    c.AddVersion: _add_version,
    c.SelectTrack: tracks.select_track,
    c.OpenStage: open_stage,
    c.SkipStage: tracks.skip_stage,
    c.SeekReviewers: seek_reviewers,
    c.KeepStage: carrying.keep_stage,
    c.LapseStage: carrying.lapse_stage,
    c.AskToConfirm: carrying.ask_to_confirm,
    c.AskAnew: carrying.ask_anew,
    c.RecordDecision: _record_decision,
    c.CloseTask: _close_task,
    c.CloseStage: _close_stage,
    c.RequestRevision: _request_revision,
    c.StartClock: _start_clock,
    c.PauseClock: _pause_clock,
    c.ResumeClock: _resume_clock,
    c.Remind: _remind,
    c.Breach: _breach,
    c.Escalate: escalate,
    c.CallDeputy: acts.call_deputy,
    c.PassOn: desk.pass_on,
    c.ClaimTask: desk.claim_task,
    c.OfferAgain: desk.offer_again,
    c.Replace: desk.replace_holder,
    c.AskAdvice: desk.ask_advice,
    c.AttachAdvice: desk.attach_advice,
    c.ReportConflict: desk.report_conflict,
    c.ReaddressProposer: readdressing.readdress_proposer,
    c.AskAgain: desk.ask_again,
    c.HoldCase: acts.hold_case,
    c.ResumeCase: acts.resume_case,
    c.PauseStage: acts.pause_stage,
    c.ResumeStage: acts.resume_stage,
    c.ExtendStage: acts.extend_stage,
    c.ProposeAct: acts.propose_act,
    c.OverrideStage: acts.override_stage,
    c.SendBack: acts.send_back,
    c.BeginSitting: acts.begin_sitting,
    c.PlaceItem: acts.place_item,
    c.ExpireApproval: _expire_approval,
    c.ScheduleChange: migrating.schedule_change,
    c.ChangeFramework: migrating.change_framework,
    c.BreachCase: _breach_case,
    agreed.OpenCondition: conditions.open_condition,
    agreed.FulfilCondition: conditions.fulfil_condition,
    agreed.JudgeCondition: conditions.judge_condition,
    agreed.LapseCondition: conditions.lapse_condition,
    agreed.RemindOfCondition: conditions.remind_of_condition,
    agreed.BreachCondition: conditions.breach_condition,
    c.Publish: publish,
    improvement.BeginReview: improving.begin_review,
    improvement.ConcludeReview: improving.conclude_review,
    handover.BeginHandover: handing.begin_handover,
    handover.ConcludeHandover: handing.conclude_handover,
    c.CloseCase: _close_case,
}
