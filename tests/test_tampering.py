"""Whatever is altered in the database of a case, verification finds it and names the row."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imprimatur.errors import NotFound
from imprimatur.history.chain import check_chain
from imprimatur.history.verify import verify_all, verify_case
from imprimatur.store.engine import Database
from tests.facts import CASE, LEDGER, example, furnish, ledger_rows, whole_story
from tests.tamperer import TABLES, Tamperer, another, database_of_module

ID = "mc-abcdefghijkl"
# How many events a whole story has.
LAST = 62
# What no event tells: a counter of commits, and the derivation of a date that is told.
UNTOLD = {"seq", "due_reason"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tamperer]:
    folder = tmp_path_factory.mktemp("story")
    with database_of_module(request, folder) as database:
        furnish(database)
        for case_id in (ID, "mc-before", "mc-other"):
            whole_story(database, folder, case_id=case_id)
        yield Tamperer(database, ID)


def test_a_whole_story_verifies(story: Tamperer) -> None:
    result = story.verified()
    assert (result.ok, result.cases, result.events, result.problems) == (True, 1, LAST, [])
    assert result.head == story.rows("case_record", case_id=ID)[0]["head"]
    everyone = verify_all(story.database)
    assert (everyone.ok, everyone.cases, everyone.events, everyone.head) == (True, 3, 3 * LAST, "")


@pytest.mark.parametrize("column", [column.name for column in LEDGER.columns if column.name != "case_id"])
def test_an_altered_ledger_row_is_named(story: Tamperer, column: str) -> None:
    for row in story.rows("ledger", case_id=ID)[::4]:
        new = "case_withdrawn" if column == "type" else another(row[column])
        with story.altered("ledger", row, **{column: new}):
            places = [where for where, _ in story.problems()]
        where = f"{ID}#{new if column == 'position' else row['position']}"
        assert where in places, (row["position"], places)
        if column != "position":
            assert places[0] == where
    story.assert_whole()


def test_one_altered_fact_of_an_event_is_named(story: Tamperer) -> None:
    rows = story.rows("ledger", case_id=ID)
    facts = {(row["type"], name): index for index, row in enumerate(rows) for name in row["data"]}
    assert len(facts) > 50
    for (_, name), index in facts.items():
        forged = rows[index] | {"data": rows[index]["data"] | {name: "something else"}}
        [problem] = check_chain(ID, [*rows[:index], forged, *rows[index + 1 :]], rows[-1]["digest"])
        assert problem.where == f"{ID}#{index + 1}", (rows[index], name)


def test_a_row_moved_to_another_case_is_missed_here_and_found_there(story: Tamperer) -> None:
    row = story.rows("ledger", case_id=ID, position=LAST)[0]
    moved = row | {"case_id": "mc-other", "position": LAST + 1}
    with story.without("ledger", [row]), story.with_more("ledger", moved):
        places = {problem.where for problem in verify_all(story.database).problems}
    assert places == {ID, "mc-other", f"mc-other#{LAST + 1}"}
    story.assert_whole()


@pytest.mark.parametrize("position", [1, 2, 30, LAST - 1])
def test_a_deleted_row_is_missed(story: Tamperer, position: int) -> None:
    with story.without("ledger", story.rows("ledger", case_id=ID, position=position)):
        assert story.problems()[0] == (f"{ID}#{position + 1}", f"event {position} is missing before it")
    story.assert_whole()


@pytest.mark.parametrize("number", [1, 2, LAST])
def test_rows_cut_off_at_the_end_are_missed(story: Tamperer, number: int) -> None:
    with story.without("ledger", story.rows("ledger", case_id=ID)[-number:]):
        problems = story.problems()
    left = LAST - number
    assert (ID, f"the case counts {LAST} events, the ledger holds {left}") in problems
    assert (ID, "the case's head is not the ledger's last digest") in problems
    story.assert_whole()


def test_rows_cut_off_with_a_count_and_head_made_to_fit_are_missed_by_what_they_told(story: Tamperer) -> None:
    rows, [case] = story.rows("ledger", case_id=ID), story.rows("case_record", case_id=ID)
    with (
        story.without("ledger", rows[-1:]),
        story.altered("case_record", case, events=LAST - 1, head=rows[-2]["digest"]),
    ):
        [(where, problem)] = story.problems()
    assert where == ID
    assert problem == "the case differs from the ledger in closed_at, closing_reason, status"
    story.assert_whole()


def test_an_added_row_is_found(story: Tamperer) -> None:
    last = story.rows("ledger", case_id=ID, position=LAST)[0]
    with story.with_more("ledger", last | {"position": LAST + 1, "previous": last["digest"]}):
        assert {where for where, _ in story.problems()} == {f"{ID}#{LAST + 1}", ID}
    with story.with_more("ledger", last | {"case_id": "mc-nowhere"}):
        assert [(p.where, p.problem) for p in verify_all(story.database).problems][-1:] == [
            ("mc-nowhere", "rows without a case")
        ]
        assert verify_case(story.database, ID).ok
        assert not verify_case(story.database, "mc-nowhere").ok
    story.assert_whole()


@pytest.mark.parametrize(("one", "two"), [(1, 2), (14, 15), (30, 52), (LAST - 1, LAST)])
def test_rows_that_changed_places_are_named(story: Tamperer, one: int, two: int) -> None:
    first, second = (story.rows("ledger", case_id=ID, position=position)[0] for position in (one, two))
    with (
        story.without("ledger", [first, second]),
        story.with_more("ledger", first | {"position": two}),
        story.with_more("ledger", second | {"position": one}),
    ):
        assert {where for where, _ in story.problems()} >= {f"{ID}#{one}", f"{ID}#{two}"}
    story.assert_whole()


@pytest.mark.parametrize("column", [c.name for c in CASE.columns if c.name not in {"case_id", *UNTOLD}])
def test_an_altered_case_is_found(story: Tamperer, column: str) -> None:
    [case] = story.rows("case_record", case_id=ID)
    new = another(case[column]) if case[column] is not None else _for_nothing(column)
    with story.altered("case_record", case, **{column: new}):
        problems = story.problems()
        assert not verify_all(story.database).ok
    assert problems and all(where.startswith(ID) for where, _ in problems)
    words = {"head": "head", "events": "counts"}
    assert any(words.get(column, column) in problem for _, problem in problems), problems
    story.assert_whole()


def _for_nothing(column: str) -> Any:
    """What could be forged where nothing stands."""
    if column.endswith(("_at", "_until")):
        return dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return {"clock_remaining_seconds": 5, "logo": True}.get(column, "something")


@pytest.mark.parametrize("table", ["decision", "proposal_version", "publication"])
def test_an_altered_row_that_the_ledger_tells_is_named(story: Tamperer, table: str) -> None:
    for row in story.rows(table, case_id=ID):
        for column in row.keys() - {"case_id"}:
            new = _for_nothing(column) if row[column] is None else another(row[column])
            with story.altered(table, row, **{column: new}):
                problems = story.problems()
            name = f"{ID} {table.removeprefix('proposal_')} "
            key = next(iter(column.name for column in TABLES[table].primary_key.columns if column.name != "case_id"))
            named = new if column == key else row[key]
            assert any(where == f"{name}{named}" for where, _ in problems), (column, problems)
    story.assert_whole()


@pytest.mark.parametrize("table", ["decision", "proposal_version", "publication"])
def test_a_row_that_the_ledger_tells_is_missed_when_it_is_gone(story: Tamperer, table: str) -> None:
    for row in story.rows(table, case_id=ID):
        with story.without(table, [row]):
            [(where, problem)] = story.problems()
        assert where.startswith(ID) and "missing" in problem
    story.assert_whole()


def test_rows_that_no_event_tells_are_named(story: Tamperer) -> None:
    [decision, *_] = story.rows("decision", case_id=ID)
    with story.with_more("decision", decision | {"decision_id": "d-forged", "task_id": "t-forged"}):
        assert story.problems() == [(f"{ID} decision d-forged", "the ledger knows no such decision")]
    [version, *_] = story.rows("proposal_version", case_id=ID)
    with story.with_more("proposal_version", version | {"version": 9}):
        assert story.problems() == [(f"{ID} version 9", "the ledger knows no such version")]
    [publication] = story.rows("publication", case_id=ID)
    orphan = publication | {"slug": "forged", "case_id": "mc-nowhere"}
    with story.with_more("publication", orphan):
        assert [(p.where, p.problem) for p in verify_all(story.database).problems] == [
            ("mc-nowhere", "rows without a case"),
            ("mc-nowhere publication forged", "the ledger knows no publication"),
        ]
    story.assert_whole()


def test_an_altered_or_missing_document_is_named(story: Tamperer) -> None:
    first = example("industry-credit").digest
    [document] = story.rows("document", digest=first)
    with story.altered("document", document, body=document["body"].replace("390", "391")):
        assert story.problems() == [(f"{ID} version 1", "its document was altered")]
    with story.without("document", [document]):
        assert story.problems() == [(f"{ID} version 1", "its document is missing")]
    story.assert_whole()


def test_an_altered_or_missing_framework_is_named(story: Tamperer) -> None:
    [framework] = story.rows("framework", id="industry-credit")
    lenient = json.loads(json.dumps(framework["body"]).replace('"threshold": 2', '"threshold": 1'))
    assert lenient != framework["body"]
    with story.altered("framework", framework, body=lenient):
        assert story.problems() == [(f"{ID} framework industry-credit", "its framework is altered")]
    with story.without("framework", [framework]):
        assert story.problems() == [(f"{ID} framework industry-credit", "its framework is missing")]
    story.assert_whole()


def test_only_the_damaged_case_is_named_among_several(story: Tamperer) -> None:
    row = story.rows("ledger", case_id=ID, position=30)[0]
    with story.altered("ledger", row, actor="someone.else@example.edu"):
        result = verify_all(story.database)
        assert [(p.where, p.problem) for p in result.problems][:1] == [
            (f"{ID}#30", "its actor was altered; it was " + row["actor"])
        ]
        assert {problem.where.split("#")[0].split(" ")[0] for problem in result.problems} == {ID}
        assert verify_case(story.database, "mc-other").ok and verify_case(story.database, "mc-before").ok


def test_a_case_that_is_gone_leaves_rows_that_are_found(story: Tamperer) -> None:
    [case] = story.rows("case_record", case_id=ID)
    with story.without("case_record", [case]):
        assert (ID, "rows without a case") in story.problems()
        assert not verify_all(story.database).ok
    story.assert_whole()


def test_an_unknown_case_is_not_whole_but_unknown(story: Tamperer) -> None:
    with pytest.raises(NotFound) as refused:
        verify_case(story.database, "mc-unknown")
    assert refused.value.code == "case_unknown"


SPOILT = [
    ("at", "'yesterday'", 30),
    ("at", "'2026-04-16 09:03:00'", 30),
    ("data", "'{not json'", 30),
    ("data", "'[1, 2]'", 31),
    ("data", "'{\"round\": 1e999}'", 31),
    ("data", "'{\"decision_id\": []}'", 31),
    ("data", "'{\"version\": {}}'", 2),
    ("type", "x'00ff'", 30),
    ("position", "'thirty'", 30),
]


@pytest.mark.parametrize(("column", "value", "position"), SPOILT)
def test_values_that_no_column_should_hold_are_found_and_not_fatal(
    story: Tamperer, column: str, value: str, position: int
) -> None:
    if not story.database.is_sqlite:
        assert story.verified().ok, "PostgreSQL does not take such values"
        return
    with story.spoilt(f"UPDATE ledger SET {column} = {value} WHERE case_id = :case AND position = {position}", case=ID):
        named = "thirty" if column == "position" else position
        assert f"{ID}#{named}" in [where for where, _ in story.problems()]
        assert verify_case(story.database, "mc-other").ok
    story.assert_whole()


def test_the_ledger_does_not_depend_on_the_kind_of_database(
    sqlite_database: Database, postgres_database: Database, tmp_path: Path
) -> None:
    chains = []
    for database in (sqlite_database, postgres_database):
        furnish(database)
        whole_story(database, tmp_path)
        chains.append([row["digest"] for row in ledger_rows(database, ID)])
    assert chains[0] == chains[1]
    assert len(chains[0]) == LAST


def test_canonical_data_may_be_written_in_another_order(story: Tamperer) -> None:
    row = story.rows("ledger", case_id=ID, position=5)[0]
    assert len(row["data"]) > 1
    with story.altered("ledger", row, data=dict(reversed(row["data"].items()))):
        story.assert_whole()
