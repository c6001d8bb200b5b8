"""People whose address has changed: what they proposed follows them, also what is over, and mail that still waits."""

import asyncio
import datetime as dt

import structlog

from imprimatur.desk import Acting
from imprimatur.errors import ImprimaturError, Unavailable
from imprimatur.store.bounced import SYSTEM
from imprimatur.store.engine import Database
from imprimatur.store.readdressing import Readdressed, move_waiting_mail, readdress_over, readdressed
from models.events import ProposerReaddressed

log = structlog.get_logger()


class Following:
    """A running case records it like any other act; of one that is over, ledger and row are written here."""

    def __init__(self, gateway: Acting, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    async def follow(self) -> int:
        """Answers how many cases have followed. Raises Unavailable when some could not; repeating it is safe."""
        await asyncio.to_thread(move_waiting_mail, self._database, dt.datetime.now(dt.UTC))
        done, trouble = 0, None
        for item in await asyncio.to_thread(readdressed, self._database):
            try:
                done += await self._one(item)
            except Unavailable as error:
                # One case that does not answer must not keep the others waiting.
                trouble = error
        if trouble is not None:
            raise trouble
        return done

    async def _one(self, item: Readdressed) -> bool:
        if item.is_over:
            return await asyncio.to_thread(self._over, item)
        try:
            await self._gateway.act(item.case_id, ProposerReaddressed(actor=SYSTEM, to=item.to))
        except Unavailable:
            raise
        except ImprimaturError as error:
            # It may have ended meanwhile; the next look finds it so.
            log.warning("proposer_not_readdressed", case_id=item.case_id, code=error.code)
            return False
        return True

    def _over(self, item: Readdressed) -> bool:
        with self._database.write() as connection:
            return readdress_over(connection, item, dt.datetime.now(dt.UTC))
