"""An act that no worker takes up: its caller hears so, and repeating it records it once."""

import asyncio
import datetime as dt
from contextlib import suppress
from pathlib import Path

import pytest
from temporalio.client import Client

from imprimatur.errors import Unavailable
from imprimatur.gateway import Gateway
from imprimatur.payloads import data_converter
from imprimatur.store.engine import Database
from models.vocabulary import CaseStatus, EventType
from tests.engine import engine, temporal_server
from tests.facts import PROPOSER, event_types, example, furnish

CASE, QUEUE = "mc-waits", "attended-later"


async def test_an_act_that_nobody_takes_up_is_answered_and_can_be_repeated(
    tmp_path: Path, sqlite_database: Database
) -> None:
    furnish(sqlite_database)
    with temporal_server(tmp_path) as address:
        client = await Client.connect(address, data_converter=data_converter(None))
        hasty = Gateway(client, sqlite_database, QUEUE, answer_within=dt.timedelta(seconds=1))
        with pytest.raises(Unavailable) as refused:
            await hasty.submit(example("non-credit"), proposer=PROPOSER, case_id=CASE)
        assert refused.value.code == "not_recorded_yet"
        patient = Gateway(client, sqlite_database, QUEUE)
        waiting = asyncio.create_task(patient.submit(example("non-credit"), proposer=PROPOSER, case_id=CASE))
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.5)
        # Whoever stops waiting has stopped: it is not an answer that did not come.
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with engine(address, sqlite_database, tmp_path, QUEUE) as attended:
            answer = await attended.gateway.submit(example("non-credit"), proposer=PROPOSER, case_id=CASE)
    assert answer.status is CaseStatus.IN_REVIEW
    assert event_types(sqlite_database, CASE).count(EventType.CASE_SUBMITTED) == 1
