"""Acts, comparisons, saved views, bulks and drafts in a real browser: by mouse, keyboard, touch, without scripts."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from imprimatur.access.acts import CaseAct
from imprimatur.mail.links import Links
from imprimatur.rules.condition_words import condition
from imprimatur.store.engine import Database
from imprimatur.web.acts.forms import has_form
from models.events import ActProposed
from models.vocabulary import CaseStatus, Conditions, OfficeAct, StageOutcome, Verdict
from tests.chromium import DARK, DESKTOP, OVERFLOW, PHONE, SMALL, UNFOLD, WITHOUT_SCRIPTS, Opened, barriers, browser
from tests.facts import OFFICE, PROPOSER, SECOND, Play, amended, example, furnish
from tests.test_pages_browser import (
    COLOURS,
    EVERY_RULE,
    NAMELESS_FIELDS,
    Served,
    opened,
    serving,
)
from tests.web import KEY, Site

__all__ = ["browser", "opened"]

HERE = "mc-heresheresher"
WHY = "The register is closed until Monday."
DEVICES = pytest.mark.parametrize("device", [DESKTOP, PHONE, WITHOUT_SCRIPTS], ids=["desktop", "phone", "no scripts"])


def in_its_second_round(database: Database, folder: Path) -> Play:
    """With a condition in force, two versions, and an act that waits for a second person."""
    furnish(database)
    policy = amended(database, "industry-credit", "proposal", conditions=Conditions.ALLOWED)
    play = Play(database, folder, policy, HERE)
    play.submit(example("industry-credit"))
    wanted = [condition("Name an assessor who is independent of the team.", owner=OFFICE)]
    play.decide("proposal", comment="Fits our offer.", conditions=wanted, fit=4, no_duplication=3)
    for _ in range(2):
        play.decide("quality", Verdict.REQUEST_CHANGES, "Show how it is marked.", outcomes=2, assessment=2)
    revised = example("industry-credit.revised")
    play.revise(revised.model_copy(update={"summary": f"{revised.summary} Places are limited."}))
    play.decide("quality", comment="Better now.", outcomes=3, assessment=4)
    act = ActProposed(act_id="a-1", act=OfficeAct.OVERRIDE, actor=SECOND, stage="industry",
                      outcome=StageOutcome.APPROVED, reason="The partner signed on paper", by_office=True)  # fmt: skip
    play.act(act)
    return play


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("acts")
    shutil.copyfile(migrated_file, folder / "pages.db")
    database = Database(f"sqlite:///{folder / 'pages.db'}")
    play = in_its_second_round(database, folder)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site = Site(play, links=Links([KEY], base_url))
        with serving(site, listener):
            yield Served(site, base_url)
    database.close()


def title(page: Page) -> Any:
    return page.get_by_role("heading", level=1)


def status_of(served: Served) -> CaseStatus:
    return served.site.play.state.status


@DEVICES
def test_a_case_is_held_and_resumed(opened: Opened, served: Served, device: dict[str, Any]) -> None:
    page = opened(f"/cases/{HERE}", OFFICE, **device)
    page.get_by_role("link", name="Hold", exact=True).click()
    expect(title(page)).to_have_text("Put the case on hold")
    expect(page.get_by_text("The clocks of the case and of its stages stand still.")).to_be_visible()
    page.get_by_label("Why").fill(WHY)
    page.get_by_role("button", name="Put it on hold").click()
    expect(page.get_by_role("status").first).to_contain_text(WHY)
    assert status_of(served) is CaseStatus.ON_HOLD
    page.get_by_role("link", name="Resume", exact=True).click()
    page.get_by_label("Why").fill("It is open again.")
    page.get_by_role("button", name="Resume it").click()
    expect(page.get_by_role("status").first).to_contain_text("Recorded.")
    assert status_of(served) is CaseStatus.IN_REVIEW


@DEVICES
def test_a_refusal_is_told_in_the_form_and_what_was_typed_stays(opened: Opened, device: dict[str, Any]) -> None:
    page = opened(f"/cases/{HERE}/acts/reassign", OFFICE, **device)
    page.get_by_role("radio").first.check()
    page.get_by_label("To whom").fill(PROPOSER)
    page.get_by_label("Why").fill(WHY)
    page.get_by_role("button", name="Give it to them").click()
    expect(page.get_by_role("alert")).to_contain_text("own_proposal")
    expect(page.get_by_label("Why")).to_have_value(WHY)
    expect(page.get_by_role("radio").first).to_be_checked()


def test_of_two_who_act_at_once_the_second_sees_the_case_anew(opened: Opened, served: Served) -> None:
    one, other = [opened(f"/cases/{HERE}/acts/send_back", who) for who in (OFFICE, SECOND)]
    for page in (one, other):
        page.get_by_role("radio", name="Quality review").check()
        page.get_by_label("Why").fill(WHY)
    before = served.site.play.state.stages["quality"].round
    one.get_by_role("button", name="Send it back").click()
    expect(one.get_by_role("status").first).to_contain_text("Recorded.")
    other.get_by_role("button", name="Send it back").click()
    expect(other.get_by_role("alert")).to_contain_text("case_changed")
    expect(other.get_by_label("Why")).to_have_value(WHY)
    assert served.site.play.state.stages["quality"].round == before + 1


@DEVICES
def test_two_versions_are_compared(opened: Opened, device: dict[str, Any]) -> None:
    page = opened(f"/cases/{HERE}", PROPOSER, **device)
    page.get_by_role("link", name="Compare with version 1").click()
    expect(title(page)).to_have_text("From version 1 to version 2")
    expect(page.locator("main ins").first).to_be_visible()
    folded = page.locator("details.fold").first
    folded.locator("summary").click()
    assert folded.get_attribute("open") is not None


@DEVICES
def test_a_bulk_is_chosen_previewed_and_done(opened: Opened, device: dict[str, Any]) -> None:
    page = opened("/cases", OFFICE, **device)
    page.get_by_role("checkbox", name=HERE).check()
    page.get_by_label("With the chosen cases").select_option("nudge")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing has been done yet.")).to_be_visible()
    page.get_by_role("button", name="Remind them").click()
    expect(title(page)).to_have_text("Remind now: 1 chosen")
    if device is WITHOUT_SCRIPTS:
        page.reload()
    expect(page.get_by_role("status")).to_contain_text("1 done")


def test_a_view_is_saved_and_found_again(opened: Opened) -> None:
    page = opened("/cases", OFFICE)
    page.get_by_label("Status").select_option("in_review")
    page.get_by_text("Save this view under a name").click()
    page.get_by_label("Name", exact=True).fill("Under review")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Under review", exact=True)).to_have_attribute("aria-current", "page")
    page.goto(page.url.partition("/cases")[0])
    page.get_by_role("link", name="Under review", exact=True).click()
    expect(page.get_by_label("Status")).to_have_value("in_review")
    page.get_by_role("link", name="Change the view Under review").click()
    page.get_by_role("button", name="Remove this view").click()
    expect(page.get_by_role("link", name="Under review", exact=True)).to_have_count(0)


def press_until(page: Page, focused: str) -> None:
    """Goes on by the Tab key alone until what the selector names has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", focused):
            return
    raise AssertionError(f"the keyboard does not reach {focused}")


def test_a_reviewer_answers_by_keyboard_alone_and_what_is_typed_is_kept(opened: Opened, served: Served) -> None:
    play = served.site.play
    page = opened(served.site.link("quality", 1))
    for criterion in ("outcomes", "assessment"):
        press_until(page, f"[name='score.{criterion}']")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
    press_until(page, "[name=verdict]")
    page.keyboard.press("Space")
    press_until(page, "#comment")
    page.keyboard.type("Typed without a mouse.")
    expect(page.locator("#kept")).to_contain_text("Draft kept at")
    page.reload()
    expect(page.get_by_label("Comment")).to_have_value("Typed without a mouse.")
    assert not any(step.event.kind == "decided" and "mouse" in step.event.comment for step in play.steps)
    press_until(page, "form[data-keep] button:not([name])")
    page.keyboard.press("Enter")
    expect(title(page)).to_have_text("Thank you, your decision is recorded")
    press_until(page, "a[href$='/receipt']")
    page.keyboard.press("Enter")
    expect(title(page)).to_have_text("Thank you, your decision is recorded")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_text("Typed without a mouse.")).to_be_visible()


def test_a_draft_is_kept_by_a_button_where_no_script_runs(opened: Opened, served: Served) -> None:
    page = opened(served.site.link("quality", 0), **WITHOUT_SCRIPTS)
    page.get_by_label("Comment").fill("Half a thought.")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_label("Comment")).to_have_value("Half a thought.")
    expect(page.get_by_text("Your draft of")).to_be_visible()


def addresses(served: Served) -> list[tuple[str | None, str]]:
    """Every page of these, for whoever has most to see on it."""
    forms = [(OFFICE, f"/cases/{HERE}/acts/{act}") for act in CaseAct if has_form(act)]
    own = [(PROPOSER, f"/cases/{HERE}/acts/withdraw"), (PROPOSER, f"/cases/{HERE}")]
    of_many = [(OFFICE, f"/bulks/new?act={act}&case={HERE}") for act in ("extend", "override", "send-back", "reassign")]
    lists = [(OFFICE, path) for path in ("/bulks", "/cases", "/cases?status=in_review", f"/cases/{HERE}",
                                         f"/cases/{HERE}/versions/1...2")]  # fmt: skip
    return [*forms, *own, *of_many, *lists, (None, served.site.link("quality"))]


@pytest.mark.parametrize(("theme", "rules"), [(DESKTOP, EVERY_RULE), (DARK, COLOURS)], ids=["light", "dark"])
def test_no_page_has_a_barrier(opened: Opened, served: Served, theme: dict[str, Any], rules: dict[str, Any]) -> None:
    found = []
    visitors = {who: opened("/", who, **theme) for who in (None, OFFICE, PROPOSER)}
    for who, path in addresses(served):
        page = visitors[who]
        page.goto(served.base_url + path)
        found += [(path, *item) for item in barriers(page, rules)]
    assert found == []


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_the_screen(opened: Opened, served: Served, device: dict[str, Any]) -> None:
    visitors = {who: opened("/", who, **device) for who in (None, OFFICE, PROPOSER)}
    for who, path in addresses(served):
        page = visitors[who]
        page.goto(served.base_url + path)
        if "/acts/" in path or "/bulks/new" in path:
            assert page.evaluate(SMALL) == [], path
        page.evaluate(UNFOLD)
        assert page.evaluate(OVERFLOW) == [], path
        assert page.evaluate(NAMELESS_FIELDS) == [], path
