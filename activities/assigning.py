"""Who is asked: what opening, skipping and escalating a stage writes."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from activities.book import SYSTEM, Book
from activities.resolving import Awaited, Deadlines, awaited, next_business_day, stage_deadlines
from activities.staffing import Candidate, Found, find_holders, find_reviewers
from activities.tracks import unmet, write_skipped
from imprimatur import ids
from imprimatur.rules.ledger import instant_text
from models import effects as c
from models.commit import AssignedTask, StageResolution
from models.framework import StageDef
from models.tables import IncidentRow, TaskRow
from models.vocabulary import EventType, IncidentKind, MailKind, StageKind, StageStatus, TaskStatus

NOBODY = Found((), 0, {}, {})
# What is over when somebody is found to decide.
UNSTAFFED = (
    IncidentKind.NO_REVIEWER,
    IncidentKind.QUORUM_OUT_OF_REACH,
    IncidentKind.NO_ESCALATION_TARGET,
    IncidentKind.NO_DEPUTY,
    IncidentKind.NO_SUCCESSOR,
)


def open_stage(book: Book, effect: c.OpenStage) -> None:
    stage = book.stage_def(effect.stage)
    if (judged := unmet(book, stage)) is not None:
        reason = f"it applies only when {stage.when}"
        _skip_stage(book, effect, reason, when=stage.when, values=judged.values)
        return
    found = find_reviewers(book, stage, effect.round)
    if not found.candidates and stage.optional:
        _skip_stage(book, effect, found.reasons or "the proposal names nobody to ask")
        return
    if (wait := awaited(book.framework, stage, book.step.at)) is not None:
        _await(book, effect, wait)
        return
    deadlines = stage_deadlines(book.framework, stage, book.step.at, effect.within)
    due_at = deadlines.due.due_at if deadlines else None
    facts: dict[str, Any] = {"due_at": due_at, "due_reason": deadlines.due.explanation() if deadlines else None}
    if stage.committee is not None and deadlines is not None:
        facts |= {"committee": stage.committee, "sits_at": deadlines.sits_at}
    book.put_stage(stage, effect.round, StageStatus.OPEN, **facts)
    book.event(
        EventType.STAGE_OPENED,
        SYSTEM,
        stage=stage.id,
        round=effect.round,
        due_at=instant_text(due_at) if due_at else None,
        calendar=stage.sla.calendar if stage.sla else None,
    )
    if deadlines is not None and deadlines.sits_at is not None:
        place_on_agenda(book, effect.stage, effect.round, deadlines.sits_at)
    record_choice(book, effect.stage, effect.round, found)
    tasks = [assign(book, effect.stage, effect.round, candidate, due_at) for candidate in found.candidates]
    report_shortage(book, effect.stage, found)
    book.resolutions.append(resolution({"stage": stage.id, "tasks": tuple(tasks)} | timed(deadlines)))


def _await(book: Book, effect: c.OpenStage, wait: Awaited) -> None:
    """Until its window opens; a week, while none is announced, and the office knows."""
    stage = book.stage_def(effect.stage)
    opens_at = wait.at or next_business_day(book.framework, stage, book.step.at, 5)
    if wait.at is None:
        book.incident(wait.kind, stage.id, f"the framework announces no further date of {wait.what}")
    book.put_stage(stage, effect.round, StageStatus.WAITING, opens_at=opens_at, reason=f"it waits for {wait.what}")
    told = instant_text(wait.at) if wait.at else None
    book.event(EventType.STAGE_AWAITED, SYSTEM, stage=stage.id, round=effect.round, what=wait.what, opens_at=told)
    book.resolutions.append(resolution({"stage": stage.id, "opens_at": opens_at}))


def place_on_agenda(
    book: Book, stage_id: str, round_number: int, sits_at: dt.datetime, actor: str = SYSTEM, **told: Any
) -> None:
    committee = book.stage_def(stage_id).committee
    book.event(
        EventType.AGENDA_ITEM_PLACED,
        actor,
        stage=stage_id,
        round=round_number,
        committee=committee,
        sits_at=instant_text(sits_at),
        **told,
    )


def _skip_stage(book: Book, effect: c.OpenStage, reason: str, **evidence: Any) -> None:
    write_skipped(book, effect.stage, effect.round, reason, **evidence)
    book.skipped_now.add(effect.stage)
    book.resolutions.append(resolution({"stage": effect.stage, "skipped": reason}))


def escalate(book: Book, effect: c.Escalate) -> None:
    missed = [e.due_at for e in book.step.effects if isinstance(e, c.Breach) and e.stage == effect.stage]
    sla = book.stage_def(effect.stage).sla
    if effect.step and sla is not None:
        step = sla.then[effect.step - 1]
        _seek(book, effect.stage, effect.round, effect.cause, missed, step.to, step.count)
    else:
        _seek(book, effect.stage, effect.round, effect.cause, missed)


def seek_reviewers(book: Book, effect: c.SeekReviewers) -> None:
    if not _ask_reviewers(book, effect.stage, effect.round):
        _seek(book, effect.stage, effect.round, "no_decision")


def _seek(
    book: Book,
    stage_id: str,
    round_number: int,
    cause: str,
    missed: Sequence[dt.datetime] = (),
    role: str | None = None,
    count: int | None = None,
) -> None:
    """Asks holders of ``role``; of the one that the stage escalates to first, when none is named."""
    stage = book.stage_def(stage_id)
    found = NOBODY
    if stage.sla is not None:
        role = role or stage.sla.escalate_to
        found = find_holders(book, stage, round_number, role, count or stage.sla.escalate_count)
    if not found.candidates:
        if not _ask_reviewers(book, stage_id, round_number):
            _seek_again(book, stage, round_number, role, found)
        return
    book.event(
        EventType.STAGE_ESCALATED,
        SYSTEM,
        stage=stage_id,
        round=round_number,
        cause=cause,
        to=[candidate.email for candidate in found.candidates],
    )
    for kind in UNSTAFFED:
        resolve_incidents(book, stage_id, kind=str(kind))
    record_choice(book, stage_id, round_number, found)
    due_at, data = book.stage_due_at(stage_id, round_number), {"cause": cause}
    if missed:
        data["due_at"] = instant_text(missed[0])
    tasks = tuple(
        assign(book, stage_id, round_number, candidate, due_at, data, kind=MailKind.ESCALATION)
        for candidate in found.candidates
    )
    book.resolutions.append(resolution({"stage": stage_id, "tasks": tasks}))


def _seek_again(book: Book, stage: StageDef, round_number: int, role: str | None, found: Found) -> None:
    detail = "the framework names nobody to whom this stage could be escalated"
    if role is not None:
        detail = f"nobody else holds the role {role.replace('_', ' ')} to decide this stage"
    book.incident(IncidentKind.NO_ESCALATION_TARGET, stage.id, detail + because(found))
    retry_at = next_business_day(book.framework, stage, book.step.at)
    book.event(EventType.REVIEWERS_SOUGHT, SYSTEM, stage=stage.id, round=round_number, retry_at=instant_text(retry_at))
    book.resolutions.append(resolution({"stage": stage.id, "retry_at": retry_at}))


def _ask_reviewers(book: Book, stage_id: str, round_number: int) -> bool:
    """Whether the stage's rules name someone by now, where nobody could be asked before.

    Who could have objected cannot be asked any more once someone else has to say whether the case may go on.
    """
    if book.people_of_round(stage_id, round_number) or book.stage_def(stage_id).kind is StageKind.OBJECTION:
        return False
    found = find_reviewers(book, book.stage_def(stage_id), round_number)
    if not found.candidates:
        return False
    record_choice(book, stage_id, round_number, found)
    for kind in (IncidentKind.NO_REVIEWER, IncidentKind.NO_ESCALATION_TARGET, IncidentKind.NO_SUCCESSOR):
        resolve_incidents(book, stage_id, kind=str(kind))
    due_at = book.stage_due_at(stage_id, round_number)
    tasks = tuple(assign(book, stage_id, round_number, candidate, due_at) for candidate in found.candidates)
    report_shortage(book, stage_id, found)
    book.resolutions.append(resolution({"stage": stage_id, "tasks": tasks}))
    return True


def assign(
    book: Book,
    stage_id: str,
    round_number: int,
    candidate: Candidate,
    due_at: dt.datetime | None,
    told_by_mail: dict[str, str] | None = None,
    stands_for: str | None = None,
    *,
    kind: MailKind = MailKind.TASK,
) -> AssignedTask:
    asked = [task for task in book.tasks_of_round(stage_id, round_number) if task["assignee"] == candidate.email]
    task_id = ids.task_id(book.step.case_id, stage_id, round_number, candidate.email, len(asked) + 1)
    offer, status = candidate.offer, TaskStatus.OFFERED if candidate.on_offer else TaskStatus.OPEN
    row = {
        "task_id": task_id,
        "case_id": book.step.case_id,
        "stage": stage_id,
        "round": round_number,
        "assignee": candidate.email,
        "assignee_name": candidate.name,
        "reason": str(candidate.reason),
        "role": candidate.role,
        "on_behalf_of": candidate.on_behalf_of,
        "offer_rule": offer.rule if offer else None,
        "offer_seats": offer.seats if offer else None,
        "status": str(status),
        "opened_at": book.step.at,
        "due_at": due_at,
    }
    book.rows.insert(TaskRow, **row)
    book.asked_now.append(row | {"closure": None, "verdict": None})
    told = {name: row[name] for name in ("task_id", "stage", "round", "assignee", "reason", "role")}
    told |= {"on_behalf_of": candidate.on_behalf_of} if candidate.on_behalf_of else {}
    book.event(EventType.TASK_OFFERED if candidate.on_offer else EventType.TASK_ASSIGNED, SYSTEM, **told)
    book.mail(kind, candidate.email, candidate.name, task_id=task_id, **(told_by_mail or {}))
    facts: dict[str, Any] = {"id": task_id, "assignee": candidate.email, "reason": candidate.reason}
    facts |= {"role": candidate.role} if candidate.role else {}
    facts |= {"offer": offer} if offer else {}
    facts |= {"status": status} if candidate.on_offer else {}
    facts |= {"stands_for": stands_for} if stands_for else {}
    return AssignedTask.model_construct(_fields_set=set(facts), **facts)


def tell_change(book: Book, task: dict[str, Any], what: str, due_at: dt.datetime | None) -> None:
    """``what`` is ``held``, ``resumed``, ``extended``, ``placed`` (at another sitting) or ``anew``."""
    book.mail(
        MailKind.CHANGED,
        task["assignee"],
        task["assignee_name"],
        task_id=task["task_id"],
        what=what,
        was=instant_text(task["due_at"]) if task["due_at"] else None,
        due_at=instant_text(due_at) if due_at else None,
        reason=getattr(book.step.event, "reason", None) or "",
    )


def timed(deadlines: Deadlines | None) -> dict[str, Any]:
    """What the case must know of a stage's deadlines; nothing is said of what there is none of."""
    if deadlines is None:
        return {}
    facts: dict[str, Any] = {"due_at": deadlines.due.due_at}
    facts |= {"remind_at": deadlines.remind_at} if deadlines.remind_at else {}
    facts |= {"sits_at": deadlines.sits_at} if deadlines.sits_at else {}
    return facts | ({"escalate_at": deadlines.escalate_at} if deadlines.escalate_at else {})


def record_choice(book: Book, stage_id: str, round_number: int, found: Found) -> None:
    """Who was passed over and why, draws that anyone can repeat, and who is asked although they are away."""
    if found.passed_over:
        people = [{"person": person, "why": why} for person, why in found.passed_over.items()]
        book.event(EventType.REVIEWERS_PASSED_OVER, SYSTEM, stage=stage_id, round=round_number, people=people)
    for draw in found.draws:
        book.event(
            EventType.REVIEWERS_DRAWN,
            SYSTEM,
            stage=stage_id,
            round=round_number,
            seed=draw.seed,
            pool=list(draw.pool),
            drawn=list(draw.drawn),
        )
    if found.although_away:
        away = "; ".join(f"{person} {why}" for person, why in found.although_away.items())
        book.incident(IncidentKind.REVIEWER_ABSENT, stage_id, f"asked all the same, for nobody else can do it: {away}")


def because(found: Found) -> str:
    return f" ({found.reasons})" if found.passed_over else ""


def report_shortage(book: Book, stage_id: str, found: Found, already: int = 0) -> None:
    """``already``: so many were asked before, and review as well."""
    stage = book.stage_def(stage_id)
    needed = stage.voting.least_people if stage.voting else 1
    people = found.people + already
    if people == 0:
        book.incident(IncidentKind.NO_REVIEWER, stage_id, f"nobody can review this stage{because(found)}")
    elif people < needed:
        detail = f"{people} can review this stage, {needed} are needed{because(found)}"
        book.incident(IncidentKind.QUORUM_OUT_OF_REACH, stage_id, detail)


def resolve_incidents(book: Book, stage_id: str, **narrower: str) -> None:
    key = {"case_id": book.step.case_id, "stage": stage_id} | narrower
    book.rows.fill(IncidentRow, key, resolved_at=book.step.at)


def resolution(facts: dict[str, Any]) -> StageResolution:
    return StageResolution.model_construct(_fields_set=set(facts), **facts)
