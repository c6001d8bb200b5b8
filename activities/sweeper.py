"""Looks for work that waits for people who are gone, and sees to it that somebody else has it."""

from collections.abc import Awaitable, Callable

import structlog
from temporalio import activity

from activities.ports import SweeperPort

log = structlog.get_logger()


class Sweeper(SweeperPort):
    """``hand_over`` does the work and answers how many tasks it found; it acts on cases, so it is given from above."""

    def __init__(self, hand_over: Callable[[], Awaitable[int]]) -> None:
        self._hand_over = hand_over

    @activity.defn(name="sweep_abandoned_work")
    async def sweep_abandoned_work(self) -> int:
        found = await self._hand_over()
        if found:
            log.info("abandoned_work_handed_over", tasks=found)
        return found
