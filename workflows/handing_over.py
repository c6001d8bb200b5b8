"""Handing over: people are asked to take up what was published, and every target is told. One workflow an attempt."""

import datetime as dt

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.ports import HandoverPort
    from models.messages import HandoverEnd, HandoverInput, HandoverTarget
    from workflows.publishing import ANSWERED_WITHIN, SILENCE, TARGET_RETRY, WRITE_RETRY, WRITTEN_WITHIN, told

# In place of a target's name, where nobody could be asked.
PEOPLE = "people"


@workflow.defn(name="handing_over")
class HandoverWorkflow:
    @workflow.run
    async def run(self, start: HandoverInput) -> None:
        """Whoever cannot be reached holds up nobody else: people are asked first, then each target is told."""
        failed: dict[str, str] = {}
        if reason := await self._ask_people(start.handover):
            failed[PEOPLE] = reason
        for target in start.targets:
            if reason := await self._send(start, target):
                failed[target] = reason
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        first = next(iter(failed), None)
        end = HandoverEnd(handover=start.handover, failed=first, reason=reasons, attempt=start.attempt)
        await workflow.execute_activity_method(
            HandoverPort.end_handover,
            end,
            start_to_close_timeout=WRITTEN_WITHIN,
            heartbeat_timeout=SILENCE,
            retry_policy=WRITE_RETRY,
        )

    async def _ask_people(self, handover: str) -> str:
        """Empty, or why they can never be asked as things are; an engine that does not answer is asked again."""
        try:
            await workflow.execute_activity_method(
                HandoverPort.begin_handover,
                handover,
                start_to_close_timeout=ANSWERED_WITHIN,
                heartbeat_timeout=SILENCE,
                retry_policy=WRITE_RETRY,
            )
        except ActivityError as error:
            return told(error)
        return ""

    async def _send(self, start: HandoverInput, target: str) -> str:
        """Empty, or why it failed for good."""
        try:
            await workflow.execute_activity_method(
                HandoverPort.send_package,
                HandoverTarget(handover=start.handover, target=target),
                start_to_close_timeout=ANSWERED_WITHIN,
                heartbeat_timeout=SILENCE,
                schedule_to_close_timeout=dt.timedelta(seconds=start.retry_seconds),
                retry_policy=TARGET_RETRY,
            )
        except ActivityError as error:
            return told(error)
        return ""
