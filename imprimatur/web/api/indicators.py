"""What is measured of what is published, and what it calls for."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from imprimatur.access.acts import CaseAct
from imprimatur.gateway import Gateway
from imprimatur.improvement import Improvement
from imprimatur.store.engine import Database
from imprimatur.store.indicators import IndicatorReport, IndicatorView, indicators_of
from imprimatur.web.api.documents import Given, Name, Page
from imprimatur.web.api.guard import Guard, Reads, Runs
from imprimatur.web.api.standing import run_all
from imprimatur.web.api.uploads import CsvText


class IndicatorLine(Given):
    """``case`` is a case, or the address under which it was published."""

    case: Name
    indicator: Name
    period: Name
    value: float = Field(allow_inf_nan=False)
    source: Name | None = None


class IndicatorsGiven(Given):
    """``source`` is where a line names none. A ``preview`` stores nothing."""

    source: Name
    preview: bool = False
    lines: list[IndicatorLine] = Field(min_length=1, max_length=10_000)


def router(database: Database, gateway: Gateway, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["indicators"])

    @routes.post("/indicators", summary="Figures of published micro-credentials; the same again changes nothing")
    async def receive(viewer: Runs, given: IndicatorsGiven) -> IndicatorReport:
        run_all(viewer)
        lines = [line.model_dump(exclude_none=True) for line in given.lines]
        return await Improvement(gateway, database).import_lines(
            lines, source=given.source, actor=viewer.person, preview=given.preview
        )

    @routes.post("/indicators/csv", summary="The same from a CSV file")
    async def receive_file(
        viewer: Runs,
        text: CsvText,
        source: Annotated[Name, Query(description="Where a line names none.", examples=["student-system"])],
        preview: Annotated[bool, Query(description="Store nothing; tell what would become of it.")] = False,
    ) -> IndicatorReport:
        """A bad line never blocks the others."""
        run_all(viewer)
        return await Improvement(gateway, database).import_file(
            text, source=source, actor=viewer.person, preview=preview
        )

    @routes.get("/cases/{case_id}/indicators", summary="What is known of one micro-credential")
    async def known(viewer: Reads, case_id: str) -> Page[IndicatorView]:
        await guard.admit(viewer, case_id, CaseAct.READ)
        return Page(items=await run_in_threadpool(_known, database, case_id))

    return routes


def _known(database: Database, case_id: str) -> list[IndicatorView]:
    with database.read() as connection:
        return indicators_of(connection, case_id)
