"""A committee at work: items admitted or put off, and the decisions of a whole agenda recorded from one document."""

import asyncio
import datetime as dt

from pydantic import BaseModel
from sqlalchemy import select

from imprimatur.committees.agenda import AgendaItem, agenda
from imprimatur.committees.bodies import committee
from imprimatur.errors import ImprimaturError, InputError, NotAllowed, Refused
from imprimatur.gateway import Gateway
from imprimatur.store.engine import Database
from imprimatur.store.minutes import keep_minutes
from imprimatur.store.office import belongs_to_office
from imprimatur.store.people import active_person
from models.events import Placed
from models.messages import CaseAnswer
from models.sitting import ItemRecord, SittingRecord
from models.tables import CaseRow, StageRow, TaskRow
from models.vocabulary import Verdict

_STAGE = StageRow.__table__  # type: ignore[attr-defined]
_TASK = TaskRow.__table__  # type: ignore[attr-defined]
_CASE = CaseRow.__table__  # type: ignore[attr-defined]


BY_CONSENT = "Taken by consent"


class ItemResult(BaseModel):
    """``result``: recorded, deferred, refused, left open; in a preview, what would be done."""

    case_id: str
    title: str
    stage: str
    result: str
    verdict: Verdict | None = None
    code: str | None = None
    message: str = ""


class Secretary:
    """Acts for committees; whoever records a decision must hold the task for it."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    async def record(self, record: SittingRecord, *, actor: str, preview: bool = False) -> list[ItemResult]:
        """One item's refusal stops no other; recorded again, what was recorded stays as it is."""
        found = await asyncio.to_thread(agenda, self._database, record.committee, record.held_on)
        with self._database.read() as connection:
            person = active_person(connection, actor).email
        stated = {item.case: item for item in record.items}
        moved = stated.keys() & {item.case_id for item in found.moved}
        if unknown := sorted(stated.keys() - {item.case_id for item in found.items}):
            gone = [case for case in unknown if case not in moved or stated[case].defer_to is None]
            if gone:
                raise InputError(
                    "not_on_the_agenda",
                    f"Not on the agenda of {found.name} for {found.on.isoformat()}: {', '.join(gone)}.",
                    f"See `starter.py committee agenda {found.committee} --on {found.on.isoformat()}`.",
                )
        results = [await self._one(item, _said(item, stated, record), person, preview) for item in found.items]
        # Recorded again, an item that was put off is on another agenda already.
        if not preview and (moved or any(result.result in ("recorded", "deferred") for result in results)):
            await asyncio.to_thread(
                keep_minutes,
                self._database,
                record.committee,
                record.held_on,
                present=list(record.present),
                apologies=list(record.apologies),
                remarks=record.remarks or "",
                recorded_by=person,
            )
        return results

    async def _one(self, item: AgendaItem, said: ItemRecord | None, actor: str, preview: bool) -> ItemResult:
        facts = {"case_id": item.case_id, "title": item.title, "stage": item.stage}
        if said is None:
            return ItemResult(result="decided before" if item.outcome else "left open", **facts)
        facts |= {"verdict": said.verdict} if said.verdict else {}
        try:
            if said.defer_to is not None:
                if not preview:
                    await self.place(item.case_id, item.stage, said.defer_to, actor=actor, reason=said.reason or "")
                return ItemResult(result="would be deferred" if preview else "deferred", **facts)
            task = await asyncio.to_thread(self._task_of, item, actor)
            if not preview:
                await self._gateway.decide(
                    task_id=task, verdict=str(said.verdict), actor=actor, comment=said.told, scores=said.scores
                )
        except ImprimaturError as error:
            return ItemResult(result="refused", code=error.code, message=error.message, **facts)
        return ItemResult(result="would be recorded" if preview else "recorded", **facts)

    def _task_of(self, item: AgendaItem, person: str) -> str:
        """The person's task for the item, answered or not. Raises NotAllowed ``not_your_task``."""
        query = (
            select(_TASK.c.task_id)
            .where(
                _TASK.c.case_id == item.case_id,
                _TASK.c.stage == item.stage,
                _TASK.c.round == item.round,
                _TASK.c.assignee == person,
            )
            .order_by(_TASK.c.opened_at.desc())
        )
        with self._database.read() as connection:
            found = connection.execute(query).scalars().first()
        if found is None:
            holders = ", ".join(holder.person for holder in item.holders) or "nobody"
            raise NotAllowed(
                "not_your_task",
                f"The decision on {item.case_id} is not {person}'s to record.",
                f"It is asked of {holders}; the governance office can reassign it.",
            )
        return str(found)

    async def place(self, case_id: str, stage: str, on: dt.date, *, actor: str, reason: str) -> CaseAnswer:
        """Moves an item to the sitting of the day ``on``.

        Raises InputError ``sitting_unknown`` and Refused ``no_committee``, ``sitting_over``, ``too_late_for_sitting``.
        """
        event = await asyncio.to_thread(self._placing, case_id, stage, on, actor, reason)
        return await self._gateway.act(case_id, event)

    def _placing(self, case_id: str, stage: str, on: dt.date, actor: str, reason: str) -> Placed:
        with self._database.read() as connection:
            person = active_person(connection, actor).email
            by_office = belongs_to_office(connection, person)
            row = connection.execute(
                select(_STAGE.c.committee, _CASE.c.updated_at)
                .join(_CASE, _CASE.c.case_id == _STAGE.c.case_id)
                .where(_STAGE.c.case_id == case_id, _STAGE.c.stage == stage)
                .order_by(_STAGE.c.round.desc())
            ).first()
        late = False
        if row is not None and row.committee is not None:
            body = committee(self._database, row.committee)
            sitting = body.sitting(on)
            # A case under virtual time is ahead of the clock on the wall.
            now = max(dt.datetime.now(dt.UTC), row.updated_at)
            if sitting.at <= now:
                raise Refused(
                    "sitting_over",
                    f"The sitting of {on.isoformat()} has begun already.",
                    "Name one that is to come.",
                )
            if not body.takes(sitting, now):
                raise Refused(
                    "too_late_for_sitting",
                    f"The sitting of {on.isoformat()} took items until {sitting.cut_off:%Y-%m-%d %H:%M} UTC.",
                    "Name a later one: this committee admits no late items.",
                )
            late = now > sitting.cut_off
        return Placed(actor=person, stage=stage, on=on, reason=reason, late=late, by_office=by_office)


def _said(item: AgendaItem, stated: dict[str, ItemRecord], record: SittingRecord) -> ItemRecord | None:
    if item.case_id in stated:
        return stated[item.case_id]
    # What was taken by consent before is answered as it was: a record that was cut off can be repeated whole.
    open_or_so_taken = item.outcome is None or any(answer.comment == BY_CONSENT for answer in item.answers)
    if item.consent and record.consent is not None and open_or_so_taken:
        return ItemRecord(case=item.case_id, verdict=record.consent, comment=BY_CONSENT)
    return None
