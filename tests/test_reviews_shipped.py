"""A home from before the shipped frameworks knew reviews, and what an update changes for it."""

from pathlib import Path

import pytest

from imprimatur.cli.service import prepare_database
from imprimatur.frameworks.loader import SHIPPED, reviews, shipped
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework, framework, framework_for_kind, list_frameworks
from imprimatur.store.people import import_people
from imprimatur.store.reviews_reading import review_lines
from models.vocabulary import CaseStatus, EventType
from tests.facts import EXAMPLES, START, Play, example, first_shipped
from tests.governed import told
from tests.versions import move


@pytest.fixture
def old_home(database: Database) -> Database:
    for policy in (*map(first_shipped, SHIPPED), *reviews().values()):
        add_framework(database, policy, START)
    import_people(database, EXAMPLES / "people.csv")
    return database


def under_way(database: Database, folder: Path) -> Play:
    """With the proposal check behind it, and both reviews open."""
    play = Play(database, folder, first_shipped("industry-credit"))
    play.submit(example("industry-credit"))
    play.decide("proposal")
    return play


def finished(play: Play) -> None:
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, outcomes=4, assessment=4, need=4)
    assert play.state.status is CaseStatus.PUBLISHED


def test_an_update_stores_the_newer_versions_beside_the_old_ones(old_home: Database) -> None:
    for _ in range(2):
        prepare_database(old_home.url)
    stored = [(entry.id, entry.version) for entry in list_frameworks(old_home) if entry.id in SHIPPED]
    assert stored == [(name, version) for name in sorted(SHIPPED) for version in ("1.1", "1.0")]
    for policy in shipped().values():
        assert framework(old_home, policy.id) == policy
        assert framework_for_kind(old_home, policy.credential_kind) == policy
        assert framework(old_home, policy.id, "1.0") == first_shipped(policy.id)


def test_a_case_that_is_under_way_ends_under_the_version_it_began_with(old_home: Database, tmp_path: Path) -> None:
    play = under_way(old_home, tmp_path)
    prepare_database(old_home.url)
    finished(play)
    assert told(play, EventType.FRAMEWORK_CHANGED) == []
    assert review_lines(old_home, play.now) == []


def test_a_case_that_is_moved_keeps_all_that_was_decided_and_is_reviewed(old_home: Database, tmp_path: Path) -> None:
    play = under_way(old_home, tmp_path)
    prepare_database(old_home.url)
    asked = sorted((task.stage, task.assignee) for task in play.state.open_tasks())
    move(play, shipped()["industry-credit"])
    [change] = told(play, EventType.FRAMEWORK_CHANGED)
    assert (change["kept"], change["goes_on"]) == (["proposal"], ["quality", "industry"])
    assert change["repeated"] == change["added"] == change["removed"] == []
    assert sorted((task.stage, task.assignee) for task in play.state.open_tasks()) == asked
    finished(play)
    [line] = review_lines(old_home, play.now)
    assert line.case_id == play.case_id
    assert line.next_at is not None and (line.next_at.year, line.next_at.month) == (START.year + 2, START.month)


def test_in_a_new_home_the_first_review_is_scheduled_with_the_publication(database: Database, tmp_path: Path) -> None:
    prepare_database(database.url)
    import_people(database, EXAMPLES / "people.csv")
    for number, (name, years) in enumerate({"industry-credit": 2, "coursework-credit": 3, "non-credit": 1}.items()):
        play = Play(database, tmp_path, name, case_id=f"mc-abcdefghijk{number}")
        play.submit(example(name))
        finished(play)
        [due] = [line.next_at for line in review_lines(database, play.now) if line.case_id == play.case_id]
        assert due is not None and due.year == START.year + years
