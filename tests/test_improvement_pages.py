"""Reviews on the pages: the office's list, the task of a reviewer, the two cases that name each other, and programs."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imprimatur.store.engine import Database
from imprimatur.web.reviews import courses, listed
from models.vocabulary import CaseStatus, Verdict
from tests.facts import OFFICE, PROPOSER, furnish
from tests.improvement import CREDENTIAL, FIRST_REVIEW, Reviews, published
from tests.web import Site, post


@pytest.fixture
async def reviews(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Reviews]:
    """Held because few finish it."""
    furnish(sqlite_database)
    found = Reviews(published(sqlite_database, tmp_path))
    await found.take(f"{CREDENTIAL},completion_rate,2025,80,", f"{CREDENTIAL},completion_rate,2026,30,Registry")
    yield found


async def shown(site: Site, path: str, person: str | None = None) -> str:
    async with site.signed_in(person) if person else site.visitor() as visitor:
        answer = await visitor.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


async def once(site: Site, link: str) -> str:
    return (await shown(site, link)).split('name="once" value="')[1].split('"')[0]


async def test_the_office_sees_what_is_open_and_why(reviews: Reviews) -> None:
    site = Site(reviews.review())
    page = await shown(site, "/reviews", OFFICE)
    assert "The completion rate is below 60: 30 in 2026." in page
    assert f'href="/cases/{FIRST_REVIEW}"' in page
    assert "<strong>1</strong><span>reviews open or due soon</span>" in await shown(site, "/", OFFICE)


async def test_the_two_cases_name_each_other(reviews: Reviews) -> None:
    site = Site(reviews.review())
    assert f'href="/cases/{FIRST_REVIEW}"' in await shown(site, f"/cases/{CREDENTIAL}", OFFICE)
    assert f'href="/cases/{CREDENTIAL}"' in await shown(site, f"/cases/{FIRST_REVIEW}", PROPOSER)


async def test_a_reviewer_sees_why_and_the_figures_drawn_and_as_a_table(reviews: Reviews) -> None:
    site = Site(reviews.review())
    page = await shown(site, site.link("peers"))
    assert "Why it is reviewed" in page and "<svg" in page
    assert "30 (below the line)" in page and "<td>Registry</td>" in page
    assert "It was approved without conditions." in page
    assert "Resembles what there is" not in page


async def test_a_reviewer_retires_with_a_day(reviews: Reviews) -> None:
    site = Site(reviews.review())
    link = site.link("peers")
    wrong = {"once": await once(site, link), "verdict": "pause", "comment": "Wait.", "teach_out_on": "2030-01-01"}
    assert "teach_out_without_retiring" in (await post(site, link, wrong)).text
    given = {
        "once": await once(site, link),
        "verdict": "retire",
        "comment": "Nobody comes.",
        "teach_out_on": "2030-01-01",
    }
    answer = await post(site, link, given)
    assert answer.status_code == 200, answer.text
    [decided] = [task for task in reviews.review().state.tasks.values() if task.verdict is Verdict.RETIRE]
    assert decided.teach_out_on == dt.date(2030, 1, 1)


async def test_everything_is_listed_where_it_needs_the_office(reviews: Reviews) -> None:
    from imprimatur.store.reviews_reading import review_lines

    now = reviews.now
    [open_] = review_lines(reviews.database, now)
    assert listed([open_], now).open == [open_]
    waiting = open_.model_copy(update={"open_review": None, "next_at": now + dt.timedelta(days=30)})
    assert listed([waiting], now).coming == [waiting]
    assert listed([waiting], now + dt.timedelta(days=31)).due == [waiting]
    assert listed([waiting], now - dt.timedelta(days=40)).later == [waiting]
    ending = waiting.model_copy(update={"next_at": None, "retire_on": now.date()})
    assert listed([ending], now).ending == [ending]


async def test_what_is_below_the_line_is_told_and_not_only_coloured(reviews: Reviews) -> None:
    from imprimatur.store.reviews_reading import review_sheet

    sheet = review_sheet(reviews.database, FIRST_REVIEW)
    assert sheet is not None
    [course] = courses(sheet)
    assert [low for _, low in course.rows] == [False, True]
    assert "30, below the line" in str(course.svg)


async def test_a_review_that_is_over_is_told_as_such(reviews: Reviews) -> None:
    reviews.conclude(Verdict.CONTINUE)
    assert reviews.review().state.status is CaseStatus.CONCLUDED
    page = await shown(Site(reviews.review()), f"/cases/{FIRST_REVIEW}", OFFICE)
    assert "Concluded" in page and "Continue" in page
