"""What acts of the office write: holding, extending, overriding, sending back; and what calls a deputy."""

import datetime as dt
from typing import Any

from activities.assigning import (
    NOBODY,
    assign,
    because,
    escalate,
    place_on_agenda,
    record_choice,
    resolution,
    tell_change,
    timed,
)
from activities.book import OFFICE_ROLE, SYSTEM, Book
from activities.desk import close_task
from activities.resolving import Deadlines, DueBy, calendar_of, deadlines_from, sitting_day, stage_deadlines
from activities.staffing import find_holders
from imprimatur.rules.business_time import business_seconds_between, due_after_hold
from imprimatur.rules.ledger import instant_text
from imprimatur.store.people import holders
from models import effects as c
from models.tables import ProposedActRow, StageRow, TaskRow
from models.vocabulary import AssignmentReason, EventType, IncidentKind, MailKind, StageStatus, TaskClosure

# What says of a stage when it is due.
Dated = c.PauseStage | c.ResumeStage | c.ExtendStage | c.PlaceItem | c.BeginSitting
CHANGES: dict[type[Dated], str] = {c.ResumeStage: "resumed", c.ExtendStage: "extended", c.PlaceItem: "placed"}

# Also of a task that is due at no time.
ALWAYS_TOLD = ("held", "resumed")


def hold_case(book: Book, effect: c.HoldCase) -> None:
    book.event(EventType.CASE_HELD, effect.actor, reason=effect.reason)


def resume_case(book: Book, effect: c.ResumeCase) -> None:
    book.event(EventType.CASE_RESUMED, effect.actor, reason=effect.reason)


def pause_stage(book: Book, effect: c.PauseStage) -> None:
    """The working time that is left is kept; a stage that is late has none, and stays due when it was."""
    stage, row = book.stage_def(effect.stage), book.stage_row(effect.stage, effect.round)
    if stage.sla is not None and row["due_at"] is not None and row["due_at"] > book.step.at:
        calendar = calendar_of(book.framework, stage.sla.calendar)
        remaining = business_seconds_between(book.step.at, row["due_at"], calendar)
        book.rows.update(StageRow, _key(book, effect), due_at=None, due_reason=None, clock_remaining_seconds=remaining)
    _date_tasks(book, effect, None, "held")


def resume_stage(book: Book, effect: c.ResumeStage) -> None:
    """Of a stage that was late before, only what follows its breach is counted anew."""
    stage, row = book.stage_def(effect.stage), book.stage_row(effect.stage, effect.round)
    if row["sits_at"] is not None and row["begun_at"] is None:
        # The sitting may have gone by meanwhile.
        kept = sitting_day(book.framework, stage, row["sits_at"]) if row["sits_at"] > book.step.at else None
        deadlines = stage_deadlines(book.framework, stage, book.step.at, effect.within, kept)
        _place(book, effect, deadlines, SYSTEM, reason="the case was on hold")
        return
    seconds = row["clock_remaining_seconds"] or 0
    deadlines = deadlines_from(book.framework, stage, book.step.at, seconds=seconds)
    if row["due_at"] is None:
        _set_due(book, effect, deadlines)
    else:
        for task in book.open_tasks_of(effect.stage, effect.round):
            due_at = due_after_hold(task["opened_at"], row["due_at"])
            book.rows.update(TaskRow, {"task_id": task["task_id"]}, due_at=due_at)
            tell_change(book, task, "resumed", due_at)
        facts = timed(deadlines) | {"stage": effect.stage, "due_at": row["due_at"]}
        book.resolutions.append(resolution(facts))


def extend_stage(book: Book, effect: c.ExtendStage) -> None:
    stage, row = book.stage_def(effect.stage), book.stage_row(effect.stage, effect.round)
    deadlines = deadlines_from(book.framework, stage, book.step.at, by=DueBy(row["due_at"], effect.by))
    book.event(
        EventType.STAGE_EXTENDED,
        effect.actor,
        stage=effect.stage,
        round=effect.round,
        reason=effect.reason,
        due_at=instant_text(deadlines.due.due_at) if deadlines else None,
    )
    _set_due(book, effect, deadlines)


def place_item(book: Book, effect: c.PlaceItem) -> None:
    deadlines = stage_deadlines(book.framework, book.stage_def(effect.stage), book.step.at, effect.within, effect.on)
    told = {"reason": effect.reason} | ({"late": True} if effect.late else {})
    _place(book, effect, deadlines, effect.actor, **told)


def _place(
    book: Book, effect: c.PlaceItem | c.ResumeStage, deadlines: Deadlines | None, actor: str, **told: Any
) -> None:
    sits_at = deadlines.sits_at if deadlines else None
    if sits_at is not None:
        before = book.stage_row(effect.stage, effect.round)["sits_at"]
        if before != sits_at or isinstance(effect, c.PlaceItem):
            left = instant_text(before) if before else None
            place_on_agenda(book, effect.stage, effect.round, sits_at, actor, left=left, **told)
        book.rows.update(StageRow, _key(book, effect), sits_at=sits_at, begun_at=None)
    else:
        name = book.framework.committees[str(book.stage_def(effect.stage).committee)].name
        book.incident(IncidentKind.NO_SITTING, effect.stage, f"the framework announces no further date of {name}")
    _set_due(book, effect, deadlines)


def begin_sitting(book: Book, effect: c.BeginSitting) -> None:
    book.rows.update(StageRow, _key(book, effect), begun_at=effect.sits_at)
    committee = book.stage_def(effect.stage).committee
    told = {"committee": committee, "sits_at": instant_text(effect.sits_at)}
    book.event(EventType.SITTING_BEGUN, SYSTEM, stage=effect.stage, round=effect.round, **told)


def _set_due(book: Book, effect: Dated, deadlines: Deadlines | None) -> None:
    due_at = deadlines.due.due_at if deadlines else None
    reason = deadlines.due.explanation() if deadlines else None
    book.rows.update(StageRow, _key(book, effect), due_at=due_at, due_reason=reason, clock_remaining_seconds=None)
    _date_tasks(book, effect, due_at, CHANGES[type(effect)])
    book.resolutions.append(resolution({"stage": effect.stage} | timed(deadlines)))


def _date_tasks(book: Book, effect: Dated, due_at: dt.datetime | None, what: str) -> None:
    for task in book.open_tasks_of(effect.stage, effect.round):
        book.rows.update(TaskRow, {"task_id": task["task_id"]}, due_at=due_at)
        if what in ALWAYS_TOLD or task["due_at"] != due_at:
            tell_change(book, task, what, due_at)


def _key(book: Book, effect: Dated) -> dict[str, Any]:
    return {"case_id": book.step.case_id, "stage": effect.stage, "round": effect.round}


def propose_act(book: Book, effect: c.ProposeAct) -> None:
    act = effect.act
    facts = {"stage": act.stage, "round": act.round, "act": str(act.act), "outcome": str(act.outcome)}
    book.rows.insert(
        ProposedActRow,
        act_id=act.id,
        case_id=book.step.case_id,
        actor=act.actor,
        reason=act.reason,
        proposed_at=book.step.at,
        **facts,
    )
    book.event(EventType.ACT_PROPOSED, act.actor, act_id=act.id, reason=act.reason, **facts)
    for person in holders(book.connection, OFFICE_ROLE):
        if person.email != act.actor:
            book.mail(
                MailKind.CONFIRMATION,
                person.email,
                person.name,
                stage=act.stage,
                act_id=act.id,
                act=str(act.act),
                outcome=str(act.outcome),
                actor=act.actor,
                reason=act.reason,
            )


def override_stage(book: Book, effect: c.OverrideStage) -> None:
    act = effect.act
    confirmed = {"confirmed_by": effect.confirmed_by, "confirmed_at": book.step.at}
    book.rows.update(ProposedActRow, {"act_id": act.id}, **confirmed)
    book.event(
        EventType.STAGE_OVERRIDDEN,
        effect.confirmed_by,
        act_id=act.id,
        act=str(act.act),
        stage=act.stage,
        round=act.round,
        outcome=str(act.outcome),
        proposed_by=act.actor,
        reason=act.reason,
    )


def send_back(book: Book, effect: c.SendBack) -> None:
    """What the stages had come to no longer stands; the ledger keeps it."""
    reason = f"it was sent back: {effect.reason}"
    for key in book.reopened_rounds(effect.reopened):
        book.rows.update(StageRow, key, status=str(StageStatus.WAITING), outcome=None, reason=reason)
    book.event(
        EventType.STAGE_SENT_BACK,
        effect.actor,
        stage=effect.stage,
        reason=effect.reason,
        reopened=list(effect.reopened),
        round=book.step.round,
    )


def call_deputy(book: Book, effect: c.CallDeputy) -> None:
    stage, task = book.stage_def(effect.stage), book.tasks()[effect.task]
    silent = effect.cause == "silent"
    if silent:
        close_task(book, task, TaskClosure.TIME_RAN_OUT, SYSTEM)
        book.mail(MailKind.TASK_CLOSED, task["assignee"], task["assignee_name"], task_id=effect.task)
    role = stage.sla.deputies if silent and stage.sla else stage.voting.deputies if stage.voting else None
    found = find_holders(book, stage, effect.round, role, 1, AssignmentReason.DEPUTY) if role else NOBODY
    if found.candidates:
        due_at = book.stage_due_at(effect.stage, effect.round)
        record_choice(book, effect.stage, effect.round, found)
        assigned = assign(book, effect.stage, effect.round, found.candidates[0], due_at, stands_for=effect.task)
        book.resolutions.append(resolution({"stage": effect.stage, "tasks": (assigned,)}))
        return
    detail = f"nobody can take the place of {task['assignee']}{because(found)}"
    book.incident(IncidentKind.NO_DEPUTY, effect.stage, detail)
    if silent and effect.stage not in book.escalated_now:
        book.escalated_now.add(effect.stage)
        escalate(book, c.Escalate(stage=effect.stage, round=effect.round, cause="breach"))
