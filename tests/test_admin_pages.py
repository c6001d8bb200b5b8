"""The pages of administration: who may send their forms, the timeline of a case, and incidents."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from imprimatur.history.verify import verify_export
from imprimatur.store.engine import Database
from imprimatur.store.incidents import list_incidents
from imprimatur.web.admin.machinery import Machinery
from models.vocabulary import IncidentKind, MailStatus, TaskStatus
from tests.admin import ADMIN, MAIL, at_desk, bounced, person, words
from tests.facts import OFFICE, ledger_rows
from tests.pages import HERE, PEOPLE, REVIEWER, populated
from tests.web import Site, form_token


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


# --- history ----------------------------------------------------------------------------------------------------------


async def test_the_timeline_tells_business_time_and_who_held_the_case(site: Site) -> None:
    site.play.pass_time(dt.timedelta(days=20))
    desk = await at_desk(site, OFFICE)
    text = words(await desk.page(f"/cases/{HERE}/history"))
    assert re.search(r"\d+\.\d days of business time, held by reviewers and partners", text)
    assert f"{len(ledger_rows(site.play.database, HERE))} events were checked just now: none is altered" in text


async def test_a_filter_chooses_events_and_keeps_the_time_between_them(site: Site) -> None:
    site.play.pass_time(dt.timedelta(days=20))
    desk = await at_desk(site, OFFICE)
    whole = await desk.page(f"/cases/{HERE}/history")
    some = await desk.page(f"/cases/{HERE}/history?stage=quality&kind=reminder_sent")
    found = re.findall(r'id="event-(\d+)"', some)
    assert found and set(found) < set(re.findall(r'id="event-(\d+)"', whole))
    assert "Reminded" in words(some) and "Fits our offer." not in words(some)
    assert (await desk.visitor.get(f"/cases/{HERE}/history?kind=nonsense")).status_code == 422


async def test_an_event_shows_its_digest_and_its_place_in_the_chain(site: Site) -> None:
    desk, rows = await at_desk(site, OFFICE), ledger_rows(site.play.database, HERE)
    for row in rows:
        page = await desk.page(f"/cases/{HERE}/history/{row['position']}")
        assert row["digest"] in page and row["previous"] in page and "Not whole" not in page
    answer = await desk.visitor.get(f"/cases/{HERE}/history/{len(rows) + 1}")
    assert answer.status_code == 404 and "event_unknown" in answer.text


async def test_an_altered_event_is_told_on_the_timeline_and_by_itself(site: Site) -> None:
    with site.play.database.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE ledger SET actor = 'x@example.edu' WHERE case_id = '{HERE}' AND position = 2"
        )
    desk = await at_desk(site, OFFICE)
    assert "Not whole" in words(await desk.page(f"/cases/{HERE}/history"))
    assert "The digest is not that of the content." in words(await desk.page(f"/cases/{HERE}/history/2"))


async def test_the_ledger_is_taken_away_as_the_command_gives_it(site: Site, tmp_path: Path) -> None:
    desk = await at_desk(site, OFFICE)
    answer = await desk.visitor.get(f"/cases/{HERE}/history.json")
    assert answer.headers["content-disposition"] == f'attachment; filename="{HERE}.json"'
    file = tmp_path / "ledger.json"
    file.write_text(answer.text, encoding="utf-8")
    assert verify_export(file).ok
    lines = (await desk.visitor.get(f"/cases/{HERE}/history.csv")).text.splitlines()
    assert len(lines) == len(json.loads(answer.text)["events"]) + 1


async def test_the_case_is_found_in_the_workflow_service_s_own_pages(site: Site) -> None:
    other = Site(site.play, machinery=Machinery(temporal_ui="http://temporal.example", namespace="of us"))
    page = await (await at_desk(other, OFFICE)).page(f"/cases/{HERE}/history")
    assert f'href="http://temporal.example/namespaces/of%20us/workflows/case%3A{HERE}"' in page
    assert "own pages" not in await (await at_desk(site, OFFICE)).page(f"/cases/{HERE}/history")


# --- incidents --------------------------------------------------------------------------------------------------------


async def test_an_incident_is_closed_for_a_reason_and_once(site: Site) -> None:
    incident, desk = bounced(site), await at_desk(site, OFFICE)
    page = await desk.page(f"/incidents/{incident}")
    refused = await desk.send(page, f"/incidents/{incident}/resolve", {"reason": " "})
    assert refused.status_code == 409 and "reason_required" in refused.text
    answers = [await desk.send(refused.text, f"/incidents/{incident}/resolve", {"reason": "Phoned."}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    [found] = list_incidents(site.play.database, closed=True)
    assert (found.resolved_by, found.resolution) == (OFFICE, "Phoned.")
    assert "Phoned." in words(await desk.page(f"/incidents/{incident}"))
    assert incident not in await desk.page("/incidents") and incident in await desk.page("/incidents?state=closed")


async def test_a_bounced_mail_is_sent_again(site: Site) -> None:
    incident, desk = bounced(site), await at_desk(site, OFFICE)
    page = await desk.page(f"/incidents/{incident}")
    assert (await desk.send(page, f"/incidents/{incident}/resend", {})).status_code == 303
    with site.play.database.read() as connection:
        status = connection.execute(select(MAIL.c.status).where(MAIL.c.recipient == REVIEWER, MAIL.c.kind == "task"))
        assert list(status.scalars()) == [str(MailStatus.QUEUED)]


async def test_the_task_of_a_bounced_mail_goes_to_the_new_address(site: Site) -> None:
    incident, admin, desk = bounced(site), await at_desk(site, ADMIN), await at_desk(site, OFFICE)
    page = await admin.page("/people/add")
    given = {"email": "quinn.new@example.edu", "name": "Quinn Abara", "formerly": REVIEWER}
    assert (await admin.send(page, "/people/add", given)).status_code == 303
    assert person(site.play.database, "quinn.new@example.edu").roles == ["quality_reviewer"]
    page = await desk.page(f"/incidents/{incident}")
    assert (await desk.send(page, f"/incidents/{incident}/resend", {})).status_code == 303
    assert "quinn.new@example.edu" in {task.assignee for task in site.play.state.open_tasks("quality")}


async def test_a_task_is_given_to_somebody_else(site: Site) -> None:
    incident, desk = bounced(site), await at_desk(site, OFFICE)
    [task] = [task for task in site.play.state.open_tasks("quality") if task.assignee == REVIEWER]
    page = await desk.page(f"/incidents/{incident}")
    given = {"task": task.id, "to": "nobody@example.edu", "reason": "Unreachable."}
    refused = await desk.send(page, f"/incidents/{incident}/reassign", given)
    assert refused.status_code == 404 and "Unreachable." in refused.text
    given["to"] = "dora.director@example.edu"
    assert (await desk.send(refused.text, f"/incidents/{incident}/reassign", given)).status_code == 303
    assert site.play.state.tasks[task.id].status is TaskStatus.CLOSED
    other = await desk.send(page, f"/incidents/{incident}/reassign", given | {"task": "t-of-another-case"})
    assert other.status_code == 422 and "task_required" in other.text


async def test_a_stage_is_opened_anew_to_look_for_its_people(site: Site) -> None:
    incident, desk = bounced(site), await at_desk(site, OFFICE)
    before = {task.id for task in site.play.state.open_tasks("quality")}
    page = await desk.page(f"/incidents/{incident}")
    answer = await desk.send(page, f"/incidents/{incident}/retry", {"reason": "There are more now."})
    assert answer.status_code == 303, answer.text
    assert before.isdisjoint({task.id for task in site.play.state.open_tasks("quality")})


async def test_incidents_stay_within_one_s_units(site: Site) -> None:
    incident = bounced(site)
    assert incident in await (await at_desk(site, PEOPLE["office of the unit"])).page("/incidents")
    other = PEOPLE["office of another unit"]
    desk = await at_desk(site, other)
    assert incident not in await desk.page("/incidents?state=all")
    assert (await desk.visitor.get(f"/incidents/{incident}")).status_code == 404
    page = await desk.page("/account")
    value = site.links.form_value(f"incident {incident}", other)
    given = {"form_token": form_token(page), "once": value, "reason": "x"}
    assert (await desk.visitor.post(f"/incidents/{incident}/resolve", data=given)).status_code == 404
    assert not list_incidents(site.play.database, closed=True)[0].resolved_at
    assert (await desk.visitor.get(f"/incidents?kind={IncidentKind.MAIL_BOUNCED}")).status_code == 200
    assert (await desk.visitor.get("/incidents?kind=nonsense")).status_code == 422


# --- who may ----------------------------------------------------------------------------------------------------------

WHOLE = {"admin", "office"}
FORMS = {
    "/people/import": {"admin"},
    "/people/add": {"admin"},
    f"/people/{REVIEWER}/edit": {"admin"},
    f"/people/{REVIEWER}/sign-out": {"admin"},
    f"/people/{REVIEWER}/prefer": WHOLE,
    f"/people/{REVIEWER}/delegate": WHOLE,
    f"/people/{REVIEWER}/end-delegation": WHOLE,
    f"/people/{REVIEWER}/absent": WHOLE,
    f"/people/{REVIEWER}/back": WHOLE,
    f"/people/{REVIEWER}/leave": WHOLE,
    "/admin/frameworks/add": {"admin"},
    "/admin/frameworks/move": WHOLE,
    "/admin/keys": {"admin"},
    "/admin/keys/k-unknown/revoke": {"admin"},
    "/incidents/i-unknown/resolve": {*WHOLE, "office of the unit", "office of another unit"},
}


async def test_each_form_is_taken_from_whoever_may_send_it_and_from_nobody_else(site: Site) -> None:
    for name, who in PEOPLE.items():
        desk = await at_desk(site, who)
        token = form_token(await desk.page("/account"))
        for path, allowed in FORMS.items():
            answer = await desk.visitor.post(path, data={"form_token": token})
            # What may be sent is refused for want of its one-time value, or of what it is about.
            assert (answer.status_code != 403) == (name in allowed), f"{name} at {path}: {answer.status_code}"
            forged = await desk.visitor.post(path, data={"form_token": "0" * 64})
            assert forged.status_code == 403, path


async def test_forms_are_shown_to_whoever_may_send_them(site: Site) -> None:
    incident = bounced(site)
    for name, shown in (("admin", True), ("office", True), ("auditor", False)):
        desk = await at_desk(site, PEOPLE[name])
        assert ("Close the incident" in await desk.page(f"/incidents/{incident}")) == shown
        assert ("Let somebody stand in" in await desk.page(f"/people/{REVIEWER}")) == shown
        assert ("Sign them out everywhere" in await desk.page(f"/people/{REVIEWER}")) == (name == "admin")
    assert "Make a key" not in await (await at_desk(site, PEOPLE["auditor"])).page("/admin/keys")
