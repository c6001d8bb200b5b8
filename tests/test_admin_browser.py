"""The pages of administration in a real browser: their forms on each device, and what axe-core finds."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from imprimatur.store import leave
from imprimatur.store.bounced import open_bounce, undelivered
from imprimatur.store.frameworks import add_framework, framework
from imprimatur.store.incidents import list_incidents
from imprimatur.store.people import list_people
from models.framework import Framework
from models.tables import OutboxRow
from tests.chromium import DARK, DESKTOP, OVERFLOW, PHONE, UNFOLD, WITHOUT_SCRIPTS, Opened, barriers, browser
from tests.facts import START
from tests.test_pages_browser import COLOURS, DONE, EVERY_RULE, HERE, NAMELESS_FIELDS, Served, opened
from tests.test_pages_browser import served as plain

__all__ = ["browser", "opened", "plain"]

ADMIN = "eva.admin@example.edu"
REVIEWER = "quinn.reviewer@example.edu"
DEVICES = pytest.mark.parametrize(
    "device", [DESKTOP, PHONE, WITHOUT_SCRIPTS], ids=["desktop", "phone", "without scripts"]
)


@pytest.fixture(scope="module")
def served(plain: Served) -> Served:
    """With a mail that came back, a second version of a framework, and somebody who is away."""
    database, mails = plain.site.play.database, OutboxRow.__table__  # type: ignore[attr-defined]
    with database.write() as connection:
        of_task = select(mails).where(mails.c.case_id == HERE, mails.c.kind == "task", mails.c.recipient == REVIEWER)
        row = dict(connection.execute(of_task).mappings().one())
        connection.execute(mails.update().where(mails.c.mail_id == row["mail_id"]).values(status="bounced"))
        open_bounce(connection, undelivered(row), "550 no such user", START)
    document = framework(database, "industry-credit").model_dump(mode="json") | {"version": "1.2", "summary": "Other."}
    add_framework(database, Framework.model_validate(document), START)
    today = dt.datetime.now(dt.UTC).date()
    leave.add_absence(database, REVIEWER, today, today + dt.timedelta(days=3), "Leave")
    return plain


def paths(served: Served) -> list[str]:
    [incident] = list_incidents(served.site.play.database, case_id=HERE, closed=True)
    return [
        f"/cases/{DONE}/history", f"/cases/{DONE}/history?kind=reminder_sent", f"/cases/{DONE}/history/5",
        "/incidents?state=all", f"/incidents/{incident.incident_id}",
        "/people", "/people/away", "/people/import", "/people/add", f"/people/{REVIEWER}",
        "/admin", "/admin/health", "/admin/settings", "/admin/targets",
        "/admin/calendars", "/admin/keys", "/admin/frameworks",
        "/admin/frameworks/compare?framework_id=industry-credit&before=1.1&after=1.2",
        f"/admin/frameworks/try?version=industry-credit@1.1&case={HERE}", "/admin/frameworks/add",
        "/admin/frameworks/move", "/reviews", "/reviews/indicators",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("theme", "rules", "every"), [(DESKTOP, EVERY_RULE, 1), (DARK, COLOURS, 4)], ids=["light", "dark"]
)
def test_no_page_of_administration_has_a_barrier(
    opened: Opened, served: Served, theme: dict[str, Any], rules: dict[str, Any], every: int
) -> None:
    found = []
    page = opened("/", ADMIN, **theme)
    # The colours of one page are those of its neighbours.
    for path in paths(served)[::every]:
        page.goto(served.base_url + path)
        found += [(path, *item) for item in barriers(page, rules)]
    assert found == []


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_of_administration_fits_the_screen(opened: Opened, served: Served, device: dict[str, Any]) -> None:
    page = opened("/", ADMIN, **device)
    for path in paths(served):
        page.goto(served.base_url + path)
        page.evaluate(UNFOLD)
        assert page.evaluate(OVERFLOW) == [], path
        assert page.evaluate(NAMELESS_FIELDS) == [], path
        assert page.get_by_role("main").count() == page.get_by_role("heading", level=1).count() == 1


@DEVICES
def test_an_event_is_found_by_filters_and_by_its_own_address(opened: Opened, device: dict[str, Any]) -> None:
    page = opened(f"/cases/{DONE}", ADMIN, **device)
    page.get_by_role("link", name="History of the case").click()
    page.get_by_label("Kind of event").select_option("credential_published")
    page.get_by_role("button", name="Show").click()
    assert "kind=credential_published" in page.url
    events = page.get_by_role("region", name="1 of").get_by_role("link")
    expect(events).to_have_count(1)
    events.click()
    expect(page.get_by_text("The digest is that of the content")).to_be_visible()
    page.get_by_role("link", name="History of").click()
    assert "#event-" in page.url


@DEVICES
def test_people_are_imported_from_a_file_after_a_preview(
    opened: Opened, served: Served, tmp_path: Path, device: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    email = f"new-{request.node.callspec.id.replace(' ', '-')}@example.edu"
    file = tmp_path / "people.csv"
    file.write_text(f"email,name,roles\n{email},New Person,quality_reviewer\nbad,Bad,\n", encoding="utf-8")
    page = opened("/people", ADMIN, **device)
    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text("Line 3")).to_be_visible()
    page.get_by_role("button", name="Import 1 person").click()
    expect(page.get_by_role("status")).to_contain_text("1 created, 0 updated")
    assert email in {person.email for person in list_people(served.site.play.database)}


@DEVICES
def test_a_key_is_made_and_revoked(opened: Opened, device: dict[str, Any]) -> None:
    page = opened("/admin/keys", ADMIN, **device)
    page.get_by_text("Make a key").click()
    page.get_by_label("What the key is for").fill("Student system")
    page.get_by_label("In whose name it acts").fill(ADMIN)
    page.get_by_label("Read", exact=True).check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("status")).to_contain_text("It is shown this once")
    page.get_by_role("button", name="Revoke the key Student system").first.click()
    expect(page.get_by_role("status")).to_contain_text("The key is revoked")


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_whom_one_means_is_offered_while_one_types(opened: Opened, served: Served, device: dict[str, Any]) -> None:
    [incident] = list_incidents(served.site.play.database, case_id=HERE, closed=True)
    for path, label, folded in (
        ("/admin/keys", "In whose name it acts", "Make a key"),
        (f"/people/{REVIEWER}", "Who stands in", "Let somebody stand in"),
        (f"/people/{REVIEWER}", "Who takes over", "They leave"),
        (f"/incidents/{incident.incident_id}", "To whom", ""),
    ):
        page = opened(path, ADMIN, **device)
        if folded:
            page.get_by_text(folded, exact=True).click()
        field = page.get_by_role("combobox", name=label)
        field.press_sequentially("ROSA")
        known = page.locator(f"datalist#{field.get_attribute('list')} option")
        expect(known).to_have_count(1)
        assert known.get_attribute("value") == "rosa.reviewer@example.edu"
        field.press_sequentially("xyz")
        expect(known).to_have_count(0)


def test_a_framework_is_checked_at_its_lines(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("format: 1\nid: Wrong Name\nnonsense: 1\n", encoding="utf-8")
    page = opened("/admin/frameworks/add", ADMIN)
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("link", name="Line 2").click()
    expect(page.locator("#line-2")).to_contain_text("is not a short name")
    expect(page.get_by_label("Or its text")).to_have_value("format: 1\nid: Wrong Name\nnonsense: 1\n")


def test_an_incident_is_closed_with_a_reason_without_scripts(opened: Opened, served: Served) -> None:
    page = opened("/incidents", ADMIN, **WITHOUT_SCRIPTS)
    page.get_by_role("link", name="Mail bounced").first.click()
    page.get_by_role("region", name="Nothing is left to do").get_by_label("Why").fill("Reached by phone.")
    page.get_by_role("button", name="Close the incident").click()
    expect(page.get_by_role("status")).to_contain_text("The incident is closed.")
    expect(page.get_by_text("Reached by phone.")).to_be_visible()
    [found] = list_incidents(served.site.play.database, case_id=HERE, closed=True)
    assert found.resolved_by == ADMIN
