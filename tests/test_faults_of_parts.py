"""A part is down: what was asked is answered later or refused as unavailable, and is recorded once."""

import asyncio
import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from temporalio.service import RetryConfig

from imprimatur.errors import Gone, Unavailable
from imprimatur.gateway import Gateway
from imprimatur.store.engine import Database
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine, connected, new_queue, temporal_server, worker, writer
from tests.facts import PROPOSER, everything, example, furnish
from tests.stories import REASON, approved_by_all

E = EventType


class FailingDatabase(Database):
    """Fails the next ``failures`` writes: before anything is committed, or after everything is."""

    failures = 0
    after_commit = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            if self._fails() and not self.after_commit:
                raise OperationalError("COMMIT", {}, Exception("the disk is full"))
            yield connection
        if self.failures and self.after_commit:
            self.failures -= 1
            raise OperationalError("COMMIT", {}, Exception("the connection was lost"))

    def _fails(self) -> bool:
        if self.failures and not self.after_commit:
            self.failures -= 1
            return True
        return False


@pytest.mark.parametrize("after_commit", [False, True], ids=["nothing was committed", "the answer was lost"])
async def test_a_commit_that_fails_is_tried_again_and_written_once(
    temporal_address: str, database: Database, tmp_path: Path, after_commit: bool
) -> None:
    furnish(database)
    failing = FailingDatabase(database.url)
    failing.after_commit = after_commit
    client, queue, committer = await connected(temporal_address), new_queue(), writer(failing, tmp_path)
    live = Engine(client, Gateway(client, database, queue), database, committer, queue, tmp_path, "")
    async with worker(client, committer, queue):
        failing.failures = 3
        case_id = (await live.submit("industry-credit")).case_id
        failing.failures = 2
        receipts = await asyncio.gather(*(live.decide(case_id, "proposal") for _ in range(3)))
        assert failing.failures == 0, "it did fail"
        assert len(set(map(repr, receipts))) == 1
        failing.failures = 1
        await approved_by_all(live, case_id)
        state = await live.assert_agrees(case_id)
    failing.close()
    assert state.status is CaseStatus.PUBLISHED
    rows = everything(database)
    assert [row["seq"] for row in rows["step"]] == list(range(1, state.seq + 1))
    assert len(rows["decision"]) == len([t for t in state.tasks.values() if t.verdict])
    assert rows["refusal"] == []


async def test_a_database_that_is_gone_is_no_refusal(live: Engine, tmp_path: Path) -> None:
    case_id = (await live.submit("industry-credit")).case_id
    failing = FailingDatabase(live.database.url)
    cut_off = Gateway(live.client, failing, live.queue)
    failing.failures = 1
    with pytest.raises(Unavailable) as found:
        await cut_off.submit(example("industry-credit"), proposer=PROPOSER)
    assert found.value.code == "database_unavailable"
    failing.close()
    assert live.refusals() == []
    assert live.show(case_id).status is CaseStatus.IN_REVIEW


async def test_an_act_that_no_worker_takes_up_is_recorded_once_when_one_comes(
    temporal_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    client, queue, committer = await connected(temporal_address), new_queue(), writer(sqlite_database, tmp_path)
    hasty = Gateway(client, sqlite_database, queue, answer_within=dt.timedelta(seconds=0.5))
    live = Engine(client, hasty, sqlite_database, committer, queue, tmp_path, "")
    patient = Engine(client, Gateway(client, sqlite_database, queue), sqlite_database, committer, queue, tmp_path, "")
    async with worker(client, committer, queue):
        case_id, other = [(await patient.submit("industry-credit")).case_id for _ in range(2)]
    [task] = live.tasks(case_id)
    acts = (live.answer(task), hasty.withdraw(other, actor=PROPOSER, reason=REASON))
    for found in await asyncio.gather(*acts, return_exceptions=True):
        assert isinstance(found, Unavailable) and found.code == "not_recorded_yet"
    assert (live.refusals(), live.types(case_id).count(E.DECISION_RECORDED)) == ([], 0)
    async with worker(client, committer, queue):
        receipt = await patient.answer(task)
        await patient.gateway.withdraw(other, actor=PROPOSER, reason=REASON)
        await live.assert_agrees(case_id)
    assert live.types(case_id)[receipt.position - 1] is E.DECISION_RECORDED
    assert live.types(case_id).count(E.DECISION_RECORDED) == 1
    assert live.types(other).count(E.CASE_CLOSED) == 1


async def test_while_temporal_is_down_acts_are_unavailable_and_afterwards_recorded_once(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    folder, queue, committer = tmp_path / "temporal", new_queue(), writer(sqlite_database, tmp_path)
    folder.mkdir()
    with temporal_server(folder) as address:
        client = await connected(address, retries=RetryConfig(max_elapsed_time_millis=500))
        live = Engine(client, Gateway(client, sqlite_database, queue), sqlite_database, committer, queue, tmp_path, "")
        async with worker(client, committer, queue):
            case_id = (await live.submit("industry-credit")).case_id
    [task] = live.tasks(case_id)
    before = everything(sqlite_database)
    acts = (
        live.answer(task),
        live.submit("non-credit"),
        live.gateway.withdraw(case_id, actor=PROPOSER, reason=REASON),
        live.gateway.state(case_id),
    )
    for found in await asyncio.gather(*acts, return_exceptions=True):
        assert isinstance(found, Unavailable) and found.code == "temporal_unavailable"
    documents = ("document",)
    assert {k: v for k, v in everything(sqlite_database).items() if k not in documents} == {
        k: v for k, v in before.items() if k not in documents
    }
    with temporal_server(folder, int(address.rpartition(":")[2])):
        async with worker(client, committer, queue):
            receipts = [await live.answer(task) for _ in range(2)]
            await approved_by_all(live, case_id)
            await live.assert_agrees(case_id)
    assert receipts[0] == receipts[1]
    assert live.show(case_id).status is CaseStatus.PUBLISHED


async def test_a_case_from_before_a_backup_of_temporal_catches_up_with_its_ledger(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """The workflow service is restored from a backup, the database is not: it knows more."""
    furnish(sqlite_database)
    folder, queue, committer = tmp_path / "temporal", new_queue(), writer(sqlite_database, tmp_path)
    folder.mkdir()
    cases = ["mc-on-its-way", "mc-ended", "mc-due"]
    with temporal_server(folder) as address:
        client = await connected(address)
        live = Engine(client, Gateway(client, sqlite_database, queue), sqlite_database, committer, queue, tmp_path, "")
        async with worker(client, committer, queue):
            for case_id in cases:
                await live.submit("coursework-credit", case_id=case_id)
    shutil.copytree(folder, tmp_path / "backup")
    with temporal_server(folder, port := int(address.rpartition(":")[2])):
        async with worker(client, committer, queue):
            for case_id in cases:
                await live.decide(case_id, "proposal")
            await live.decide("mc-on-its-way", "quality")
            await approved_by_all(live, "mc-ended")
    with temporal_server(tmp_path / "backup", port):
        async with worker(client, committer, queue):
            await live.decide("mc-on-its-way", "quality")
            await live.decide("mc-on-its-way", "industry")
            assert live.show("mc-on-its-way").status is CaseStatus.PUBLISHED
            answer = await live.gateway.withdraw("mc-due", actor=PROPOSER, reason=REASON)
            assert answer.status is CaseStatus.WITHDRAWN
            with pytest.raises(Gone, match="closed: it was published"):
                await live.gateway.withdraw("mc-ended", actor=PROPOSER, reason=REASON)
            assert await live.handle("mc-ended").result() == "published"
            for case_id in cases:
                await live.assert_agrees(case_id)
