"""The pages of administration about frameworks and the machine: versions, keys, calendars, health."""

import datetime as dt
import json
import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from imprimatur.cli.doctor import Check
from imprimatur.frameworks.loader import shipped
from imprimatur.queues import Poller, TaskQueueState
from imprimatur.store import api_keys, publishing
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework, framework
from imprimatur.store.queue_reading import Queues, read_queues
from imprimatur.web.admin.examining import Examination
from imprimatur.web.admin.machine import calendars
from imprimatur.web.admin.machinery import Machinery
from models.framework import Framework
from models.targets import TargetDef
from models.vocabulary import TargetKind, TargetStatus
from tests.admin import ADMIN, at_desk, bounced, words
from tests.facts import OFFICE, START
from tests.pages import HERE, PEOPLE, populated
from tests.published import approved, with_targets
from tests.web import Site

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Site:
    return populated(sqlite_database, tmp_path)


def amended_version(database: Database, version: str = "1.2") -> Framework:
    """A newer version of the framework, in which the quality review wants one voice more."""
    document = framework(database, "industry-credit", "1.1").model_dump(mode="json") | {"version": version}
    quality = next(stage for stage in document["stages"] if stage["id"] == "quality")
    quality["voting"] |= {"quorum": 3, "threshold": 3}
    return Framework.model_validate(document)


# --- frameworks -------------------------------------------------------------------------------------------------------


async def test_two_versions_are_compared_stage_by_stage(site: Site) -> None:
    database = site.play.database
    add_framework(database, amended_version(database), START)
    desk = await at_desk(site, OFFICE)
    assert "What changed since 1.1" in words(await desk.page("/admin/frameworks"))
    text = words(await desk.page("/admin/frameworks/compare?framework_id=industry-credit&before=1.1&after=1.2"))
    assert "Quality review Altered Its rule is another one" in text and "Voting, quorum voting.quorum 2 3" in text
    assert "Industry sign-off The same" in text


async def test_a_dry_run_tells_the_way_of_a_proposal(site: Site) -> None:
    desk = await at_desk(site, OFFICE)
    text = words(await desk.page(f"/admin/frameworks/try?version=industry-credit@1.1&case={HERE}"))
    assert "Asks 3 of the role quality reviewer (3 people hold it now)" in text and "returned" not in text
    other = words(await desk.page(f"/admin/frameworks/try?version=coursework-credit@1.1&case={HERE}"))
    assert "under Repurposed coursework" in other
    outside = await at_desk(site, PEOPLE["office of another unit"])
    answer = await outside.visitor.get(f"/admin/frameworks/try?version=industry-credit@1.1&case={HERE}")
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
    assert checked.status_code == 200 and "1.2 is sound" in words(checked.text)
    given = {"act": "add", "name": "policy.json", "text": text}
    for _ in range(2):
        stored = await desk.send(checked.text, "/admin/frameworks/add", given)
        assert "industry-credit 1.2 is in force for new cases." in words(stored.text)
    taken = json.loads(text) | {"summary": "Something else."}
    page = await desk.page("/admin/frameworks/add")
    refused = await desk.send(page, "/admin/frameworks/add", given | {"text": json.dumps(taken)})
    assert refused.status_code == 409 and "framework_version_exists" in refused.text


async def test_cases_are_moved_after_a_preview(site: Site) -> None:
    database = site.play.database
    add_framework(database, amended_version(database), START)
    desk = await at_desk(site, OFFICE)
    page = await desk.page("/admin/frameworks/move?framework_id=industry-credit&to=1.2")
    assert '<option value="industry-credit@1.2" selected>' in page
    given = {"target": "industry-credit@1.2", "at": "now", "reason": "Three voices."}
    preview = await desk.send(page, "/admin/frameworks/move", given | {"act": "preview"})
    assert "Quality: repeated" in words(preview.text) and site.play.plan.framework == "industry-credit@1.1"
    moved = await desk.send(preview.text, "/admin/frameworks/move", given | {"act": "move"})
    assert "Done" in words(moved.text)
    assert site.play.plan.framework == "industry-credit@1.2"
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
    well = Site(site.play, machinery=Machinery(checks={"clock": checks["clock"]}, queues=lambda: [queue]))
    # Mail of the played case has been due since March.
    assert "Health Something waits too long" in words(await (await at_desk(well, OFFICE)).page("/admin/health"))


@pytest.mark.parametrize(
    ("waits", "late"),
    [
        ([], None),
        ([("queued", 1), ("deferred", 0.001)], None),
        ([("sent", -9), ("bounced", -8), ("dropped", -7), ("unknown", -6)], None),
        ([("queued", -1), ("queued", -2), ("sent", -9)], -2),
        ([("queued", -1), ("deferred", -3), ("sending", -2)], -3),
        ([("queued", 5), ("sending", -4)], -4),
        ([("queued", 0)], 0),
    ],
)
def test_of_all_that_waits_the_oldest_that_is_due_is_told(
    database: Database, waits: list[tuple[str, float]], late: float | None
) -> None:
    rows = [
        {"mail_id": f"ml-{n}", "case_id": "", "kind": "sign_in", "recipient": OFFICE, "recipient_name": "", "data": {},
         "created_at": START, "status": status, "due_at": START + hours * HOUR, "attempts": 0, "last_reply": ""}
        for n, (status, hours) in enumerate(waits)
    ]  # fmt: skip
    if rows:
        with database.write() as connection:
            connection.execute(SQLModel.metadata.tables["outbox"].insert(), rows)
    found = read_queues(database, START)
    assert found.mail_late == (None if late is None else START + late * HOUR)
    assert found.mail == dict(Counter(status for status, _ in waits)) and found.events_late is None


@pytest.mark.parametrize(
    ("mail", "events", "stuck"), [(None, None, False), (-1, None, False), (-6, None, True), (-1, -6, True)]
)
def test_what_has_been_due_for_long_is_not_all_well(mail: float | None, events: float | None, stuck: bool) -> None:
    late = [None if minutes is None else START + dt.timedelta(minutes=minutes) for minutes in (mail, events)]
    assert Queues({}, late[0], {}, late[1], []).stuck(START) is stuck


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


# --- targets ----------------------------------------------------------------------------------------------------------


async def test_targets_tell_who_names_them_and_what_they_have(sqlite_database: Database, tmp_path: Path) -> None:
    play = approved(sqlite_database, tmp_path, with_targets(sqlite_database, "website", "lms"))
    [run] = publishing.due_runs(sqlite_database, dt.datetime.now(dt.UTC))
    publishing.begin_run(sqlite_database, run.run_id)
    publishing.record_target(sqlite_database, run, "lms", TargetStatus.PUBLISHED, "taken")
    known = TargetDef(name="lms", kind=TargetKind.WEBHOOK, url="https://lms.example.edu/in")
    unused = TargetDef(name="archive", kind=TargetKind.FOLDER, path=Path("/srv/archive"))
    desk = await at_desk(Site(play, machinery=Machinery(targets=lambda: (known, unused))), ADMIN)
    text = words(await desk.page("/admin/targets"))
    lms, _, others = text.partition("archive folder")
    assert "lms webhook https://lms.example.edu/in" in lms and lms.rstrip().endswith("Published 1")
    assert others.strip().startswith("/srv/archive no framework none yet website Not configured unknown")
