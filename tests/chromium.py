"""Chromium for tests: devices, what is looked for on every page, and visits that must leave no complaint."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
DARK = DESKTOP | {"color_scheme": "dark"}
WITHOUT_SCRIPTS = DESKTOP | {"java_script_enabled": False}
# Whether anything sticks out to the right, and which element it is.
OVERFLOW = """() => [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(element => element.outerHTML.slice(0, 120))"""
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), textarea, button, a, iframe, summary')]
    .filter(e => !((e.labels?.[0] ?? e).innerText || e.title || e.ariaLabel || '').trim())
    .map(element => element.outerHTML.slice(0, 120))"""
# Of a box to tick it is the label around it that is touched.
TOUCHED = "label:has(input), input:not([type=radio], [type=checkbox], [type=hidden]), textarea, button, summary"
SMALL = f"""() => [...document.querySelectorAll('{TOUCHED}')]
    .filter(element => element.getBoundingClientRect().height < 44 || element.getBoundingClientRect().width < 44)
    .map(element => element.outerHTML.slice(0, 120))"""
UNFOLD = "() => document.querySelectorAll('details').forEach(element => { element.open = true })"
Opened = Callable[..., Page]
NOTHING = re.compile("(?!)")
# Far above what anything takes; a test that needs it all has failed. Playwright itself waits five seconds.
PATIENCE_MILLISECONDS = 180_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


# Imported by each file for itself: while Playwright runs, an event loop runs in this thread, and no asynchronous test
# could.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium: install the package chromium of the system")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


def foreign(url: str, address: str) -> list[str]:
    parts = urlsplit(url)
    return [] if parts.scheme in ("data", "file") or parts.netloc == urlsplit(address).netloc else [f"request to {url}"]


def barriers(page: Page, rules: dict[str, Any]) -> list[tuple[str, str]]:
    """What axe-core finds on a page, everything on it unfolded: each rule, and the first that breaks it."""
    page.evaluate(UNFOLD)
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    response = Axe().run(page, options=options).response
    assert response["passes"], page.url
    return [(item["id"], item["nodes"][0]["html"][:140]) for item in response["violations"]]


class Visits:
    """Every page is watched; what the console says, what fails, and what is asked of others is a complaint.

    Chromium reports an answer with an error status as a complaint of its own: ``meant`` finds those that are.
    """

    def __init__(self, browser: Browser, meant: re.Pattern[str] = NOTHING) -> None:
        self._browser = browser
        self._meant = meant
        self._contexts: list[BrowserContext] = []
        self._complaints: list[str] = []

    def page(self, address: str, device: dict[str, Any], cookies: Sequence[Any] = (), *, abroad: bool = False) -> Page:
        """An address, opened. From ``abroad`` things may come as well; else every request must go to its own host."""
        context = self._browser.new_context(**(device or DESKTOP))
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.add_cookies(cookies)
        page, complaints = context.new_page(), self._complaints
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not abroad:
            page.on("request", lambda request: complaints.extend(foreign(request.url, address)))
        page.goto(address)
        return page

    def end(self) -> None:
        for context in self._contexts:
            context.close()
        assert [text for text in self._complaints if not self._meant.search(text)] == []
