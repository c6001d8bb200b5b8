"""Queues as they stand on a real workflow service, acts on cases that run there, and pages that outlive it."""

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio.service import RPCError

from imprimatur.cli.context import Environment
from imprimatur.cli.machinery import machinery_of
from imprimatur.gateway import Gateway
from imprimatur.queues import KINDS, task_queue
from imprimatur.settings import Settings
from imprimatur.store.bounced import open_bounce, undelivered
from imprimatur.store.engine import Database
from imprimatur.store.incidents import list_incidents
from imprimatur.web.admin.machinery import Machinery
from models.tables import OutboxRow
from tests.admin import at_desk, words
from tests.engine import Engine, connected, temporal_server
from tests.facts import OFFICE, Play, furnish
from tests.web import Site


def environment(folder: Path, temporal: str) -> Environment:
    settings = Settings(IMPRIMATUR_HOME=folder, _env_file=None)
    return Environment(settings, None, temporal, "http://localhost", None, False)


async def test_a_queue_tells_who_polls_it_and_what_waits(live: Engine) -> None:
    await live.submit("non-credit")
    for kind in KINDS:
        found = await task_queue(live.client, live.queue, kind)
        assert (found.kind, found.backlog) == (kind, 0)
        # Commits run beside the workflow and have no queue of their own.
        assert found.pollers or kind == "activity"
    nobody = await task_queue(live.client, f"{live.queue}-nobody")
    assert nobody.pollers == ()


async def test_a_workflow_service_that_is_gone_is_told_and_holds_nothing_up(
    sqlite_database: Database, tmp_path: Path
) -> None:
    furnish(sqlite_database)
    with temporal_server(tmp_path) as address:
        gateway = Gateway(await connected(address), sqlite_database)
        site = Site(Play(sqlite_database, tmp_path), machinery=machinery_of(environment(tmp_path, address), gateway))
        desk = await at_desk(site, OFFICE)
        text = words(await desk.page("/admin/health"))
        assert "None polling" in text and "No worker is polling." in text
    with pytest.raises(RPCError):
        await task_queue(gateway.client, "imprimatur", within=dt.timedelta(seconds=1))
    text = words(await desk.page("/admin/health"))
    assert "The workflow service does not answer." in text and "Temporal Fails" in text
    assert "Calendars Ok" in text and "Outgoing mail Nothing yet." in text


async def test_the_task_of_a_bounced_mail_is_given_away_on_a_running_case(live: Engine) -> None:
    case_id = (await live.submit("non-credit")).case_id
    [task, *_] = live.tasks(case_id)
    mails = OutboxRow.__table__  # type: ignore[attr-defined]
    with live.database.write() as connection:
        query = select(mails).where(mails.c.case_id == case_id, mails.c.task_id == task.task_id)
        row = dict(connection.execute(query).mappings().first() or {})
        open_bounce(connection, undelivered(row), "550 no such user", dt.datetime.now(dt.UTC))
    [incident] = list_incidents(live.database, case_id=case_id)
    site = Site(Play(live.database, live.folder), acting=live.gateway, machinery=Machinery())
    desk = await at_desk(site, OFFICE)
    page = await desk.page(f"/incidents/{incident.incident_id}")
    given = {"task": task.task_id, "to": "dora.director@example.edu", "reason": "Unreachable."}
    answers = [await desk.send(page, f"/incidents/{incident.incident_id}/reassign", given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert "dora.director@example.edu" in {one.assignee for one in live.tasks(case_id)}
    assert "Nothing" not in words(await desk.page(f"/incidents/{incident.incident_id}"))
    live.assert_whole(case_id)
