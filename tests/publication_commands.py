"""All verbs of publications, as the governance office runs them; for tests."""

import asyncio
import datetime as dt
import os

from imprimatur import ids
from imprimatur.store import publishing as store
from imprimatur.store.engine import Database
from models.messages import RunEnd
from models.vocabulary import TargetStatus
from tests.facts import OFFICE, PROPOSER
from tests.people_commands import Terminal
from tests.published import proposal, with_targets

TARGETS = """
targets:
  - {name: website, kind: folder, path: website}
  - {name: lms, kind: webhook, url: "https://lms.example.edu/credentials"}
  - name: registry
    kind: credential_registry
    url: https://sandbox.credentialengine.org/assistant
    registry: https://sandbox.credentialengineregistry.org
    organisation_ctid: ce-1c0a9b0e-6c39-4a3e-9c5b-3f8f2c3b7a10
"""


async def play_publications(terminal: Terminal) -> None:
    """One that fails at its target, is tried again and taken back. The office in this process has no publisher."""
    await _list_targets(terminal)
    case_id, act = await _approved(terminal), f"--as {OFFICE} --reason Because."
    await asyncio.to_thread(_fail, terminal.engine.database, case_id)
    assert "website" in await terminal.run(f"publication show {case_id}")
    await terminal.ask(f"publication show {case_id}")
    await terminal.ask(f"publication retry {case_id} --as {OFFICE}")
    await terminal.ask(f"publication retract {case_id} {act}")
    assert "retracted (Because.)" in await terminal.run(f"publication retract {case_id} {act}")


async def _list_targets(terminal: Terminal) -> None:
    file = terminal.home / "targets.yaml"
    file.write_text(TARGETS, encoding="utf-8")
    os.environ["PUBLICATION_TARGETS"] = str(file)
    try:
        await terminal.ask("publication targets --secrets")
        assert "whsec_" not in await terminal.run("publication targets")
    finally:
        del os.environ["PUBLICATION_TARGETS"]


async def _approved(terminal: Terminal) -> str:
    policy = with_targets(terminal.engine.database, "website")
    wanted = proposal(publish_on=dt.date(2026, 1, 1))
    case_id = ids.new_case_id()
    named = f"{policy.id}@{policy.version}"
    await terminal.engine.gateway.submit(wanted, proposer=PROPOSER, framework_id=named, case_id=case_id)
    act = f"--as {OFFICE} --reason Because."
    await terminal.ask(f"publication schedule {case_id} --on 2026-02-01 {act}")
    assert "is published on 2026-02-01" in await terminal.run(f"publication schedule {case_id} --on 2026-02-01 {act}")
    while tasks := terminal.engine.tasks(case_id):
        await terminal.engine.answer(tasks[0])
    return case_id


def _fail(database: Database, case_id: str) -> None:
    [run] = store.due_runs(database, dt.datetime.now(dt.UTC))
    assert run.case_id == case_id and store.begin_run(database, run.run_id)
    store.record_target(database, run, "website", TargetStatus.FAILED, "", "the disk is full")
    store.end_run(database, RunEnd(run_id=run.run_id, failed="website", reason="the disk is full"))
