"""The engine on a real Temporal server, in this process: gateway, worker, commits; for tests."""

import datetime as dt
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities.commit import Committer
from imprimatur.embedded.home import LOOPBACK, free_port
from imprimatur.embedded.probes import answers_tcp
from imprimatur.embedded.supervisor import temporal_binary, temporal_command
from imprimatur.gateway import TASK_QUEUE, Gateway
from imprimatur.history.verify import verify_case
from imprimatur.payloads import data_converter
from imprimatur.store import reading
from imprimatur.store.decisions import task_place
from imprimatur.store.engine import Database
from models.messages import DecisionReceipt
from workflows.case import CaseWorkflow

# Long cases continue as new early, so that tests reach it.
SUGGEST_CONTINUE_AS_NEW = "limit.historyCount.suggestContinueAsNew=60"


@contextmanager
def temporal_server(folder: Path) -> Iterator[str]:
    """A dev server with virtual time; answers its address."""
    port = free_port()
    command = temporal_command(temporal_binary(), port, free_port(), folder / "temporal.db", True)
    command += ["--dynamic-config-value", SUGGEST_CONTINUE_AS_NEW]
    with (folder / "temporal.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not answers_tcp(LOOPBACK, port):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "temporal.log").read_text()
            time.sleep(0.05)
        yield f"{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait(30)


@dataclass
class Engine:
    """``gateway`` acts, ``database`` shows; cases run on a worker of this process."""

    client: Client
    gateway: Gateway
    database: Database
    committer: Committer

    async def decide(self, case_id: str, stage: str, verdict: str = "approve", comment: str = "") -> DecisionReceipt:
        """The first open task of a stage, answered by its assignee; required criteria get the best score."""
        task = self.tasks(case_id, stage)[0]
        return await self.answer(task, verdict, comment)

    async def answer(self, task: reading.TaskView, verdict: str = "approve", comment: str = "") -> DecisionReceipt:
        stage = task_place(self.database, task.task_id).stage_def
        scores = {criterion.id: criterion.scale.maximum for criterion in stage.criteria if criterion.required}
        return await self.gateway.decide(
            task_id=task.task_id, verdict=verdict, actor=task.assignee, comment=comment, scores=scores
        )

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


@asynccontextmanager
async def engine(
    address: str, database: Database, folder: Path, queue: str = TASK_QUEUE, cached: int = 1000
) -> AsyncIterator[Engine]:
    """A worker with the workflow sandbox on: what is not deterministic fails here."""
    client = await Client.connect(address, data_converter=data_converter(None))
    committer = Committer(
        database, base_url="https://imprimatur.example", published_dir=folder / "published", after_mail=lambda: None
    )
    async with Worker(
        client,
        task_queue=queue,
        workflows=[CaseWorkflow],
        activities=[committer.commit_step],
        max_cached_workflows=cached,
        graceful_shutdown_timeout=dt.timedelta(seconds=1),
    ):
        yield Engine(client, Gateway(client, database, queue), database, committer)
