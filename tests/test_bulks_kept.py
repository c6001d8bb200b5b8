"""What is kept of an act on many cases, and what is found in them to act on, in both kinds of database."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from imprimatur.store import bulks
from imprimatur.store.bulk_subjects import decided_tasks_of, open_tasks_of, waiting_acts, whole_cases
from imprimatur.store.bulks import Item, ItemResult, Operation
from imprimatur.store.engine import Database
from imprimatur.store.reading import list_cases
from models.events import Held
from models.vocabulary import BulkResult
from tests.facts import START, everything
from tests.governed import QUINN, confirmed, proposed, review, submitted

HOLD = Operation("hold", "o@example.org", "so", {"status": "in_review", "stage": "quality"})
CASES = whole_cases(["mc-a", "mc-b"])
LATER = START + dt.timedelta(hours=1)


def begin(database: Database, operation: Operation = HOLD, items: Sequence[Item] = CASES) -> bulks.Begun:
    return bulks.begin(database, operation, lambda: items, START)


def test_an_operation_keeps_its_cases_until_each_has_come_to_a_result(database: Database) -> None:
    first = begin(database)
    assert [(item.case_id, item.number) for item in first.items] == [("mc-a", 1), ("mc-b", 2)]
    refused = ItemResult(case_id="mc-a", subject="", result=BulkResult.REFUSED, code="case_on_hold", message="It is.")
    bulks.record(database, first.bulk_id, first.items[0], refused)
    second = begin(database, items=whole_cases(["mc-c"]))
    assert (second.bulk_id, second.items, second.resumed) == (first.bulk_id, first.items, True)
    assert second.results == {1: refused}
    bulks.end(database, first.bulk_id, LATER)
    third = begin(database, items=whole_cases(["mc-c"]))
    assert third.bulk_id != first.bulk_id and [item.case_id for item in third.items] == ["mc-c"]
    assert not third.resumed


def test_the_same_words_said_twice_at_once_are_one_operation(database: Database) -> None:
    others: list[bulks.Begun] = []

    def choose() -> Sequence[Item]:
        others.append(begin(database))
        return CASES

    begun = bulks.begin(database, HOLD, choose, START)
    assert [other.bulk_id for other in others] == [begun.bulk_id]


def test_a_form_is_one_operation_also_after_its_end(database: Database) -> None:
    form = replace(HOLD, options=HOLD.options | {bulks.FORM: "abc"})
    first = begin(database, form)
    bulks.end(database, first.bulk_id, LATER)
    assert begin(database, form).bulk_id == first.bulk_id
    assert begin(database).bulk_id != first.bulk_id


@pytest.mark.parametrize(
    "other",
    [
        replace(HOLD, act="nudge"),
        replace(HOLD, actor="p@example.org"),
        replace(HOLD, reason="so it is"),
        replace(HOLD, options={"status": "in_review"}),
    ],
    ids=["act", "actor", "reason", "options"],
)
def test_other_words_are_another_operation(database: Database, other: Operation) -> None:
    assert begin(database).bulk_id != begin(database, other).bulk_id
    assert begin(database).resumed


def test_the_order_of_what_was_said_does_not_matter(database: Database) -> None:
    again = replace(HOLD, options=dict(reversed(HOLD.options.items())))
    assert begin(database).bulk_id == begin(database, again).bulk_id


def test_where_no_case_is_chosen_nothing_is_kept(database: Database) -> None:
    assert begin(database, items=[]) == bulks.Begun("", [])
    kept = everything(database)
    assert (kept["bulk"], kept["bulk_item"]) == ([], [])


def test_what_a_case_has_written_tells_what_was_done(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, review())
    play.office(Held, bulk="b-mine")
    assert bulks.carried_out(database, "b-mine", Item(play.case_id))
    assert not bulks.carried_out(database, "b-min", Item(play.case_id))
    assert not bulks.carried_out(database, "b-mine", Item("mc-other"))


def test_tasks_answers_and_acts_are_found_where_they_can_still_be_acted_on(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, review(), review("beside"), review("last", "quality"))
    case, cases = play.case_id, [play.case_id, "mc-nope"]
    quinn = {task.stage: task.id for task in play.state.open_tasks() if task.assignee == QUINN}
    assert {item.subject for item in open_tasks_of(database, cases, QUINN, None)} == set(quinn.values())
    assert open_tasks_of(database, cases, QUINN, "beside") == [Item(case, quinn["beside"])]
    assert decided_tasks_of(database, cases, QUINN, None) == []
    decided = play.decide("quality")
    person = play.state.tasks[decided].assignee
    assert decided_tasks_of(database, cases, person, None) == [Item(case, decided)]
    assert decided_tasks_of(database, cases, person, "beside") == []
    act = proposed(play, stage="beside")
    assert waiting_acts(database, cases) == [Item(case, act)]
    assert waiting_acts(database, ["mc-nope"]) == []
    confirmed(play)
    assert waiting_acts(database, cases) == [Item(case, act)], "the other one is confirmed"
    assert decided_tasks_of(database, cases, person, None) == [], "the stage has moved on"


def test_cases_are_listed_by_their_framework_and_its_version(database: Database, tmp_path: Path) -> None:
    play = submitted(database, tmp_path, review())
    name = play.framework.id
    for wanted, found in ((name, 1), (f"{name}@1", 1), (f"{name}@2", 0), ("industry-credit", 0)):
        assert len(list_cases(database, framework=wanted)) == found
