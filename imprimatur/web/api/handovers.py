"""Hand-overs of what is published to those who deliver it."""

from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.handover import Handovers
from imprimatur.store.engine import Database
from imprimatur.store.handovers_reading import (
    HandoverView,
    handovers_of_case,
    latest_handover,
    package_of_handover,
)
from imprimatur.web.api.documents import Page, Reasoned
from imprimatur.web.api.guard import UNCHANGED, Guard, Reads, Runs


class PackageDocument(BaseModel):
    """``package`` is none until it has been made; ``digest`` is its SHA-256 as canonical JSON (RFC 8785)."""

    handover_case: str
    digest: str | None
    package: dict[str, Any] | None


def router(database: Database, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["handovers"])

    @routes.get("/cases/{case_id}/handovers", summary="Hand-overs of a case and what was answered")
    async def handovers(viewer: Reads, case_id: str) -> Page[HandoverView]:
        await guard.admit(viewer, case_id, CaseAct.READ)
        found = await run_in_threadpool(handovers_of_case, database, case_id)
        return Page(items=found if viewer.oversees else [view.without_names() for view in found])

    @routes.get("/cases/{case_id}/handovers/package", summary="What was handed over last")
    async def package(viewer: Reads, case_id: str) -> PackageDocument:
        await guard.admit(viewer, case_id, CaseAct.READ)
        return await run_in_threadpool(_package, database, case_id)

    @routes.post(
        "/cases/{case_id}/handovers", summary="Hand over once more, as after it was sent back", dependencies=[UNCHANGED]
    )
    async def again(viewer: Runs, case_id: str, given: Reasoned) -> HandoverView:
        await guard.admit(viewer, case_id, CaseAct.HAND_OVER_AGAIN)
        act = partial(Handovers(database).again, case_id, actor=viewer.person, reason=given.reason)
        return await run_in_threadpool(act)

    @routes.post(
        "/cases/{case_id}/handovers/retry",
        summary="Do once more what failed of the last hand-over",
        dependencies=[UNCHANGED],
    )
    async def retry(viewer: Runs, case_id: str) -> HandoverView:
        await guard.admit(viewer, case_id, CaseAct.RETRY_HANDOVER)
        return await run_in_threadpool(partial(Handovers(database).retry, case_id, actor=viewer.person))

    return routes


def _package(database: Database, case_id: str) -> PackageDocument:
    found = latest_handover(database, case_id)
    package = package_of_handover(database, found.handover_case)
    return PackageDocument(handover_case=found.handover_case, digest=found.package_digest, package=package)
