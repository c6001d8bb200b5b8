"""What becomes of approvals under a new version: kept with their proof, lapsed, or to be confirmed."""

from typing import Any

from sqlalchemy import select

from activities.assigning import assign, record_choice, report_shortage, resolution, tell_change, timed
from activities.book import SYSTEM, Book
from activities.resolving import Deadlines, stage_deadlines
from activities.staffing import find_confirmers, find_others, reviewing_now
from imprimatur.rules.ledger import instant_text
from imprimatur.rules.voting import IN_FAVOUR
from models import effects as c
from models.tables import DecisionRow, StageRow, TaskRow
from models.vocabulary import EventType, StageStatus

_DECISION = DecisionRow.__table__  # type: ignore[attr-defined]


def keep_stage(book: Book, effect: c.KeepStage) -> None:
    proof = _proof(book, effect.stage, effect.round)
    book.event(EventType.STAGE_KEPT, SYSTEM, stage=effect.stage, round=effect.round, decisions=proof)


def _proof(book: Book, stage_id: str, round_number: int) -> list[dict[str, Any]]:
    """The ledger events that made an approval: they were written in former steps."""
    query = select(_DECISION.c.position, _DECISION.c.ledger_digest, _DECISION.c.actor).where(
        _DECISION.c.case_id == book.step.case_id,
        _DECISION.c.stage == stage_id,
        _DECISION.c.round == round_number,
        _DECISION.c.verdict.in_(sorted(IN_FAVOUR)),
        _DECISION.c.annulled_at.is_(None),
    )
    rows = book.connection.execute(query.order_by(_DECISION.c.position))
    return [{"position": row.position, "digest": row.ledger_digest, "actor": row.actor} for row in rows]


def lapse_stage(book: Book, effect: c.LapseStage) -> None:
    reason = "its approval lapsed: not everyone who gave it confirmed it"
    if effect.confirmed:
        reason = f"its approval lapsed with the change of {', '.join(effect.changed)}"
    for key in book.standing_rounds(effect.stage):
        book.rows.update(StageRow, key, status=str(StageStatus.WAITING), outcome=None, reason=reason)
    told = {"changed": list(effect.changed)} | ({} if effect.confirmed else {"confirmed": False})
    book.event(EventType.STAGE_LAPSED, SYSTEM, stage=effect.stage, **told)


def ask_to_confirm(book: Book, effect: c.AskToConfirm) -> None:
    """Whoever approved gets a task for the new round, in the stage's own time."""
    stage = book.stage_def(effect.stage)
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
        confirms=effect.of_round,
    )
    book.event(
        EventType.CONFIRMATION_SOUGHT,
        SYSTEM,
        stage=stage.id,
        round=effect.round,
        of_round=effect.of_round,
        due_at=instant_text(due_at) if due_at else None,
        decisions=_proof(book, stage.id, effect.of_round),
    )
    found = find_confirmers(book, stage, effect.round, [book.tasks()[task] for task in effect.tasks])
    record_choice(book, stage.id, effect.round, found)
    tasks = tuple(assign(book, stage.id, effect.round, candidate, due_at) for candidate in found.candidates)
    book.resolutions.append(resolution({"stage": stage.id, "tasks": tasks} | timed(deadlines)))


def ask_anew(book: Book, effect: c.AskAnew) -> None:
    """Answers given stay votes, tasks stay open: whoever the rules name beyond those is asked as well."""
    stage = book.stage_def(effect.stage)
    deadlines = stage_deadlines(book.framework, stage, book.step.at, effect.within)
    _begin_anew(book, effect, deadlines)
    already = len(reviewing_now(book, stage.id, effect.round))
    found = find_others(book, stage, effect.round)
    record_choice(book, stage.id, effect.round, found)
    due_at = deadlines.due.due_at if deadlines else None
    tasks = tuple(assign(book, stage.id, effect.round, candidate, due_at) for candidate in found.candidates)
    report_shortage(book, stage.id, found, already)
    book.resolutions.append(resolution({"stage": stage.id, "tasks": tasks} | timed(deadlines)))


def _begin_anew(book: Book, effect: c.AskAnew, deadlines: Deadlines | None) -> None:
    due_at = deadlines.due.due_at if deadlines else None
    key = {"case_id": book.step.case_id, "stage": effect.stage, "round": effect.round}
    reason = deadlines.due.explanation() if deadlines else None
    book.rows.update(StageRow, key, due_at=due_at, due_reason=reason, confirms=None)
    for task in book.open_tasks_of(effect.stage, effect.round):
        book.rows.update(TaskRow, {"task_id": task["task_id"]}, due_at=due_at)
        if task["due_at"] != due_at:
            tell_change(book, task, "anew", due_at)
    sla = book.stage_def(effect.stage).sla
    book.event(
        EventType.STAGE_OPENED,
        SYSTEM,
        stage=effect.stage,
        round=effect.round,
        due_at=instant_text(due_at) if due_at else None,
        calendar=sla.calendar if sla else None,
    )
