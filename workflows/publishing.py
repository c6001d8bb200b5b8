"""Publishing: every target has a record before the catalogue shows it, or none keeps it. One workflow for each run."""

import datetime as dt
from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.ports import PublisherPort
    from models.messages import PublishingInput, RunEnd, TargetInput
    from models.vocabulary import RunKind

# A publisher that died is replaced after this silence.
SILENCE = dt.timedelta(seconds=10)
# The database is asked again for as long as it takes; a target for as long as the installation says.
WRITTEN_WITHIN = dt.timedelta(seconds=60)
WRITE_RETRY = RetryPolicy(initial_interval=dt.timedelta(seconds=1), maximum_interval=dt.timedelta(minutes=1))
ANSWERED_WITHIN = dt.timedelta(minutes=2)
TARGET_RETRY = RetryPolicy(initial_interval=dt.timedelta(seconds=2), maximum_interval=dt.timedelta(minutes=15))


@workflow.defn(name="publisher")
class PublisherWorkflow:
    """Perpetual: starts what is due."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity_method(
            PublisherPort.start_publishing,
            start_to_close_timeout=dt.timedelta(hours=2),
            heartbeat_timeout=SILENCE,
            retry_policy=RetryPolicy(
                initial_interval=dt.timedelta(seconds=1), maximum_interval=dt.timedelta(seconds=10)
            ),
        )
        workflow.continue_as_new()


@workflow.defn(name="publishing")
class PublishingWorkflow:
    @workflow.run
    async def run(self, start: PublishingInput) -> None:
        begun = await workflow.execute_activity_method(
            PublisherPort.begin_publishing,
            start.run_id,
            start_to_close_timeout=WRITTEN_WITHIN,
            heartbeat_timeout=SILENCE,
            retry_policy=WRITE_RETRY,
        )
        if not begun:
            return
        end = await (self._all_or_none(start) if start.kind is RunKind.PUBLISH else self._each(start))
        await workflow.execute_activity_method(
            PublisherPort.end_publishing,
            end,
            start_to_close_timeout=WRITTEN_WITHIN,
            heartbeat_timeout=SILENCE,
            retry_policy=WRITE_RETRY,
        )

    async def _all_or_none(self, start: PublishingInput) -> RunEnd:
        """In their order; the one that fails may have got it all the same, so it is asked to give it back as well."""
        for number, target in enumerate(start.targets, 1):
            if reason := await self._ask(start, target, PublisherPort.reach_target):
                for reached in reversed(start.targets[:number]):
                    told = await self._ask(start, reached, PublisherPort.withdraw_target)
                    reason += f"; {reached} could not be told to withdraw it: {told}" if told else ""
                return RunEnd(run_id=start.run_id, failed=target, reason=reason)
        return RunEnd(run_id=start.run_id)

    async def _each(self, start: PublishingInput) -> RunEnd:
        """Whoever cannot be told holds up nobody else."""
        failed = {
            target: reason
            for target in start.targets
            if (reason := await self._ask(start, target, PublisherPort.reach_target))
        }
        if not failed:
            return RunEnd(run_id=start.run_id)
        told = "; ".join(f"{target}: {reason}" for target, reason in failed.items())
        return RunEnd(run_id=start.run_id, failed=next(iter(failed)), reason=told)

    async def _ask(
        self, start: PublishingInput, target: str, act: Callable[[PublisherPort, TargetInput], Awaitable[None]]
    ) -> str:
        """Empty, or why it failed for good."""
        try:
            await workflow.execute_activity_method(
                act,
                TargetInput(run_id=start.run_id, target=target),
                start_to_close_timeout=ANSWERED_WITHIN,
                heartbeat_timeout=SILENCE,
                schedule_to_close_timeout=dt.timedelta(seconds=start.retry_seconds),
                retry_policy=TARGET_RETRY,
            )
        except ActivityError as error:
            return told(error)
        return ""


def told(error: ActivityError) -> str:
    """What the activity itself said."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return getattr(cause, "message", "") or str(cause)
