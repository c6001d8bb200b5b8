"""The floor: a bare Temporal workflow of the shape of a case, with the same updates, one timer, an empty activity."""

import asyncio
import datetime as dt
import os
import sys

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from imprimatur.payloads import data_converter

FLOOR_QUEUE = "floor"
UPDATES = 4


class Ask(BaseModel):
    """As large as a decision."""

    decision_id: str
    task_id: str
    actor: str
    verdict: str
    comment: str


class Answer(BaseModel):
    number: int
    text: str


@activity.defn(name="nothing")
async def nothing(ask: Ask) -> int:
    return 1


@workflow.defn(name="floor")
class FloorWorkflow:
    @workflow.init
    def __init__(self, case_id: str) -> None:
        self._done = 0
        self._turn = asyncio.Lock()

    @workflow.run
    async def run(self, case_id: str) -> int:
        try:
            await workflow.wait_condition(lambda: self._done > UPDATES, timeout=dt.timedelta(days=10))
        except TimeoutError:
            return -1
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._done

    @workflow.update
    async def act(self, ask: Ask) -> Answer:
        async with self._turn:
            number = await workflow.execute_local_activity(
                nothing, ask, start_to_close_timeout=dt.timedelta(seconds=60)
            )
            self._done += number
        return Answer(number=self._done, text=ask.decision_id)

    @act.validator
    def _may_act(self, ask: Ask) -> None:
        if not ask.actor:
            raise ValueError("nobody acts")


async def main() -> None:
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], data_converter=data_converter(None))
    async with Worker(
        client,
        task_queue=FLOOR_QUEUE,
        workflows=[FloorWorkflow],
        activities=[nothing],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=10_000,
    ):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
