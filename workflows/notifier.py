"""The perpetual notifier: ledger events reach webhooks, whatever happens to them or to a worker meanwhile."""

import datetime as dt

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.ports import NotifierPort
    from models.messages import NotifierInput

# A notifier that died is replaced after this silence.
SILENCE = dt.timedelta(seconds=10)


@workflow.defn(name="notifier")
class NotifierWorkflow:
    @workflow.run
    async def run(self, notifier: NotifierInput) -> None:
        await workflow.execute_activity_method(
            NotifierPort.notify_webhooks,
            notifier,
            start_to_close_timeout=dt.timedelta(hours=2),
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(
                initial_interval=dt.timedelta(seconds=1), maximum_interval=dt.timedelta(seconds=10)
            ),
        )
        workflow.continue_as_new(notifier)
