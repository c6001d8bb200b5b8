"""What becomes of a task whose mail does not arrive: passed on to a deputy, or else the office is told.

Cases follow their proposers to other addresses as well, as soon as the directory knows of them.
"""

import asyncio
import datetime as dt

import structlog

from imprimatur.desk import Acting
from imprimatur.errors import ImprimaturError, Unavailable
from imprimatur.following import Following
from imprimatur.store.bounced import SYSTEM, Waiting, give_to_office, waiting_bounces
from imprimatur.store.engine import Database
from models.events import PassedOn

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 2.0


class Rerouting:
    """Acts through the cases themselves, which check and record it like any other act. Repeating it is safe."""

    def __init__(self, gateway: Acting, database: Database) -> None:
        self._gateway = gateway
        self._database = database
        self._following = Following(gateway, database)

    async def reroute(self) -> int:
        """Deals with every incident that the office has not heard of; answers how many tasks were passed on.

        Raises Unavailable when some could not be dealt with.
        """
        done, trouble = 0, None
        for waiting in await asyncio.to_thread(waiting_bounces, self._database, _now()):
            try:
                done += await self._one(waiting)
            except Unavailable as error:
                # One case that does not answer must not keep the others waiting.
                trouble = error
        if trouble is not None:
            raise trouble
        return done

    async def _one(self, waiting: Waiting) -> bool:
        problems = []
        for heir in waiting.heirs:
            problem = await self._pass_on(waiting, heir)
            if problem is None:
                log.info("task_passed_on", mail_id=waiting.mail.mail_id, case_id=waiting.mail.case_id)
                return True
            problems.append(f"{heir} cannot take over: {problem}")
        await asyncio.to_thread(give_to_office, self._database, waiting, "; ".join(problems), _now())
        return False

    async def _pass_on(self, waiting: Waiting, heir: str) -> str | None:
        """What the case says against it; None when it was done."""
        assert waiting.mail.task_id is not None
        event = PassedOn(
            actor=SYSTEM, task_id=waiting.mail.task_id, to=heir, reason=waiting.detail[:500], by_office=True
        )
        try:
            # Done before, and cut short before the answer: the case gives it again.
            await self._gateway.act(waiting.mail.case_id, event, f"{waiting.incident_id}-{heir}")
        except Unavailable:
            raise
        except ImprimaturError as error:
            return error.message
        return None

    async def watch(self) -> None:
        """Until it is cancelled; what does not work now is tried again."""
        while True:
            try:
                await self._following.follow()
                await self.reroute()
            except Unavailable as error:
                log.warning("rerouting_waits", code=error.code, reason=error.message)
            except Exception as error:
                log.error("fault", exc_info=error)
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
