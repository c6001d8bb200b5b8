"""Reviews, and what a published record says of itself, in a real browser: what axe-core finds, screens and keyboard."""

import asyncio
import datetime as dt
import re
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from imprimatur.mail.links import Links
from imprimatur.store.engine import Database
from imprimatur.store.record_status import set_record_status
from models.tables import PublicationRow
from models.vocabulary import RecordStatus
from tests.chromium import DARK, DESKTOP, NAMELESS, OVERFLOW, PHONE, Opened, Visits, barriers, browser
from tests.facts import OFFICE, Play, example, furnish
from tests.improvement import CREDENTIAL, FIRST_REVIEW, Reviews, published
from tests.test_pages_browser import EVERY_RULE, Served, serving
from tests.web import KEY, Site

__all__ = ["browser"]

ADMIN = "eva.admin@example.edu"
LATER = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
STATUSES = (RecordStatus.PAUSED, RecordStatus.TEACHING_OUT, RecordStatus.RETIRED, RecordStatus.REPLACED,
            RecordStatus.RETRACTED)  # fmt: skip
DARK_PHONE = PHONE | {"color_scheme": "dark"}
SCREENS = pytest.mark.parametrize(
    "device", [DESKTOP, DARK, PHONE, DARK_PHONE], ids=["desktop", "dark", "phone", "dark phone"]
)
PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]


@dataclass
class Statuses(Served):
    """With the addresses of records, by what each says of itself."""

    slugs: dict[RecordStatus, str]

    def pages(self) -> list[tuple[str | None, str]]:
        """Of the office, of the reviewer, and of everybody."""
        shown: list[tuple[str | None, str]] = [
            (OFFICE, "/reviews"), (OFFICE, f"/cases/{CREDENTIAL}"), (OFFICE, f"/cases/{FIRST_REVIEW}"),
            (None, self.site.link("peers")), (None, "/catalogue"),
        ]  # fmt: skip
        return [*shown, *((None, f"/catalogue/{slug}") for slug in self.slugs.values())]


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Statuses]:
    folder = tmp_path_factory.mktemp("statuses")
    shutil.copyfile(migrated_file, folder / "pages.db")
    database = Database(f"sqlite:///{folder / 'pages.db'}")
    furnish(database)
    reviews = Reviews(published(database, folder))
    lines = [f"{CREDENTIAL},completion_rate,2025,80,", f"{CREDENTIAL},completion_rate,2026,30,Registry"]
    with ThreadPoolExecutor(1) as pool:
        # Playwright's event loop runs in this thread.
        pool.submit(asyncio.run, reviews.take(*lines)).result()
    slugs = {status: _record(database, folder, number, status) for number, status in enumerate(STATUSES)}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site = Site(reviews.review(), links=Links([KEY], base_url))
        with serving(site, listener):
            yield Statuses(site, base_url, slugs)
    database.close()


def _record(database: Database, folder: Path, number: int, status: RecordStatus) -> str:
    play = Play(database, folder, "non-credit", f"mc-statusstatu{number}")
    play.submit(example("non-credit").model_copy(update={"title": f"A record that is {status}", "partners": ()}))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    with database.write() as connection:
        current = select(PUBLICATION.c.slug).where(PUBLICATION.c.status == RecordStatus.OFFERED)
        later = connection.execute(current.order_by(PUBLICATION.c.published_at)).scalars().first()
        replaced_by = str(later) if status is RecordStatus.REPLACED else None
        told: dict[str, Any] = {"actor": OFFICE, "reason": "The senate decided so.", "at": LATER}
        set_record_status(connection, play.case_id, status, **told, replaced_by=replaced_by)
        return str(
            connection.execute(select(PUBLICATION.c.slug).where(PUBLICATION.c.case_id == play.case_id)).scalar_one()
        )


@pytest.fixture
def opened(browser: Browser, served: Statuses) -> Iterator[Opened]:
    visits = Visits(browser, re.compile("status of 410"))

    def visit(path: str, who: str | None = None, **device: Any) -> Page:
        return visits.page(served.base_url + path, device, served.cookie(who) if who is not None else [])

    yield visit
    visits.end()


@SCREENS
def test_neither_reviews_nor_any_status_has_a_barrier(opened: Opened, served: Statuses, device: dict[str, Any]) -> None:
    found = []
    visitors = {who: opened("/", who, **device) for who in (None, OFFICE)}
    for who, path in served.pages():
        page = visitors[who]
        page.goto(served.base_url + path)
        found += [(path, *item) for item in barriers(page, EVERY_RULE)]
        assert page.evaluate(OVERFLOW) == [], path
        assert page.evaluate(NAMELESS) == [], path
    assert found == []


def test_each_status_is_told_on_its_page(opened: Opened, served: Statuses) -> None:
    page = opened("/catalogue")
    for status, told in (
        (RecordStatus.PAUSED, "Nobody new is taken in for the time being."),
        (RecordStatus.TEACHING_OUT, "Whoever has begun can finish."),
        (RecordStatus.RETIRED, "This is no longer taught."),
        (RecordStatus.REPLACED, "A later version has taken its place."),
    ):
        page.goto(f"{served.base_url}/catalogue/{served.slugs[status]}")
        expect(page.get_by_role("note")).to_contain_text(f"{told} The senate decided so.")
    page.goto(f"{served.base_url}/catalogue/{served.slugs[RecordStatus.RETRACTED]}")
    expect(page.get_by_role("heading", level=1)).to_have_text("A record that is retracted was retracted")


# --- who must act finds the act ---------------------------------------------------------------------------------------


def test_what_can_be_done_with_a_case_comes_first_on_a_phone(opened: Opened) -> None:
    page = opened(f"/cases/{FIRST_REVIEW}", OFFICE, **PHONE)
    acts, stands = (page.get_by_role("heading", name=name).bounding_box() for name in ACTS_AND_STAGES)
    assert acts is not None and stands is not None
    assert acts["y"] < stands["y"]
    assert acts["y"] < PHONE["viewport"]["height"]


def test_what_can_be_done_with_a_case_stands_beside_it_on_a_desktop(opened: Opened) -> None:
    page = opened(f"/cases/{FIRST_REVIEW}", OFFICE, **DESKTOP)
    acts, stands = (page.get_by_role("heading", name=name).bounding_box() for name in ACTS_AND_STAGES)
    assert acts is not None and stands is not None
    assert acts["y"] == stands["y"] and acts["x"] > stands["x"]


ACTS_AND_STAGES = ("What you may do", "Where it stands")


def test_a_reviewer_gets_to_the_answer_in_one_step_on_a_phone(opened: Opened, served: Statuses) -> None:
    page = opened(served.site.link("peers"), **PHONE)
    page.get_by_role("link", name="Go to your answer").click()
    expect(page.get_by_role("region", name="Your answer")).to_be_in_viewport()


# --- the keyboard -----------------------------------------------------------------------------------------------------

OF_ADMIN = ("/admin", "/admin/health", "/admin/keys", "/admin/targets",
            "/admin/calendars", "/admin/frameworks", "/admin/frameworks/add",
            "/people", "/people/add", "/people/import", "/people/away", "/incidents")  # fmt: skip
OF_THE_OFFICE = ("/", "/cases", "/reviews", "/bulks", "/drafts", "/imports", f"/cases/{FIRST_REVIEW}",
                 f"/cases/{CREDENTIAL}/history", "/admin/frameworks/move", "/sla")  # fmt: skip
# What can be used and is shown; of a group of radio buttons the keyboard reaches one, and its arrows the others.
USABLE = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.type !== 'radio').length"""
# A date has several stops, so the same thing twice is no way back.
REACHED = """() => { const e = document.activeElement;
    if (e === window.latest) return null;
    if (e === document.body || e.reached) return 'over';
    window.latest = e; e.reached = true;
    const box = e.getBoundingClientRect(), outlined = getComputedStyle(e).outlineStyle !== 'none';
    const usable = e.matches('a[href], button, input, select, textarea, summary') && e.type !== 'radio';
    return {usable, seen: box.width > 0 && box.height > 0 && outlined, what: e.outerHTML.slice(0, 120)} }"""


@pytest.mark.parametrize(("who", "paths"), [(ADMIN, OF_ADMIN), (OFFICE, OF_THE_OFFICE)], ids=["admin", "office"])
def test_everything_is_reached_and_seen_by_the_keyboard(
    opened: Opened, served: Statuses, who: str, paths: tuple[str, ...]
) -> None:
    page = opened("/account", who)
    for path in paths:
        page.goto(served.base_url + path)
        usable = page.evaluate(USABLE)
        reached = tabbed_through(page, 3 * usable + 10)
        assert [found["what"] for found in reached if not found["seen"]] == [], path
        assert sum(found["usable"] for found in reached) == usable, path


def tabbed_through(page: Page, most: int) -> list[dict[str, Any]]:
    """What has the focus in turn, once around the page."""
    reached: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate(REACHED)
        if found == "over":
            break
        reached += [found] if found is not None else []
    return reached
