"""The pages of administration: what they show, what their forms do, and that each does it once."""

import datetime as dt
import json
import re
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from imprimatur.cli.doctor import Check
from imprimatur.frameworks.loader import shipped
from imprimatur.history.verify import verify_export
from imprimatur.queues import Poller, TaskQueueState
from imprimatur.store import api_keys, leave
from imprimatur.store.bounced import open_bounce, undelivered
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework, framework
from imprimatur.store.incidents import list_incidents
from imprimatur.store.people import PersonEntry, list_people
from imprimatur.web.admin.examining import Examination
from imprimatur.web.admin.machine import calendars
from imprimatur.web.admin.machinery import Machinery
from models.framework import Framework
from models.tables import OutboxRow
from models.vocabulary import IncidentKind, MailStatus, TaskStatus
from tests.admin import at_desk, once, words
from tests.facts import OFFICE, START, ledger_rows
from tests.test_web_pages import HERE, PEOPLE, REVIEWER, populated
from tests.web import Site, form_token

ADMIN = PEOPLE["admin"]
MAIL = OutboxRow.__table__  # type: ignore[attr-defined]


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


def amended_version(database: Database, version: str = "1.1") -> Framework:
    """A newer version of the framework, in which the quality review wants one voice more."""
    document = framework(database, "industry-credit", "1.0").model_dump(mode="json") | {"version": version}
    quality = next(stage for stage in document["stages"] if stage["id"] == "quality")
    quality["voting"] |= {"quorum": 3, "threshold": 3}
    return Framework.model_validate(document)


def bounced(site: Site) -> str:
    """The mail of an open task did not arrive; the id of the incident."""
    database = site.play.database
    with database.write() as connection:
        row = connection.execute(
            select(MAIL).where(MAIL.c.case_id == HERE, MAIL.c.kind == "task", MAIL.c.recipient == REVIEWER)
        )
        mail = dict(row.mappings().one())
        values = {"status": str(MailStatus.BOUNCED), "last_reply": "550 no such user"}
        connection.execute(MAIL.update().where(MAIL.c.mail_id == mail["mail_id"]).values(values))
        open_bounce(connection, undelivered(mail), "550 no such user", START)
    [found] = list_incidents(database, case_id=HERE)
    return found.incident_id


def person(database: Database, email: str) -> PersonEntry:
    return next(one for one in list_people(database) if one.email == email)


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


# --- people -----------------------------------------------------------------------------------------------------------

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


# --- frameworks -------------------------------------------------------------------------------------------------------


async def test_two_versions_are_compared_stage_by_stage(site: Site) -> None:
    database = site.play.database
    add_framework(database, amended_version(database), START)
    desk = await at_desk(site, OFFICE)
    assert "What changed since 1.0" in words(await desk.page("/admin/frameworks"))
    text = words(await desk.page("/admin/frameworks/compare?framework_id=industry-credit&before=1.0&after=1.1"))
    assert "Quality review Altered Its rule is another one" in text and "Voting, quorum voting.quorum 2 3" in text
    assert "Industry sign-off The same" in text


async def test_a_dry_run_tells_the_way_of_a_proposal(site: Site) -> None:
    desk = await at_desk(site, OFFICE)
    text = words(await desk.page(f"/admin/frameworks/try?version=industry-credit@1.0&case={HERE}"))
    assert "Asks 3 of the role quality reviewer (3 people hold it now)" in text and "returned" not in text
    other = words(await desk.page(f"/admin/frameworks/try?version=coursework-credit@1.0&case={HERE}"))
    assert "under Repurposed coursework" in other
    outside = await at_desk(site, PEOPLE["office of another unit"])
    answer = await outside.visitor.get(f"/admin/frameworks/try?version=industry-credit@1.0&case={HERE}")
    assert answer.status_code == 404 and "Prototyping" not in answer.text


async def test_a_framework_is_checked_in_place_and_then_stored_once(site: Site) -> None:
    database, desk = site.play.database, await at_desk(site, ADMIN)
    text = json.dumps(amended_version(database).model_dump(mode="json", exclude_defaults=True))
    page = await desk.page("/admin/frameworks/add")
    wrong = await desk.send(page, "/admin/frameworks/add", {"act": "check"},
                            ("policy.json", text.replace('"quality"', '"Quality!"')))  # fmt: skip
    assert wrong.status_code == 422 and 'href="#line-1"' in wrong.text and "nothing was stored" in wrong.text
    broken = await desk.send(page, "/admin/frameworks/add", {"act": "check", "text": "a: ["})
    assert broken.status_code == 422 and "Not valid YAML" in broken.text
    checked = await desk.send(page, "/admin/frameworks/add", {"act": "check"}, ("policy.json", text))
    assert checked.status_code == 200 and "1.1 is sound" in words(checked.text)
    given = {"act": "add", "name": "policy.json", "text": text}
    for _ in range(2):
        stored = await desk.send(checked.text, "/admin/frameworks/add", given)
        assert "industry-credit 1.1 is in force for new cases." in words(stored.text)
    taken = json.loads(text) | {"summary": "Something else."}
    page = await desk.page("/admin/frameworks/add")
    refused = await desk.send(page, "/admin/frameworks/add", given | {"text": json.dumps(taken)})
    assert refused.status_code == 409 and "framework_version_exists" in refused.text


async def test_cases_are_moved_after_a_preview(site: Site) -> None:
    database = site.play.database
    add_framework(database, amended_version(database), START)
    desk = await at_desk(site, OFFICE)
    page = await desk.page("/admin/frameworks/move?framework_id=industry-credit&to=1.1")
    assert '<option value="industry-credit@1.1" selected>' in page
    given = {"target": "industry-credit@1.1", "at": "now", "reason": "Three voices."}
    preview = await desk.send(page, "/admin/frameworks/move", given | {"act": "preview"})
    assert "Quality: repeated" in words(preview.text) and site.play.plan.framework == "industry-credit@1.0"
    moved = await desk.send(preview.text, "/admin/frameworks/move", given | {"act": "move"})
    assert "Done" in words(moved.text)
    assert site.play.plan.framework == "industry-credit@1.1"
    again = await desk.send(preview.text, "/admin/frameworks/move", given | {"act": "move"})
    assert "No case would move." in words(again.text)
    refused = await desk.send(page, "/admin/frameworks/move", given | {"act": "preview", "reason": ""})
    assert refused.status_code == 409 and "reason_required" in refused.text
    nothing = await desk.send(page, "/admin/frameworks/move", {"act": "preview"})
    assert nothing.status_code == 422 and "framework_required" in nothing.text


# --- the machine ------------------------------------------------------------------------------------------------------


async def test_a_key_is_shown_once_and_made_once(site: Site) -> None:
    desk, database = await at_desk(site, ADMIN), site.play.database
    page = await desk.page("/admin/keys")
    given = {"name": "Student system", "email": OFFICE, "scope.read": "yes", "scope.propose": "yes"}
    nameless = await desk.send(page, "/admin/keys", given | {"name": ""})
    assert nameless.status_code == 409 and "key_name_required" in nameless.text
    made = await desk.send(nameless.text, "/admin/keys", given)
    [entry] = api_keys.list_keys(database)
    assert f"{entry.key_id}." in words(made.text) and entry.scopes == ["read", "propose"]
    again = await desk.send(nameless.text, "/admin/keys", given)
    assert again.status_code == 409 and "key_made_before" in again.text
    assert len(api_keys.list_keys(database)) == 1
    page = await desk.page("/admin/keys")
    assert f"{entry.key_id}." not in words(page)
    assert (await desk.send(page, f"/admin/keys/{entry.key_id}/revoke", {})).status_code == 303
    assert api_keys.list_keys(database)[0].revoked_at is not None


async def test_calendars_tell_the_days_off_to_come(site: Site) -> None:
    desk = await at_desk(site, OFFICE)
    text = words(await desk.page("/admin/calendars"))
    assert all(policy.name in text for policy in shipped().values())
    found = calendars(site.play.database, dt.date(2026, 12, 1))
    campus, *_ = [one for one in found if one.name == "campus" and one.definition.country == "NZ"]
    assert (dt.date(2027, 2, 8), dt.date(2027, 2, 8), "Waitangi Day (observed)") in campus.days_off
    assert all(first <= last for first, last, _ in campus.days_off)


async def test_health_tells_what_waits_and_what_fails(site: Site) -> None:
    bounced(site)
    now = dt.datetime.now(dt.UTC)
    queue = TaskQueueState("workflow", (Poller("12@host", now),), 7, dt.timedelta(seconds=90))
    checks = {
        "mail": lambda: Check("mail", False, "The relay is silent."),
        "clock": lambda: Check("clock", True, "UTC"),
    }
    other = Site(site.play, machinery=Machinery(checks=checks, queues=lambda: [queue]))
    text = words(await (await at_desk(other, OFFICE)).page("/admin/health"))
    for told in ("Something is wrong", "Mail Fails The relay is silent.", "Clock Ok UTC", "1 polling", "1 bounced",
                 "7, the oldest for 90 s"):  # fmt: skip
        assert told in text, told


async def test_a_silent_part_is_told_and_holds_nothing_up() -> None:
    release, asked = threading.Event(), []

    def silent() -> str:
        asked.append(1)
        release.wait(60)
        return "late"

    examination = Examination({"silent": silent, "other": lambda: "here"}, patience_seconds=0.05)
    try:
        for _ in range(3):
            found = await examination.look()
            while isinstance(found["other"], TimeoutError):
                # On a machine that is busy its answer is kept for whoever looks next.
                found = await examination.look()
            assert isinstance(found["silent"], TimeoutError) and found["other"] == "here"
        assert len(asked) == 1
    finally:
        release.set()


async def test_parts_are_told_in_their_order_and_one_that_breaks_breaks_no_other() -> None:
    def broken() -> str:
        raise RuntimeError("boom")

    examination = Examination({"b": lambda: "b", "broken": broken, "a": lambda: "a"})
    for _ in range(2):
        found = await examination.look()
        assert list(found) == ["b", "broken", "a"]
        assert isinstance(found["broken"], RuntimeError) and (found["a"], found["b"]) == ("a", "b")


async def test_a_queue_that_is_not_told_in_time_is_said_to_be_silent(site: Site) -> None:
    def silent() -> list[TaskQueueState]:
        raise TimeoutError

    other = Site(site.play, machinery=Machinery(queues=silent))
    text = words(await (await at_desk(other, OFFICE)).page("/admin/health"))
    assert "Something is wrong" in text and "The workflow service does not answer. No answer in time." in text


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
