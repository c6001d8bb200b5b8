"""Proposing in a real browser: with and without scripts, on desktop and phone; and what axe-core finds."""

import asyncio
import datetime as dt
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from imprimatur.imports import ImportRunner
from imprimatur.mail.links import Links
from imprimatur.store.skills import import_skills
from tests.chromium import (
    DARK,
    DESKTOP,
    OVERFLOW,
    PHONE,
    SMALL,
    WITHOUT_SCRIPTS,
    Opened,
    Visits,
    barriers,
    browser,
)
from tests.facts import PROPOSER
from tests.pages import HERE
from tests.proposing import Populated
from tests.test_drafts import filled
from tests.test_imports import MIXED, line
from tests.test_pages_browser import COLOURS, EVERY_RULE, NAMELESS_FIELDS, Served, serving
from tests.web import KEY, Site

__all__ = ["browser"]
PHONE_WITHOUT_SCRIPTS = PHONE | {"java_script_enabled": False}
DEVICES = {
    "desktop": DESKTOP,
    "phone": PHONE,
    "without scripts": WITHOUT_SCRIPTS,
    "phone without scripts": PHONE_WITHOUT_SCRIPTS,
}
# Answers with an error status, and no network.
MEANT = re.compile("status of (403|404|409|422)|ERR_INTERNET_DISCONNECTED|^htmx:(afterRequest|sendError)")
LETTER = {"name": "Letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 a letter"}


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with Populated(migrated_file, folder).copy(folder) as made, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        file = folder / "skills.csv"
        file.write_text("preferredLabel,conceptUri\nmend nets,https://skills.example.org/1\n", encoding="utf-8")
        import_skills(made.play.database, "ESCO", file, dt.datetime.now(dt.UTC))
        site = replace(made, links=Links([KEY], base_url))
        with importing(site), serving(site, listener):
            yield Served(site, base_url)


class importing:  # noqa: N801  (a context manager)
    """Carries imports out in a thread of its own until the block ends."""

    def __init__(self, site: Site) -> None:
        self._loop = asyncio.new_event_loop()
        self._runner = ImportRunner(site.cases, site.play.database)
        site.woken = lambda: self._loop.call_soon_threadsafe(self._runner.wake.set)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._runner.run_forever())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self._loop.close()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()


@pytest.fixture
def opened(browser: Browser, served: Served) -> Iterator[Opened]:
    """As of the other pages: nothing may be wrong on any, and nothing come from elsewhere."""
    visits = Visits(browser, MEANT)
    yield lambda path, **device: visits.page(served.base_url + path, device, served.cookie(PROPOSER))
    visits.end()


def begun(opened: Opened, **device: Any) -> Page:
    page = opened("/proposals/new", **device)
    page.get_by_label("Industry-developed, credit-bearing").check()
    page.get_by_role("button", name="Start with an empty form").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Untitled proposal")
    # Scripts listen once the page has loaded.
    page.wait_for_load_state("load")
    return page


def state(page: Page) -> Locator:
    return page.locator("#state")


def fill(page: Page, said: dict[str, str]) -> None:
    for name, value in said.items():
        control = page.locator(f'[name="{name}"]')
        if control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(value)
        elif control.get_attribute("type") == "checkbox":
            control.check()
        else:
            control.fill(value)


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_a_proposal_is_written_with_a_file_and_submitted(opened: Opened, device: dict[str, Any]) -> None:
    page = begun(opened, **device)
    said = filled("industry-credit")
    rows = {name for name in said if re.fullmatch(r"learning_outcomes\.[1-9]", name)}
    for number in range(1, len(rows) + 1):
        page.get_by_role("button", name="Another outcome").click()
        expect(page.locator(f'[name="learning_outcomes.{number}"]')).to_be_visible()
    for name in said:
        group = re.fullmatch(r"(assessment\.types|skills|partners\.0\.signatories|partners)\.([1-9])(\..*)?", name)
        if group and not page.locator(f'[name="{name}"]').count():
            page.locator(f'button[value="add:{group[1]}"]').click()
            expect(page.locator(f'[name="{name}"]')).to_be_visible()
    fill(page, said)
    page.locator("#file").set_input_files(LETTER)  # type: ignore[arg-type]
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_role("link", name="Letter.pdf")).to_be_visible()
    expect(state(page).get_by_text("misses nothing")).to_be_visible()
    page.get_by_role("button", name="Look it over").click()
    expect(page.get_by_role("heading", name="Submit")).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile("/cases/mc-"))
    expect(page.get_by_role("link", name="Letter.pdf")).to_be_visible()


def test_typing_is_saved_and_what_is_missing_told_at_once(opened: Opened) -> None:
    page = begun(opened)
    expect(state(page).get_by_role("link", name="Summary")).to_be_visible()
    page.get_by_label("Summary").fill("What it is.")
    expect(state(page).get_by_role("link", name="Summary")).to_have_count(0)
    page.get_by_label("Hours").fill("many")
    expect(state(page).get_by_text("is not a number")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Summary")).to_have_value("What it is.")
    expect(page.get_by_label("Hours")).to_have_value("many")
    expect(page.locator("#wrong-workload-hours")).to_be_visible()
    expect(page.get_by_label("Hours")).to_have_attribute("aria-invalid", "true")


def test_a_new_row_is_ready_to_be_typed_into(opened: Opened) -> None:
    page = begun(opened)
    page.get_by_label("Outcome 1").fill("Casts a net.")
    page.get_by_role("button", name="Another outcome").click()
    expect(page.get_by_label("Outcome 2")).to_be_focused()
    expect(page.get_by_label("Outcome 1")).to_have_value("Casts a net.")
    page.get_by_role("button", name="Remove outcome 1").click()
    expect(page.get_by_label("Outcome 2")).to_have_count(0)


def test_a_row_that_is_asked_for_comes_however_slow_the_answer(opened: Opened) -> None:
    page, held = begun(opened), []
    page.route(re.compile(r"/drafts/dr-\w+$"), lambda route: held.append(route))
    page.get_by_label("Outcome 1").fill("Casts a net.")
    page.get_by_role("button", name="Another outcome").click()
    # Leaving the field saves as well, and that must not take the place of the button's request.
    page.wait_for_timeout(700)
    for route in held:
        route.continue_()
    expect(page.get_by_label("Outcome 2")).to_be_focused()
    expect(page.get_by_label("Outcome 1")).to_have_value("Casts a net.")


def test_two_pages_of_one_draft_do_not_overwrite_one_another(opened: Opened, served: Served) -> None:
    first = begun(opened)
    second = opened(first.url.removeprefix(served.base_url))
    first.get_by_label("Title").first.fill("The first")
    expect(state(first).get_by_text(re.compile("^1 of"))).to_be_visible()
    second.get_by_label("Title").first.fill("The second")
    expect(state(second).get_by_role("alert")).to_contain_text("changed on another page")
    expect(second.get_by_label("Title").first).to_have_value("The second")
    second.get_by_role("button", name="Keep what stands here").click()
    expect(second.get_by_role("heading", level=1)).to_have_text("The second")


def test_what_cannot_be_saved_is_told(opened: Opened) -> None:
    page = begun(opened)
    page.context.set_offline(True)
    page.get_by_label("Summary").fill("Typed on a train.")
    expect(page.locator("#saved")).to_contain_text("Not saved")
    page.context.set_offline(False)
    page.get_by_label("Summary").fill("Typed on a train, and after it.")
    expect(page.locator("#saved")).to_contain_text("Saved")
    page.reload()
    expect(page.get_by_label("Summary")).to_have_value("Typed on a train, and after it.")


@pytest.mark.parametrize("device", [DESKTOP, WITHOUT_SCRIPTS], ids=["with scripts", "without"])
def test_a_skill_is_found_and_added(opened: Opened, device: dict[str, Any]) -> None:
    page = begun(opened, **device)
    page.get_by_label("Search in ESCO").fill("nets")
    if not device.get("java_script_enabled", True):
        page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator('[name="skills.0.title"]')).to_have_value("mend nets")


@pytest.mark.parametrize("device", [DESKTOP, PHONE, WITHOUT_SCRIPTS], ids=["desktop", "phone", "without scripts"])
def test_a_file_is_imported_with_a_report(opened: Opened, device: dict[str, Any]) -> None:
    page = opened("/imports", **device)
    page.get_by_label("Framework for all lines").select_option("coursework-credit")
    number = list(DEVICES.values()).index(device)
    content = "\n".join([MIXED.replace('"id": "', f'"id": "{number}'), *(line(f"{number}-{n}") for n in range(5))])
    page.get_by_label(re.compile("CSV or JSON Lines")).set_input_files(
        {"name": "many.jsonl", "mimeType": "application/jsonl", "buffer": content.encode()}
    )
    page.get_by_role("button", name="Look at each line first").click()
    expect(page.get_by_text("Nothing is imported yet.")).to_be_visible()
    page.get_by_role("button", name="Import them").click()
    if not device.get("java_script_enabled", True):
        while page.get_by_role("link", name="Look again").count():
            page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
    page.get_by_role("link", name=f"{number}-4").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{number}-4")


def paths(served: Served, opened: Opened) -> list[str]:
    """Every page of proposing, each with something on it."""
    page = begun(opened)
    page.get_by_label("Hours").fill("many")
    page.locator("#file").set_input_files(LETTER)  # type: ignore[arg-type]
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_role("link", name="Letter.pdf")).to_be_visible()
    draft = page.url.removeprefix(served.base_url).partition("?")[0]
    page.goto(f"{served.base_url}{draft}?find=nets")
    page.get_by_label("Hours").fill("12")
    page.get_by_role("button", name="Look it over").click()
    expect(page.get_by_role("heading", name="Submit")).to_be_visible()
    page.goto(served.base_url + draft)
    page.get_by_label("Hours").fill("many")
    expect(state(page).get_by_text("is not a number")).to_be_visible()
    clean = begun(opened).url.removeprefix(served.base_url)
    page.goto(served.base_url + "/imports")
    page.get_by_label(re.compile("CSV or JSON Lines")).set_input_files(
        {"name": "seen.jsonl", "mimeType": "application/jsonl", "buffer": MIXED.encode()}
    )
    page.get_by_role("button", name="Look at each line first").click()
    expect(page.get_by_text("Nothing is imported yet.")).to_be_visible()
    report = page.url.removeprefix(served.base_url)
    return ["/proposals/new", "/drafts", f"{draft}?find=nets", f"{clean}/review", "/imports", report, f"/cases/{HERE}"]


def test_no_page_of_proposing_has_a_barrier_and_each_fits_the_screen(opened: Opened, served: Served) -> None:
    found, own = [], paths(served, opened)
    for device, rules in ((DESKTOP, EVERY_RULE), (DARK, COLOURS), (PHONE, EVERY_RULE)):
        page = opened("/", **device)
        for path in own:
            page.goto(served.base_url + path)
            found += [(path, *item) for item in barriers(page, rules)]
            assert page.evaluate(OVERFLOW) == [], path
            assert page.evaluate(NAMELESS_FIELDS) == [], path
            if device is PHONE:
                assert page.evaluate(SMALL) == [], path
    assert found == []


def test_the_form_is_filled_by_keyboard_alone(opened: Opened) -> None:
    page = begun(opened)
    page.get_by_label("Outcome 1").focus()
    page.keyboard.type("Casts a net.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Another outcome")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Outcome 2")).to_be_focused()
    page.keyboard.type("Mends it.")
    expect(state(page).get_by_role("link", name="Learning outcomes")).to_have_count(0)
    page.locator('[name="title"]').focus()
    page.keyboard.type("Nets")
    # The first button of the form saves; nothing is handed in by a line's end.
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nets")
