"""The pages of administration about people: import, changes, absences, and leaving."""

import datetime as dt
from pathlib import Path

import pytest

from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.people import list_people
from tests.admin import ADMIN, at_desk, once, person, words
from tests.facts import OFFICE
from tests.pages import REVIEWER, populated
from tests.web import Site, form_token


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


FILE = (
    "email,name,roles,active\n"
    "new.one@example.edu,New One,quality_reviewer,yes\n"
    f"{REVIEWER},Quinn Abara-Lee,quality_reviewer,yes\n"
    "bad,Bad One,,yes\n"
)


async def test_a_file_is_shown_as_what_it_would_do_and_then_taken_once(site: Site) -> None:
    desk = await at_desk(site, ADMIN)
    before = list_people(site.play.database)
    preview = await desk.send(await desk.page("/people/import"), "/people/import", {"act": "preview"},
                              ("people.csv", FILE))  # fmt: skip
    text = words(preview.text)
    assert "New people 1 Changed 1 Known already 0 Lines that cannot be used 1" in text
    assert "Quinn Abara-Lee" in text and "Line 4" in text and "is no mail address" in text
    assert list_people(site.play.database) == before
    taken = [await desk.send(preview.text, "/people/import", {"act": "import", "text": FILE}) for _ in range(2)]
    assert "1 created, 1 updated, 1 lines rejected" in words(taken[0].text)
    assert "This file was imported before." in words(taken[1].text)
    assert person(site.play.database, REVIEWER).name == "Quinn Abara-Lee"
    empty = await desk.send(preview.text, "/people/import", {"act": "preview"})
    assert empty.status_code == 422 and "form_without_file" in empty.text
    wrong = await desk.send(preview.text, "/people/import", {"act": "preview", "text": "a,b\n1,2\n"})
    assert wrong.status_code == 422 and "people_columns_missing" in wrong.text


async def test_a_file_that_is_no_text_or_too_long_is_refused(site: Site) -> None:
    desk = await at_desk(site, ADMIN)
    page = await desk.page("/people/import")
    data = {"form_token": form_token(page), "once": once(page), "act": "preview"}
    answer = await desk.visitor.post("/people/import", data=data, files={"file": ("x.csv", b"\xff\xfe")})
    assert answer.status_code == 422 and "document_not_utf8" in answer.text
    answer = await desk.visitor.post("/people/import", data=data, files={"file": ("x.csv", b"x" * 3_000_000)})
    assert answer.status_code == 413


async def test_a_person_is_added_changed_and_set_inactive(site: Site) -> None:
    desk, database = await at_desk(site, ADMIN), site.play.database
    page = await desk.page("/people/add")
    given = {"email": "Nia@example.edu", "name": "Nia", "roles": "quality_reviewer; auditor", "units": "Law",
             "organisation": ""}  # fmt: skip
    wrong = await desk.send(page, "/people/add", given | {"email": "nia"})
    assert (
        wrong.status_code == 422
        and "person_invalid" in wrong.text
        and 'value="quality_reviewer; auditor"' in wrong.text
    )
    added = await desk.send(wrong.text, "/people/add", given)
    assert added.headers["location"] == "/people/nia@example.edu?said=saved"
    assert person(database, "nia@example.edu").roles == ["quality_reviewer", "auditor"]
    again = await desk.send(await desk.page("/people/add"), "/people/add", given)
    assert again.status_code == 409 and "person_known" in again.text
    page = await desk.page("/people/nia@example.edu?said=saved")
    assert "The directory is changed." in words(page)
    changed = {"name": "Nia Two", "roles": "auditor", "units": "", "organisation": "Us"}
    assert (await desk.send(page, "/people/nia@example.edu/edit", changed)).status_code == 303
    found = person(database, "nia@example.edu")
    assert (found.name, found.roles, found.units, found.active) == ("Nia Two", ["auditor"], [], False)


async def test_absences_delegations_and_preferences_are_kept(site: Site) -> None:
    desk, database, at = await at_desk(site, OFFICE), site.play.database, f"/people/{REVIEWER}"
    days = {"first_on": "2030-01-07", "last_on": "2030-01-11"}
    page = await desk.page(at)
    given = days | {"to": "rosa.reviewer@example.edu", "stage": "quality", "framework": "", "unit": ""}
    for _ in range(2):
        assert (await desk.send(page, f"{at}/delegate", given)).status_code == 303
    [made] = leave.list_delegations(database, REVIEWER)
    assert (made.deputy, made.stage, made.framework) == ("rosa.reviewer@example.edu", "quality", None)
    assert (await desk.send(page, f"{at}/absent", days | {"reason": "Leave"})).status_code == 303
    reversed_days = {"first_on": "2030-01-11", "last_on": "2030-01-07", "reason": "Oh"}
    wrong = await desk.send(await desk.page(at), f"{at}/absent", reversed_days)
    assert wrong.status_code == 422 and "dates_reversed" in wrong.text and 'value="Oh"' in wrong.text
    assert "Leave" in words(await desk.page("/people/away"))
    assert (await desk.send(await desk.page(at), f"{at}/back", {"on": "2030-01-09"})).status_code == 303
    assert leave.list_absences(database, REVIEWER)[0].last_on == dt.date(2030, 1, 8)
    ending = {"delegation": made.delegation_id}
    assert (await desk.send(await desk.page(at), f"{at}/end-delegation", ending)).status_code == 303
    assert leave.list_delegations(database, REVIEWER) == []
    assert (await desk.send(await desk.page(at), f"{at}/prefer", {"digest": "daily"})).status_code == 303
    assert person(database, REVIEWER).digest == "daily"
    wrong = await desk.send(await desk.page(at), f"{at}/prefer", {"digest": "hourly"})
    assert wrong.status_code == 422 and "preference_invalid" in wrong.text
    malformed = await desk.send(await desk.page(at), f"{at}/absent", {"first_on": "soon"})
    assert malformed.status_code == 422 and "date_malformed" in malformed.text


async def test_whoever_leaves_hands_over_and_is_signed_out(site: Site) -> None:
    desk, at = await at_desk(site, OFFICE), f"/people/{REVIEWER}"
    theirs = await at_desk(site, REVIEWER)
    page = await desk.page(at)
    answer = await desk.send(page, f"{at}/leave", {"to": "dora.director@example.edu"})
    assert answer.status_code == 303, answer.text
    assert not person(site.play.database, REVIEWER).active
    assert "dora.director@example.edu" in {task.assignee for task in site.play.state.open_tasks("quality")}
    assert (await theirs.visitor.get("/tasks")).status_code == 303


async def test_an_administrator_ends_somebody_s_sessions(site: Site) -> None:
    admin, theirs = await at_desk(site, ADMIN), await at_desk(site, REVIEWER)
    assert (await theirs.visitor.get("/tasks")).status_code == 200
    await admin.send(await admin.page(f"/people/{REVIEWER}"), f"/people/{REVIEWER}/sign-out", {})
    assert (await theirs.visitor.get("/tasks")).status_code == 303
