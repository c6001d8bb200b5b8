"""Whatever is altered in the rows of reviews and figures, verification finds it by the ledgers that tell of them."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from imprimatur.history.verify import verify_all
from imprimatur.store.frameworks import add_framework, framework
from models.vocabulary import ReviewTrigger, Verdict
from tests.facts import OFFICE, furnish
from tests.improvement import CREDENTIAL, FIRST_REVIEW, Reviews, published
from tests.tamperer import Tamperer, another, database_of_module

DAY = dt.timedelta(days=1)
SECOND_REVIEW = f"{CREDENTIAL}-r2"
# When the office was told stands with the mails; the rest repeats what the ledger says.
UNTOLD = {"announced_at"}
KEYS = {"case_id", "review_case"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tamperer]:
    """One review came to a new version, and the second one retires what is published."""
    folder = tmp_path_factory.mktemp("reviews")
    with database_of_module(request, folder) as database:
        furnish(database)
        asyncio.run(reviewed(Reviews(published(database, folder))))
        yield Tamperer(database, CREDENTIAL)


async def reviewed(reviews: Reviews) -> None:
    await reviews.take(f"{CREDENTIAL},completion_rate,2026,30,", f"{CREDENTIAL},enrolment,2026,20,")
    policy = framework(reviews.database, "industry-credit", "90")
    add_framework(reviews.database, policy.model_copy(update={"version": "100"}), reviews.now)
    await reviews.sweep()
    reviews.conclude(Verdict.REVISE)
    await reviews.sweep(after=DAY)
    await reviews.improvement.call(CREDENTIAL, actor=OFFICE, reason="The demand is gone.")
    reviews.conclude(Verdict.RETIRE, SECOND_REVIEW)


def problems(told: Tamperer) -> list[tuple[str, str]]:
    return [(problem.where, problem.problem) for problem in verify_all(told.database).problems]


def forged(column: str, value: Any) -> Any:
    if value is None:
        return dt.datetime(2030, 1, 1, tzinfo=dt.UTC) if column.endswith("_at") else "something"
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value + DAY
    if isinstance(value, list):
        return [{"trigger": str(ReviewTrigger.OFFICE), "reason": "forged", "at": "2026-01-01T00:00:00+00:00"}]
    if isinstance(value, float):
        return value + 0.5
    return another(value)


def forgeries(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for column in sorted(row.keys() - UNTOLD - KEYS):
        if column.endswith("_on") and row[column] is None:
            yield column, dt.date(2030, 1, 1)
        else:
            yield column, forged(column, row[column])


def test_what_was_done_verifies(told: Tamperer) -> None:
    assert problems(told) == []
    assert [row["review_case"] for row in told.rows("review")] == [FIRST_REVIEW, SECOND_REVIEW]
    assert len(told.rows("review", review_case=FIRST_REVIEW)[0]["reasons"]) == 2
    assert told.rows("improvement")[0]["retire_on"] is not None


@pytest.mark.parametrize("table", ["improvement", "review", "indicator"])
def test_an_altered_row_is_named(told: Tamperer, table: str) -> None:
    for row in told.rows(table):
        for column, new in forgeries(row):
            with told.altered(table, row, **{column: new}):
                found = problems(told)
            assert any(f" {table}" in where for where, _ in found), (column, new, found)
    assert problems(told) == []


@pytest.mark.parametrize("table", ["improvement", "review", "indicator"])
def test_a_row_that_is_gone_is_missed(told: Tamperer, table: str) -> None:
    for row in told.rows(table):
        with told.without(table, [row]):
            assert any(f" {table}" in where and "missing" in problem for where, problem in problems(told))
    assert problems(told) == []


def test_a_row_that_no_event_tells_is_named(told: Tamperer) -> None:
    [review, *_], [figure, *_], [standing] = told.rows("review"), told.rows("indicator"), told.rows("improvement")
    with told.with_more("review", review | {"review_case": "mc-forged", "number": 9}):
        assert (f"{CREDENTIAL} review mc-forged", "the ledger knows no such review") in problems(told)
    with told.with_more("indicator", figure | {"period": "2031"}):
        assert [problem for _, problem in problems(told)] == ["the ledger knows no such indicator"]
    with told.with_more("improvement", standing | {"case_id": FIRST_REVIEW}):
        assert (f"{FIRST_REVIEW} improvement", "the ledger knows of no reviews") in problems(told)
    with told.with_more("improvement", standing | {"case_id": "mc-nowhere"}):
        assert ("mc-nowhere", "rows without a case") in problems(told)
    assert problems(told) == []
