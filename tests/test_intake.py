"""Documents that come together are kept together, and what is wrong with one is told of that one alone."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from imprimatur.errors import Unavailable
from imprimatur.store.documents import proposal_by_digest
from imprimatur.store.engine import Database
from imprimatur.store.intake import Intake
from models.proposal import Proposal
from tests.facts import example


class Counting:
    """The database, with its transactions counted; the first ``failing`` of them fail."""

    def __init__(self, database: Database, failing: int = 0) -> None:
        self._database, self._failing, self.written = database, failing, 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.written += 1
        if self.written <= self._failing:
            raise Unavailable("database_unavailable", "The database does not answer.", "Try again.")
        with self._database.write() as connection:
            yield connection


def proposals(number: int) -> list[Proposal]:
    return [example("non-credit").model_copy(update={"title": f"Title {one}"}) for one in range(number)]


def intake(database: Counting) -> Intake:
    return Intake(database)  # type: ignore[arg-type]


async def test_what_comes_together_is_kept_in_one_transaction(database: Database) -> None:
    counting, given = Counting(database), proposals(20)
    found = intake(counting)
    assert await asyncio.gather(*(found.keep(one) for one in given)) == [one.digest for one in given]
    assert counting.written == 1
    with database.read() as connection:
        assert [proposal_by_digest(connection, one.digest) for one in given] == given


async def test_what_comes_while_others_are_kept_is_kept_next(database: Database) -> None:
    counting, given = Counting(database), proposals(3)
    found = intake(counting)
    first = asyncio.create_task(found.keep(given[0]))
    while counting.written == 0:  # noqa: ASYNC110  (another thread counts)
        await asyncio.sleep(0)
    assert await asyncio.gather(*(found.keep(one) for one in given[1:])) == [one.digest for one in given[1:]]
    assert await first == given[0].digest
    assert counting.written == 2
    assert await found.keep(given[0]) == given[0].digest, "again, and after a rest"


async def test_a_transaction_that_fails_is_tried_for_each_alone(sqlite_database: Database) -> None:
    counting, given = Counting(sqlite_database, failing=2), proposals(3)
    found = intake(counting)
    results = await asyncio.gather(*(found.keep(one) for one in given), return_exceptions=True)
    assert isinstance(results[0], Unavailable), "the second transaction was its own"
    assert results[1:] == [one.digest for one in given[1:]]


async def test_whoever_gave_up_waiting_holds_up_nobody(sqlite_database: Database) -> None:
    found = intake(Counting(sqlite_database))
    given = proposals(2)
    gone, stays = (asyncio.create_task(found.keep(one)) for one in given)
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == given[1].digest
    with pytest.raises(asyncio.CancelledError):
        await gone
