"""Our own mistakes: told by a reference, and written down with everything else where only we read it."""

import structlog
from fastapi import Request

from imprimatur.errors import ImprimaturError
from imprimatur.ids import new_case_id

log = structlog.get_logger()


def fault(request: Request, error: Exception) -> ImprimaturError:
    reference = new_case_id().removeprefix("mc-")
    log.error("fault", reference=reference, path=request.url.path, exc_info=error)
    return ImprimaturError(
        "fault",
        "Something failed on our side, and nothing was recorded.",
        f"Try again later; if it stays, tell the governance office the reference {reference}.",
    )
