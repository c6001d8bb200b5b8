"""Many things from one file: proposals that become cases, and people of the directory."""

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from imprimatur.gateway import Gateway
from imprimatur.importing import import_proposals
from imprimatur.records import read_records
from imprimatur.store.engine import Database
from imprimatur.store.people import PeopleImport, import_people
from imprimatur.web.api.guard import Proposes, Runs
from imprimatur.web.api.standing import run_all
from imprimatur.web.api.uploads import CsvText, JsonLines, as_file


class RejectedLine(BaseModel):
    """``field`` is empty where the line as a whole cannot be used."""

    line: int
    field: str
    problem: str


class ImportAnswer(BaseModel):
    """``returned`` are kept as cases, incomplete; ``rejected`` has a line for each problem."""

    accepted: int
    skipped: int
    returned: int
    rejected: list[RejectedLine]


def router(database: Database, gateway: Gateway) -> APIRouter:
    routes = APIRouter(tags=["imports"])

    async def imported(text: str, name: str, proposer: str, framework: str | None) -> ImportAnswer:
        with as_file(text, name) as file:
            records = await run_in_threadpool(read_records, file)
        report = await import_proposals(gateway, database, records, proposer, framework, lambda: None)
        return ImportAnswer.model_validate(report.as_dict())

    @routes.post("/imports/jsonl", summary="Many proposals, JSON Lines: each becomes a case")
    async def json_lines(
        viewer: Proposes, text: JsonLines, framework: str | None = Query(None, max_length=200)
    ) -> ImportAnswer:
        """Answered with the report when all is done. A line imported before is skipped, so repeating does the rest."""
        return await imported(text, "records.jsonl", viewer.person, framework)

    @routes.post("/imports/csv", summary="Many proposals, CSV: each becomes a case")
    async def lines(
        viewer: Proposes, text: CsvText, framework: str | None = Query(None, max_length=200)
    ) -> ImportAnswer:
        """As with JSON Lines."""
        return await imported(text, "records.csv", viewer.person, framework)

    @routes.post("/people/import", summary="People from a CSV file")
    def people(viewer: Runs, text: CsvText) -> PeopleImport:
        """A bad line never blocks the others."""
        run_all(viewer)
        with as_file(text, "people.csv") as file:
            return import_people(database, file, viewer.person)

    return routes
