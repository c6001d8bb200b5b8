"""Hands over what is published: makes the package, has people asked, and sends it to each target."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import rfc8785
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports import HandoverPort
from activities.pulse import beating
from imprimatur.errors import ImprimaturError, Unavailable
from imprimatur.publication.handing_over import handover_package
from imprimatur.publication.targets.target import Handed, TakesHandovers, Target, TargetRefused, TargetUnreachable
from imprimatur.store import handovers as store
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import handover_called
from models.messages import HandoverEnd, HandoverTarget

log = structlog.get_logger()


class Hander(HandoverPort):
    """``targets`` are those of this installation; ``ask_people`` begins the case of a hand-over, or finds it begun."""

    def __init__(
        self,
        database: Database,
        targets: Mapping[str, Target],
        ask_people: Callable[[str], Awaitable[None]],
        *,
        after_mail: Callable[[], object] = lambda: None,
        after_event: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._targets = targets
        self._ask_people = ask_people
        self._after_mail = after_mail
        self._after_event = after_event

    @activity.defn(name="begin_handover")
    async def begin_handover(self, handover: str) -> None:
        async with beating():
            await asyncio.to_thread(self._prepare, handover)
            try:
                await self._ask_people(handover)
            except Unavailable as error:
                raise ApplicationError(error.message, type=error.code) from None
            except ImprimaturError as error:
                log.error("handover_not_begun", handover=handover, code=error.code, reason=error.message)
                raise ApplicationError(error.message, type=error.code, non_retryable=True) from None

    def _prepare(self, handover: str) -> None:
        store.mark_running(self._database, handover)
        self._package(handover)

    def _package(self, handover: str) -> dict[str, Any]:
        """Made once; what is made in vain by a second one is thrown away."""
        if (found := store.package_in(self._database, handover)) is None:
            made = handover_package(self._database, handover_called(self._database, handover))
            store.put_package(self._database, handover, made, hashlib.sha256(rfc8785.dumps(made)).hexdigest())
            found = store.package_in(self._database, handover)
        assert found is not None, "it has just been written"
        return found[0]

    @activity.defn(name="send_package")
    async def send_package(self, wanted: HandoverTarget) -> None:
        async with beating():
            if await asyncio.to_thread(store.is_sent, self._database, wanted.handover, wanted.target):
                return
            package = await asyncio.to_thread(self._package, wanted.handover)
            try:
                handed = Handed(f"{wanted.handover}:{wanted.target}", package)
                detail = await self._target(wanted.target).hand_over(handed)
            except TargetRefused as error:
                log.error("handover_refused", handover=wanted.handover, target=wanted.target, reason=str(error))
                raise ApplicationError(str(error), type="target_refused", non_retryable=True) from None
            except TargetUnreachable as error:
                log.warning("handover_unreachable", handover=wanted.handover, target=wanted.target, reason=str(error))
                raise ApplicationError(str(error), type="target_unreachable") from None
            found = await asyncio.to_thread(store.handing, self._database, wanted.handover)
            await asyncio.to_thread(store.record_sent, self._database, found, wanted.target, detail)
            self._after_event()

    def _target(self, name: str) -> TakesHandovers:
        target = self._targets.get(name)
        if target is None:
            raise TargetRefused(f"this installation has no target named {name}")
        if not isinstance(target, TakesHandovers):
            raise TargetRefused(f"nothing can be handed over to {name}: only targets of the kind webhook take it")
        return target

    @activity.defn(name="end_handover")
    async def end_handover(self, end: HandoverEnd) -> None:
        async with beating():
            if await asyncio.to_thread(store.end, self._database, end):
                self._after_mail()
            self._after_event()
