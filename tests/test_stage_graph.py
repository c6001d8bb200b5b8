"""The drawing of a case's stages shows every stage once, right of all it needs, and says what the page says."""

import datetime as dt
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.frameworks.loader import institutions, shipped
from imprimatur.store.engine import Database
from imprimatur.store.reading import list_cases, show_case
from imprimatur.web.stage_graph import HEIGHT, LETTERS, WIDTH, Drawing, _lines, drawing
from models.calendars import BusinessDuration
from models.events import Extended
from models.framework import Framework
from tests.facts import Play, example, furnish, whole_story
from tests.web import Site

OFFICE = "omar.office@example.edu"
EVERY = {**shipped(), **institutions()}


def drawn(play: Play) -> Drawing:
    return drawing(play.framework, show_case(play.database, play.case_id), play.now)


def overlapping(found: Drawing) -> list[tuple[int, int]]:
    return [
        (one.x, one.y)
        for one, other in itertools.combinations(found.boxes, 2)
        if abs(one.x - other.x) < WIDTH and abs(one.y - other.y) < HEIGHT
    ]


@pytest.fixture
def play(sqlite_database: Database, tmp_path: Path) -> Play:
    furnish(sqlite_database)
    play = Play(sqlite_database, tmp_path)
    play.submit(example("industry-credit"))
    return play


@pytest.mark.parametrize("name", EVERY)
def test_no_stage_lies_over_another_and_all_lie_inside(play: Play, name: str) -> None:
    policy: Framework = EVERY[name]
    view = show_case(play.database, play.case_id)
    one = view.stages[0]
    stages = [one.model_copy(update={"stage": stage.id, "name": stage.name}) for stage in policy.stages]
    found = drawing(policy, view.model_copy(update={"stages": stages, "tasks": []}), play.now)
    assert len(found.boxes) == len(policy.stages)
    assert overlapping(found) == []
    assert all(0 <= box.x <= found.width - WIDTH and 0 <= box.y <= found.height - HEIGHT for box in found.boxes)
    for link in found.links:
        x, _, *_, to_x, _ = map(int, re.findall(r"-?\d+", link))
        assert x < to_x


def test_stages_that_run_side_by_side_stand_one_above_the_other(play: Play) -> None:
    play.decide("proposal", fit=4, no_duplication=3)
    by_name = {" ".join(box.lines): box for box in drawn(play).boxes}
    names = [stage.name for stage in play.framework.stages]
    check, quality, industry, publication = (by_name[name] for name in names)
    assert check.x < quality.x == industry.x < publication.x
    assert quality.y != industry.y
    assert (check.tone, quality.tone, publication.tone) == ("good", "open", "quiet")
    assert quality.waits.startswith("waits for 3, due ")


def test_what_is_late_and_what_is_done_is_seen(sqlite_database: Database, tmp_path: Path) -> None:
    furnish(sqlite_database)
    done = drawn(whole_story(sqlite_database, tmp_path))
    assert {box.tone for box in done.boxes} == {"good"}
    late = Play(sqlite_database, tmp_path, case_id="mc-late")
    late.submit(example("industry-credit"))
    late.pass_time(late.now.replace(year=late.now.year + 1) - late.now)
    assert drawn(late).boxes[0].tone == "late"
    assert ": Late, waits for " in drawn(late).text
    assert [case.case_id for case in list_cases(sqlite_database, overdue_at=late.now)] == ["mc-late"]


def test_a_stage_whose_time_has_passed_is_late_before_that_is_noted(play: Play) -> None:
    due_at = play.state.stages[play.framework.stages[0].id].due_at
    assert due_at is not None
    view = show_case(play.database, play.case_id)
    by_then = [drawing(play.framework, view, due_at + by).boxes[0].tone for by in (dt.timedelta(), dt.timedelta(0, 1))]
    assert by_then == ["open", "late"]


def test_what_got_more_time_is_late_no_more_until_that_has_passed(play: Play) -> None:
    late, more = play.now + dt.timedelta(days=365), BusinessDuration(business_days=3)
    play.pass_time(late - play.now)
    stage = play.framework.stages[0].id
    play.office(Extended, stage=stage, by=more)
    assert (drawn(play).boxes[0].tone, ": Late" in drawn(play).text) == ("open", False)
    play.pass_time(dt.timedelta(days=30))
    assert drawn(play).boxes[0].tone == "late"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_a_name_takes_two_lines_at_most_and_none_is_too_long(name: str) -> None:
    lines = _lines(name)
    assert 1 <= len(lines) <= 2
    assert all(len(line) <= LETTERS for line in lines)
    if len(" ".join(name.split())) <= LETTERS:
        assert lines == (" ".join(name.split()),)


async def test_the_page_of_a_case_shows_the_drawing(play: Play) -> None:
    site = Site(play)
    async with site.signed_in(OFFICE) as visitor:
        page = (await visitor.get(f"/cases/{play.case_id}")).text
    assert page.count("<rect") == 4 and 'role="img"' in page
    assert "style=" not in page
