"""The database: SQLite in the embedded default, PostgreSQL in production; the same SQL for both."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from imprimatur.errors import InputError, Unavailable

SCHEMA_VERSION = "0030"
BUSY_SECONDS = 30


class Database:
    """Connections for reading and for writing.

    SQLite allows one writer at a time: within a process writers queue on a lock, which is fair and cheaper than the
    file's own busy waiting; between processes ``BEGIN IMMEDIATE`` and a busy timeout of 30 s do the same.
    """

    def __init__(self, url: str) -> None:
        self.url = _with_driver(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection with a consistent view; nothing it does is kept."""
        with _answering(), self.engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with _answering(), self._turn, self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Unavailable(
            "database_unavailable",
            f"The database does not answer: {_first_line(error)}.",
            "Nothing was changed. See `starter.py doctor`, then repeat the command.",
        ) from error
    except DataError as error:
        if "NUL" not in _first_line(error):
            raise
        # PostgreSQL keeps every character but this one, and compares no text with it.
        raise InputError(
            "text_unusable", "The text has a character in it that no text can have (NUL).", "Leave that character out."
        ) from error
    except DatabaseError as error:
        # Its subclasses are our own mistakes; the bare one is SQLite's word for a file that is no database.
        if type(error) is not DatabaseError:
            raise
        raise Unavailable(
            "database_damaged",
            f"The database cannot be used: {_first_line(error)}.",
            "Look whether DATABASE_URL names the right file; if it does, go back to a backup.",
        ) from error


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0].rstrip(".")


def _with_driver(url: str) -> str:
    """Raises InputError ``database_url_invalid``; the message never repeats a password."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            url = "postgresql+psycopg://" + url.removeprefix(prefix)
    scheme, separator, _ = url.partition("://")
    try:
        make_url(url)
        supported = scheme == "postgresql+psycopg" or url.startswith("sqlite:///")
    except (ArgumentError, ValueError):
        supported = False
    if supported:
        return url
    kind = f": it begins with {scheme}" if separator and scheme != "postgresql+psycopg" else ""
    raise InputError(
        "database_url_invalid",
        f"DATABASE_URL names no database that can be used{kind}.",
        "Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
    )


def _write_ahead(connection: Any) -> None:
    """Switching a new file over takes it for itself; SQLite does not wait its turn for that, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, pool_size=16)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, record: ConnectionPoolEntry) -> None:
        # SQLAlchemy begins transactions itself (see _begin), so the driver must not.
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writer can fail at once instead of waiting for its turn.
        immediate = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgres_engine(url: str) -> Engine:
    return create_engine(url, pool_size=16, max_overflow=8, pool_pre_ping=True, connect_args={"connect_timeout": 10})


def migrate(url: str) -> None:
    """Brings the schema to this version of the code; does nothing when it is there already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = _with_driver(url)
    with _answering():
        command.upgrade(config, "head")


def schema_version(database: Database) -> str | None:
    """The version of the schema in the database, None when there is none."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
