"""The task page in every state that the office and the kinds of stage can bring about."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.web.app import create_app
from imprimatur.web.house import House
from models.events import Annulled, Held, PassedOn
from models.messages import DecisionReceipt
from models.vocabulary import TaskStatus, Verdict
from tests.facts import BASE_URL, OFFICE, Play
from tests.governed import CLAUSE, VERA, confirmed, endorsement, information, review, submitted, window

LINKS = Links(["k" * 40], BASE_URL)


class NobodyDecides:
    async def decide(self, **facts: object) -> DecisionReceipt:
        raise AssertionError


class Words(HTMLParser):
    """The text of a page, and the verdicts that its form offers."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.offered: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("name") == "verdict":
            self.offered.append(found["value"] or "")

    @property
    def text(self) -> str:
        return " ".join(self.words)


async def opened(play: Play, stage: str = "quality", status: TaskStatus = TaskStatus.OPEN) -> Words:
    """The page of the stage's first task in this status."""
    task = next(t for t in play.state.tasks.values() if t.stage == stage and t.status is status)

    async def ready() -> dict[str, str]:
        return {}

    app = create_app(House(play.database, LINKS, decider=NobodyDecides()), ready=ready)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client:
        answer = await client.get(f"/t/{LINKS.token(task.id, task.assignee)}")
    assert answer.status_code == 200, answer.text
    return Words(answer.text)


@pytest.fixture
def begin(sqlite_database: Database, tmp_path: Path) -> Callable[..., Play]:
    return lambda *stages: submitted(sqlite_database, tmp_path, *stages)


async def test_a_review_asks_for_a_decision(begin: Callable[..., Play]) -> None:
    page = await opened(begin(review()))
    assert page.offered == ["approve", "reject", "request_changes", "abstain", "recuse"]
    assert "(needed to reject or to request changes)" in page.text
    assert "Please answer by" in page.text


async def test_an_endorsement_offers_to_endorse(begin: Callable[..., Play]) -> None:
    assert (await opened(begin(endorsement()), "faculty")).offered == [
        "endorse",
        "reject",
        "request_changes",
        "abstain",
    ]


async def test_information_says_that_nothing_waits(begin: Callable[..., Play]) -> None:
    page = await opened(begin(information(), review()), "notice")
    assert page.offered == ["acknowledge"]
    assert "nothing waits for you" in page.text
    assert "needed to" not in page.text


async def test_an_objection_window_says_until_when_and_by_which_clause(begin: Callable[..., Play]) -> None:
    page = await opened(begin(window()), "window")
    assert page.offered == ["object", "acknowledge"]
    assert "You can object until" in page.text
    assert f"Without an objection the stage passes: {CLAUSE}" in page.text
    assert "(needed to object)" in page.text


async def test_who_resolves_an_objection_decides_like_a_reviewer(begin: Callable[..., Play]) -> None:
    play = begin(window(reviewers=[{"role": "quality_reviewer", "count": 1}]))
    play.decide("window", Verdict.OBJECT, "It repeats a course.")
    page = await opened(play, "window")
    assert page.offered == ["approve", "reject", "request_changes", "abstain"]
    assert "It repeats a course." in page.text


async def test_on_hold_nothing_is_asked_and_the_task_stays(begin: Callable[..., Play]) -> None:
    play = begin(review())
    play.office(Held)
    page = await opened(play)
    assert page.offered == []
    assert "The case is on hold." in page.text and "Please answer by" not in page.text


async def test_an_annulled_answer_is_told_as_annulled(begin: Callable[..., Play]) -> None:
    play = begin(review())
    task = play.decide("quality", Verdict.REJECT, "In the wrong window.")
    play.office(Annulled, task_id=task)
    old = await opened(play, status=TaskStatus.CLOSED)
    assert "This answer was annulled" in old.text and "cannot be changed" not in old.text
    assert "Reject (annulled)" in (await opened(play)).text


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("reassigned", f"The task was given to someone else by {OFFICE}"),
        ("delegated", "The task was passed on by quinn.reviewer@example.edu"),
        ("skipped", "The stage was skipped by lena.office@example.edu"),
        ("late", "The time to answer ran out, on"),
    ],
)
async def test_a_closed_task_says_by_whose_doing(begin: Callable[..., Play], how: str, said: str) -> None:
    play = begin(window("quality") if how == "late" else review())
    task = play.state.open_tasks()[0]
    if how == "skipped":
        confirmed(play)
    elif how == "late":
        play.pass_time(play.state.stages["quality"].due_at - play.now)  # type: ignore[operator]
    else:
        by_office = how == "reassigned"
        actor = OFFICE if by_office else task.assignee
        play.act(PassedOn(actor=actor, task_id=task.id, to=VERA, reason="away", by_office=by_office))
    page = await opened(play, status=TaskStatus.CLOSED)
    assert said in page.text
    assert page.offered == []
