"""Mails in a real browser: axe-core finds nothing, nothing is fetched, and every width and both shades can be read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

from imprimatur.mail.checking import house_of
from imprimatur.mail.environment import House, shipped_house
from imprimatur.mail.examples import LINKS, examples, in_language
from imprimatur.mail.message import Sender
from imprimatur.mail.rendering import text_of
from models.vocabulary import MailKind
from tests.chromium import OVERFLOW, browser
from tests.houses import BRANDING

__all__ = ["browser"]

DESKTOP: dict[str, Any] = {"viewport": {"width": 900, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True}
LANGUAGES = sorted(shipped_house().languages)
SMALL_TEXT = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.innerText && parseFloat(getComputedStyle(e).fontSize) < 15)
    .map(e => e.outerHTML.slice(0, 120))"""
FLAT_BUTTONS = """() => [...document.querySelectorAll('.go')]
    .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on a device in a shade, which must ask nobody for anything."""
    device, shade = request.param
    context = browser.new_context(**device, color_scheme=shade)
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda found: asked.append(found.url) if not found.url.startswith(("data:", "about:")) else None)
    yield page
    context.close()
    assert asked == []


def html_of(name: str, tag: str, house: House) -> str:
    context = next(example.context for example in examples() if example.name == name)
    sender = Sender("x@example.edu", "example.edu", takes_replies=True, house=house)
    return text_of(in_language(context, tag), LINKS, sender)[2]


def show(page: Page, html: str) -> None:
    """Within the same window, so that axe-core need not be loaded for every mail."""
    page.evaluate("html => { document.open(); document.write(html); document.close() }", html)


def found_by_axe(page: Page) -> list[str]:
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{item['id']}: {node['html'][:100]}" for item in found for node in item["nodes"]]


def found_by_size(page: Page) -> list[str]:
    return [text for script in (OVERFLOW, SMALL_TEXT, FLAT_BUTTONS) for text in page.evaluate(script)]


# Contrast is the same in every language.
SHOWN = [((DESKTOP, "light"), tag) for tag in LANGUAGES] + [((DESKTOP, "dark"), "en")]


@pytest.mark.parametrize(("page", "tag"), SHOWN, indirect=["page"], ids=["de", "en", "fr", "dark"])
def test_every_kind_can_be_read_by_everybody(page: Page, tag: str) -> None:
    for kind in MailKind:
        show(page, html_of(kind, tag, shipped_house()))
        assert found_by_axe(page) + found_by_size(page) == [], f"{kind} in {tag}"


@pytest.mark.parametrize("page", [(PHONE, "light")], indirect=True)
def test_every_shape_fits_a_telephone(page: Page) -> None:
    for number, example in enumerate(examples()):
        show(page, html_of(example.name, LANGUAGES[number % len(LANGUAGES)], shipped_house()))
        assert found_by_size(page) == [], example.name


@pytest.mark.parametrize("page", [(DESKTOP, "light"), (PHONE, "dark")], indirect=True, ids=["light", "dark"])
def test_an_institutions_colours_and_logo_can_be_read_too(page: Page, tmp_path: Path) -> None:
    (tmp_path / "branding.yaml").write_text(BRANDING, encoding="utf-8")
    Image.new("RGB", (240, 60), "#7a143c").save(tmp_path / "logo.png")
    house = house_of(tmp_path, "en")
    assert house.logo is not None
    blank = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    for kind in (MailKind.TASK, MailKind.CONDITION):
        show(page, html_of(kind, "de", house).replace(house.logo.source, blank))
        assert found_by_axe(page) + found_by_size(page) == [], kind


def test_axe_is_really_there(browser: Browser) -> None:
    page = browser.new_page()
    show(page, "<!doctype html><p style='color:#eee;background:#fff;font-size:9px'>Nobody can read this.</p>")
    assert {found.partition(":")[0] for found in found_by_axe(page)} >= {"color-contrast", "html-has-lang"}
    assert len(found_by_size(page)) == 1
    page.close()


@pytest.mark.parametrize("page", [(DESKTOP, "light")], indirect=True)
def test_without_pictures_the_logos_words_are_read(page: Page, tmp_path: Path) -> None:
    (tmp_path / "branding.yaml").write_text(BRANDING, encoding="utf-8")
    Image.new("RGB", (240, 60), "#7a143c").save(tmp_path / "logo.png")
    show(page, html_of("task", "en", house_of(tmp_path, "en")).replace('src="cid:', 'data-src="cid:'))
    assert page.get_by_role("img", name="The <Northern> Institute").count() == 1


INK = "() => [...document.querySelectorAll('{}')].map(e => getComputedStyle(e).color)"


@pytest.mark.parametrize("page", [(DESKTOP, "light"), (DESKTOP, "dark")], indirect=True, ids=["light", "dark"])
def test_what_came_together_is_as_strong_as_what_comes_alone(page: Page) -> None:
    show(page, html_of("combined", "en", shipped_house()))
    sections = page.evaluate(INK.format(".part h2, .part > p:not(.quiet):not(.address)"))
    assert len(sections) > 4
    assert set(sections) == set(page.evaluate(INK.format("h1")))
