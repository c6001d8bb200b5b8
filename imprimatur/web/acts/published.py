"""Acts on what is published, as their forms say them: done by the one who does them for everybody else as well."""

import asyncio
import datetime as dt

from imprimatur.errors import InputError
from imprimatur.gateway import Gateway
from imprimatur.handover import Handovers
from imprimatur.improvement import Improvement
from imprimatur.publishing import Publishing
from imprimatur.store.engine import Database
from imprimatur.store.ledger import last_position
from imprimatur.web.acts.said import Said


async def retract(gateway: Gateway, database: Database, said: Said) -> int:
    await asyncio.to_thread(lambda: Publishing(database).retract(said.case_id, **said.why))
    return await asyncio.to_thread(last_position, database, said.case_id)


async def retry(gateway: Gateway, database: Database, said: Said) -> None:
    """Nothing of it stands in the ledger until its targets have answered."""
    await asyncio.to_thread(lambda: Publishing(database).retry(said.case_id, actor=said.actor))


async def schedule(gateway: Gateway, database: Database, said: Said) -> int:
    day = day_of(said)
    await asyncio.to_thread(lambda: Publishing(database).schedule(said.case_id, day, **said.why))
    return await asyncio.to_thread(last_position, database, said.case_id)


async def call_review(gateway: Gateway, database: Database, said: Said) -> int:
    await Improvement(gateway, database).call(said.case_id, **said.why)
    return await asyncio.to_thread(last_position, database, said.case_id)


async def move_review(gateway: Gateway, database: Database, said: Said) -> int:
    await Improvement(gateway, database).move(said.case_id, day_of(said), **said.why)
    return await asyncio.to_thread(last_position, database, said.case_id)


async def hand_over_again(gateway: Gateway, database: Database, said: Said) -> int:
    await asyncio.to_thread(lambda: Handovers(database).again(said.case_id, **said.why))
    return await asyncio.to_thread(last_position, database, said.case_id)


async def retry_handover(gateway: Gateway, database: Database, said: Said) -> None:
    """Nothing of it stands in the ledger until targets or people have answered."""
    await asyncio.to_thread(lambda: Handovers(database).retry(said.case_id, actor=said.actor))


def day_of(said: Said) -> dt.date:
    """Raises InputError ``choice_missing``."""
    try:
        return dt.date.fromisoformat(said["on"])
    except ValueError as error:
        raise InputError("choice_missing", "No day was chosen.", "Choose one, such as 2027-02-01.") from error
