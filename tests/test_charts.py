"""Charts from numbers alone: drawn in proportion, told to those who hear them, and nothing where there is nothing."""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.web.charts import (
    DAY,
    HOUR,
    PERCENT,
    Bar,
    Range,
    Scale,
    Series,
    bars,
    lines,
    ranges,
    scale_of,
    time_scale,
    time_told,
)

ROOM = 45
Element = Any


def parsed(svg: str) -> Element:
    return ElementTree.fromstring(svg)


def rects(svg: str, class_: str) -> list[tuple[float, float]]:
    """Place and width, in per cent."""
    found = [element for element in parsed(svg).iter("rect") if element.get("class") == class_]
    return [(_percent(element.get("x")), _percent(element.get("width"))) for element in found]


def _percent(text: str | None) -> float:
    assert text is not None
    assert text.endswith("%")
    return float(text[:-1])


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in parsed(svg).iter("text")]


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (10, [0, 2, 4, 6, 8, 10]),
        (119, [0, 50, 100, 150]),
        (2500, [0, 500, 1000, 1500, 2000, 2500]),
    ],
)
def test_ticks_are_round_and_reach_the_top(top: float, ticks: list[float]) -> None:
    assert [value for value, _ in scale_of(top).ticks] == ticks


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_a_scale_has_few_ticks_and_room_for_everything(top: float) -> None:
    for scale in (scale_of(top), scale_of(top, whole=False), time_scale(top)):
        assert 2 <= len(scale.ticks) <= 7
        assert scale.top >= top * (1 - 1e-9)
        assert scale.ticks[0][0] == 0
        assert scale.ticks[-1][0] == pytest.approx(scale.top)
        assert len({told for _, told in scale.ticks}) == len(scale.ticks)


@pytest.mark.parametrize("top", [0, -1, float("nan"), float("inf")])
def test_of_nothing_there_is_a_scale_without_ticks(top: float) -> None:
    assert scale_of(top).ticks == ()
    assert scale_of(top).percent(5) == 0


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0, "0 min"), (90, "2 min"), (HOUR, "1.0 h"), (2 * DAY - 360, "15.9 h"), (2 * DAY, "2.0 days")],
)
def test_times_are_told_in_the_unit_that_fits(seconds: float | None, told: str) -> None:
    assert time_told(seconds) == told


def test_bars_stand_in_proportion_and_follow_each_other() -> None:
    rows = [Bar("One", "3", ((1, 1), (2, 5))), Bar("Other", "10", ((10, 1),))]
    svg = bars("b", "Bars", rows, scale_of(10))
    assert rects(svg, "s1") == [(0, 10), (0, 100)]
    assert rects(svg, "s5") == [(10, 20)]


def test_a_range_spans_its_quarters_and_reaches_its_ninetieth() -> None:
    svg = ranges("r", "Ranges", [Range("One", "", 10, 20, 40, 80)], Scale(100, ()))
    assert rects(svg, "s1") == [(10, 30)]
    ends = {element.get("class"): element.get("x2") for element in parsed(svg).iter("line")}
    assert ends == {"whisker": "80.00%", "median": "20.00%"}


def test_a_line_breaks_where_there_is_no_value() -> None:
    svg = lines("l", "Lines", ["a", "b", "c", "d"], [Series("One", (1, None, 2, 3), 1)], scale_of(3))
    assert len([element for element in parsed(svg).iter("line") if element.get("class") == "stroke s1"]) == 1
    assert len(list(parsed(svg).iter("circle"))) == 3


@pytest.mark.parametrize(
    "svg",
    [
        bars("b", "t", [], scale_of(3)),
        bars("b", "t", [Bar("One", "0", ((0, 1),))], scale_of(0)),
        ranges("r", "t", [], scale_of(1)),
        ranges("r", "t", [Range("One", "", 0, 0, 0, 0)], time_scale(0)),
        lines("l", "t", [], [], PERCENT),
        lines("l", "t", ["a"], [Series("One", (None,), 1)], PERCENT),
        lines("l", "t", ["a"], [Series("One", (0,), 1)], scale_of(0)),
    ],
)
def test_of_nothing_nothing_is_drawn(svg: str) -> None:
    assert svg == ""


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=60)
AMOUNTS = st.floats(0, 1e9)


@given(st.lists(st.tuples(WORDS, WORDS, st.lists(AMOUNTS, max_size=5)), min_size=1, max_size=8), WORDS)
def test_whatever_is_drawn_stays_inside_and_is_told(rows: Sequence[tuple[str, str, list[float]]], title: str) -> None:
    drawn = [
        Bar(label, "12 %", tuple((value, n) for n, value in enumerate(parts, 1)), heading)
        for label, heading, parts in rows
    ]
    svg = bars("name", title, drawn, scale_of(max(sum(parts) for _, _, parts in rows)))
    if not svg:
        return
    found = parsed(svg)
    assert found.get("role") == "img"
    assert found.get("aria-labelledby") == "name-t name-d"
    assert found.find("title").text == (title or None)
    assert all(label in found.find("desc").text for label, _, _ in rows if label.strip() == label)
    assert all(x >= 0 and x + width <= 100.02 for n in range(1, 6) for x, width in rects(svg, f"s{n}"))
    _assert_policy(svg)


def _assert_policy(svg: str) -> None:
    """The pages' policy allows neither styles nor scripts in place."""
    for element in parsed(svg).iter():
        assert not {"style", "href", "fill", "stroke"} & set(element.attrib)
        assert not any(name.startswith("on") for name in element.attrib)
        assert element.tag in {"svg", "title", "desc", "text", "rect", "line", "circle"}


def test_a_label_is_cut_where_a_narrow_screen_ends_and_told_whole() -> None:
    label = "Institute of Advanced and Interdisciplinary Micro-credentials"
    svg = bars("b", "Bars", [Bar(label, "95.8 % of 1,892", ((1, 1),))], scale_of(1))
    shown, value = texts(svg)[:2]
    assert shown.endswith("…")
    assert len(shown) + len(value) <= ROOM
    assert label in parsed(svg).find("desc").text


def test_text_is_escaped() -> None:
    svg = bars('"n', "<script>", [Bar("</text><script>", "&", ((1, 1),), "<b>")], scale_of(1))
    assert "<script" not in svg
    assert "<b>" in texts(svg)


def test_names_of_places_do_not_crowd() -> None:
    places = [f"M{number}" for number in range(120)]
    svg = lines("l", "Lines", places, [Series("One", tuple(map(float, range(120))), 1)], scale_of(120))
    assert len([text for text in texts(svg) if re.fullmatch(r"M\d+", text)]) <= 6
