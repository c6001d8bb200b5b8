"""Many things from one file: proposals that become cases, line by line and followed; and people of the directory."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Response

from imprimatur.imports import prepare
from imprimatur.store import import_jobs
from imprimatur.store.engine import Database
from imprimatur.store.import_jobs import Count, ImportJob, ImportLine
from imprimatur.store.people import PeopleImport, take_people
from imprimatur.web.api.documents import Page
from imprimatur.web.api.guard import Proposes, Reads, Runs
from imprimatur.web.api.paging import Cursor, Limit, number_in, page_of
from imprimatur.web.api.standing import run_all
from imprimatur.web.api.uploads import CsvText, JsonLines
from models.vocabulary import LineResult

Framework = Annotated[str, Query(max_length=200, description="Of all its proposals.", examples=["non-credit"])]
Preview = Annotated[bool, Query(description="Say what would become of each line; `begin` imports them later.")]


class ImportDocument(ImportJob):
    """``count``: how many lines there are, what was foreseen of them, and what has become of those that are done."""

    count: Count


class ImportEntry(ImportJob):
    lines: int
    done: int


def router(database: Database, wake: Callable[[], object]) -> APIRouter:
    """``wake`` tells whoever carries imports out that one waits."""
    routes = APIRouter(tags=["imports"])
    _add_reading(routes, database)

    def told(person: str, import_id: str) -> ImportDocument:
        job, count = import_jobs.job(database, person, import_id)
        return ImportDocument(**job.model_dump(), count=count)

    def taken(response: Response, person: str, framework: str, file: tuple[str, str], preview: bool) -> ImportDocument:
        name, text = file
        import_id = prepare(database, person, framework, name, text.encode("utf-8", "surrogatepass"), _now())
        if not preview:
            import_jobs.begin(database, person, import_id, _now())
            wake()
        response.headers["Location"] = f"/api/v1/imports/{import_id}"
        return told(person, import_id)

    @routes.post("/imports/jsonl", status_code=202, summary="Many proposals, JSON Lines: each becomes a case")
    def json_lines(
        viewer: Proposes, text: JsonLines, framework: Framework, response: Response, preview: Preview = False
    ) -> ImportDocument:
        """Answered when the lines are read; a line imported before is skipped."""
        return taken(response, viewer.person, framework, ("records.jsonl", text), preview)

    @routes.post("/imports/csv", status_code=202, summary="Many proposals, CSV: each becomes a case")
    def lines(
        viewer: Proposes, text: CsvText, framework: Framework, response: Response, preview: Preview = False
    ) -> ImportDocument:
        """As with JSON Lines."""
        return taken(response, viewer.person, framework, ("records.csv", text), preview)

    @routes.post("/imports/{import_id}/begin", status_code=202, summary="Import what was previewed, or was stopped")
    def begin(viewer: Proposes, import_id: str) -> ImportDocument:
        import_jobs.begin(database, viewer.person, import_id, _now())
        wake()
        return told(viewer.person, import_id)

    @routes.post("/imports/{import_id}/forget", status_code=204, summary="Give up what was only previewed")
    def forget(viewer: Proposes, import_id: str) -> None:
        import_jobs.forget(database, viewer.person, import_id)

    @routes.get("/imports/{import_id}", summary="How far an import has come")
    def one(viewer: Reads, import_id: str) -> ImportDocument:
        return told(viewer.person, import_id)

    @routes.post("/people/import", summary="People from a CSV file")
    def people(viewer: Runs, text: CsvText) -> PeopleImport:
        """A bad line never blocks the others."""
        run_all(viewer)
        return take_people(database, text, viewer.person)

    return routes


def _add_reading(routes: APIRouter, database: Database) -> None:
    @routes.get("/imports", summary="One's own imports, the newest first")
    def jobs(viewer: Reads, cursor: Cursor = None, limit: Limit = 50) -> Page[ImportEntry]:
        found = [
            ImportEntry(**job.model_dump(), lines=lines, done=done)
            for job, lines, done in import_jobs.jobs_of(database, viewer.person)
        ]
        return page_of(found, lambda entry: entry.import_id, cursor, limit)

    @routes.get("/imports/{import_id}/lines", summary="What became of each line, or would")
    def lines(
        viewer: Reads, import_id: str, result: LineResult | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[ImportLine]:
        job, _ = import_jobs.job(database, viewer.person, import_id)
        found = import_jobs.lines_of(
            database,
            import_id,
            after=number_in(cursor),
            only=str(result or ""),
            begun=job.begun_at is not None,
            most=limit + 1,
        )
        return Page(items=found[:limit], next_cursor=str(found[limit - 1].number) if len(found) > limit else None)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
