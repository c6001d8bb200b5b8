"""A reviewer's desk: claiming what is on offer, giving it back, asking for advice, and giving it."""

import asyncio
from typing import Protocol

from imprimatur.errors import NotFound
from imprimatur.store.decisions import task_place
from imprimatur.store.engine import Database
from imprimatur.store.people import active_person
from models.events import Act, AdviceAsked, AdviceGiven, Claimed, TaskReturned
from models.messages import CaseAnswer


class Acting(Protocol):
    """Whoever brings an act to its case: the gateway."""

    async def act(self, case_id: str, event: Act, update_id: str | None = None) -> CaseAnswer: ...


class Desk:
    """Who acts need not be in the directory: a partner's contact may hold a task. Who is in it must be active."""

    def __init__(self, gateway: Acting, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    async def claim(self, task_id: str, *, actor: str) -> CaseAnswer:
        return await self._act(task_id, Claimed(actor=await self._active(actor), task_id=task_id))

    async def give_back(self, task_id: str, *, actor: str, reason: str = "") -> CaseAnswer:
        event = TaskReturned(actor=await self._active(actor), task_id=task_id, reason=reason.strip())
        return await self._act(task_id, event)

    async def ask_advice(self, task_id: str, adviser: str, *, actor: str, question: str = "") -> CaseAnswer:
        """``adviser`` must be active in the directory."""
        asked, asking = await asyncio.to_thread(self._person, adviser), await self._active(actor)
        event = AdviceAsked(actor=asking, task_id=task_id, adviser=asked, question=question.strip())
        return await self._act(task_id, event)

    async def advise(self, task_id: str, *, actor: str, text: str) -> CaseAnswer:
        event = AdviceGiven(actor=await self._active(actor), task_id=task_id, text=text.strip())
        return await self._act(task_id, event)

    async def _act(self, task_id: str, event: Act) -> CaseAnswer:
        place = await asyncio.to_thread(task_place, self._database, task_id)
        return await self._gateway.act(place.case_id, event)

    async def _active(self, actor: str) -> str:
        try:
            return await asyncio.to_thread(self._person, actor)
        except NotFound:
            return actor.strip().lower()

    def _person(self, email: str) -> str:
        with self._database.read() as connection:
            return active_person(connection, email).email
