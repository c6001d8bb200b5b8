"""The governance office at work: one method an act, for the command line and whatever else offers the same acts."""

import asyncio

from imprimatur import ids
from imprimatur.errors import NotFound
from imprimatur.gateway import Gateway
from imprimatur.store.decisions import task_place
from imprimatur.store.engine import Database
from imprimatur.store.office import belongs_to_office, not_the_office
from imprimatur.store.people import active_person
from models.calendars import BusinessDuration
from models.events import ActConfirmed, ActProposed, Annulled, Extended, Held, Nudged, PassedOn, Resumed, SentBack
from models.messages import CaseAnswer
from models.vocabulary import OfficeAct, StageOutcome


class Office:
    """Who acts must be active in the directory; whether they belong to the office is looked up at that moment."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    def _standing(self, actor: str) -> tuple[str, bool]:
        with self._database.read() as connection:
            person = active_person(connection, actor)
            return person.email, belongs_to_office(connection, person.email)

    def standing_in_office(self, actor: str) -> str:
        """The address of somebody who belongs to the office. Raises NotAllowed ``not_the_office``."""
        email, by_office = self._standing(actor)
        if not by_office:
            raise not_the_office(email)
        return email

    async def hold(self, case_id: str, *, actor: str, reason: str) -> CaseAnswer:
        email, by_office = await asyncio.to_thread(self._standing, actor)
        return await self._gateway.act(case_id, Held(actor=email, reason=reason, by_office=by_office))

    async def resume(self, case_id: str, *, actor: str, reason: str) -> CaseAnswer:
        email, by_office = await asyncio.to_thread(self._standing, actor)
        return await self._gateway.act(case_id, Resumed(actor=email, reason=reason, by_office=by_office))

    async def extend(
        self,
        case_id: str,
        stage: str,
        by: BusinessDuration,
        *,
        actor: str,
        reason: str,
        update_id: str | None = None,
    ) -> CaseAnswer:
        """Twice it gives twice the time; under one ``update_id`` it is done once."""
        email, by_office = await asyncio.to_thread(self._standing, actor)
        event = Extended(actor=email, stage=stage, by=by, reason=reason, by_office=by_office)
        return await self._gateway.act(case_id, event, update_id=update_id)

    async def propose(
        self, case_id: str, act: OfficeAct, stage: str, outcome: StageOutcome, *, actor: str, reason: str
    ) -> tuple[str, CaseAnswer]:
        """First half of an act that needs two people; answers the id by which the second confirms it."""
        email, by_office = await asyncio.to_thread(self._standing, actor)
        state = await self._gateway.state(case_id)
        number = state.stages[stage].round if stage in state.stages else 0
        act_id = ids.act_id(case_id, act, stage, number, email, f"{outcome} {reason}")
        event = ActProposed(
            act_id=act_id, act=act, actor=email, stage=stage, outcome=outcome, reason=reason, by_office=by_office
        )
        return act_id, await self._gateway.act(case_id, event)

    async def confirm(self, case_id: str, act_id: str, *, actor: str) -> CaseAnswer:
        email, by_office = await asyncio.to_thread(self._standing, actor)
        return await self._gateway.act(case_id, ActConfirmed(act_id=act_id, actor=email, by_office=by_office))

    async def send_back(self, case_id: str, stage: str, *, actor: str, reason: str) -> CaseAnswer:
        email, by_office = await asyncio.to_thread(self._standing, actor)
        return await self._gateway.act(case_id, SentBack(actor=email, stage=stage, reason=reason, by_office=by_office))

    async def nudge(self, case_id: str, stage: str | None, *, actor: str, update_id: str | None = None) -> CaseAnswer:
        """Twice it reminds twice; under one ``update_id`` it is done once."""
        email, by_office = await asyncio.to_thread(self._standing, actor)
        event = Nudged(actor=email, stage=stage, by_office=by_office)
        return await self._gateway.act(case_id, event, update_id=update_id)

    async def pass_on(self, task_id: str, to: str, *, actor: str, reason: str) -> CaseAnswer:
        """A delegation when the task's holder acts, else a reassignment; ``to`` must be active in the directory."""
        return await self._gateway.act(*await asyncio.to_thread(self._passing_on, task_id, to, actor, reason))

    def _passing_on(self, task_id: str, to: str, actor: str, reason: str) -> tuple[str, PassedOn]:
        place = task_place(self._database, task_id)
        with self._database.read() as connection:
            recipient = active_person(connection, to)
        email, by_office = self._acting_on_a_task(actor)
        event = PassedOn(actor=email, task_id=task_id, to=recipient.email, reason=reason, by_office=by_office)
        return place.case_id, event

    def _acting_on_a_task(self, actor: str) -> tuple[str, bool]:
        """A partner's contact may hold a task without being in the directory."""
        try:
            return self._standing(actor)
        except NotFound:
            return actor.strip().lower(), False

    async def annul(self, task_id: str, *, actor: str, reason: str) -> CaseAnswer:
        email, by_office = await asyncio.to_thread(self._standing, actor)
        place = await asyncio.to_thread(task_place, self._database, task_id)
        event = Annulled(actor=email, task_id=task_id, reason=reason, by_office=by_office)
        return await self._gateway.act(place.case_id, event)
