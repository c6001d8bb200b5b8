"""A history that leaves the house: as JSON that proves itself, as CSV that no spreadsheet runs, as of an instant."""

import copy
import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from imprimatur.errors import InputError, NotFound, Refused
from imprimatur.history.export import LedgerEvent, as_csv, as_json_document, history
from imprimatur.history.verify import Verification, verify_export
from imprimatur.store.engine import Database
from models.vocabulary import EventType, Verdict
from tests.facts import LEDGER, START, Play, example, furnish, whole_story

ID = "mc-abcdefghijkl"
DAY = dt.timedelta(days=1)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
quickly = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def document(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("export")
    file = folder / "imprimatur.db"
    file.write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{file}")
    furnish(database)
    whole_story(database, folder)
    exported = as_json_document(database, ID)
    database.close()
    return exported


def verified(folder: Path, document: Any) -> Verification:
    text = document if isinstance(document, str) else json.dumps(document)
    file = folder / "evidence.json"
    file.write_text(text, encoding="utf-8")
    return verify_export(file)


def places(folder: Path, document: Any) -> list[tuple[str, str]]:
    return [(problem.where, problem.problem) for problem in verified(folder, document).problems]


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to everything in a document, its objects and lists included."""
    if path:
        yield path
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(value, (*path, key))


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def test_an_export_proves_itself(database: Database, tmp_path: Path) -> None:
    furnish(database)
    whole_story(database, tmp_path)
    exported = as_json_document(database, ID)
    result = verified(tmp_path, exported)
    assert (result.ok, result.cases, result.events) == (True, 1, 62)
    assert result.head == exported["head"] == history(database, ID)[-1].digest
    assert exported["case"]["status"] == "published"
    assert exported["framework"] == {
        "id": "industry-credit", "version": "1.1", "digest": Play(database, tmp_path).framework.digest,
    }  # fmt: skip


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_an_export_may_be_laid_out_anew(document: dict[str, Any], tmp_path: Path, indent: int | None) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=indent == 1, sort_keys=indent == 4)
    assert verified(tmp_path, text).ok


@quickly
@given(data=st.data())
def test_any_other_value_in_an_export_is_found(document: dict[str, Any], tmp_path: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in leaves(document) if path != ("as_of",)]))
    altered = copy.deepcopy(document)
    at(altered, path[:-1])[path[-1]] = data.draw(JSON_VALUES)
    assume(json.dumps(altered) != json.dumps(document))
    assert_found(tmp_path, altered)


@quickly
@given(data=st.data())
def test_anything_more_or_less_in_an_export_is_found(
    document: dict[str, Any], tmp_path: Path, data: st.DataObject
) -> None:
    altered = copy.deepcopy(document)
    path = data.draw(st.sampled_from([(), *(p for p in leaves(document) if isinstance(at(document, p), dict | list))]))
    node = at(altered, path)
    if isinstance(node, list):
        node.insert(data.draw(st.integers(0, len(node))), data.draw(JSON_VALUES))
    elif node and data.draw(st.booleans()):
        gone = data.draw(st.sampled_from(sorted(node)))
        assume(path != () or gone != "as_of")
        del node[gone]
    else:
        name = data.draw(st.text(max_size=4))
        assume(name not in node)
        node[name] = data.draw(JSON_VALUES)
    assert_found(tmp_path, altered)


@quickly
@given(data=st.data())
def test_any_altered_character_of_meaning_is_found(
    document: dict[str, Any], tmp_path: Path, data: st.DataObject
) -> None:
    text = json.dumps(document, ensure_ascii=False)
    index = data.draw(st.integers(0, len(text) - 1))
    altered = text[:index] + data.draw(st.characters(codec="utf-8")) + text[index + 1 :]
    try:
        meaning = json.loads(altered)
    except ValueError:
        meaning = None
    if isinstance(meaning, dict) and json.dumps({**meaning, "as_of": None}) == json.dumps(document):
        return
    assert_found(tmp_path, altered)


def assert_found(folder: Path, document: Any) -> None:
    try:
        result = verified(folder, document)
    except InputError as error:
        assert error.code in {"evidence_unreadable", "evidence_format_unknown", "file_unreadable"}, error.code
    else:
        assert not result.ok and result.problems


def test_an_altered_event_is_named(document: dict[str, Any], tmp_path: Path) -> None:
    altered = copy.deepcopy(document)
    altered["events"][29]["data"]["comment"] = "I agree"
    assert [where for where, _ in places(tmp_path, altered)] == [f"{ID}#30"]


def test_events_left_out_are_told(document: dict[str, Any], tmp_path: Path) -> None:
    altered = copy.deepcopy(document)
    del altered["events"][10:13]
    assert (f"{ID}#14", "events 11 to 13 are missing before it") in places(tmp_path, altered)
    assert (ID, "its count is not what the events tell") in places(tmp_path, altered)


def test_events_cut_off_at_the_end_are_told(document: dict[str, Any], tmp_path: Path) -> None:
    altered = copy.deepcopy(document)
    del altered["events"][-2:]
    assert {problem for _, problem in places(tmp_path, altered)} == {
        f"its {name} is not what the events tell" for name in ("case", "count", "head")
    }


def test_an_event_of_another_case_is_told(document: dict[str, Any], tmp_path: Path) -> None:
    altered = copy.deepcopy(document)
    altered["events"][3]["case_id"] = "mc-other"
    assert places(tmp_path, altered) == [(f"{ID}#4", "it belongs to another case, mc-other")]


def test_what_an_export_does_not_say_is_told(document: dict[str, Any], tmp_path: Path) -> None:
    assert places(tmp_path, document | {"approved_by": "the president"}) == [
        (ID, "it says approved_by, which no export does")
    ]
    altered = copy.deepcopy(document)
    altered["events"][3]["note"] = "checked"
    assert places(tmp_path, altered) == [(f"{ID}#4", "it is not written as an export writes it")]


@pytest.mark.parametrize("as_of", ["2026-03-10T00:00:00.000000Z", "yesterday", 7, "2026-12-31", {}])
def test_an_as_of_that_the_events_belie_is_told(document: dict[str, Any], tmp_path: Path, as_of: Any) -> None:
    assert places(tmp_path, document | {"as_of": as_of}) == [
        (ID, "its as_of is not an instant after all of its events")
    ]


def test_a_name_that_stands_twice_makes_evidence_unreadable(document: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(document).replace('"case": {', '"case": {"status": "withdrawn", ', 1)
    with pytest.raises(InputError) as refused:
        verified(tmp_path, text)
    assert refused.value.code == "evidence_unreadable"


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"case_id": 1, "head": 2, "events": 3}', "[" * 100_000])
def test_what_is_no_export_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as refused:
        verified(tmp_path, text)
    assert refused.value.code == "evidence_unreadable"


def test_a_later_format_is_refused_with_what_to_do(document: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        verified(tmp_path, document | {"format": 2})
    assert (refused.value.code, refused.value.hint) == (
        "evidence_format_unknown",
        "Verify it with the version that exported it.",
    )


def test_as_of_an_instant_only_what_was_known_then_is_told(database: Database, tmp_path: Path) -> None:
    furnish(database)
    whole_story(database, tmp_path)
    then = dt.datetime(2026, 3, 16, 19, 30, tzinfo=dt.UTC)
    events = history(database, ID, then)
    assert events[-1].at == then and events[-1].type is EventType.TASK_ASSIGNED, "that very instant is included"
    assert len(history(database, ID, then - dt.timedelta(microseconds=1))) == len(events) - 3
    exported = as_json_document(database, ID, then.astimezone(dt.timezone(DAY / 2)))
    assert (exported["as_of"], exported["case"]["status"]) == ("2026-03-16T19:30:00.000000Z", "in_review")
    assert verified(tmp_path, exported).ok
    before = as_json_document(database, ID, START - DAY)
    assert (before["events"], before["count"], before["head"], before["case"]) == ([], 0, "", {})
    assert verified(tmp_path, before).ok


def test_the_history_of_an_unknown_case_is_refused(database: Database) -> None:
    with pytest.raises(NotFound) as refused:
        history(database, "mc-unknown")
    assert refused.value.code == "case_unknown"


def test_a_ledger_that_cannot_be_read_says_what_to_do(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    with sqlite_database.write() as connection:
        connection.execute(LEDGER.update().where(LEDGER.c.position == 2).values(type="something_else"))
    with pytest.raises(Refused) as refused:
        history(sqlite_database, play.case_id)
    assert refused.value.code == "ledger_unreadable" and play.case_id in refused.value.hint


def decided(comment: str, actor: str = "quinn@example.edu") -> LedgerEvent:
    data = {"stage": "quality", "round": 1, "verdict": "approve", "comment": comment, "scores": {}}
    return LedgerEvent(
        case_id=ID,
        position=1,
        at=START,
        type=EventType.DECISION_RECORDED,
        actor=actor,
        data=data,
        previous="",
        digest="",
    )


def test_a_csv_tells_every_event_on_one_line(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.REQUEST_CHANGES, 'two\nlines, "quoted"; and more')
    lines = as_csv(history(database, play.case_id)).splitlines()
    events = history(database, play.case_id)
    assert len(lines) == len(events) + 1
    rows = list(csv.DictReader(lines))
    assert [int(row["position"]) for row in rows] == [event.position for event in events]
    assert json.loads(rows[5]["data"]) == events[5].data
    assert rows[5]["story"].endswith('two lines, "quoted"; and more')


STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
SIGNS = st.text(alphabet=st.sampled_from("=+-@;,\"' \t\r\n\uff1da1"), max_size=12) | st.text(max_size=12)


@given(SIGNS, SIGNS, st.sampled_from([",", ";", "\t"]))
def test_no_cell_is_run_by_a_spreadsheet_whatever_parts_its_cells(comment: str, actor: str, delimiter: str) -> None:
    text = as_csv([decided(comment, actor)])
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        assert not [cell for cell in row if cell.startswith(STARTS)]


def test_a_harmless_text_is_written_as_it_is() -> None:
    [_, row] = csv.reader(as_csv([decided("a - b; c = d, 3+4")]).splitlines())
    assert row[4] == "Approved quality (round 1): a - b; c = d, 3+4"
