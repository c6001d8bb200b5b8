"""Statements compiled once for all databases of a test process; for tests.

SQLAlchemy keeps what it has compiled with its engine, and takes it for the engine's own dialect only. Nearly every test
has a database, and so an engine, of its own: compiling the same statements again and again cost a quarter of the suite.
"""

from typing import Any

import sqlalchemy
from sqlalchemy import Engine, event

from imprimatur.store import engine as engines

_first: dict[str, Engine] = {}


def _create_engine(url: str, **options: Any) -> Engine:
    """An engine with a pool and listeners of its own, which compiles for the first of its kind that has connected.

    A dialect learns of its database at its first connection: one that never got through would leave the others without.
    """
    engine = sqlalchemy.create_engine(url, **options)
    name = engine.dialect.name
    if (first := _first.get(name)) is None:
        event.listen(engine, "connect", lambda *_: _first.setdefault(name, engine))
    else:
        engine.dialect = engine.pool._dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
    if name == "sqlite":
        # Nothing outlives the tests, so nothing need reach the disk: they waited longer for that than for all else.
        event.listen(engine, "checkout", lambda connection, *_: connection.execute("PRAGMA synchronous=OFF"))
    return engine


def compile_once() -> None:
    engines.create_engine = _create_engine  # type: ignore[attr-defined,assignment]
