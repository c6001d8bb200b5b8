"""Files of published records follow the database, also after they were lost."""

from pathlib import Path

from imprimatur.publication.files import write_missing
from imprimatur.store.engine import Database
from tests.facts import furnish, whole_story


def test_lost_files_are_written_as_they_were(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    published = tmp_path / "published"
    whole_story(sqlite_database, published)
    [file] = published.rglob("*.json")
    before = file.read_bytes()
    file.unlink()
    file.parent.rmdir()
    assert write_missing(sqlite_database, published) == 1
    assert file.read_bytes() == before
    assert write_missing(sqlite_database, published) == 0
