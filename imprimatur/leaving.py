"""What becomes of the work of people who are gone: handed over, task by task, with a report."""

import asyncio
import datetime as dt

from pydantic import BaseModel

from imprimatur.desk import Acting
from imprimatur.errors import ImprimaturError, Refused, Unavailable
from imprimatur.store import leave
from imprimatur.store.bounced import present_address
from imprimatur.store.conditions import unsettled_of
from imprimatur.store.engine import Database
from imprimatur.store.leave import Work
from imprimatur.store.office import check_office
from imprimatur.store.people import active_person
from models.events import HandedOver, PassedOn

SYSTEM = "system"


class HandedTask(BaseModel):
    """``to`` are those who are asked now; ``problem`` says what kept the work from whoever was meant to have it."""

    task_id: str
    case_id: str
    stage: str
    to: list[str]
    problem: str = ""


class LeaveReport(BaseModel):
    """``proposals`` are cases in motion that still name the person as their proposer.

    ``conditions`` of approvals are those that the person was to see to or to judge; the office can settle them.
    """

    person: str
    tasks: list[HandedTask]
    proposals: list[str]
    conditions: list[str]


class Leaving:
    """Hands work over through the cases themselves, which check it like any other act."""

    def __init__(self, gateway: Acting, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    async def leave(self, person: str, *, to: str | None = None, actor: str | None = None) -> LeaveReport:
        """Sets a person inactive and hands over everything that waits for them; repeating it does what was left.

        Raises NotFound ``person_unknown``, NotAllowed ``not_the_office``, Refused ``person_inactive``, ``own_deputy``.
        """
        heir, office = await asyncio.to_thread(self._named, to, person), await asyncio.to_thread(self._office, actor)
        email = await asyncio.to_thread(leave.leave, self._database, person, dt.datetime.now(dt.UTC))
        work = await asyncio.to_thread(leave.work_of, self._database, email)
        tasks = [await self.hand_over(item, heir, office) for item in work]
        proposals = await asyncio.to_thread(leave.open_proposals, self._database, email)
        conditions = await asyncio.to_thread(unsettled_of, self._database, email)
        return LeaveReport(person=email, tasks=tasks, proposals=proposals, conditions=conditions)

    def _named(self, to: str | None, person: str) -> str | None:
        if to is None:
            return None
        with self._database.read() as connection:
            heir = active_person(connection, to).email
        if heir == person.strip().lower():
            raise Refused("own_deputy", "Nobody takes over from themselves.", "Name someone else with --to.")
        return heir

    def _office(self, actor: str | None) -> str:
        if actor is None:
            return SYSTEM
        with self._database.read() as connection:
            email = active_person(connection, actor).email
            check_office(connection, email)
        return email

    async def sweep(self) -> list[HandedTask]:
        """Hands over whatever waits for people who are no longer active: to themselves, where they have a new address.

        Raises Unavailable when some could not be.
        """
        done: list[HandedTask] = []
        trouble: Unavailable | None = None
        for work in await asyncio.to_thread(leave.abandoned_work, self._database):
            try:
                heir = await asyncio.to_thread(self._at_new_address, work.assignee)
                done.append(await self.hand_over(work, heir, SYSTEM))
            except Unavailable as error:
                # One case that does not answer must not keep the others waiting.
                trouble = error
        if trouble is not None:
            raise trouble
        return done

    def _at_new_address(self, email: str) -> str | None:
        with self._database.read() as connection:
            present = present_address(connection, email)
        return present if present != email else None

    async def hand_over(self, work: Work, heir: str | None, actor: str) -> HandedTask:
        """To the person named where nothing is against it, else to whom the stage's own rules choose."""
        before = await asyncio.to_thread(leave.asked_now, self._database, work)
        problem = await self._pass_on(work, heir, actor) if heir is not None and not work.on_offer else ""
        if heir is None or work.on_offer or problem:
            refused = await self._replace(work, actor)
            problem = "; ".join(part for part in (problem, refused) if part)
        asked = await asyncio.to_thread(leave.asked_now, self._database, work) - before
        to = sorted(assignee for _, assignee in asked)
        return HandedTask(task_id=work.task_id, case_id=work.case_id, stage=work.stage, to=to, problem=problem)

    async def _pass_on(self, work: Work, heir: str, actor: str) -> str:
        moved = await asyncio.to_thread(self._at_new_address, work.assignee) == heir
        reason = f"{work.assignee} {'is reached at another address' if moved else 'has left'}"
        event = PassedOn(actor=actor, task_id=work.task_id, to=heir, reason=reason, by_office=True)
        return await self._problem(work, event)

    async def _replace(self, work: Work, actor: str) -> str:
        by_office = actor != SYSTEM
        reason = f"{work.assignee} is no longer active"
        event = HandedOver(actor=actor, task_id=work.task_id, reason=reason, by_office=by_office)
        return await self._problem(work, event)

    async def _problem(self, work: Work, event: PassedOn | HandedOver) -> str:
        """What the case says against an act; empty when it was done. Raises Unavailable: repeating is safe."""
        try:
            await self._gateway.act(work.case_id, event)
        except Unavailable:
            raise
        except ImprimaturError as error:
            return error.message
        return ""
