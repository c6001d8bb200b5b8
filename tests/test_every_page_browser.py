"""No page is looked at by nobody: what other files let axe-core see is listed by them, and the rest is seen here."""

import ast
import datetime as dt
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.routing import compile_path

from imprimatur.access.viewer import Viewer
from imprimatur.drafting import begin_with
from imprimatur.mail.links import Links
from imprimatur.publication.badges import Learner
from imprimatur.rules.condition_words import condition
from imprimatur.store.engine import Database
from imprimatur.store.pathways import put_pathway
from imprimatur.store.saved_views import save_view
from imprimatur.web.oidc import Provider
from models.vocabulary import AccessRole, Conditions, Strength, Verdict
from tests.catalogues import DEGREE
from tests.chromium import DARK, DESKTOP, OVERFLOW, PHONE, Opened, Visits, barriers, browser
from tests.facts import OFFICE, PROPOSER, START, Play, amended, example
from tests.many_lists import fill_lists
from tests.provider import CLIENT_ID, CLIENT_SECRET
from tests.test_api_coverage import html_routes
from tests.test_badges import published
from tests.test_catalogue_browser import NAMELESS_FIELDS
from tests.test_pages_browser import EVERY_RULE, Served, serving
from tests.web import KEY, Site

__all__ = ["browser"]

HERE, SENT_BACK = "mc-heresheresher", "mc-sentbacksentb"
OWNER = "ivo.adviser@example.org"
# A wide table is scrolled within its own frame.
BEYOND = OVERFLOW.replace("'body *'", "'body *:not(.scroll *)'")
DARK_PHONE = PHONE | {"color_scheme": "dark"}
SCREENS = pytest.mark.parametrize(
    "device", [DESKTOP, DARK, PHONE, DARK_PHONE], ids=["desktop", "dark", "phone", "dark phone"]
)
# By file, the functions and constants that list what axe-core looks at there.
LISTED = {
    "test_pages_browser.py": {"OWN", "PAGES"},
    "test_status_browser.py": {"pages"},
    "test_admin_browser.py": {"paths"},
    "test_acts_browser.py": {"addresses"},
    "test_catalogue_browser.py": {"addresses"},
    "test_proposing_browser.py": {"paths"},
}
# No page of its own, or not one of ours, each with its reason.
NO_PAGE = {
    "/cases/{case_id}/versions": "leads on to the page of a pair",
    "/imports/{import_id}/progress": "a part of the page of the import",
    "/drafts/{draft_id}/skills": "a part of the page of the draft",
    "/people/suggested": "a part of each page on which somebody is named",
    "/inbox/{name}/html": "a mail; tests/test_mail_accessible.py looks at all of them",
}
# By route: the addresses that are looked at here, and by whom. What stands in braces is found in the site.
HERE_LOOKED_AT: dict[str, list[tuple[str, str | None]]] = {
    "/badges/{badge_id}": [("/badges/{badge}", None)],
    "/bulks/{bulk_id}": [("/bulks/b-many0", OFFICE)],
    "/cases/{case_id}/acts/{act}": [(f"/cases/{HERE}/acts/fulfil", OWNER),
                                    (f"/cases/{HERE}/acts/fulfil?done=yes", OWNER)],
    "/cases/{case_id}/revise": [(f"/cases/{SENT_BACK}/revise", PROPOSER)],
    "/drafts/{draft_id}": [("/drafts/{draft}", PROPOSER)],
    "/drafts/{draft_id}/review": [("/drafts/{draft}/review", PROPOSER)],
    "/first-steps": [("/first-steps", None)],
    "/imports/{import_id}": [("/imports/im-many0", OFFICE)],
    "/pathways": [("/pathways", None)],
    "/pathways/{pathway_id}": [(f"/pathways/{DEGREE.id}", None)],
    "/sign-in/oidc/answer": [("/sign-in/oidc/answer?error=refused", None)],
    "/sign-in/{token}": [("/sign-in/{link}", None)],
    "/sla": [("/sla", OFFICE)],
    "/sla/{name}": [("/sla/workload", OFFICE), ("/sla/ageing", OFFICE)],
    "/sla/{name}/cases": [("/sla/on-time/cases", OFFICE)],
    "/t/{token}": [("{task}", None)],
    "/t/{token}/receipt": [("{receipt}", None)],
    "/verify": [("/verify", None), ("/verify?id={badge}", None)],
    "/views/{view_id}": [("/views/{view}", OFFICE)],
}  # fmt: skip


@dataclass
class Filled(Served):
    """With what the addresses name."""

    named: dict[str, str]

    def address(self, path: str) -> str:
        return self.base_url + path.format(**self.named)


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copyfile(migrated_file, folder / "pages.db")
    database = Database(f"sqlite:///{folder / 'pages.db'}")
    [award] = published(database, folder).award([Learner("lea@example.org", "Lea Hall")], dt.datetime.now(dt.UTC))
    put_pathway(database, DEGREE, START)
    fill_lists(database, 3, dt.datetime.now(dt.UTC))
    office = Viewer(OFFICE, "Omar Haddad", frozenset({AccessRole.OFFICE}), Strength.SESSION)
    proposer = Viewer(PROPOSER, "Ana Lima", frozenset({AccessRole.PROPOSER}), Strength.SESSION)
    draft = begin_with(database, proposer, "industry-credit", example("industry-credit"), dt.datetime.now(dt.UTC))
    view = save_view(database, office, "Late ones", {"status": "in_review"}, False, dt.datetime.now(dt.UTC))
    back = Play(database, folder, case_id=SENT_BACK)
    back.submit(example("industry-credit"))
    back.decide("proposal", Verdict.REQUEST_CHANGES, "Who teaches it?", fit=2, no_duplication=2)
    play = Play(database, folder, amended(database, "industry-credit", "proposal", conditions=Conditions.ALLOWED), HERE)
    play.submit(example("industry-credit"))
    [answered] = play.state.open_tasks("proposal")
    wanted = [condition("Name an assessor.", owner=OWNER)]
    play.decide("proposal", comment="Nearly.", conditions=wanted, fit=4, no_duplication=3)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        own = Provider("https://id.example.edu", CLIENT_ID, CLIENT_SECRET, f"{base_url}/sign-in/oidc/answer")
        site = Site(play, links=Links([KEY], base_url), provider=own)
        named = {
            "badge": award.badge_id,
            "draft": draft,
            "link": site.links.sign_in_url("l-1").rpartition("/")[2],
            "receipt": f"/t/{site.links.token(answered.id, answered.assignee)}/receipt",
            "task": site.link("quality"),
            "view": view,
        }
        with serving(site, listener):
            yield Filled(site, base_url, named)
    database.close()


@pytest.fixture(scope="module")
def empty(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An installation in which nobody is yet."""
    folder = tmp_path_factory.mktemp("empty")
    shutil.copyfile(migrated_file, folder / "pages.db")
    database = Database(f"sqlite:///{folder / 'pages.db'}")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site = Site(Play(database, folder), links=Links([KEY], base_url))
        with serving(site, listener):
            yield Served(site, base_url)
    database.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens a page of a site; nothing may be wrong on any, and nothing come from elsewhere."""
    visits = Visits(browser, re.compile("status of (409|422)"))

    def visit(site: Served, path: str, who: str | None = None, **device: Any) -> Page:
        return visits.page(site.base_url + path, device, site.cookie(who) if who is not None else [])

    yield visit
    visits.end()


def found_on(page: Page, what: str) -> list[tuple[str, ...]]:
    """Everything that is wrong with a page as it is shown."""
    wrong = [(what, *item) for item in barriers(page, EVERY_RULE)]
    return wrong + [(what, item) for look in (BEYOND, NAMELESS_FIELDS) for item in page.evaluate(look)]


@SCREENS
def test_what_nobody_else_looks_at_has_no_barrier(opened: Opened, served: Filled, device: dict[str, Any]) -> None:
    found = []
    visitors = {who: opened(served, "/", who, **device) for who in (None, OFFICE, PROPOSER, OWNER)}
    for path, who in (look for looks in HERE_LOOKED_AT.values() for look in looks):
        page = visitors[who]
        answer = page.goto(served.address(path))
        assert answer is not None and answer.ok, path
        found += found_on(page, path)
    assert found == []


@SCREENS
def test_the_first_steps_have_no_barrier_with_and_without_a_refusal(
    opened: Opened, empty: Served, device: dict[str, Any]
) -> None:
    page = opened(empty, "/first-steps", **device)
    expect(page.get_by_role("button", name="Begin with yourself")).to_be_visible()
    found = found_on(page, "asked")
    page.get_by_label("Your name").fill(" ")
    page.get_by_label("Your mail address").fill("nora@example.edu")
    page.get_by_role("button", name="Begin with yourself").click()
    expect(page.get_by_role("alert")).to_contain_text("person_invalid")
    expect(page.get_by_label("Your mail address")).to_have_value("nora@example.edu")
    assert found + found_on(page, "refused") == []


@SCREENS
def test_a_condition_s_owner_meets_no_barrier_in_a_refusal(
    opened: Opened, served: Filled, device: dict[str, Any]
) -> None:
    page = opened(served, f"/cases/{HERE}/acts/fulfil", OWNER, **device)
    page.get_by_label("What was done").fill(" ")
    page.get_by_role("button", name="Report it").click()
    expect(page.get_by_role("alert")).to_contain_text("evidence_required")
    assert found_on(page, "refused") == []


def test_every_page_is_looked_at() -> None:
    told = {path for file, names in LISTED.items() for path in listed(Path(__file__).with_name(file), names)}
    elsewhere = {route for route in html_routes() if any(compile_path(route)[0].match(path) for path in told)}
    assert sorted(html_routes() - elsewhere - set(HERE_LOOKED_AT) - set(NO_PAGE)) == []
    assert sorted((set(HERE_LOOKED_AT) | set(NO_PAGE)) - html_routes()) == [], "and nothing is told of what is gone"


def listed(file: Path, names: set[str]) -> Iterator[str]:
    """Addresses in the named lists of a file, without their queries; what is filled in stands as a figure."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        name = getattr(node, "name", None)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = target.id if isinstance(target, ast.Name) else None
        if name in names:
            found.add(name)
            yield from (text.partition("?")[0] for text in _texts(node) if text.startswith("/"))
    assert found == names, file


def _texts(node: ast.AST) -> Iterator[str]:
    """Also of what a text is put together of."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value
        if isinstance(inner, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in inner.values)
