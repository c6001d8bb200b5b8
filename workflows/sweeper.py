"""The perpetual sweeper: once a day, nobody's work must wait for people who are gone."""

import datetime as dt

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.ports import SweeperPort

# Real time: the sweeper's clock is its own, whatever the time of the cases.
EVERY = dt.timedelta(days=1)


@workflow.defn(name="sweeper")
class SweeperWorkflow:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity_method(
            SweeperPort.sweep_abandoned_work,
            start_to_close_timeout=dt.timedelta(hours=1),
            retry_policy=RetryPolicy(
                initial_interval=dt.timedelta(seconds=10), maximum_interval=dt.timedelta(minutes=10)
            ),
        )
        await workflow.sleep(EVERY)
        workflow.continue_as_new()
