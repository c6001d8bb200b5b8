"""Imports of many proposals: uploaded, foreseen line by line, begun, watched, and told line by line."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from imprimatur import imports
from imprimatur.access.viewer import Viewer
from imprimatur.drafting import proposer
from imprimatur.errors import ImprimaturError, InputError
from imprimatur.records import SIZE_LIMIT_BYTES
from imprimatur.store import import_jobs
from imprimatur.store.engine import Database
from imprimatur.web.api.standing import seen_of
from imprimatur.web.gate import Gate
from imprimatur.web.proposal_form import label_of
from imprimatur.web.proposing import newest
from imprimatur.web.rendering import page
from imprimatur.web.uploads import Sent, read_sent
from models.vocabulary import LineResult

LOOKING = ["GET", "HEAD"]
HINTS = {
    LineResult.ACCEPTED: "It is a case now.",
    LineResult.RETURNED: "It is kept as a case; complete it there.",
    LineResult.SKIPPED: "It was imported before.",
    LineResult.REJECTED: "Correct the line, and import the file again: the other lines are not imported twice.",
}
# A cell that begins so would be taken for a formula by a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def router(database: Database, gate: Gate, wake: Callable[[], object]) -> APIRouter:
    """``wake`` tells whoever carries imports out that there is one."""
    routes = APIRouter()

    @routes.api_route("/imports", methods=LOOKING)
    def index(request: Request) -> Response:
        return _index(request, proposer(gate.viewer(request)))

    @routes.post("/imports")
    async def upload(request: Request) -> Response:
        sent = await read_sent(request, SIZE_LIMIT_BYTES)
        return await run_in_threadpool(_upload, request, sent)

    @routes.api_route("/imports/{import_id}", methods=LOOKING)
    def one(request: Request, import_id: str, only: str = "", after: int = 0) -> Response:
        viewer = proposer(gate.viewer(request))
        return page(request, "import.html", _values(viewer, import_id, only, after))

    @routes.api_route("/imports/{import_id}/progress", methods=LOOKING)
    def progress(request: Request, import_id: str) -> Response:
        job, count = import_jobs.job(database, proposer(gate.viewer(request)).person, import_id)
        answer = page(request, "import_progress.html", {"job": job, "count": count})
        if job.ended_at is not None or job.stopped is not None:
            # The report takes the place of the bar.
            answer.headers["HX-Refresh"] = "true"
        return answer

    @routes.api_route("/imports/{import_id}/report.csv", methods=LOOKING)
    def report(request: Request, import_id: str) -> Response:
        job, _ = import_jobs.job(database, proposer(gate.viewer(request)).person, import_id)
        lines = import_jobs.lines_of(database, job.import_id)
        headers = {"Content-Disposition": f'attachment; filename="{job.import_id}.csv"'}
        return Response(as_csv(lines), media_type="text/csv; charset=utf-8", headers=headers)

    @routes.post("/imports/{import_id}")
    async def act(request: Request, import_id: str) -> Response:
        sent = await read_sent(request)
        answer = await run_in_threadpool(_act, request, import_id, sent)
        wake()
        return answer

    def _index(request: Request, viewer: Viewer, error: ImprimaturError | None = None, chosen: str = "") -> Response:
        values = {
            "jobs": import_jobs.jobs_of(database, viewer.person),
            "frameworks": newest(database),
            "chosen": chosen,
            "error": error,
        }
        return page(request, "imports.html", values, error.http_status if error else 200)

    def _upload(request: Request, sent: Sent) -> Response:
        viewer, chosen, file = proposer(gate.viewer(request)), sent.form.get("framework", ""), sent.files.get("file")
        gate.check_form(request, sent.form)
        try:
            if file is None:
                raise InputError("attachment_unchosen", "No file was chosen.", "Choose a file, then send it.")
            found = imports.prepare(database, viewer.person, chosen, file.name, file.content, _now())
        except ImprimaturError as error:
            if error.http_status >= 500:
                raise
            return _index(request, viewer, error, chosen)
        return RedirectResponse(f"/imports/{found}", 303)

    def _act(request: Request, import_id: str, sent: Sent) -> Response:
        viewer = proposer(gate.viewer(request))
        gate.check_form(request, sent.form)
        if sent.form.get("act") == "forget":
            import_jobs.forget(database, viewer.person, import_id)
            return RedirectResponse("/imports", 303)
        import_jobs.begin(database, viewer.person, import_id, _now())
        return RedirectResponse(f"/imports/{import_id}", 303)

    def _values(viewer: Viewer, import_id: str, only: str, after: int) -> dict[str, Any]:
        job, count = import_jobs.job(database, viewer.person, import_id)
        begun = job.begun_at is not None
        wanted = only if only in list(LineResult) else ""
        length = import_jobs.PAGE_LENGTH
        lines = import_jobs.lines_of(database, import_id, after=after, only=wanted, begun=begun, most=length + 1)
        return {
            "job": job,
            "count": count,
            "lines": lines[:length],
            "seen": seen_of(database, viewer.scope, [line.case_id for line in lines if line.case_id]),
            "next": lines[length - 1].number if len(lines) > length else 0,
            "only": wanted,
            "after": after,
            "results": list(LineResult),
            "hints": HINTS,
            "label_of": label_of,
        }

    return routes


def as_csv(lines: list[import_jobs.ImportLine]) -> str:
    """A row for each problem, or for each line without one."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["line", "title", "foreseen", "result", "case", "field", "problem"])
    for line in lines:
        for item in line.problems or [{"field": "", "problem": ""}]:
            cells = (line.line, line.title, line.foreseen, line.result or "", line.case_id)
            writer.writerow([_plain(str(cell)) for cell in (*cells, item["field"], item["problem"])])
    return text.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
