"""The perpetual mailer: one per relay. A case pays no history for its mail, and a slow relay slows no case."""

import datetime as dt

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.ports import MailerPort
    from models.messages import MailerInput

# A mailer that died is replaced after this silence.
SILENCE = dt.timedelta(seconds=10)


@workflow.defn(name="mailer")
class MailerWorkflow:
    @workflow.run
    async def run(self, mailer: MailerInput) -> None:
        await workflow.execute_activity_method(
            MailerPort.drain_outbox,
            mailer,
            start_to_close_timeout=dt.timedelta(hours=2),
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(
                initial_interval=dt.timedelta(seconds=1), maximum_interval=dt.timedelta(seconds=10)
            ),
        )
        workflow.continue_as_new(mailer)
