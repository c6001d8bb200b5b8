"""What a new version changed, field by field and word by word."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imprimatur.rules.completeness import changed_fields
from imprimatur.rules.delta import CONTEXT_WORDS, Piece, delta, word_changes
from models.proposal import Proposal
from tests.facts import example

BEFORE, AFTER = example("industry-credit"), example("industry-credit.revised")
WORDS = st.lists(st.sampled_from(["a", "b", "learn", "Ethik", "研究", "x\u00a0y"]), max_size=30).map(" ".join)


@given(WORDS, WORDS)
@settings(max_examples=300, deadline=None)
def test_the_pieces_make_up_both_texts(old: str, new: str) -> None:
    pieces = list(word_changes(old, new))
    for text, gone in ((old, "added"), (new, "removed")):
        assert " ".join(piece.text for piece in pieces if piece.part != gone).split() == text.split()
    assert all(piece.text for piece in pieces)
    assert (old.split() == new.split()) == all(piece.part == "same" for piece in pieces)


def one(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, list[str]]:
    """The one field that differs, and its changes as one would write them on paper."""
    [found] = delta(Proposal.model_validate(old), Proposal.model_validate(new))
    marks = {"same": "{}", "removed": "[-{}-]", "added": "[+{}+]"}
    return found.field, [" ".join(marks[piece.part].format(piece.text) for piece in entry) for entry in found.entries]


OUTCOMES = "learning_outcomes"


@pytest.mark.parametrize(
    ("old", "new", "field", "entries"),
    [
        ({}, {"title": "A course"}, "title", ["[+A course+]"]),
        ({"title": "A course"}, {}, "title", ["[-A course-]"]),
        ({"title": "A long course"}, {"title": "A short course"}, "title", ["A [-long-] [+short+] course"]),
        ({"workload": {"hours": 10}}, {"workload": {"hours": 12.5}}, "workload.hours", ["[-10-] [+12.5+]"]),
        ({}, {"workload": {"hours": 10, "credits": 1}}, "workload", ["[+hours 10, credits 1+]"]),
        ({OUTCOMES: ["a b", "c"]}, {OUTCOMES: ["a d", "c"]}, OUTCOMES, ["a [-b-] [+d+]"]),
        ({OUTCOMES: ["a"]}, {OUTCOMES: ["a", "b"]}, OUTCOMES, ["[+b+]"]),
        ({OUTCOMES: ["a", "b"]}, {OUTCOMES: ["b"]}, OUTCOMES, ["[-a-]"]),
        ({OUTCOMES: ["a", "b"]}, {OUTCOMES: ["c"]}, OUTCOMES, ["[-a-] [+c+]", "[-b-]"]),
        ({}, {"partners": [{"organisation": "Acme", "lead": True}]}, "partners", ["[+organisation Acme, lead yes+]"]),
        (
            {"stackability": {"stackable": True}},
            {"stackability": {"stackable": False}},
            "stackability.stackable",
            ["[-yes-] [+no+]"],
        ),
        (
            {"delivery": {"starts_on": "2026-09-01"}},
            {"delivery": {"starts_on": "2026-10-01"}},
            "delivery.starts_on",
            ["[-2026-09-01-] [+2026-10-01+]"],
        ),
        (
            {},
            {"stackability": {"stackable": True, "towards": ["A", "B"]}},
            "stackability",
            ["[+stackable yes, towards A; B+]"],
        ),
        ({"mode": "online"}, {"mode": "blended"}, "mode", ["[-online-] [+blended+]"]),
    ],
)
def test_each_kind_of_field_is_told_as_people_read_it(
    old: dict[str, Any], new: dict[str, Any], field: str, entries: list[str]
) -> None:
    assert one(old, new) == (field, entries)


def test_every_field_that_differs_is_told_in_the_order_of_the_document() -> None:
    assert [change.field for change in delta(BEFORE, AFTER)] == changed_fields(BEFORE, AFTER)
    assert delta(BEFORE, BEFORE) == ()


@pytest.mark.parametrize("part", ["same", "removed", "added"])
def test_only_what_stayed_is_shortened(part: Any) -> None:
    words = [str(number) for number in range(2 * CONTEXT_WORDS + 1)]
    short = Piece(part, " ".join(words)).short
    assert (short == " ".join(words)) == (part != "same")
    assert short.startswith("0 1") and short.endswith(words[-1])
    assert Piece(part, " ".join(words[1:])).short == " ".join(words[1:])


def test_reordered_entries_are_told_as_gone_and_come() -> None:
    _, entries = one({OUTCOMES: ["a", "b"]}, {OUTCOMES: ["b", "a"]})
    assert sorted(entry[1] for entry in entries) == ["+", "-"]
