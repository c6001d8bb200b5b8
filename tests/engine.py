"""The engine on a real Temporal server, in this process: gateway, worker, commits; for tests."""

import asyncio
import datetime as dt
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RetryConfig
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from activities.commit import Committer
from imprimatur import ids
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.embedded.probes import answers_tcp
from imprimatur.embedded.supervisor import temporal_binary, temporal_command
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.history.verify import verify_case
from imprimatur.payloads import data_converter
from imprimatur.rules.clock import next_deadline
from imprimatur.store import reading
from imprimatur.store.decisions import task_place
from imprimatur.store.engine import Database
from models.case import CaseState
from models.messages import CaseAnswer, DecisionReceipt
from models.proposal import Proposal
from models.tables import OutboxRow, RefusalRow, TaskRow
from models.vocabulary import EventType
from tests.facts import PROPOSER, event_types, example
from workflows.case import CaseWorkflow

# Long cases continue as new early, so that tests reach it.
SUGGEST_CONTINUE_AS_NEW = "limit.historyCount.suggestContinueAsNew=60"
# Every worker and client of the tests: nothing of the machine gets into a history.
IDENTITY = "tests"
# Far above what anything takes; a test that needs it all has failed.
PATIENCE_SECONDS = 180.0


@contextmanager
def temporal_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """A dev server with virtual time; answers its address. What it knows stays in the folder."""
    port = port or free_port()
    command = temporal_command(temporal_binary(), port, free_port(), folder / "temporal.db", True)
    command += ["--dynamic-config-value", SUGGEST_CONTINUE_AS_NEW]
    with (folder / "temporal.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not answers_tcp(LOOPBACK, port):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "temporal.log").read_text()
            time.sleep(0.05)
        yield f"{LOOPBACK}:{port}"
    finally:
        # Asked to stop, it waits ten seconds for whoever polls it; what it has told is on the disk.
        process.kill()
        process.wait(30)


async def connected(address: str, keys: str | None = None, retries: RetryConfig | None = None) -> Client:
    """The port opens before the service serves."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await Client.connect(
                address, data_converter=data_converter(keys), identity=IDENTITY, retry_config=retries
            )
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


def worker(client: Client, committer: Committer, queue: str, cached: int = 1000) -> Worker:
    """A worker with the workflow sandbox on: what is not deterministic fails here."""
    found = Worker(
        client,
        task_queue=queue,
        workflows=[CaseWorkflow],
        activities=[committer.commit_step, committer.recall_step],
        max_cached_workflows=cached,
        graceful_shutdown_timeout=dt.timedelta(seconds=1),
    )
    # The library takes two seconds without an answer for a deadlock; on a busy machine it is none.
    assert found._workflow_worker is not None
    found._workflow_worker._deadlock_timeout_seconds = 30
    return found


def writer(database: Database, folder: Path) -> Committer:
    return Committer(
        database, base_url="https://imprimatur.example", published_dir=folder / "published", after_mail=lambda: None
    )


def new_queue() -> str:
    return f"tests-{uuid.uuid4().hex[:12]}"


@dataclass
class Engine:
    """``gateway`` acts, ``database`` shows; cases run on a worker of this process.

    ``mark`` ends the ids of named cases: tests share a Temporal server.
    """

    client: Client
    gateway: Gateway
    database: Database
    committer: Committer
    queue: str
    folder: Path
    mark: str

    def case_id(self, name: str) -> str:
        return f"mc-{name.replace('_', '-')}{self.mark}"

    async def submit(
        self, proposal: Proposal | str, framework: str | None = None, case_id: str | None = None
    ) -> CaseAnswer:
        """A proposal, or the name of an example."""
        found = example(proposal) if isinstance(proposal, str) else proposal
        return await self.gateway.submit(found, proposer=PROPOSER, framework_id=framework, case_id=case_id)

    async def decide(self, case_id: str, stage: str, verdict: str = "approve", comment: str = "") -> DecisionReceipt:
        """The first open task of a stage, answered by its assignee; required criteria get the best score."""
        task = self.tasks(case_id, stage)[0]
        return await self.answer(task, verdict, comment)

    async def answer(self, task: reading.TaskView, verdict: str = "approve", comment: str = "") -> DecisionReceipt:
        return await self.gateway.decide(
            task_id=task.task_id, verdict=verdict, actor=task.assignee, comment=comment, scores=self.scores(task)
        )

    def scores(self, task: reading.TaskView) -> dict[str, int]:
        stage = task_place(self.database, task.task_id).stage_def
        return {criterion.id: criterion.scale.maximum for criterion in stage.criteria if criterion.required}

    def tasks(self, case_id: str, stage: str | None = None) -> list[reading.TaskView]:
        return [t for t in reading.open_tasks(self.database, case_id=case_id) if stage in (None, t.stage)]

    def show(self, case_id: str) -> reading.CaseView:
        return reading.show_case(self.database, case_id)

    def outcomes(self, case_id: str) -> dict[str, str | None]:
        return {stage.stage: stage.outcome for stage in self.show(case_id).stages}

    def assert_whole(self, *case_ids: str) -> None:
        for case_id in case_ids:
            result = verify_case(self.database, case_id)
            assert result.ok, result.problems

    async def assert_agrees(self, case_id: str) -> CaseState:
        """The rows say what the workflow says; answers its state."""
        state, view = await self.gateway.state(case_id), self.show(case_id)
        assert (state.status, state.version, state.round, state.digest) == (
            view.status,
            view.version,
            view.round,
            view.digest,
        )
        assert {s.stage: (s.status, s.outcome) for s in view.stages} == {
            s.id: (s.status, s.outcome) for s in state.stages.values()
        }
        assert {row["task_id"]: (row["status"], row["closed_by"]) for row in self.task_rows(case_id)} == {
            task.id: (task.status, task.closed_by) for task in state.tasks.values()
        }
        self.assert_whole(case_id)
        return state

    def types(self, case_id: str) -> list[EventType]:
        return event_types(self.database, case_id)

    def refusals(self, case_id: str | None = None) -> list[str]:
        """Codes of refused acts, in order."""
        table = RefusalRow.__table__  # type: ignore[attr-defined]
        query = select(table.c.code).order_by(table.c.id)
        if case_id is not None:
            query = query.where(table.c.case_id == case_id)
        with self.database.read() as connection:
            return [str(code) for code in connection.execute(query).scalars()]

    def task_rows(self, case_id: str) -> list[dict[str, Any]]:
        table = TaskRow.__table__  # type: ignore[attr-defined]
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table).where(table.c.case_id == case_id)).mappings()]

    def mail(self, case_id: str) -> list[tuple[str, str]]:
        """Kind and recipient of what was put into the outbox."""
        table = OutboxRow.__table__  # type: ignore[attr-defined]
        with self.database.read() as connection:
            query = select(table.c.kind, table.c.recipient).where(table.c.case_id == case_id)
            return [(row.kind, row.recipient) for row in connection.execute(query)]

    def handle(self, case_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(ids.workflow_id(case_id))

    async def history_length(self, case_id: str) -> int:
        return (await self.handle(case_id).describe()).history_length

    async def now(self, case_id: str) -> dt.datetime:
        """What the case's own clock says."""
        skipper = TimeSkipper(self.client, config=TimeSkippingConfig(enabled=False))
        return await skipper.get_current_time(self.handle(case_id))

    async def until(self, case_id: str, instant: dt.datetime) -> None:
        """Moves the case's clock to an instant; what falls due on it has happened."""
        await self.gateway.forward(case_id, instant - await self.now(case_id))

    async def next_deadline(self, case_id: str) -> dt.datetime:
        """Moves the case's clock to the next instant at which something falls due; answers it."""
        deadline = next_deadline(await self.gateway.state(case_id))
        assert deadline is not None, "nothing is timed"
        await self.until(case_id, deadline)
        return deadline


@asynccontextmanager
async def engine(
    address: str,
    database: Database,
    folder: Path,
    queue: str = TASK_QUEUE,
    *,
    cached: int = 1000,
    keys: str | None = None,
    mark: str | None = None,
) -> AsyncIterator[Engine]:
    client, committer = await connected(address, keys), writer(database, folder)
    mark = f"-{uuid.uuid4().hex[:8]}" if mark is None else mark
    async with worker(client, committer, queue, cached):
        yield Engine(client, Gateway(client, database, queue), database, committer, queue, folder, mark)
