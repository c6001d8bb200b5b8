"""What the proposer is told while a record is not public yet, what is lost on the way, and what is not set up."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client

from imprimatur import ids
from imprimatur.cli.context import Environment
from imprimatur.cli.doctor import look
from imprimatur.frameworks.loader import handovers
from imprimatur.lost import Lost
from imprimatur.mail.context import MailContext, load
from imprimatur.mail.rendering import text_of
from imprimatur.publishing import Publishing, RunStarter
from imprimatur.settings import Settings
from imprimatur.store import outbox
from imprimatur.store import publishing as store
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from imprimatur.store.incidents import list_incidents
from models.messages import RunEnd
from models.tables import OutboxRow
from models.vocabulary import MailKind, RecordStatus, RunStatus
from tests.engine import connected, new_queue
from tests.facts import OFFICE, PROPOSER, START
from tests.handover import handing_framework
from tests.mails import LINKS, SENDER
from tests.published import approved, with_targets
from tests.publishing import publishing, world

CASE = "mc-published"


def outcomes(database: Database) -> list[tuple[str, str]]:
    """Subject and text of what the proposer was told of the case's end, in order."""
    table = OutboxRow.__table__  # type: ignore[attr-defined]
    query = select(table.c.mail_id).where(table.c.kind == MailKind.OUTCOME, table.c.recipient == PROPOSER)
    with database.read() as connection:
        wanted = set(connection.execute(query).scalars())
    mails = [mail for mail in outbox.claim(database, 1000, dt.datetime.now(dt.UTC)) if mail.mail_id in wanted]
    outbox.release(database, mails)
    found = [context for context in load(database, mails) if isinstance(context, MailContext)]
    found.sort(key=lambda context: context.mail.created_at)
    return [(texts[0].strip(), " ".join(texts[1].split())) for texts in (text_of(c, LINKS, SENDER) for c in found)]


def test_a_proposer_is_told_the_day_and_later_the_address(database: Database, tmp_path: Path) -> None:
    approved(database, tmp_path, with_targets(database), publish_on=dt.date(2099, 2, 1))
    [(subject, text)] = outcomes(database)
    assert subject.startswith("Approved: ")
    assert "It is to be published on Sunday 1 February 2099. A mail with its address follows then." in text
    assert "/catalogue/" not in text and "was published" not in text
    view = Publishing(database).show(CASE)
    store.begin_run(database, view.runs[0].run_id)
    for _ in range(2):
        store.end_run(database, RunEnd(run_id=view.runs[0].run_id))
    _, (subject, text) = outcomes(database)
    assert subject.startswith("Published: ")
    assert f"/catalogue/{view.slug}" in text and "every target has the record" in text


def test_a_proposer_whose_record_waits_for_targets_is_told_so(database: Database, tmp_path: Path) -> None:
    approved(database, tmp_path, with_targets(database, "website"))
    [(subject, text)] = outcomes(database)
    assert subject.startswith("Approved: ")
    assert "as soon as every system that is to have its record has it" in text


def test_a_proposer_whose_record_is_public_at_once_is_told_once(database: Database, tmp_path: Path) -> None:
    approved(database, tmp_path, with_targets(database))
    [(subject, text)] = outcomes(database)
    assert subject.startswith("Published: ") and "/catalogue/" in text


# --- a workflow that is gone ------------------------------------------------------------------------------------------


@pytest.fixture
async def client(temporal_address: str) -> Client:
    return await connected(temporal_address)


def run_of(database: Database) -> store.Run:
    [run] = store.due_runs(database, dt.datetime.now(dt.UTC))
    return run


@pytest.mark.parametrize("begun", [False, True], ids=["before it began", "at work"])
async def test_a_publication_whose_workflow_was_terminated_fails_and_can_be_tried_again(
    sqlite_database: Database, client: Client, tmp_path: Path, begun: bool
) -> None:
    database = sqlite_database
    approved(database, tmp_path, with_targets(database, "website"))
    run, lost = run_of(database), Lost(client, database)
    assert await lost.mend() == 0, "what was not started yet is not lost"
    await RunStarter(client, new_queue()).start(run)
    if begun:
        store.begin_run(database, run.run_id)
    assert await lost.mend() == 0
    await client.get_workflow_handle(ids.publication_workflow_id(run.run_id)).terminate()
    assert (await lost.mend(), await lost.mend()) == (1, 0)
    [failed] = Publishing(database).show(CASE).runs
    assert (failed.status, failed.detail) == (
        RunStatus.FAILED,
        f"its workflow {ids.publication_workflow_id(run.run_id)} was terminated before its end",
    )
    assert len(list_incidents(database, case_id=CASE)) == 1
    Publishing(database).retry(CASE, actor=OFFICE)
    with world(tmp_path / "website") as around:
        async with publishing(client, database, around.targets) as press:
            assert len(await press.run()) == 1
    assert Publishing(database).show(CASE).status is RecordStatus.OFFERED
    assert list_incidents(database, case_id=CASE) == []


async def test_a_publication_that_the_engine_does_not_know_any_more_fails(
    sqlite_database: Database, client: Client, tmp_path: Path
) -> None:
    approved(sqlite_database, tmp_path, with_targets(sqlite_database, "website"))
    store.begin_run(sqlite_database, run_of(sqlite_database).run_id)
    assert await Lost(client, sqlite_database).mend() == 1
    [failed] = Publishing(sqlite_database).show(CASE).runs
    assert failed.detail.endswith("is gone")


# --- what doctor finds ------------------------------------------------------------------------------------------------


def targets_check(database: Database, tmp_path: Path, *targets: dict[str, Any]) -> tuple[bool, str]:
    file = tmp_path / "targets.json"
    file.write_text(json.dumps({"targets": targets}), encoding="utf-8")
    given: dict[str, Any] = {
        "IMPRIMATUR_HOME": tmp_path,
        "DATABASE_URL": database.url,
        "PUBLICATION_TARGETS": file if targets else None,
    }
    environment = Environment(Settings(**given, _env_file=None), database.url, None, None, None, False)
    check = look("targets", environment)
    return check.ok, check.detail


WEBSITE = {"name": "website", "kind": "folder", "path": "/srv/records"}
LMS = {"name": "lms", "kind": "webhook", "url": "https://lms.example.edu/hook"}


def test_doctor_names_targets_that_frameworks_name_and_nobody_has_set_up(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with_targets(sqlite_database, "website", "lms")
    ok, told = targets_check(sqlite_database, tmp_path, WEBSITE)
    assert (ok, "non-credit@9.2 names the target lms, which is not configured" in told) == (False, True)
    assert "website" not in told
    ok, told = targets_check(sqlite_database, tmp_path)
    assert not ok and "the target website" in told


def test_doctor_hints_at_targets_that_nobody_names(sqlite_database: Database, tmp_path: Path) -> None:
    with_targets(sqlite_database, "website")
    ok, told = targets_check(sqlite_database, tmp_path, WEBSITE, LMS)
    assert ok and told.endswith("nobody names lms")


def test_doctor_finds_hand_overs_that_could_not_be(sqlite_database: Database, tmp_path: Path) -> None:
    policy = handing_framework(sqlite_database, "website")
    ok, told = targets_check(sqlite_database, tmp_path, WEBSITE)
    assert not ok
    assert "hands over to website, which is no webhook" in told
    assert "hands over by delivery-handover, which is no stored framework of hand-overs" in told
    add_framework(sqlite_database, handovers()["delivery-handover"], START)
    changed = policy.model_dump(mode="json") | {"version": "99"}
    changed["handover"]["targets"] = ["lms"]
    add_framework(sqlite_database, type(policy).model_validate(changed), START)
    assert targets_check(sqlite_database, tmp_path, LMS)[0]
