"""The heartbeat of an activity that takes long."""

import asyncio

from temporalio import activity

HEARTBEAT_EVERY_SECONDS = 2.0


async def heartbeat() -> None:
    """Until it is cancelled."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY_SECONDS)
