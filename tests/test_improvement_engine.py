"""Reviews on a real Temporal server: begun beside the case that they are about, and carried to it."""

import datetime as dt

import pytest

from imprimatur import ids
from imprimatur.errors import Refused
from imprimatur.improvement import Improvement
from imprimatur.store.reviews_due import Waiting
from models.vocabulary import CaseStatus, EventType
from tests.engine import Engine
from tests.facts import OFFICE, example
from tests.improvement_stories import REVIEWS, published_with_reviews

YEARS = dt.timedelta(days=3 * 366)


@pytest.mark.parametrize("name", REVIEWS)
async def test_a_review_comes_to_its_end(live: Engine, name: str) -> None:
    review = await REVIEWS[name](live)
    await live.assert_agrees(review)
    assert await live.handle(review).result() == live.show(review).status


async def test_years_later_a_review_begins_and_asks_for_a_new_version(live: Engine) -> None:
    credential = await published_with_reviews(live, "years_later")
    improvement = Improvement(live.gateway, live.database)
    later = dt.datetime.now(dt.UTC) + YEARS
    review = ids.review_case_id(credential, 1)
    assert (await improvement.sweep(later)).begun == [review]
    assert (await improvement.sweep(later)).number == 0
    while tasks := live.tasks(review):
        await live.answer(tasks[0], "revise", "The tools have changed.")
    assert live.show(review).status is CaseStatus.CONCLUDED
    draft = ids.replacement_case_id(review)
    # The clock of the cases has not moved.
    assert (await improvement.sweep(dt.datetime.now(dt.UTC))).drafted == [draft]
    assert live.show(draft).status is CaseStatus.INCOMPLETE
    await live.gateway.revise(draft, example("industry-credit.revised"), actor=live.show(draft).proposer)
    assert live.show(draft).status is CaseStatus.IN_REVIEW
    live.assert_whole(credential, review, draft)


async def test_a_review_that_two_processes_begin_is_begun_once(live: Engine) -> None:
    credential = await published_with_reviews(live, "begun_once")
    improvement = Improvement(live.gateway, live.database)
    await improvement.call(credential, actor=OFFICE, reason="A complaint.")
    review = ids.review_case_id(credential, 1)
    plan, event = improvement._review(Waiting(credential, review))
    await live.gateway.begin(review, plan, event)
    assert live.types(review).count(EventType.REVIEW_BEGUN) == 1


async def test_nothing_is_proposed_under_a_framework_of_reviews(live: Engine) -> None:
    with pytest.raises(Refused) as refused:
        await live.submit("industry-credit", framework="improvement-review")
    assert refused.value.code == "framework_for_reviews"
