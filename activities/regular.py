"""Writes what is sent by the clock: digests and agendas."""

from collections.abc import Awaitable, Callable

import structlog
from temporalio import activity

from activities.ports import RegularMailPort

log = structlog.get_logger()


class RegularMail(RegularMailPort):
    """``write`` puts what is due into the outbox and answers how many mails; it looks at committees, so it is given
    from above. ``after_mail`` wakes the mailer.
    """

    def __init__(self, write: Callable[[], Awaitable[int]], after_mail: Callable[[], object]) -> None:
        self._write = write
        self._after_mail = after_mail

    @activity.defn(name="write_regular_mail")
    async def write_regular_mail(self) -> int:
        written = await self._write()
        if written:
            log.info("regular_mail_written", mails=written)
            self._after_mail()
        return written
