"""Reads the mailbox that replies come to, where there is one."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports import PollerPort
from activities.pulse import heartbeat
from imprimatur.errors import Unavailable

log = structlog.get_logger()


class Poller(PollerPort):
    """``poll`` does the work and answers how many replies it read; it acts on cases, so it is given from above.

    None where no mailbox is set any more: a poll that waited for its turn has nothing to do.
    """

    def __init__(self, poll: Callable[[], Awaitable[int]] | None) -> None:
        self._poll = poll

    @activity.defn(name="poll_mailbox")
    async def poll_mailbox(self) -> int:
        if self._poll is None:
            return 0
        pulse = asyncio.create_task(heartbeat())
        try:
            return await self._poll()
        except Unavailable as error:
            log.warning("mailbox_waits", code=error.code, reason=error.message)
            raise ApplicationError(error.message, type=error.code) from None
        finally:
            pulse.cancel()
