"""What the public catalogue costs: its page with few and with many credentials, and the export of all of them."""

import gc
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from imprimatur.store.engine import Database, migrate
from imprimatur.web.site.export import export
from tests.bench.records import Run, measured
from tests.catalogues import fill
from tests.facts import BASE_URL, Play, furnish
from tests.web import Site

FEW, CREDENTIALS, VISITS = 20, 1_000, 100
# All, what is searched for rightly and wrongly, narrowed once and twice, ordered, and a later page.
QUERIES = (
    "",
    "?q=water",
    "?q=analitics+practise",
    "?mode=online",
    "?q=care&mode=online&price=free",
    "?sort=price&page=3",
)


@dataclass(frozen=True)
class Cost:
    """Of one visit by the whole app, without a network; ``ratio`` is that of the medians with many and with few."""

    p95_ms: float
    cpu_ms: float
    queries: int
    size_bytes: int
    ratio: float


async def costs(folder: Path) -> tuple[Cost, Run]:
    url = f"sqlite:///{folder / 'catalogue.db'}"
    migrate(url)
    database = Database(url)
    furnish(database)
    fill(database, range(FEW))
    few, _, _, _ = await _visits(database, folder)
    fill(database, range(FEW, CREDENTIALS))
    many, worked, queries, size = await _visits(database, folder)
    cost = Cost(_p95(many), _p95(worked), queries, size, statistics.median(many) / statistics.median(few))
    run = _exported(database, folder)
    database.close()
    return cost, run


def _exported(database: Database, folder: Path) -> Run:
    """Twice: what the first run leaves in caches is no growth of the second, which is what is measured."""
    export(database, BASE_URL, folder / "before")
    gc.collect()
    with measured(CREDENTIALS) as run:
        export(database, BASE_URL, folder / "site")
    return run


async def _visits(database: Database, folder: Path) -> tuple[list[float], list[float], int, int]:
    site, asked = Site(Play(database, folder)), list[str]()

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    took, worked, numbers, sizes = [], [], set(), []
    async with site.visitor() as visitor:
        for number in range(VISITS + len(QUERIES)):
            address = f"/catalogue{QUERIES[number % len(QUERIES)]}"
            asked.clear()
            before, worked_before = time.perf_counter(), time.process_time()
            async with visitor.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
                body = [piece async for piece in answer.aiter_raw()]
            assert answer.status_code == 200
            if number >= len(QUERIES):
                took.append((time.perf_counter() - before) * 1000)
                worked.append((time.process_time() - worked_before) * 1000)
                sizes.append(sum(map(len, body)))
                numbers.add(sum(not statement.startswith("BEGIN") for statement in asked))
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(numbers) == 1, numbers
    return took, worked, numbers.pop(), max(sizes)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]
