"""A case outlives its worker, its cache and its history; what Temporal keeps of it can be encrypted."""

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from imprimatur.gateway import Gateway
from imprimatur.rules.transition import next_deadline
from imprimatur.store.engine import Database
from models.messages import DecisionReceipt
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine, connected, engine, new_queue, worker, writer
from tests.facts import PROPOSER, example, furnish
from tests.stories import REASON, STORIES, WHY, approved_by_all

E = EventType
FIRST_KEY, SECOND_KEY = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
Act = Callable[[Engine, str], Awaitable[object]]


@asynccontextmanager
async def furnished(address: str, database: Database, folder: Path) -> AsyncIterator[tuple[Engine, Client]]:
    """An engine without a worker."""
    furnish(database)
    client, queue = await connected(address), new_queue()
    committer = writer(database, folder)
    yield Engine(client, Gateway(client, database, queue), database, committer, queue, folder, f"-{queue}"), client


async def test_the_first_receipt_outlives_the_worker(
    temporal_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    async with furnished(temporal_address, sqlite_database, tmp_path) as (live, client):
        receipts: list[DecisionReceipt] = []
        for _ in range(3):
            async with worker(client, live.committer, live.queue):
                if not receipts:
                    case_id = (await live.submit("industry-credit")).case_id
                    [task] = live.tasks(case_id)
                receipts.append(await live.answer(task))
        assert receipts[0] == receipts[1] == receipts[2]
        assert live.types(case_id).count(E.DECISION_RECORDED) == 1


async def test_what_falls_due_without_a_worker_is_told_when_one_comes(
    temporal_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    async with furnished(temporal_address, sqlite_database, tmp_path) as (live, client):
        async with worker(client, live.committer, live.queue):
            case_id = (await live.submit("industry-credit")).case_id
            reminder = next_deadline(await live.gateway.state(case_id))
        due_at = live.show(case_id).stages[0].due_at
        assert reminder is not None and due_at is not None
        skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
        forward = asyncio.create_task(
            skipper.fast_forward(live.handle(case_id), due_at + dt.timedelta(days=30) - await live.now(case_id))
        )
        await asyncio.sleep(0)
        assert live.types(case_id)[-1] is E.TASK_ASSIGNED
        async with worker(client, live.committer, live.queue):
            await forward
            await live.gateway.forward(case_id, dt.timedelta(seconds=1))
            await live.assert_agrees(case_id)
        assert live.show(case_id).stages[0].breached_at == due_at
        types = live.types(case_id)
        assert (types.count(E.SLA_BREACHED), types.count(E.STAGE_ESCALATED)) == (1, 1)


async def test_a_history_that_is_cut_keeps_state_timers_and_open_tasks(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    first = (await live.handle(case_id).describe()).run_id
    number = 0
    while (await live.handle(case_id).describe()).run_id == first:
        await live.decide(case_id, "proposal", "request_changes", WHY)
        changed = example("non-credit").model_copy(update={"summary": f"Said better, {number}."})
        await live.gateway.revise(case_id, changed, actor=PROPOSER)
        before, number = await live.gateway.state(case_id), number + 1
    assert await live.assert_agrees(case_id) == before
    assert len(before.open_tasks()) == 1
    assert before.stages["proposal"].due_at == live.show(case_id).stages[0].due_at
    told = live.types(case_id).count(E.REMINDER_SENT)
    await live.next_deadline(case_id)
    assert live.types(case_id).count(E.REMINDER_SENT) == told + 1, "the reminder comes in the new run"
    await live.next_deadline(case_id)
    assert live.types(case_id)[-1] is E.TASK_ASSIGNED, "and so does the escalation"
    await approved_by_all(live, case_id)
    assert await live.handle(case_id).result() == "published"
    await live.assert_agrees(case_id)


async def test_acts_that_meet_the_cut_of_a_history_are_recorded_once(live: Engine) -> None:
    """Cases are brought to the edge of their history, where acts and the cut meet."""
    cases = [(await live.submit("non-credit")).case_id for _ in range(2)]
    for number in range(8):
        for case_id in cases:
            live.assert_whole(case_id)
        acts = [live.decide(case_id, "proposal", "request_changes", WHY) for case_id in cases]
        await asyncio.gather(*acts)
        changed = example("non-credit").model_copy(update={"summary": f"Said better, {number}."})
        acts_of_proposer = [
            live.gateway.revise(case_id, changed, actor=PROPOSER) for case_id in cases for _ in range(3)
        ]
        await asyncio.gather(*acts_of_proposer)
    for case_id in cases:
        state = await live.assert_agrees(case_id)
        assert (state.version, state.round) == (9, 9)
    assert live.refusals() == []


async def payloads(engine: Engine, case_id: str) -> bytes:
    """All of a case's history as Temporal keeps it."""
    return b"".join([e.SerializeToString() async for e in engine.handle(case_id).fetch_history_events()])


READABLE = (b"example.edu", b"ana.proposer", b"approve", WHY.encode(), b"industry-credit", b"quality")


@pytest.mark.parametrize("keys", [None, FIRST_KEY])
async def test_an_encrypted_history_holds_nothing_readable(
    temporal_address: str, sqlite_database: Database, tmp_path: Path, keys: str | None
) -> None:
    furnish(sqlite_database)
    async with engine(temporal_address, sqlite_database, tmp_path, new_queue(), keys=keys) as live:
        case_id = await STORIES["revised_then_published"](live)
        kept = await payloads(live, case_id)
        await live.assert_agrees(case_id)
    assert [word for word in READABLE if word in kept] == ([] if keys else list(READABLE))


async def test_a_case_outlives_the_key_it_began_with(
    temporal_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    queue = new_queue()
    async with engine(temporal_address, sqlite_database, tmp_path, queue, keys=FIRST_KEY) as live:
        case_id = (await live.submit("industry-credit")).case_id
    async with engine(temporal_address, sqlite_database, tmp_path, queue, keys=f"{SECOND_KEY},{FIRST_KEY}") as live:
        await live.decide(case_id, "proposal")
        await live.assert_agrees(case_id)
        answer = await live.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON)
    assert answer.status is CaseStatus.WITHDRAWN
