"""The heartbeat of an activity that takes long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

HEARTBEAT_EVERY_SECONDS = 2.0


async def heartbeat() -> None:
    """Until it is cancelled."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY_SECONDS)


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """A heartbeat for as long as the block takes."""
    pulse = asyncio.create_task(heartbeat())
    try:
        yield
    finally:
        pulse.cancel()
