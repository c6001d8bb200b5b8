"""What people's documents may hold, what is refused, and on which line."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.errors import DocumentInvalid, ImprimaturError, InputError
from imprimatur.frameworks.documents import DEPTH_LIMIT, SIZE_LIMIT_BYTES, Document, parse, read_text, spelled
from imprimatur.frameworks.json_lines import JsonLines
from tests.policies import lines_when_indented

YAML, JSON = Path("policy.yaml"), Path("policy.json")


def refused(text: str, path: Path) -> DocumentInvalid:
    with pytest.raises(DocumentInvalid) as caught:
        parse(text, path)
    assert caught.value.code == "document_malformed"
    assert caught.value.problems[0].file == path.name
    return caught.value


def value_of(scalar: str) -> Any:
    return parse(f"key: {scalar}", YAML).data["key"]


# --- files ------------------------------------------------------------------------------------------------------


def test_a_text_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    for content in (b"id: caf\xc3\xa9", b"\xef\xbb\xbfid: caf\xc3\xa9"):
        file.write_bytes(content)
        assert read_text(file) == "id: café"


@pytest.mark.parametrize(
    "content", ["id: café".encode("latin-1"), "id: x".encode("utf-16"), b"\xed\xa0\x80", b"\xff", b"id: \xc3"]
)
def test_what_is_not_utf_8_is_refused_with_the_byte(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"policy\.yaml is not UTF-8 text \(byte \d+\)") as caught:
        read_text(file)
    assert (caught.value.code, caught.value.exit_status) == ("document_not_utf8", 2)


def test_a_file_of_50_megabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    class Sealed(PosixPath):
        def open(self, *arguments: Any, **options: Any) -> Any:
            raise AssertionError("it was opened")

    file = Sealed(tmp_path / "policy.yaml")
    file.touch()
    os.truncate(file, 50 * 1024 * 1024)
    with pytest.raises(InputError, match="has 52,428,800 bytes; at most 1,048,576 bytes are read") as caught:
        read_text(file)
    assert caught.value.code == "document_too_large"


@pytest.mark.parametrize(("size", "fits"), [(SIZE_LIMIT_BYTES, True), (SIZE_LIMIT_BYTES + 1, False)])
def test_the_limit_is_met_exactly(tmp_path: Path, size: int, fits: bool) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"#" * size)
    if fits:
        assert len(read_text(file)) == size
    else:
        with pytest.raises(InputError):
            read_text(file)


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Path]:
    """A pipe whose writer goes on for as long as anyone reads."""
    pipe = tmp_path / "policy.yaml"
    os.mkfifo(pipe)

    def write() -> None:
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as end:
            while True:
                end.write(b"#" * 65536)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield pipe
    writer.join(10)
    assert not writer.is_alive()


def test_an_input_without_an_end_is_not_read_to_the_end(endless: Path) -> None:
    with pytest.raises(InputError, match="does not end") as caught:
        read_text(endless)
    assert caught.value.code == "document_too_large"


def test_a_folder_or_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_text(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "missing.yaml")


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "---", "~"])
def test_an_empty_document_is_nothing(text: str) -> None:
    assert parse(text, YAML).data is None


# --- notation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "line", "said"),
    [
        (YAML, "id: x\nname: [a, b\nkind: c", 3, "expected"),
        (YAML, "id: x\nname: 'a", 2, "unexpected end"),
        (YAML, "id: x\n\tname: a", 2, "a tab character"),
        (YAML, "id: x\nname: a: b", 2, "mapping values are not allowed"),
        (YAML, "a: 1\n---\nb: 2", 2, "another document"),
        (YAML, "a: 1\n? [x]\n: 2", 2, "a key must be a word"),
        (YAML, "a: 1\n{b: c}: 2", 2, "mapping values are not allowed|a key must be a word"),
        (YAML, "a: 1\nb: \x07", 2, "control characters are not allowed"),
        (YAML, "a: 1\n\nb: \x00", 3, "control characters are not allowed"),
        (YAML, "a: 1\nb: \ud800", 2, "surrogate"),
        (YAML, 'a: 1\nb: "\\ud800"', 2, "invalid Unicode character escape"),
        (JSON, "", 1, "Expecting value"),
        (JSON, '{\n"a": }', 2, "Expecting value, column 6"),
        (JSON, '{"a": 1,\n}', 2, "Expecting property name"),
        (JSON, "{'a': 1}", 1, "double quotes"),
        (JSON, "{}\n{}", 2, "Extra data"),
        (JSON, "\ufeff{}", 1, "BOM"),
        (JSON, '{\n"a": "x\x00"}', 2, "Invalid control character"),
        (JSON, '{"a": 1,\n"b":\nNaN}', 3, "NaN is not a number"),
        (JSON, '{"a": 1,\n"b": -Infinity}', 2, "-Infinity is not a number"),
        (JSON, '{"a": [1,\n1e999]}', 2, "a number is too large"),
        (JSON, '{"a": 1,\n"b": 1234567890123456789}', 2, "more than 18 digits"),
        (JSON, f'{{"a": 1,\n"b": {"9" * 10_000}}}', 2, "more than 18 digits"),
        (JSON, '{"a": 1,\n"b": "\\ud83d"}', 2, "half of a surrogate pair"),
        (JSON, '{"a": 1,\n"\\udc00": 1}', 2, "half of a surrogate pair"),
        (JSON, '{"a": 1,\n"b": "\ud800"}', 2, "half of a surrogate pair"),
    ],
)
def test_a_broken_notation_is_reported_with_its_line(path: Path, text: str, line: int, said: str) -> None:
    error = refused(text, path)
    assert error.problems[0].line == line
    assert error.message.startswith(f"{path.name}, line {line}: ")
    with pytest.raises(DocumentInvalid, match=said):
        raise error


@pytest.mark.parametrize(("path", "text"), [(YAML, "a: 1\nb: 2\n\na: 3"), (JSON, '{"a": 1,\n"b": 2,\n\n"a": 3}')])
def test_a_key_given_twice_is_a_problem_at_its_second_place(path: Path, text: str) -> None:
    [problem] = parse(text, path).problems
    assert (problem.code, problem.where, problem.line) == ("duplicate_key", "a", 4)


@pytest.mark.parametrize(
    ("path", "text"),
    [(YAML, "a:\n- b: 1\n  c: 2\n  b: 3"), (JSON, '{"a": [{\n"b": 1,\n"c": 2,\n"b": 3}]}')],
)
def test_repeated_keys_are_found_at_any_depth(path: Path, text: str) -> None:
    [problem] = parse(text, path).problems
    assert (problem.where, problem.line) == ("a[0].b", 4)


def test_different_spellings_of_one_key_are_one_key() -> None:
    [problem] = parse('{"a": 1, "\\u0061": 2}', JSON).problems
    assert problem.where == "a"


@pytest.mark.parametrize(
    "text", ["a: &x 1\nb: *x", "a: &x [1]\nb: *x", "a: &x {b: *x}", "&k a: 1\nb: *k", "a: 1\n? &k b\n: *k"]
)
def test_aliases_are_refused(text: str) -> None:
    assert "aliases" in refused(text, YAML).message


def test_a_bomb_of_aliases_is_refused_and_not_unfolded() -> None:
    layers = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert "aliases" in refused("\n".join(["l0: &l0 [x]", *layers]), YAML).message


@pytest.mark.parametrize(
    "text",
    [
        "a: !foo x",
        "a: !foo {b: 1}",
        "a: !foo [b]",
        "!foo a: 1",
        "a: !!python/name:os.system x",
        "a: !!python/object:os.system {}",
        "a: !!python/object/apply:os.system [ls]",
        "a: !!binary aGk=",
        "a: !!set {x, y}",
        "a: !!omap [x: 1]",
    ],
)
def test_tags_are_refused(text: str) -> None:
    assert "the tag " in refused(text, YAML).message


@pytest.mark.parametrize("spell", ["[{0}]", '{{"a": {0}}}'])
@pytest.mark.parametrize("path", [YAML, JSON])
def test_depth_has_a_limit(path: Path, spell: str) -> None:
    def nested(depth: int) -> str:
        text = "1"
        for _ in range(depth):
            text = spell.format(text)
        return text

    assert parse(nested(DEPTH_LIMIT), path).data
    assert "nested too deeply" in refused(nested(DEPTH_LIMIT + 1), path).message


@pytest.mark.parametrize("path", [YAML, JSON])
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "- " * 100_000, "[" * 100_000 + "]" * 100_000])
def test_no_depth_ends_the_process(path: Path, text: str) -> None:
    assert refused(text, path).problems[0].code == "malformed"


# --- YAML's traps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("09:00", "09:00"),
        ("190:20:30", "190:20:30"),
        ("12:30:45.5", "12:30:45.5"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01 09:00:00", "2026-01-01 09:00:00"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("<<", "<<"),
        ("10", 10),
        ("-7", -7),
        ("0", 0),
        ("1.50", 1.5),
        ("1.0e+3", 1000.0),
        ("1.0e+999", "1.0e+999"),
        ("123456789012345678", 123456789012345678),
        ("-123456789012345678", -123456789012345678),
        ("1234567890123456789", "1234567890123456789"),
        ("~", None),
        ("", None),
        ("null", None),
        ('"10"', "10"),
        ("'true'", "true"),
        ("|\n  one\n  two", "one\ntwo"),
        ('"\\0"', "\0"),
    ],
)
def test_yaml_says_what_its_writer_meant(written: str, meant: Any) -> None:
    found = value_of(written)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("key", ["no", "on", "010", "1", "true", "null", "2026-01-01", "<<"])
def test_a_key_is_always_a_word(key: str) -> None:
    assert parse(f"{key}: x", YAML).data == {key: "x"}


def test_json_has_18_digits_with_and_without_a_sign() -> None:
    assert parse("[123456789012345678, -123456789012345678]", JSON).data == [123456789012345678, -123456789012345678]


def test_any_file_that_is_not_named_json_is_yaml() -> None:
    assert parse("a: [1]", Path("policy.txt")).data == {"a": [1]}
    assert parse('{"a": [1]}', Path("POLICY.JSON")).data == {"a": [1]}


# --- lines ------------------------------------------------------------------------------------------------------


def test_yaml_values_have_their_lines() -> None:
    document = parse("# first\nstages:\n  - id: a\n    needs: [x,\n      y]\n\n  - id: b\n", YAML)
    places = [("stages",), ("stages", 0), ("stages", 0, "needs", 1), ("stages", 1, "id")]
    assert [document.line_of(place) for place in places] == [2, 3, 5, 7]
    assert document.line_of(("stages", 1, "needs", 4)) == 7, "what is not there stands where it should"
    assert Document(None).line_of(("a",)) is None


def test_a_place_is_spelled_as_people_write_it() -> None:
    assert spelled(("stages", 1, "voting", "quorum")) == "stages[1].voting.quorum"
    assert spelled(()) == ""


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False).filter(lambda number: abs(number) != float("inf"))
)
values = st.recursive(
    scalars | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=25,
)


@given(values, st.integers(0, 4), st.booleans())
@settings(deadline=None)
def test_every_json_value_has_its_line(value: Any, indent: int, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    walked = JsonLines(text, 100)
    assert walked.lines == lines_when_indented(value)
    assert walked.repeated == []


@given(values, st.integers(0, 3), st.sampled_from(["", "\n", " \n\t", "\r\n"]))
@settings(deadline=None)
def test_json_is_read_as_the_standard_library_reads_it(value: Any, indent: int, around: str) -> None:
    assert parse(around + json.dumps(value, indent=indent) + around, JSON).data == value


yaml_pieces = st.sampled_from(
    ["a", "b: ", "- ", "? ", ": ", "\n", "  ", "[", "]", "{", "}", ",", "&x ", "*x", "!t ", "!!int ", "'", '"', "|",
     ">", "#", "%", "---", "...", "\t", "<<", "0x1", "1e9", "~", "\\ud800", "\x00", "\x85", "\u2028", "\ufeff"]
)  # fmt: skip
any_text = st.text() | st.text(st.characters(codec=None)) | st.lists(yaml_pieces, max_size=25).map("".join)


@given(any_text, st.sampled_from([YAML, JSON]))
@settings(max_examples=500, deadline=None)
def test_no_text_ends_in_anything_but_an_error_for_people(text: str, path: Path) -> None:
    try:
        document = parse(text, path)
    except ImprimaturError as error:
        assert error.code == "document_malformed"
        assert "\n" not in error.message
    else:
        assert document.data is None or document.line_of(()) is not None
