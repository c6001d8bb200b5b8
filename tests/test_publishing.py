"""Publishing is one act: every target has a record before anybody sees it, or none keeps it."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imprimatur.errors import Gone, ImprimaturError, NotFound, Refused
from imprimatur.history.verify import verify_case
from imprimatur.publication.ctdl import ctid
from imprimatur.publication.reading import served_record
from imprimatur.publishing import Publishing
from imprimatur.store.engine import Database
from imprimatur.store.incidents import list_incidents
from imprimatur.store.publishing import due_runs
from imprimatur.store.record_status import set_record_status
from imprimatur.store.task_page import publication, publications
from models.vocabulary import EventType, IncidentKind, RecordStatus, RunStatus, TargetStatus
from tests.engine import connected
from tests.facts import OFFICE, Play, event_types, furnish, ledger_rows
from tests.published import approved, proposal, with_targets
from tests.publishing import NAMES, World, publishing, world

CASE = "mc-published"
AFTERWARDS = (
    EventType.TARGET_PUBLISHED,
    EventType.TARGET_WITHDRAWN,
    EventType.TARGET_FAILED,
    EventType.RECORD_STATUS_CHANGED,
)


@pytest.fixture
def around(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "website") as found:
        yield found


def told(database: Database, case_id: str = CASE) -> list[tuple[str, str]]:
    """What the ledger says of targets and of the record's status."""
    rows = [row for row in ledger_rows(database, case_id) if row["type"] in AFTERWARDS]
    return [(row["type"], row["data"].get("target") or row["data"]["status"]) for row in rows]


def is_visible(database: Database, slug: str) -> bool:
    try:
        publication(database, slug)
    except NotFound:
        return False
    return True


def ready(database: Database, folder: Path, *names: str, **change: Any) -> tuple[Play, str]:
    play = approved(database, folder, with_targets(database, *names), **change)
    return play, Publishing(database).show(play.case_id).slug


async def test_a_record_is_seen_when_every_target_has_it(
    database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    _, slug = ready(database, tmp_path, *NAMES)
    assert not is_visible(database, slug) and publications(database) == []
    async with publishing(await connected(temporal_address), database, around.targets) as press:
        [run] = await press.run()
    assert is_visible(database, slug) and [item.slug for item in publications(database)] == [slug]
    assert around.told == ["publication.published"]
    assert list(around.registry.held) == [ctid(CASE)]
    assert "openbadges.json" in around.files and "status.json" in around.files
    assert told(database) == [
        ("record_status_changed", "pending"),
        *((str(EventType.TARGET_PUBLISHED), name) for name in NAMES),
        ("record_status_changed", "offered"),
    ]
    view = Publishing(database).show(CASE)
    assert [(item.target, item.status) for item in view.targets] == [(name, TargetStatus.PUBLISHED) for name in NAMES]
    assert [(item.run_id, item.status) for item in view.runs] == [(run, RunStatus.DONE)]
    assert verify_case(database, CASE).ok


async def test_a_second_publication_changes_nothing(
    sqlite_database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    ready(sqlite_database, tmp_path, *NAMES)
    async with publishing(await connected(temporal_address), sqlite_database, around.targets) as press:
        await press.run()
        before = ledger_rows(sqlite_database, CASE), list(around.lms.received), list(around.registry.asked)
        assert await press.run() == []
    assert (ledger_rows(sqlite_database, CASE), around.lms.received, around.registry.asked) == before


async def test_where_one_target_refuses_none_keeps_the_record(
    database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    _, slug = ready(database, tmp_path, *NAMES)
    around.registry.refusing = "Error - the name is too short."
    async with publishing(await connected(temporal_address), database, around.targets) as press:
        await press.run()
        assert not is_visible(database, slug)
        assert around.told == ["publication.published", "publication.withdrawn"]
        assert (around.registry.held, around.files) == ({}, [])
        assert told(database)[1:] == [
            ("target_published", "website"),
            ("target_published", "lms"),
            ("target_failed", "registry"),
            ("target_withdrawn", "registry"),
            ("target_withdrawn", "lms"),
            ("target_withdrawn", "website"),
        ]
        [incident] = list_incidents(database, case_id=CASE)
        assert incident.kind is IncidentKind.PUBLICATION_FAILED
        assert incident.detail == "publish at registry: Error - the name is too short."
        around.registry.refusing = None
        Publishing(database).retry(CASE, actor=OFFICE)
        await press.run()
    assert is_visible(database, slug) and list(around.registry.held) == [ctid(CASE)]
    assert around.told == ["publication.published", "publication.withdrawn", "publication.published"]
    assert list_incidents(database, case_id=CASE) == []
    assert verify_case(database, CASE).ok


async def test_a_target_that_nobody_has_configured_is_an_incident(
    sqlite_database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    ready(sqlite_database, tmp_path, "website", "nowhere")
    async with publishing(await connected(temporal_address), sqlite_database, around.targets) as press:
        await press.run()
    [incident] = list_incidents(sqlite_database, case_id=CASE)
    assert "this installation has no target named nowhere" in incident.detail
    assert around.files == []


async def test_a_retracted_record_is_withdrawn_everywhere_and_says_why(
    database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    _, slug = ready(database, tmp_path, *NAMES)
    async with publishing(await connected(temporal_address), database, around.targets) as press:
        await press.run()
        Publishing(database).retract(CASE, actor=OFFICE, reason="it promised credits")
        assert publication(database, slug).reason == "it promised credits" and publications(database) == []
        await press.run()
        before = ledger_rows(database, CASE)
        Publishing(database).retract(CASE, actor=OFFICE, reason="once more")
        assert await press.run() == [] and ledger_rows(database, CASE) == before
    assert around.told == ["publication.published", "publication.withdrawn"]
    assert (around.registry.held, around.files) == ({}, [])
    status = served_record(database, slug, "ctdl")["ceterms:credentialStatusType"]
    assert status["ceterms:targetNode"] == "credentialStat:Ceased"
    assert {item.status for item in Publishing(database).show(CASE).targets} == {TargetStatus.WITHDRAWN}
    assert verify_case(database, CASE).ok


async def test_every_target_hears_of_another_status(
    sqlite_database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    ready(sqlite_database, tmp_path, *NAMES)
    async with publishing(await connected(temporal_address), sqlite_database, around.targets) as press:
        await press.run()
        with sqlite_database.write() as connection:
            set_record_status(connection, CASE, RecordStatus.PAUSED, actor=OFFICE, reason="no teacher this term")
        await press.run()
    assert around.told == ["publication.published", "publication.updated"]
    assert around.lms.received[-1].message["data"]["status"] == "paused"
    [held] = around.registry.held.values()
    assert held["ceterms:credentialStatusType"]["ceterms:targetNodeName"] == "Suspended"


async def test_a_later_version_takes_the_place_of_the_one_before(
    database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    _, old = ready(database, tmp_path, *NAMES)
    async with publishing(await connected(temporal_address), database, around.targets) as press:
        await press.run()
        later, new = ready(database, tmp_path, case_id="mc-later", replaces=CASE)
        assert publication(database, old).status is RecordStatus.OFFERED
        await press.run()
        await press.run()
    assert (publication(database, old).status, publication(database, old).replaced_by) == (RecordStatus.REPLACED, new)
    assert publication(database, new).replaces == old
    assert [item.slug for item in publications(database)] == [new]
    before, after = (served_record(database, slug, "openbadges") for slug in (old, new))
    assert [item["id"] for item in before["related"]] == [after["id"]]
    assert after["related"] == [{"id": before["id"], "type": ["Related"], "version": "1"}]
    assert served_record(database, old, "ctdl")["ceterms:latestVersion"] == f"{after['id']}/ctdl.json"
    assert served_record(database, new, "ctdl")["ceterms:previousVersion"] == f"{before['id']}/ctdl.json"
    assert around.lms.received[-1].message["data"]["replaced_by"] == after["id"]
    assert verify_case(database, CASE).ok and verify_case(database, later.case_id).ok


async def test_a_record_is_published_when_its_day_has_come(
    database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).date()
    _, slug = ready(database, tmp_path, publish_on=tomorrow)
    assert Publishing(database).show(CASE).status is RecordStatus.SCHEDULED
    assert EventType.PUBLICATION_SCHEDULED in event_types(database, CASE)
    async with publishing(await connected(temporal_address), database, around.targets) as press:
        assert await press.run() == [] and not is_visible(database, slug)
        assert len(due_runs(database, dt.datetime.now(dt.UTC) + dt.timedelta(days=3))) == 1
        yesterday = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).date()
        Publishing(database).schedule(CASE, yesterday, actor=OFFICE, reason="the fair is earlier")
        await press.run()
        assert is_visible(database, slug)
        with pytest.raises(Gone) as gone:
            Publishing(database).schedule(CASE, tomorrow, actor=OFFICE, reason="too late")
    assert gone.value.code == "publication_begun"
    assert verify_case(database, CASE).ok


def test_the_day_begins_where_the_framework_is(sqlite_database: Database, tmp_path: Path) -> None:
    ready(sqlite_database, tmp_path, publish_on=dt.date(2027, 7, 1))
    [run] = Publishing(sqlite_database).show(CASE).runs
    # The calendar of this framework is four hours behind in summer.
    assert run.due_at == dt.datetime(2027, 7, 1, 4, tzinfo=dt.UTC)


def test_the_office_may_set_the_day_before_the_approval(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path, "non-credit", case_id=CASE)
    play.submit(proposal(publish_on=dt.date(2027, 1, 1)))
    Publishing(sqlite_database).schedule(CASE, dt.date(2027, 2, 1), actor=OFFICE, reason="the brochure is late")
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    found = Publishing(sqlite_database).show(CASE)
    assert (found.status, found.publish_on) == (RecordStatus.SCHEDULED, dt.date(2027, 2, 1))
    assert verify_case(sqlite_database, CASE).ok


async def test_what_waits_for_its_day_can_be_stopped(
    sqlite_database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    _, slug = ready(sqlite_database, tmp_path, "website", publish_on=dt.date(2099, 1, 1))
    Publishing(sqlite_database).retract(CASE, actor=OFFICE, reason="the partner has left")
    async with publishing(await connected(temporal_address), sqlite_database, around.targets) as press:
        await press.run()
    assert publication(sqlite_database, slug).status is RecordStatus.RETRACTED
    assert around.files == []
    assert [item.status for item in Publishing(sqlite_database).show(CASE).runs] == [
        RunStatus.SUPERSEDED,
        RunStatus.DONE,
    ]


def test_acts_are_the_offices_and_have_reasons(sqlite_database: Database, tmp_path: Path) -> None:
    ready(sqlite_database, tmp_path)
    acts = Publishing(sqlite_database)
    tried: list[tuple[str, type[ImprimaturError], object]] = [
        ("reason_required", Refused, lambda: acts.retract(CASE, actor=OFFICE, reason=" ")),
        ("not_the_office", ImprimaturError, lambda: acts.retry(CASE, actor="quinn.reviewer@example.edu")),
        ("publication_not_failed", Refused, lambda: acts.retry(CASE, actor=OFFICE)),
        ("publication_unknown", NotFound, lambda: acts.retract("mc-nobody", actor=OFFICE, reason="x")),
        ("case_unknown", NotFound, lambda: acts.schedule("mc-no", dt.date(2030, 1, 1), actor=OFFICE, reason="x")),
    ]
    for code, kind, act in tried:
        with pytest.raises(kind) as refused:
            act()  # type: ignore[operator]
        assert refused.value.code == code


async def test_a_target_that_is_down_is_tried_again(
    sqlite_database: Database, around: World, temporal_address: str, tmp_path: Path
) -> None:
    _, slug = ready(sqlite_database, tmp_path, "lms")
    around.lms.answers = [503, 204]
    async with publishing(await connected(temporal_address), sqlite_database, around.targets) as press:
        await asyncio.wait_for(press.run(), 60)
    assert is_visible(sqlite_database, slug) and len(around.lms.received) == 2
    assert len({item.headers["webhook-id"] for item in around.lms.received}) == 1


def test_what_would_replace_nothing_is_returned_to_its_proposer(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path, "non-credit", case_id=CASE)
    play.submit(proposal(replaces="mc-nothingatall"))
    assert EventType.CASE_RETURNED in event_types(sqlite_database, CASE)
