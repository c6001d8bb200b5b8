"""The database itself: one writer at a time, nothing half-written, failures told plainly, refusals kept."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from imprimatur.errors import Gone, InputError, NotFound, Refused, Unavailable
from imprimatur.store.documents import proposal_by_digest, put_proposal
from imprimatur.store.engine import Database
from imprimatur.store.inserting import insert_once
from imprimatur.store.refusals import record_refusal
from imprimatur.store.remembering import Memory
from models.tables import DocumentRow, PersonRow, RefusalRow
from models.vocabulary import Channel
from tests.facts import CASE, START, Play, everything, example, furnish

DOCUMENT = DocumentRow.__table__  # type: ignore[attr-defined]
PERSON = PersonRow.__table__  # type: ignore[attr-defined]
REFUSAL = RefusalRow.__table__  # type: ignore[attr-defined]


@pytest.fixture
def others(database: Database) -> Iterator[list[Database]]:
    """The same database as other processes would open it."""
    found = [Database(database.url) for _ in range(4)]
    yield found
    for other in found:
        other.close()


def documents(database: Database) -> list[str]:
    return [row["digest"] for row in everything(database)["document"]]


def test_what_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(DOCUMENT.insert(), {"digest": "d", "body": "{}"})
        raise RuntimeError
    assert documents(database) == []


def test_what_a_reader_writes_is_not_kept(database: Database) -> None:
    with database.read() as connection:
        connection.execute(DOCUMENT.insert(), {"digest": "d", "body": "{}"})
    assert documents(database) == []


def test_writers_from_several_processes_take_turns(database: Database, others: list[Database]) -> None:
    with database.write() as connection:
        connection.execute(DOCUMENT.insert(), {"digest": "count", "body": "0"})

    def count(other: Database) -> None:
        for _ in range(10):
            with other.write() as connection:
                query = select(DOCUMENT.c.body).where(DOCUMENT.c.digest == "count").with_for_update()
                body = str(int(connection.execute(query).scalar_one()) + 1)
                connection.execute(DOCUMENT.update().where(DOCUMENT.c.digest == "count").values(body=body))

    with ThreadPoolExecutor(len(others)) as pool:
        list(pool.map(count, others))
    with database.read() as connection:
        assert connection.execute(select(DOCUMENT.c.body)).scalar_one() == "40"


def test_a_row_is_inserted_once_by_whoever_comes_first(database: Database, others: list[Database]) -> None:
    def insert(other: Database) -> bool:
        with other.write() as connection:
            return insert_once(connection, DOCUMENT, {"digest": "d", "body": other.url})

    with ThreadPoolExecutor(len(others)) as pool:
        first = list(pool.map(insert, others))
    assert sorted(first) == [False, False, False, True]
    assert documents(database) == ["d"]


def test_a_proposal_is_kept_once_and_read_back_as_it_was(database: Database) -> None:
    proposal = example("industry-credit")
    with database.write() as connection:
        digests = {put_proposal(connection, proposal) for _ in range(2)}
    assert digests == {proposal.digest} == set(documents(database))
    with database.read() as connection:
        assert proposal_by_digest(connection, proposal.digest) == proposal
        with pytest.raises(NotFound) as refused:
            proposal_by_digest(connection, "0" * 64)
    assert refused.value.code == "document_unknown"


def test_an_instant_without_a_zone_is_not_taken(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.read() as connection:
        connection.execute(select(CASE.c.case_id).where(CASE.c.opened_at < dt.datetime(2026, 3, 2)))


@pytest.mark.parametrize("hours", [-11, 0, 13])
def test_an_instant_comes_back_in_utc_whatever_zone_it_went_in(database: Database, tmp_path: Path, hours: int) -> None:
    furnish(database)
    at = START.astimezone(dt.timezone(dt.timedelta(hours=hours)))
    play = Play(database, tmp_path, at=at)
    play.submit(example("industry-credit"))
    [case] = everything(database)["case_record"]
    assert case["opened_at"] == play.now and case["opened_at"].utcoffset() == dt.timedelta(0)


def test_people_whom_nobody_knows_break_no_index(database: Database) -> None:
    """Foreign keys hold on both databases."""
    with pytest.raises(Exception, match=r"(?i)foreign key"), database.write() as connection:
        connection.exec_driver_sql("INSERT INTO person_role (email, role) VALUES ('nobody@example.edu', 'admin')")
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(PERSON)).scalar() == 0


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/x.db", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_database_that_does_not_answer_is_told_in_one_line(url: str) -> None:
    database = Database(url)
    with pytest.raises(Unavailable) as refused, database.read():
        pass
    database.close()
    assert refused.value.code == "database_unavailable"
    assert "\n" not in refused.value.message and refused.value.message.endswith(".")


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_every_spelling_of_a_postgresql_address_is_taken(url: str, driver: str) -> None:
    database = Database(url)
    assert (database.url, database.is_sqlite) == (driver, False)
    database.close()


def refuse(database: Database, error: Refused | Unavailable | InputError, **change: Any) -> None:
    said: dict[str, Any] = {"case_id": "mc-1", "task_id": "t-1", "actor": "q@example.edu", "act": "decide"}
    record_refusal(database, error, **(said | change), channel=Channel.LINK)


def test_a_refusal_leaves_a_trace(database: Database) -> None:
    refuse(database, Gone("task_closed", "This task closed.", "Nothing is asked of you."))
    refuse(database, InputError("comment_required", "Say why."), case_id=None, task_id=None, actor="x" * 1000)
    first, second = sorted(everything(database)["refusal"], key=lambda row: row["id"])
    assert (first["code"], first["message"], first["channel"]) == ("task_closed", "This task closed.", "link")
    assert (first["case_id"], first["task_id"], first["actor"]) == ("mc-1", "t-1", "q@example.edu")
    assert first["at"].utcoffset() == dt.timedelta(0)
    assert (second["case_id"], len(second["actor"])) == (None, 320)


def test_what_did_not_answer_has_refused_nothing(database: Database) -> None:
    refuse(database, Unavailable("temporal_unavailable", "It does not answer."))
    assert everything(database)["refusal"] == []


def test_what_was_used_last_is_remembered() -> None:
    memory: Memory[str] = Memory(2)
    memory.put("a", "A")
    memory.put("b", "B")
    assert memory.get("a") == "A"
    assert memory.put("c", "C") == "C"
    assert [memory.get(key) for key in "abc"] == ["A", None, "C"]


def test_many_threads_remember_together() -> None:
    memory: Memory[int] = Memory(10)

    def use(number: int) -> bool:
        key = str(number % 20)
        memory.put(key, number % 20)
        return memory.get(key) in (None, number % 20)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(2000)))
