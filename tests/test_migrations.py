"""The schema: what migrations make is what the models say, once, whoever migrates and however many at once."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, pool, text
from sqlmodel import SQLModel

from imprimatur.errors import InputError, Unavailable
from imprimatur.store.engine import SCHEMA_VERSION, Database, migrate, schema_version
from tests.facts import everything, furnish, whole_story

ROOT = Path(__file__).resolve().parents[1]
PREPARE = "import sys; from imprimatur.cli.service import prepare_database; prepare_database(sys.argv[1])"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgres_url: Callable[[str], str] = request.getfixturevalue("postgres_url")
    admin = create_engine(
        postgres_url("postgres").replace("postgresql://", "postgresql+psycopg://"),
        poolclass=pool.NullPool,
        isolation_level="AUTOCOMMIT",
    )
    name = f"empty_{tmp_path.name.replace('-', '_')}"
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield postgres_url(name)


def test_the_migrated_schema_is_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_schema_names_its_version(database: Database) -> None:
    assert schema_version(database) == SCHEMA_VERSION


def test_migrating_makes_every_table_and_again_changes_nothing(empty_url: str, tmp_path: Path) -> None:
    database = Database(empty_url)
    assert schema_version(database) is None
    migrate(empty_url)
    with database.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {*SQLModel.metadata.tables, "alembic_version"}
    furnish(database)
    whole_story(database, tmp_path)
    before = everything(database)
    migrate(empty_url)
    assert everything(database) == before
    assert schema_version(database) == SCHEMA_VERSION
    database.close()


def test_several_processes_may_prepare_a_database_at_once(empty_url: str) -> None:
    command = [sys.executable, "-c", PREPARE, empty_url]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate(timeout=180)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    database = Database(empty_url)
    assert schema_version(database) == SCHEMA_VERSION
    database.close()


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as connection:
        # One that the migration makes late.
        connection.exec_driver_sql("CREATE TABLE task (other INTEGER)")
    with pytest.raises(Exception, match="task"):
        migrate(empty_url)
    with database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["task"]
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE task")
    migrate(empty_url)
    assert schema_version(database) == SCHEMA_VERSION
    database.close()


def test_a_database_that_is_not_there_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        migrate(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    assert refused.value.code == "database_unavailable"


@pytest.mark.parametrize("url", ["mysql://localhost/imprimatur", "imprimatur.db", ""])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InputError) as refused:
        migrate(url)
    assert refused.value.code == "database_url_invalid"
    assert "sqlite:///FILE" in refused.value.hint
