"""The pages behind the sign-in in a real browser: signing in, filters, every screen, and what axe-core finds."""

import datetime as dt
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from imprimatur.mail.links import Links
from imprimatur.store import outbox
from imprimatur.store.engine import Database
from imprimatur.web.oidc import Provider
from models.vocabulary import MailKind
from tests.chromium import (
    DARK,
    DESKTOP,
    NAMELESS,
    OVERFLOW,
    PHONE,
    UNFOLD,
    WITHOUT_SCRIPTS,
    Opened,
    Visits,
    barriers,
    browser,
)
from tests.facts import OFFICE, PROPOSER, Play, example, furnish, whole_story
from tests.provider import CLIENT_ID, CLIENT_SECRET, provider
from tests.web import KEY, Site

__all__ = ["browser"]

HERE, DONE = "mc-heresheresher", "mc-donedonedone2"
REVIEWER = "quinn.reviewer@example.edu"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERY_RULE: dict[str, Any] = {"type": "tag", "values": TAGS}
# All that another theme changes.
COLOURS: dict[str, Any] = {"type": "rule", "values": ["color-contrast"]}
NAMELESS_FIELDS = NAMELESS.replace("'input,", "'input:not([type=hidden]),")
KNOWN = {"sub": "diana", "email": OFFICE, "email_verified": True}


@dataclass
class Served:
    """The pages on a port of this machine."""

    site: Site
    base_url: str

    def cookie(self, email: str) -> list[dict[str, str]]:
        return [
            {"name": name, "value": value, "url": self.base_url} for name, value in self.site.session(email).items()
        ]

    def mailed_link(self) -> str:
        """The newest link to sign in."""
        mails = outbox.claim(self.site.play.database, 100, dt.datetime.now(dt.UTC))
        newest = max((mail for mail in mails if mail.kind is MailKind.SIGN_IN), key=lambda mail: mail.created_at)
        return self.site.links.sign_in_url(newest.data["link_id"])


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copyfile(migrated_file, folder / "pages.db")
    database = Database(f"sqlite:///{folder / 'pages.db'}")
    furnish(database)
    whole_story(database, folder, DONE)
    play = Play(database, folder, case_id=HERE)
    play.submit(example("industry-credit"))
    play.decide("proposal", comment="Fits our offer.", fit=4, no_duplication=3)
    other = Play(database, folder, "non-credit", "mc-otherotherothe")
    other.submit(example("non-credit"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        answer = f"{base_url}/sign-in/oidc/answer"
        with provider(folder, answer, KNOWN) as op:
            own = Provider(op.issuer, CLIENT_ID, CLIENT_SECRET, answer)
            site = Site(play, links=Links([KEY], base_url), provider=own)
            with serving(site, listener):
                yield Served(site, base_url)
    database.close()


class serving:  # noqa: N801  (a context manager)
    """The app in a thread of its own until the block ends."""

    def __init__(self, site: Site, listener: socket.socket) -> None:
        self._server = uvicorn.Server(uvicorn.Config(site.app, log_level="error", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def opened(browser: Browser, served: Served) -> Iterator[Opened]:
    """Opens a path on a device, signed in or not; nothing may be wrong on any page, and nothing come from elsewhere."""
    visits = Visits(browser, re.compile("status of (403|404|409|410|412|422)"))

    def visit(path: str, who: str | None = None, abroad: bool = False, **device: Any) -> Page:
        cookies = served.cookie(who) if who is not None else []
        return visits.page(served.base_url + path, device, cookies, abroad=abroad)

    yield visit
    visits.end()


@pytest.mark.parametrize("device", [DESKTOP, PHONE, WITHOUT_SCRIPTS], ids=["desktop", "phone", "without scripts"])
def test_a_link_in_a_mail_signs_in_and_leads_back(opened: Opened, served: Served, device: dict[str, Any]) -> None:
    page = opened(f"/cases/{HERE}", **device)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("Your mail address").fill(OFFICE)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    page.goto(served.mailed_link())
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{served.base_url}/cases/{HERE}")
    expect(page.get_by_text("Waiting for Quinn Abara")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    page.goto(f"{served.base_url}/tasks")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_institution_s_account_signs_in_by_itself(opened: Opened, served: Served) -> None:
    page = opened("/sign-in?next=/frameworks", abroad=True)
    page.get_by_role("link", name="Sign in with your institution's account").click()
    expect(page).to_have_url(f"{served.base_url}/frameworks")
    expect(page.get_by_role("link", name="Omar Haddad")).to_be_visible()


def test_the_institution_s_account_needs_no_scripts(opened: Opened, served: Served) -> None:
    page = opened("/sign-in", abroad=True, **WITHOUT_SCRIPTS)
    page.get_by_role("link", name="Sign in with your institution's account").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What needs the office now")


def test_a_filter_shows_its_result_at_once_and_stays_in_the_address(opened: Opened) -> None:
    page = opened("/cases", OFFICE)
    found = page.get_by_role("region", name="Cases found").locator("tbody").get_by_role("link")
    expect(found).to_have_count(3)
    page.get_by_label("Title, number or proposer").fill("prototyping")
    expect(found).to_have_count(2)
    page.get_by_label("Status").select_option("published")
    expect(found).to_have_count(1)
    assert "q=prototyping" in page.url and "status=published" in page.url
    page.reload()
    expect(found).to_have_count(1)
    expect(page.get_by_label("Status")).to_have_value("published")


def test_filters_work_without_scripts(opened: Opened) -> None:
    page = opened("/cases", OFFICE, **WITHOUT_SCRIPTS)
    page.get_by_label("Title, number or proposer").fill("prototyping")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("region", name="Cases found").locator("tbody").get_by_role("link")).to_have_count(2)


def test_a_session_is_ended_from_the_account(opened: Opened) -> None:
    page, other = opened("/account", REVIEWER), opened("/tasks", REVIEWER)
    page.reload()
    page.get_by_role("row").filter(has_not_text="This one").get_by_role("button").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quinn Abara")
    other.reload()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


OWN = {
    OFFICE: ["/", "/cases", "/cases?q=nothing+like+it", f"/cases/{HERE}", f"/cases/{DONE}", f"/cases/{HERE}/history",
             "/tasks", "/incidents", "/people", "/frameworks", "/frameworks/industry-credit/1.1", "/account"],
    PROPOSER: ["/", f"/cases/{HERE}"],
    REVIEWER: ["/tasks"],
}  # fmt: skip
PAGES: list[tuple[str | None, str]] = [(who, path) for who, paths in OWN.items() for path in paths]
PAGES += [(None, path) for path in ("/", "/sign-in", "/catalogue", "/inbox", "/inbox/1-a.eml", "/nowhere", "TASK")]


def path_of(served: Served, path: str) -> str:
    return served.site.link("quality") if path == "TASK" else path


# One of each kind, with every colour there is.
COLOURFUL = [page for page in PAGES if page[1] in ("/", "/cases", f"/cases/{DONE}", "/account", "/sign-in", "TASK")]


@pytest.mark.parametrize(
    ("theme", "rules", "pages"), [(DESKTOP, EVERY_RULE, PAGES), (DARK, COLOURS, COLOURFUL)], ids=["light", "dark"]
)
def test_no_page_has_a_barrier(
    opened: Opened,
    served: Served,
    theme: dict[str, Any],
    rules: dict[str, Any],
    pages: list[tuple[str | None, str]],
) -> None:
    found = []
    visitors = {who: opened("/", who, **theme) for who in (None, *OWN)}
    for who, path in pages:
        page = visitors[who]
        page.goto(served.base_url + path_of(served, path))
        found += [(path, *item) for item in barriers(page, rules)]
    assert found == []


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_the_screen(opened: Opened, served: Served, device: dict[str, Any]) -> None:
    visitors = {who: opened("/", who, **device) for who in (None, *OWN)}
    for who, path in PAGES:
        page = visitors[who]
        page.goto(served.base_url + path_of(served, path))
        page.evaluate(UNFOLD)
        assert page.evaluate(OVERFLOW) == [], path
        assert page.evaluate(NAMELESS_FIELDS) == [], path
        assert page.title().endswith("Imprimatur")
        assert page.get_by_role("main").count() == page.get_by_role("heading", level=1).count() == 1


def test_the_keyboard_skips_to_the_content(opened: Opened) -> None:
    page = opened("/cases", OFFICE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Title, number or proposer")).to_be_focused()


def test_paper_shows_the_case_and_no_controls(opened: Opened) -> None:
    page = opened(f"/cases/{HERE}", OFFICE)
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_text("Waiting for Quinn Abara")).to_be_visible()
