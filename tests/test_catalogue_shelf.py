"""What the web process keeps of the catalogue is what the database has, whoever changed it, and at once."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from imprimatur.publication.catalogue.choice import PAGE_LENGTH, Choice
from imprimatur.publication.catalogue.collection import Collection
from imprimatur.publication.catalogue.shelf import Shelf
from imprimatur.store.catalogue import changes, revision
from imprimatur.store.engine import Database
from imprimatur.store.pathways import put_pathway
from imprimatur.store.record_status import set_record_status, write_status
from models.tables import PublicationRow
from models.vocabulary import RecordStatus
from tests.catalogues import DEGREE, case_id_of, fill, proposal
from tests.facts import OFFICE, START, furnish, whole_story
from tests.pages import counted

PUBLICATION = PublicationRow.__table__  # type: ignore[attr-defined]
NUMBER = 5


@pytest.fixture
def filled(database: Database) -> Database:
    furnish(database)
    fill(database, range(NUMBER))
    return database


@pytest.fixture
def another(filled: Database) -> Iterator[Database]:
    """The database as another process has it."""
    found = Database(filled.url)
    yield found
    found.close()


def told(collection: Collection) -> tuple[Any, ...]:
    """All of it that anything can tell: the pages, the feed, the sitemap, the exported site's index."""
    return collection.entries, collection.labels(), collection.state, collection.find(Choice(), 99).facets


def of_case(number: int) -> Any:
    return PUBLICATION.c.case_id == case_id_of(number)


def put(database: Database, number: int, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(PUBLICATION.update().where(of_case(number)).values(values))


def told_by(database: Database) -> str:
    with database.read() as connection:
        return revision(connection)


def slug_of(database: Database, number: int) -> str:
    with database.read() as connection:
        return str(connection.execute(select(PUBLICATION.c.slug).where(of_case(number))).scalar_one())


def have_status(status: RecordStatus, replaced_by: str | None = None) -> Callable[[Database], None]:
    def act(database: Database) -> None:
        with database.write() as connection:
            write_status(connection, case_id_of(1), status, actor=OFFICE, reason="board", replaced_by=replaced_by)

    return act


def publish_anew(database: Database) -> None:
    """As a new version is: another page and another record in the row of the case."""
    with database.read() as connection:
        page = connection.execute(select(PUBLICATION.c.page).where(of_case(2))).scalar_one()
    changed = page | {"title": "Told anew", "mode": "workplace"}
    put(database, 2, page=changed, title="Told anew", digest="a" * 64, published_at=START + dt.timedelta(days=9))


def rename_the_pathway(database: Database) -> None:
    put_pathway(database, DEGREE.model_copy(update={"title": "Bachelor of Another Practice"}), START)


def delete(database: Database) -> None:
    with database.write() as connection:
        connection.execute(PUBLICATION.delete().where(of_case(3)))


ACTS: dict[str, Callable[[Database], None]] = {
    "publication": lambda database: fill(database, [NUMBER]),
    "new version": publish_anew,
    "pause": have_status(RecordStatus.PAUSED),
    "no new intake": have_status(RecordStatus.TEACHING_OUT),
    "retirement": have_status(RecordStatus.RETIRED),
    "retraction": have_status(RecordStatus.RETRACTED),
    "replacement": have_status(RecordStatus.REPLACED, "the-next"),
    "hidden until every target has it": have_status(RecordStatus.PENDING),
    "title of a pathway": rename_the_pathway,
    "removal": delete,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_what_another_process_writes_is_seen_at_once(
    filled: Database, another: Database, act: Callable[[Database], None]
) -> None:
    shelf = Shelf(filled)
    before = shelf.collection()
    assert shelf.collection() is before
    act(another)
    after = shelf.collection()
    assert told(after) != told(before)
    assert told(after) == told(Shelf(another).collection())
    assert shelf.collection() is after


def test_one_act_after_another_leaves_what_reading_all_of_it_would(filled: Database, another: Database) -> None:
    shelf = Shelf(filled)
    for act in [*ACTS.values(), have_status(RecordStatus.OFFERED)]:
        act(another)
        assert told(shelf.collection()) == told(Shelf(filled).collection())
    assert {entry.title for entry in shelf.collection().entries} >= {"Told anew", proposal(NUMBER).title}


RETRACT = """
import sys
from imprimatur.store.engine import Database
from imprimatur.store.record_status import set_record_status
from models.vocabulary import RecordStatus
database = Database(sys.argv[1])
with database.write() as connection:
    set_record_status(connection, sys.argv[2], RecordStatus.RETRACTED, actor="office@example.edu", reason="an error")
"""


def test_what_is_retracted_elsewhere_is_not_listed_once_more(filled: Database) -> None:
    shelf = Shelf(filled)
    assert case_id_of(4) in {entry.case_id for entry in shelf.collection().entries}
    subprocess.run([sys.executable, "-c", RETRACT, filled.url, case_id_of(4)], check=True)
    assert case_id_of(4) not in {entry.case_id for entry in shelf.collection().entries}


def test_what_is_published_is_in_every_answer_that_is_begun_afterwards(filled: Database, another: Database) -> None:
    shelf = Shelf(filled)
    with ThreadPoolExecutor(8) as pool:
        for number in range(NUMBER, NUMBER + 12):
            fill(another, [number])
            for collection in [pool.submit(shelf.collection) for _ in range(16)]:
                assert proposal(number).title in {entry.title for entry in collection.result().entries}


def test_nothing_that_was_rolled_back_is_seen(filled: Database, another: Database) -> None:
    shelf = Shelf(filled)
    before = shelf.collection()
    with pytest.raises(RuntimeError), another.write() as connection:
        set_record_status(connection, case_id_of(0), RecordStatus.RETRACTED, actor=OFFICE, reason="an error")
        raise RuntimeError
    assert shelf.collection() is before


def test_the_database_is_asked_twice_while_nothing_changes(filled: Database) -> None:
    shelf = Shelf(filled)
    shelf.collection()
    with counted(filled) as statements:
        shelf.collection()
    assert len([text for text in statements if not text.startswith(("BEGIN", "PRAGMA"))]) == 2


# The page, the title and the record change with their digest, the reason with the instant of the status.
WITH_ANOTHER = {"page", "title", "achievement", "status_reason"}
CHANGES: dict[str, Any] = {
    "slug": "another-slug",
    "version": 7,
    "digest": "b" * 64,
    "published_at": START + dt.timedelta(days=1, microseconds=1),
    "status": RecordStatus.PAUSED,
    "status_at": START + dt.timedelta(microseconds=1),
    "replaces": "the-one-before",
    "replaced_by": "the-next",
}


def test_every_column_is_held_to_one_of_them() -> None:
    """One that is added has to be told of in the revision, or change only with another."""
    assert set(PUBLICATION.c.keys()) == CHANGES.keys() | WITH_ANOTHER | {"case_id"}


@pytest.mark.parametrize("column", CHANGES)
def test_a_change_of_any_column_is_another_revision(filled: Database, column: str) -> None:
    before, slug = told_by(filled), slug_of(filled, 2)
    assert len(changes("", before)[0]) == NUMBER
    put(filled, 2, **{column: CHANGES[column]})
    after = told_by(filled)
    assert changes(before, after) == ({slug_of(filled, 2)}, {slug} - {slug_of(filled, 2)})
    assert len(changes("", after)[0]) == NUMBER


def test_nothing_is_a_revision_too(database: Database) -> None:
    assert changes(told_by(database), told_by(database)) == (set(), set())
    assert len(Shelf(database).collection()) == 0


def test_the_shelf_follows_what_is_published(database: Database, tmp_path: Path) -> None:
    furnish(database)
    shelf = Shelf(database)
    assert len(shelf.collection()) == 0
    fill(database, range(5))
    before = shelf.collection()
    assert [item.title for item in before.entries] == [proposal(number).title for number in (4, 3, 2, 1, 0)]
    assert shelf.collection() is before
    whole_story(database, tmp_path, "mc-zzzzzzzzzzzz")
    after = shelf.collection()
    assert len(after) == 6 and after.state != before.state
    with database.write() as connection:
        connection.execute(PUBLICATION.delete().where(PUBLICATION.c.slug == before.entries[0].slug))
        connection.execute(
            PUBLICATION.update().values(digest="0" * 64).where(PUBLICATION.c.slug == before.entries[1].slug)
        )
    last = shelf.collection()
    assert before.entries[0].slug not in {item.slug for item in last.entries} and last.state != after.state
    assert len(last.find(Choice()).entries) == 5 < PAGE_LENGTH
