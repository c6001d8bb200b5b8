"""Every part of the machine asked at once, and none waited for long: for pages and for programs."""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from temporalio.service import RPCError

from imprimatur.errors import ImprimaturError
from imprimatur.queues import TaskQueueState
from imprimatur.store.engine import Database
from imprimatur.store.queue_reading import Queues, read_queues
from imprimatur.web.admin.machinery import Found, Machinery

log = structlog.get_logger()

QUEUES = "queues"
# A page is answered within this, whoever is silent.
PATIENCE_SECONDS = 4.0


@dataclass(frozen=True)
class Looked:
    """A check that did not answer in time is not ok, and says so."""

    name: str
    ok: bool
    detail: str


class Examination:
    """Asks every part at once and waits for none of them for long; a part that is still asked is not asked again."""

    def __init__(self, checks: Mapping[str, Callable[[], Any]], patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._checks = checks
        self._patience = patience_seconds
        self._threads = ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="look")
        self._asked: dict[str, Future[Any]] = {}

    async def look(self) -> dict[str, Any]:
        """What each answered, or the exception that it raised; TimeoutError for one that is silent."""
        for name, check in self._checks.items():
            if name not in self._asked:
                self._asked[name] = self._threads.submit(check)
        waiting = {name: asyncio.wrap_future(self._asked[name]) for name in self._checks}
        if waiting:
            await asyncio.wait(waiting.values(), timeout=self._patience)
        found: dict[str, Any] = {}
        for name, answer in waiting.items():
            if not answer.done():
                found[name] = TimeoutError(f"No answer within {self._patience:g} seconds.")
                continue
            self._asked.pop(name, None)
            error = answer.exception()
            found[name] = answer.result() if error is None else error
            if error is not None and not isinstance(error, ImprimaturError | TimeoutError | RPCError):
                log.error("check_failed", check=name, exc_info=error)
        return found


@dataclass(frozen=True)
class Examined:
    """What an examination found; ``silent`` says why nothing is known of the ``task_queues``."""

    checks: Sequence[Looked]
    task_queues: Sequence[TaskQueueState]
    silent: str


def examination_of(machinery: Machinery) -> Examination:
    queues = {QUEUES: machinery.queues} if machinery.queues is not None else {}
    return Examination({**machinery.checks, **queues})


def examined(found: Mapping[str, Any]) -> Examined:
    asked = found.get(QUEUES)
    failed = isinstance(asked, BaseException)
    return Examined(
        [_looked(name, answer) for name, answer in found.items() if name != QUEUES],
        () if failed else asked or (),
        _sentence(asked) if isinstance(asked, BaseException) else "",
    )


def queues_of(database: Database) -> Queues | None:
    """None when the database is silent."""
    try:
        return read_queues(database, dt.datetime.now(dt.UTC))
    except ImprimaturError:
        return None


def _looked(name: str, answer: Found | BaseException) -> Looked:
    if isinstance(answer, BaseException):
        return Looked(name, False, _sentence(answer))
    return Looked(answer.name, answer.ok, answer.detail)


def _sentence(error: BaseException) -> str:
    if isinstance(error, ImprimaturError | RPCError):
        return str(error.message)
    if isinstance(error, TimeoutError):
        return str(error) or "No answer in time."
    return "It answers with a failure: see the log of these pages."
