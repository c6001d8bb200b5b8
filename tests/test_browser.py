"""A reviewer in a real browser, on the running stack: from the mail in the inbox to the receipt."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from imprimatur.embedded.sink import read_mailbox
from tests.chromium import (
    DARK,
    DESKTOP,
    NAMELESS,
    OVERFLOW,
    PHONE,
    SMALL,
    UNFOLD,
    WITHOUT_SCRIPTS,
    Opened,
    Visits,
    browser,
)
from tests.command import Command, without_settings
from tests.stack import OFFICE, Stack, decided, needed_scores, published, submitted, task_link, until

__all__ = ["browser"]

SCORES = dict.fromkeys(needed_scores("industry-credit", "quality"), 3)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens an address on a device; every request must go to this machine, and nothing may be wrong on a page."""
    visits = Visits(browser, re.compile("status of (404|410|422)"))
    yield lambda address, **device: visits.page(address, device)
    visits.end()


@pytest.fixture(scope="module")
def waiting(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """As ``review``, for those who only look."""
    with pytest.MonkeyPatch.context() as patch:
        without_settings(patch, tmp_path_factory.mktemp("waiting"))
        patch.setenv("IMPRIMATUR_HOME", str(stack.home))
        return under_review(Command(), stack)


@pytest.fixture
def review(office: Command, stack: Stack) -> tuple[str, str]:
    """A case that waits for its quality review, and the link in the mail to one of the reviewers."""
    return under_review(office, stack)


def under_review(office: Command, stack: Stack) -> tuple[str, str]:
    case_id = submitted(office, "industry-credit")
    decided(office, case_id, "proposal")
    tasks = office.json("tasks", "--case", case_id)["tasks"]
    reviewer = next(task["assignee"] for task in tasks if task["stage"] == "quality")
    return case_id, task_link(stack.mail(case_id, "Your review", reviewer))


def fill_in(page: Page, verdict: str, comment: str, scores: dict[str, int]) -> None:
    for criterion, score in scores.items():
        page.locator(f"[name='score.{criterion}'][value='{score}']").check()
    page.get_by_label(verdict, exact=True).check()
    page.get_by_label("Comment").fill(comment)


@pytest.mark.parametrize(
    "device", [DESKTOP, PHONE, DARK, WITHOUT_SCRIPTS], ids=["desktop", "phone", "dark", "without scripts"]
)
def test_a_reviewer_answers_and_sees_the_receipt(
    opened: Opened, office: Command, review: tuple[str, str], device: dict[str, Any]
) -> None:
    case_id, link = review
    page = opened(link, **device)
    expect(page.get_by_role("heading", level=1)).to_have_text("Product Discovery and Prototyping with AI")
    fill_in(page, "Approve", "Gründlich, 🎓", SCORES)
    page.get_by_role("button", name="Record my decision").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your decision is recorded")
    receipt = page.locator("main").inner_text()
    told = [event for event in office.json("history", case_id)["events"] if event["type"] == "decision_recorded"]
    assert told[-1]["data"]["comment"] == "Gründlich, 🎓"
    for proof in (told[-1]["digest"], told[-1]["data"]["decision_id"], "Approve", "Gründlich, 🎓"):
        assert proof in receipt
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your decision is recorded")
    page.goto(link)
    expect(page.get_by_text("You answered: Approve")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_missing_comment_is_asked_for_and_nothing_typed_is_lost(
    opened: Opened, review: tuple[str, str], device: dict[str, Any]
) -> None:
    page = opened(review[1], **device)
    fill_in(page, "Request changes", "", SCORES)
    page.get_by_role("button", name="Record my decision").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    expect(page.get_by_label("Request changes", exact=True)).to_be_checked()
    for criterion in SCORES:
        expect(page.locator(f"[name='score.{criterion}'][value='3']")).to_be_checked()
    page.get_by_role("link", name="Go to the comment").click()
    comment = page.get_by_label("Comment")
    expect(comment).to_be_in_viewport()
    expect(comment).to_have_attribute("aria-invalid", "true")
    comment.fill("Show how each outcome is assessed.")
    page.get_by_role("button", name="Record my decision").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your decision is recorded")


def test_a_verdict_must_be_chosen_before_anything_is_sent(opened: Opened, waiting: tuple[str, str]) -> None:
    page = opened(waiting[1])
    page.get_by_label("Comment").fill("No verdict yet.")
    page.get_by_role("button", name="Record my decision").click()
    assert page.url == waiting[1]
    expect(page.get_by_label("Comment")).to_have_value("No verdict yet.")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_keyboard_alone_is_enough(opened: Opened, review: tuple[str, str]) -> None:
    page = opened(review[1])

    def tab_to(what: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate("[document.activeElement.name, document.activeElement.tagName].join(' ')")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nothing shows that {focused} has the focus"
            if what in focused:
                return
        raise AssertionError(f"{what} is out of the keyboard's reach")

    for criterion in SCORES:
        tab_to(f"score.{criterion}")
        page.keyboard.press("ArrowRight")
    tab_to("verdict")
    page.keyboard.press("Space")
    tab_to("comment")
    page.keyboard.type("By keyboard.")
    tab_to("BUTTON")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your decision is recorded")
    expect(page.get_by_text("By keyboard.")).to_be_visible()


@pytest.mark.parametrize("device", [DESKTOP, PHONE, WITHOUT_SCRIPTS], ids=["desktop", "phone", "without scripts"])
def test_the_inbox_leads_to_the_task(
    opened: Opened, stack: Stack, waiting: tuple[str, str], device: dict[str, Any]
) -> None:
    mail = stack.mail(waiting[0], "Your review")
    page = opened(f"{stack.base_url}/", **device)
    page.get_by_role("navigation").get_by_role("link", name="Inbox").click()
    page.locator(f"a[href='/inbox/{mail.name}']").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(mail.subject)
    page.frame_locator("iframe").get_by_role("link", name="Read the proposal and answer").click()
    expect(page).to_have_url(re.compile("/t/"))
    expect(page.get_by_role("heading", level=2, name="Learning outcomes")).to_be_visible()


def test_the_office_signs_in_by_the_mail_in_the_inbox(opened: Opened, stack: Stack) -> None:
    page = opened(f"{stack.base_url}/sign-in")
    page.get_by_label("Your mail address").fill(OFFICE)
    page.get_by_role("button", name="Send me a link").click()
    until(lambda: any(mail.subject.startswith("Sign in") for mail in read_mailbox(stack.home / "mail")), "the mail")
    page.get_by_role("main").get_by_role("link", name="inbox").click()
    page.get_by_role("link", name="Sign in to Imprimatur").first.click()
    page.frame_locator("iframe").get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What needs the office now")


def test_every_page_fits_every_screen_and_is_complete_for_a_screen_reader(
    opened: Opened, office: Command, stack: Stack, waiting: tuple[str, str]
) -> None:
    case_id, link = waiting
    mail = stack.mail(case_id, "Your review")
    slug = published(office)
    paths = ["/", "/inbox", f"/inbox/{mail.name}", "/catalogue", f"/catalogue/{slug}", "/nowhere", "/t/nonsense"]
    paths += ["/verify", f"/badges/{awarded(office, slug)}"]
    addresses = [link, *(f"{stack.base_url}{path}" for path in paths)]
    on_desktop, on_phone = opened(link, **DESKTOP), opened(link, **PHONE)
    for page, address in itertools.product((on_desktop, on_phone), addresses):
        page.goto(address)
        page.evaluate(UNFOLD)
        assert page.evaluate(OVERFLOW) == [], address
        assert page.title().endswith("Imprimatur")
        assert page.get_by_role("main").count() == page.get_by_role("heading", level=1).count() == 1
        assert page.evaluate(NAMELESS) == [], address


def awarded(office: Command, slug: str) -> str:
    """The id of a learner's badge."""
    office("keys", "generate")
    [given] = office.json("award", slug, "--learner-email", "ana@example.org", "--name", "Ana Learner")["badges"]
    return str(given["badge_id"])


def test_anybody_verifies_a_picture_that_was_passed_on(opened: Opened, office: Command, stack: Stack) -> None:
    badge_id = awarded(office, published(office))
    page = opened(f"{stack.base_url}/badges/{badge_id}")
    expect(page.get_by_role("status")).to_contain_text("Valid")
    picture = page.request.get(f"{page.url}.png").body()
    page.get_by_role("link", name="Verify").click()
    page.get_by_label("Picture").set_input_files({"name": "badge.png", "mimeType": "image/png", "buffer": picture})
    page.get_by_label("mail address").fill("ana@example.org")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status")).to_contain_text("Valid")
    expect(page.get_by_text("It is the badge of this address.")).to_be_visible()
    office.json("revoke-badge", badge_id, "--reason", "Copied work.")
    page.goto(f"{stack.base_url}/verify?id={badge_id}")
    expect(page.get_by_role("status")).to_contain_text("Revoked")


def test_what_a_finger_must_hit_is_large_enough(opened: Opened, waiting: tuple[str, str]) -> None:
    page = opened(waiting[1], **PHONE)
    assert page.locator("label:has(input)").count() > 20
    page.evaluate(UNFOLD)
    assert page.evaluate(SMALL) == []


def test_a_machine_finds_the_credential_of_a_page(opened: Opened, office: Command, stack: Stack) -> None:
    slug = published(office)
    page = opened(f"{stack.base_url}/catalogue/{slug}")
    expect(page.get_by_role("heading", level=2, name="Who assured its quality")).to_be_visible()
    answer = page.request.get(page.url, headers={"Accept": "application/ld+json"})
    assert answer.json()["name"] == page.get_by_role("heading", level=1).inner_text()
