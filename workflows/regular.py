"""Mail by the clock: every quarter of an hour it is somebody's morning, or a committee's agenda is fixed."""

import datetime as dt

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.ports import RegularMailPort

# Time zones differ by quarters of an hour. Real time, whatever the time of the cases.
EVERY = dt.timedelta(minutes=15)
LOOKS = 96


@workflow.defn(name="regular_mail")
class RegularMailWorkflow:
    @workflow.run
    async def run(self) -> None:
        for _ in range(LOOKS):
            await workflow.execute_activity_method(
                RegularMailPort.write_regular_mail,
                start_to_close_timeout=dt.timedelta(minutes=10),
                retry_policy=RetryPolicy(
                    initial_interval=dt.timedelta(seconds=10), maximum_interval=dt.timedelta(minutes=5)
                ),
            )
            await workflow.sleep(EVERY)
        workflow.continue_as_new()
