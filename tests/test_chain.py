"""The chain of ledger rows, pure: whatever is done to a row, it is found and named at its place."""

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.history.chain import ROWS_EXPLAINED, Row, check_chain
from imprimatur.rules.ledger import GENESIS, event_digest, instant_text
from models.vocabulary import EventType

CASE = "mc-chain"
START = dt.datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=dt.UTC)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def chain(number: int) -> list[Row]:
    rows: list[Row] = []
    for position in range(1, number + 1):
        row: Row = {
            "position": position,
            "at": START + dt.timedelta(minutes=position),
            "type": str(list(EventType)[position % len(EventType)]),
            "actor": f"person{position % 3}@example.edu",
            "data": {"stage": "quality", "round": position, "comment": "研究倫理 🎓"},
            "previous": rows[-1]["digest"] if rows else GENESIS,
        }
        rows.append(row | {"digest": event_digest(CASE, **_content(row))})
    return rows


def _content(row: Row) -> dict[str, Any]:
    content = {name: row[name] for name in ("position", "at", "actor", "data", "previous")}
    return content | {"type_": row["type"]}


def found(rows: list[Row], head: str | None = None) -> list[tuple[str, str]]:
    return [(problem.where, problem.problem) for problem in check_chain(CASE, rows, head)]


ROWS = chain(12)
HEAD = ROWS[-1]["digest"]


def test_an_untouched_chain_is_whole() -> None:
    assert found(ROWS, HEAD) == found([], None) == []


def test_a_digest_is_the_same_for_the_same_instant_in_any_zone() -> None:
    row = ROWS[3]
    elsewhere = row["at"].astimezone(dt.timezone(dt.timedelta(hours=13)))
    assert found([*ROWS[:3], row | {"at": elsewhere}, *ROWS[4:]], HEAD) == []
    assert instant_text(elsewhere) == instant_text(row["at"]) == "2026-03-02T09:04:00.123456Z"


CHANGES: dict[str, Any] = {
    "position": 7777,
    "at": START + dt.timedelta(days=400),
    "type": "case_submitted",
    "actor": "someone.else@example.edu",
    "data": {"stage": "quality", "round": 4, "comment": "I agree"},
    "previous": "f" * 64,
    "digest": "0" * 64,
}


@pytest.mark.parametrize("index", range(len(ROWS)))
@pytest.mark.parametrize("field", CHANGES)
def test_an_altered_field_is_named_at_its_row(index: int, field: str) -> None:
    rows = copy.deepcopy(ROWS)
    rows[index][field] = CHANGES[field]
    where, problem = found(rows, HEAD)[0]
    if field == "position":
        # Rows come by position: what was changed may stand elsewhere, and is missing where it stood.
        rows.sort(key=lambda row: row["position"])
        assert any("7777" in place for place, _ in found(rows, HEAD))
        return
    assert where == f"{CASE}#{index + 1}"
    assert {"at": "instant"}.get(field, field) in problem


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("type", "case_returned", f"its type was altered; it was {ROWS[4]['type']}"),
        ("actor", "x@example.edu", "its actor was altered; it was person2@example.edu"),
        ("previous", "f" * 64, f"its previous was altered; it was {ROWS[3]['digest']}"),
        ("digest", "0" * 64, "its digest was altered"),
        (
            "data",
            {"comment": "I agree"},
            "its data or its instant was altered, or several of its fields: its content does not match its digest",
        ),
    ],
)
def test_what_was_altered_is_said_as_far_as_it_can_be_known(field: str, value: Any, told: str) -> None:
    rows = copy.deepcopy(ROWS)
    rows[4][field] = value
    assert found(rows, HEAD) == [(f"{CASE}#5", told)]


@given(st.integers(0, len(ROWS) - 1), st.sampled_from(["at", "type", "actor", "data", "previous", "digest"]), ANYTHING)
def test_no_altered_value_goes_unnoticed(index: int, field: str, value: Any) -> None:
    rows = copy.deepcopy(ROWS)
    if value == rows[index][field]:
        return
    rows[index][field] = value
    assert found(rows, HEAD)[0][0] == f"{CASE}#{index + 1}"


@given(st.integers(0, len(ROWS) - 1), st.sampled_from(["stage", "round", "comment", "new"]), ANYTHING)
def test_no_altered_fact_in_the_data_goes_unnoticed(index: int, name: str, value: Any) -> None:
    rows = copy.deepcopy(ROWS)
    before = copy.deepcopy(rows[index]["data"])
    rows[index]["data"][name] = value
    if rows[index]["data"] == before and type(value) is type(before.get(name)):
        return
    assert [where for where, _ in found(rows, HEAD)] == [f"{CASE}#{index + 1}"]


@given(st.data())
def test_rows_taken_out_are_told_with_their_numbers(data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(ROWS) - 2))
    last = data.draw(st.integers(first, len(ROWS) - 2))
    told = f"event {first + 1} is missing before it"
    if last > first:
        told = f"events {first + 1} to {last + 1} are missing before it"
    assert found(ROWS[:first] + ROWS[last + 1 :], HEAD) == [(f"{CASE}#{last + 2}", told)]


@given(st.permutations(ROWS))
def test_any_other_order_is_found(rows: list[Row]) -> None:
    problems = found(rows, rows[-1]["digest"])
    assert (problems == []) == (rows == ROWS)


@pytest.mark.parametrize("index", range(len(ROWS)))
def test_a_row_that_stands_twice_is_named(index: int) -> None:
    rows = [*ROWS[: index + 1], *ROWS[index:]]
    assert found(rows, HEAD) == [(f"{CASE}#{index + 1}", "it is out of order, or there twice")]


@pytest.mark.parametrize("index", range(len(ROWS) - 1))
def test_contents_that_changed_places_are_named_both(index: int) -> None:
    rows = copy.deepcopy(ROWS)
    one, two = rows[index], rows[index + 1]
    for field in ("at", "type", "actor", "data", "previous", "digest"):
        one[field], two[field] = two[field], one[field]
    assert {where for where, _ in found(rows, HEAD)} >= {f"{CASE}#{index + 1}", f"{CASE}#{index + 2}"}


@pytest.mark.parametrize("index", range(len(ROWS) - 1))
def test_a_chain_forged_anew_from_one_row_on_does_not_end_in_the_head(index: int) -> None:
    rows = copy.deepcopy(ROWS)
    rows[index]["actor"] = "someone.else@example.edu"
    for position in range(index, len(rows)):
        rows[position]["previous"] = rows[position - 1]["digest"] if position else GENESIS
        rows[position]["digest"] = event_digest(CASE, **_content(rows[position]))
    assert rows[-1]["digest"] != HEAD, "what is bound to the true head shows the forgery"
    assert found(rows, rows[-1]["digest"]) == [], "the chain alone cannot"


def test_another_cases_rows_are_not_taken_for_ones_own() -> None:
    assert len(check_chain("mc-other", ROWS, HEAD)) == len(ROWS)


def test_a_ledger_that_is_wrong_throughout_is_told_row_by_row() -> None:
    rows = chain(60)
    problems = check_chain("mc-other", rows, rows[-1]["digest"])
    assert [problem.where for problem in problems] == [f"mc-other#{n}" for n in range(1, 61)]
    assert {problem.problem for problem in problems[ROWS_EXPLAINED:]} == {"its content does not match its digest"}
