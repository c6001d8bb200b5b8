"""Conditions of approvals, brought to their end: one method an act, for the command line and others."""

import asyncio

from imprimatur.errors import NotFound
from imprimatur.gateway import Gateway
from imprimatur.store.conditions import case_of_condition
from imprimatur.store.engine import Database
from imprimatur.store.office import belongs_to_office
from models.conditions import ConditionFulfilled, ConditionJudged
from models.messages import CaseAnswer
from models.vocabulary import ConditionAct


class Settling:
    """A partner may set a condition, and anybody be its owner, without being in the directory."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    async def fulfil(self, condition_id: str, *, actor: str, evidence: str) -> CaseAnswer:
        """Raises NotFound ``condition_unknown`` and what the rules refuse."""
        event = ConditionFulfilled(actor=actor.strip().lower(), condition_id=condition_id, evidence=evidence.strip())
        return await self._gateway.condition(await asyncio.to_thread(self._case, condition_id), event)

    async def judge(self, condition_id: str, act: ConditionAct, *, actor: str, reason: str = "") -> CaseAnswer:
        """Raises NotFound ``condition_unknown`` and what the rules refuse."""
        email = actor.strip().lower()
        by_office = await asyncio.to_thread(self._belongs_to_the_office, email)
        event = ConditionJudged(
            actor=email, condition_id=condition_id, act=act, reason=reason.strip(), by_office=by_office
        )
        return await self._gateway.condition(await asyncio.to_thread(self._case, condition_id), event)

    def _belongs_to_the_office(self, email: str) -> bool:
        with self._database.read() as connection:
            return belongs_to_office(connection, email)

    def _case(self, condition_id: str) -> str:
        case_id = case_of_condition(self._database, condition_id)
        if case_id is None:
            raise NotFound(
                "condition_unknown", f"There is no condition {condition_id}.", "See `starter.py conditions CASE`."
            )
        return case_id
