"""Whatever is altered in the rows of hand-overs, verification finds it by the ledgers that tell of them."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from imprimatur.handover import Handovers
from imprimatur.history.verify import verify_all
from imprimatur.store import handovers as store
from models.vocabulary import Verdict
from tests.facts import OFFICE
from tests.handover import CREDENTIAL, FIRST, Handing, handing_framework, published, with_team
from tests.tamperer import Tamperer, another, database_of_module

SECOND = f"{CREDENTIAL}-h2"
# How far the machine is, which the ledger tells only where it failed.
UNTOLD = {"status", "attempt", "ended_at", "detail"}
KEYS = {"case_id", "handover_case"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tamperer]:
    """One hand-over was sent back, the second one taken up."""
    folder = tmp_path_factory.mktemp("handovers")
    with database_of_module(request, folder) as database:
        with_team(database, folder)
        asyncio.run(handed_over(Handing(published(database, folder, handing_framework(database)))))
        yield Tamperer(database, CREDENTIAL)


async def handed_over(handing: Handing) -> None:
    await handing.begin()
    store.record_sent(handing.database, store.handing(handing.database, FIRST), "lms", "204")
    handing.answer(Verdict.SEND_BACK, "There is no room in March.")
    Handovers(handing.database).again(CREDENTIAL, actor=OFFICE, reason="There is one now.")
    await handing.begin()
    handing.answer(Verdict.TAKE_UP, handover=SECOND)


def problems(told: Tamperer) -> list[tuple[str, str]]:
    return [(problem.where, problem.problem) for problem in verify_all(told.database).problems]


def forged(column: str, value: Any) -> Any:
    if value is None:
        return dt.datetime(2030, 1, 1, tzinfo=dt.UTC) if column.endswith("_at") else "something"
    # An event that had to wait for the one before it tells only that a moment was not later.
    return value + dt.timedelta(days=10_000) if isinstance(value, dt.datetime) else another(value)


def test_what_was_done_verifies(told: Tamperer) -> None:
    assert problems(told) == []
    assert [row["outcome"] for row in told.rows("handover")] == ["sent_back", "taken_up"]


def test_an_altered_row_is_named(told: Tamperer) -> None:
    for row in told.rows("handover"):
        for column in sorted(row.keys() - UNTOLD - KEYS):
            with told.altered("handover", row, **{column: forged(column, row[column])}):
                found = problems(told)
            assert any(" hand-over" in where for where, _ in found), (column, found)
    assert problems(told) == []


def test_a_row_that_is_gone_is_missed_and_one_that_no_event_tells_is_named(told: Tamperer) -> None:
    for row in told.rows("handover"):
        with told.without("handover", [row]):
            assert any("missing" in problem for _, problem in problems(told))
    more = told.rows("handover")[0] | {"handover_case": "mc-forged", "number": 9}
    with told.with_more("handover", more):
        assert (f"{CREDENTIAL} hand-over mc-forged", "the ledger knows no such hand-over") in problems(told)
    assert problems(told) == []
