"""One poll of the mailbox that replies come to; a schedule begins it, and skips it while the one before goes on."""

import datetime as dt

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.ports import PollerPort

# A poller that died is replaced after this silence.
SILENCE = dt.timedelta(seconds=20)
# Servers close the door to those who knock with a wrong password all the time.
LONGEST_PAUSE = dt.timedelta(minutes=5)


@workflow.defn(name="mailbox")
class MailboxWorkflow:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity_method(
            PollerPort.poll_mailbox,
            start_to_close_timeout=dt.timedelta(hours=1),
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(initial_interval=dt.timedelta(seconds=5), maximum_interval=LONGEST_PAUSE),
        )
