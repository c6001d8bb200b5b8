"""Files of many proposals: what a line says, and what is wrong with it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.delimited import read_rows
from imprimatur.errors import DocumentInvalid, InputError
from imprimatur.frameworks.fields import is_proposal_field
from imprimatur.records import ALIASES, NOT_PART_OF_A_PROPOSAL, Record, proposal_of, read_records
from imprimatur.rules.completeness import changed_fields
from models.proposal import Proposal
from tests.facts import example

RECORD = {
    "id": "ee-1",
    "title": "Pêche 字",
    "provider": "EBS",
    "country": "EE",
    "language": "et",
    "field": "IT",
    "ects": 15,
    "hours": 390,
    "summary": "Learn to fish.",
    "outcomes": ["Casts a net.", "Mends it."],
    "start": "2026-10-17",
    "registration_deadline": None,
    "url": "https://example.org/a",
    "source": "catalogue",
}


def records(folder: Path, content: str | bytes, name: str = "records.jsonl") -> list[Record]:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_records(file)


def told(found: list[Record]) -> list[tuple[int, str, str]]:
    return [(record.line, problem.where, problem.problem) for record in found for problem in record.problems]


def wrong(record: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(DocumentInvalid) as caught:
        proposal_of(record)
    assert caught.value.code == "proposal_invalid"
    return [(problem.where, problem.problem) for problem in caught.value.problems]


# --- JSON Lines -------------------------------------------------------------------------------------------------


def test_every_line_is_a_record_with_its_number(tmp_path: Path) -> None:
    content = "\n".join([json.dumps(RECORD), "", "  ", json.dumps(RECORD | {"id": "ee-2"}), ""])
    found = records(tmp_path, content)
    assert [(record.line, record.key) for record in found] == [(1, "ee-1"), (4, "ee-2")]
    assert found[0].data == RECORD
    assert told(found) == []


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["records.jsonl", "records.ndjson", "RECORDS.JSONL"])
def test_line_ends_and_names_of_all_programs_are_read(tmp_path: Path, newline: str, name: str) -> None:
    content = "\ufeff" + newline.join([json.dumps(RECORD)] * 2) + newline
    assert [record.line for record in records(tmp_path, content, name)] == [1, 2]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85"])
def test_other_marks_of_a_new_line_end_no_record(tmp_path: Path, mark: str) -> None:
    [record] = records(tmp_path, f'{{"id": "1", "summary": "one{mark}two"}}')
    assert record.data["summary"] == f"one{mark}two"


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1e"])
def test_a_control_character_is_told_once_on_its_line(tmp_path: Path, mark: str) -> None:
    [(line, _, problem)] = told(records(tmp_path, f'{{"id": "1"}}\n{{"id": "2", "summary": "one{mark}two"}}'))
    assert line == 2
    assert problem.startswith("not valid JSON: Invalid control character")


@pytest.mark.parametrize(
    ("line", "where", "problem"),
    [
        ("{", "", "not valid JSON: Expecting property name enclosed in double quotes, column 2"),
        ("[1]", "", "is not a JSON object"),
        ('"x"', "", "is not a JSON object"),
        ("null", "", "is not a JSON object"),
        ('{"hours": NaN}', "", "NaN is not a number"),
        ('{"hours": 1e999}', "", "a number is too large"),
        (f'{{"hours": {"9" * 5000}}}', "", "a number has more than 18 digits"),
        ('{"title": "\\ud800"}', "", "half of a surrogate pair stands alone"),
        ('{"id": "\\ud800"}', "", "half of a surrogate pair stands alone"),
        ('{"title": "a", "title": "b"}', "title", "the key 'title' is given twice"),
        ('{"a": ' * 50 + "1" + "}" * 50, "", "nested too deeply"),
        ("[" * 100_000, "", "nested too deeply"),
    ],
)
def test_a_bad_line_is_told_and_blocks_no_other(tmp_path: Path, line: str, where: str, problem: str) -> None:
    good = json.dumps(RECORD)
    found = records(tmp_path, "\n".join([good, line, good]))
    assert told(found) == [(2, where, problem)]
    assert [record.key for record in found if not record.problems] == ["ee-1", "ee-1"]


def test_a_file_that_is_no_list_of_records_is_unusable(tmp_path: Path) -> None:
    for name in ("records.json", "records.yaml", "records", "records.xlsx"):
        with pytest.raises(InputError, match=r"is neither \.jsonl nor \.csv") as caught:
            records(tmp_path, "{}", name)
        assert caught.value.code == "import_format_unknown"
    for name in ("records.jsonl", "records.csv"):
        with pytest.raises(InputError) as caught:
            records(tmp_path, "é".encode("latin-1"), name)
        assert caught.value.code == "document_not_utf8"


@pytest.mark.parametrize("name", ["records.jsonl", "records.csv"])
def test_an_empty_file_holds_no_records(tmp_path: Path, name: str) -> None:
    assert records(tmp_path, "", name) == []


# --- CSV --------------------------------------------------------------------------------------------------------


def as_csv(rows: list[dict[str, Any]], **form: Any) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), **form)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "|".join(value) if isinstance(value, list) else value for name, value in row.items()})
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_csv_of_all_programs_says_what_json_lines_say(
    tmp_path: Path, delimiter: str, newline: str, quoting: Any
) -> None:
    row = RECORD | {"summary": f'Learn; to, "fish"{newline}and mend.\tWell.'}
    content = as_csv([row], delimiter=delimiter, lineterminator=newline, quoting=quoting)
    [record] = records(tmp_path, "\ufeff" + content, "records.csv")
    proposal = proposal_of(record.data)
    expected = proposal_of(RECORD | {"summary": 'Learn; to, "fish"\nand mend.\tWell.'})
    assert changed_fields(proposal, expected) == []
    assert record.key == "ee-1"


def test_a_row_is_known_by_the_line_on_which_it_begins(tmp_path: Path) -> None:
    found = records(tmp_path, 'id,summary\na,"one\n\ntwo"\n\nb,three\n', "records.csv")
    assert [(record.line, record.key) for record in found] == [(2, "a"), (6, "b")]
    assert found[0].data["summary"] == "one\n\ntwo"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('a,"one', "is not readable as CSV: a quote is not closed, or stands where none may"),
        ('a,"one" two', "is not readable as CSV: a quote is not closed, or stands where none may"),
        (f"a,{'x' * 200_000}", "is not readable as CSV: a quote is not closed, or stands where none may"),
        ("a,b,c", "has 3 cells for 2 columns"),
    ],
)
def test_a_bad_row_is_told_and_blocks_no_other(tmp_path: Path, row: str, problem: str) -> None:
    found = records(tmp_path, "\n".join(["id,summary", "x,y", row, "z"]), "records.csv")
    assert told(found) == [(3, "", problem)]
    assert [(record.key, record.data) for record in found if not record.problems] == [
        ("x", {"id": "x", "summary": "y"}),
        ("z", {"id": "z"}),
    ]


def test_lists_of_texts_are_split_and_empty_cells_say_nothing(tmp_path: Path) -> None:
    heading = "Title,outcomes,assessment.types,stackability.stackable,stackability.towards,hours,"
    [record] = records(tmp_path, f"{heading}\nx, a | b||c ,testing,yes,Diploma|Degree,,\n", "records.csv")
    proposal = proposal_of(record.data)
    assert proposal.learning_outcomes == ("a", "b", "c")
    assert proposal.assessment is not None
    assert proposal.assessment.types == ("testing",)
    assert proposal.stackability is not None
    assert (proposal.stackability.stackable, proposal.stackability.towards) == (True, ("Diploma", "Degree"))
    assert proposal.workload is None


def test_a_column_that_stands_twice_makes_the_file_unusable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="more than one column named outcomes") as caught:
        records(tmp_path, "title,outcomes,outcomes\nx,a,b\n", "records.csv")
    assert caught.value.code == "import_columns_repeated"


cells = st.text(st.sampled_from('ab,;|"\n é'), max_size=8)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5))
def test_what_the_standard_library_writes_is_read(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["one", "two"], *rows])
    names, found = read_rows(out.getvalue(), 200)
    assert names == ["one", "two"]
    read = [[cell.strip() for cell in row.cells or []] for row in found]
    said = [[cell.strip() for cell in row] for row in rows]
    # A row of spaces says nothing.
    assert read == [row for row in said if any(row)]


@given(st.text(st.sampled_from('ab,;"\n\r\x00 é|'), max_size=80))
@settings(max_examples=300)
def test_any_text_is_rows_in_the_order_of_their_lines(text: str) -> None:
    _, rows = read_rows(text, 5)
    lines = [row.line for row in rows]
    assert lines == sorted(set(lines))


# --- what a record says -----------------------------------------------------------------------------------------


def test_columns_of_catalogues_become_fields() -> None:
    proposal = proposal_of(RECORD)
    assert proposal == Proposal.model_validate(
        {
            "title": "Pêche 字",
            "provider": "EBS",
            "country": "EE",
            "language": "et",
            "field_of_study": "IT",
            "workload": {"credits": 15, "hours": 390, "credit_system": "ects"},
            "summary": "Learn to fish.",
            "learning_outcomes": ["Casts a net.", "Mends it."],
            "delivery": {"starts_on": "2026-10-17"},
            "source_url": "https://example.org/a",
        }
    )


def test_a_whole_proposal_is_a_record_too() -> None:
    whole = example("industry-credit")
    assert proposal_of(whole.model_dump(mode="json")) == whole


@pytest.mark.parametrize(
    ("record", "system"),
    [
        ({"ects": 3}, "ects"),
        ({"ects": 3, "workload.credit_system": "uk"}, "uk"),
        ({"workload": {"credits": 3}}, None),
        ({"ects": None, "workload": {"credits": 3}}, None),
        ({"ects": "", "workload.credits": 3}, None),
    ],
)
def test_credits_are_ects_only_where_the_column_says_so(record: dict[str, Any], system: str | None) -> None:
    proposal = proposal_of(record)
    assert proposal.workload is not None
    assert (proposal.workload.credits, proposal.workload.credit_system) == (3, system)


@pytest.mark.parametrize(
    ("record", "problems"),
    [
        ({"titel": "x"}, [("titel", "there is no key 'titel' here; did you mean 'title'?")]),
        ({"": "x"}, [("", "there is no key '' here")]),
        ({"workload.minutes": 3}, [("workload.minutes", "there is no key 'minutes' here")]),
        ({"hours": "many"}, [("workload.hours", "'many' is not a number")]),
        ({"ects": 0}, [("workload.credits", "0 is too small")]),
        ({"hours": True}, [("workload.hours", "true is not a number")]),
        ({"start": "soon"}, [("delivery.starts_on", "'soon' is not a date such as \"2026-12-24\"")]),
        ({"outcomes": "one"}, [("learning_outcomes", "'one' is not a list")]),
        ({"workload": 5}, [("workload", "5 is not a mapping of keys to values")]),
        ({"title": 5, "mode": "afar"}, [("title", "5 is a number here"), ("mode", "'afar' is not allowed here")]),
    ],
)  # fmt: skip
def test_everything_wrong_with_a_record_is_told(record: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert wrong(record) == problems


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"field": "IT", "field_of_study": "Law"}, "field_of_study"),
        ({"workload.hours": 5, "hours": 5}, "workload.hours"),
        ({"hours": 5, "workload": {"credits": 3}}, "workload"),
        ({"workload": {"credits": 3}, "hours": 5}, "workload.hours"),
    ],
)
def test_what_two_columns_say_is_not_guessed(record: dict[str, Any], field: str) -> None:
    one, other = record
    assert wrong(record) == [(field, f"is said twice, by the columns {one!r} and {other!r}")]


def test_aliases_lead_to_fields_and_hide_none() -> None:
    assert all(is_proposal_field(path) for path in ALIASES.values())
    assert not any(is_proposal_field(name) for name in [*ALIASES, *NOT_PART_OF_A_PROPOSAL])


names = st.sampled_from([*RECORD, *Proposal.model_fields, "workload.hours", "workload.x", ".", "a.b.c", ""])
numbers = st.integers(-5, 5) | st.floats()
values = (
    st.none()
    | st.booleans()
    | numbers
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3))
    | st.dictionaries(st.sampled_from(["hours", "credits", "x"]), numbers)
)


@given(st.dictionaries(names, values, max_size=6))
@settings(max_examples=300)
def test_any_record_ends_in_a_proposal_or_in_problems(record: dict[str, Any]) -> None:
    try:
        proposal_of(record)
    except DocumentInvalid as error:
        assert error.problems
