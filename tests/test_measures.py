"""How long things took, and who held them: ledgers worked out by hand, and what is true of every ledger."""

import datetime as dt
import statistics
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.history.figures.quantiles import percentile, rate
from imprimatur.rules.business_time import Hours, WorkCalendar, business_seconds_between
from imprimatur.rules.measures import held_seconds, measure, shared
from models.vocabulary import EventType as E
from models.vocabulary import Party, StageOutcome

MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR = 3600
OFFICE_HOURS = WorkCalendar(
    "office",
    ZoneInfo("UTC"),
    lambda on: Hours(dt.time(9), dt.time(17)),
    lambda on: "weekend" if on.weekday() >= 5 else None,
)


class OneCalendar:
    def of_case(self, digest: str) -> WorkCalendar:
        return OFFICE_HOURS

    def of_stage(self, digest: str, stage: str) -> WorkCalendar:
        return OFFICE_HOURS


def ledger(*events: tuple[float, E, dict[str, Any]], actor: str = "rosa@example.edu") -> list[dict[str, Any]]:
    """Events of a case that was submitted on Monday at nine; each so many hours after, at all hours."""
    begun: list[tuple[float, E, dict[str, Any]]] = [
        (0, E.CASE_SUBMITTED, {"digest": "f"}),
        (0, E.PROPOSAL_VERSION_ADDED, {"version": 1}),
        (0, E.CLOCK_STARTED, {"due_at": ""}),
    ]
    return [
        {"position": place, "at": MONDAY + dt.timedelta(hours=hours), "type": str(type_), "actor": actor, "data": data}
        for place, (hours, type_, data) in enumerate([*begun, *events], 1)
    ]


def opened(hours: float, stage: str = "quality", due: str | None = "promised") -> tuple[float, E, dict[str, Any]]:
    return hours, E.STAGE_OPENED, {"stage": stage, "round": 1, "due_at": due, "calendar": "office"}


def asked(hours: float, task: str, role: str | None = None, stage: str = "quality") -> tuple[float, E, dict[str, Any]]:
    return hours, E.TASK_ASSIGNED, {"task_id": task, "stage": stage, "reason": "role", "role": role}


def decided(hours: float, task: str, stage: str = "quality") -> tuple[float, E, dict[str, Any]]:
    return hours, E.DECISION_RECORDED, {"task_id": task, "stage": stage, "verdict": "approve"}


def closed(hours: float, outcome: str = "approved", stage: str = "quality") -> tuple[float, E, dict[str, Any]]:
    return hours, E.STAGE_CLOSED, {"stage": stage, "round": 1, "outcome": outcome}


def ended(hours: float, status: str = "published") -> tuple[float, E, dict[str, Any]]:
    return hours, E.CASE_CLOSED, {"status": status, "reason": ""}


HELD, RESUMED = (E.CASE_HELD, {"reason": "fees"}), (E.CASE_RESUMED, {"reason": "paid"})


# --- stages and answers -----------------------------------------------------------------------------------------------


def test_a_stage_takes_the_working_hours_between_its_opening_and_its_closing() -> None:
    # From Monday at nine to Tuesday at eleven: eight hours and two.
    [time] = measure(ledger(opened(0), closed(26)), OneCalendar()).stages
    assert (time.seconds, time.on_time, time.outcome) == (10 * HOUR, True, StageOutcome.APPROVED)
    assert (time.first, time.first_pass) == (True, True)


def test_time_on_hold_is_nobodys_delay() -> None:
    # On hold from Monday at eleven to Tuesday at ten: seven of the ten hours.
    told = ledger(opened(0), asked(0, "t"), (2, *HELD), (25, *RESUMED), decided(26, "t"), closed(26))
    found = measure(told, OneCalendar())
    assert [time.seconds for time in found.stages] == [3 * HOUR]
    assert [time.seconds for time in found.answers] == [3 * HOUR]


def test_what_ends_while_the_case_is_on_hold_is_counted_until_the_hold() -> None:
    [time] = measure(ledger(opened(0), (2, *HELD), closed(30, "cancelled")), OneCalendar()).stages
    assert time.seconds == 2 * HOUR


def test_a_breach_is_late_however_long_it_took() -> None:
    told = ledger(opened(0), (3, E.SLA_BREACHED, {"stage": "quality"}), closed(4))
    assert [time.on_time for time in measure(told, OneCalendar()).stages] == [False]


def test_without_a_promise_nothing_is_on_time_or_late() -> None:
    told = ledger(opened(0, due=None), closed(4))
    assert [time.on_time for time in measure(told, OneCalendar()).stages] == [None]


def test_a_stage_that_never_opened_took_no_time() -> None:
    told = ledger(closed(4, "published", "publication"), (5, E.STAGE_SKIPPED, {"stage": "industry", "reason": ""}))
    assert [(time.stage, time.seconds, time.opened_at) for time in measure(told, OneCalendar()).stages] == [
        ("publication", None, None),
        ("industry", None, None),
    ]


def test_a_second_round_is_a_passage_of_its_own_and_passes_for_the_first_time() -> None:
    told = ledger(opened(0), closed(1, "changes_requested"), opened(2), closed(3))
    found = [(time.first, time.first_pass) for time in measure(told, OneCalendar()).stages]
    assert found == [(True, False), (False, True)]


def test_a_stage_that_a_change_of_policy_ended_is_no_passage() -> None:
    change = {"to": {"digest": "g"}, "round": 2, "repeated": ["quality"], "removed": []}
    told = ledger(opened(0), (1, E.FRAMEWORK_CHANGED, change), opened(2), closed(4))
    assert [time.seconds for time in measure(told, OneCalendar()).stages] == [2 * HOUR]


def test_an_approval_that_is_asked_to_be_confirmed_and_then_decided_anew_is_one_passage() -> None:
    sought = (0, E.CONFIRMATION_SOUGHT, {"stage": "quality", "round": 2, "due_at": "promised"})
    told = ledger(sought, opened(3), closed(5))
    assert [time.seconds for time in measure(told, OneCalendar()).stages] == [5 * HOUR]


def test_an_answer_counts_from_when_the_task_was_in_hand() -> None:
    offered = (0, E.TASK_OFFERED, {"task_id": "t", "stage": "quality", "reason": "role", "role": None})
    claimed = (2, E.TASK_CLAIMED, {"task_id": "t", "stage": "quality"})
    [answer] = measure(ledger(opened(0), offered, claimed, decided(5, "t")), OneCalendar()).answers
    assert (answer.reviewer, answer.seconds) == ("rosa@example.edu", 3 * HOUR)


def test_only_what_ended_behind_a_position_is_told() -> None:
    told = ledger(opened(0), closed(1), opened(2, "industry"), closed(3, stage="industry"), ended(4))
    found = measure(told, OneCalendar(), after=5)
    assert [time.stage for time in found.stages] == ["industry"]
    assert found.case is not None
    assert measure(told, OneCalendar(), after=len(told)).case is None


def test_what_somebody_has_damaged_tells_nothing_and_stops_nothing() -> None:
    told = ledger(opened(0), closed(1), opened(2, "industry"), closed(3, stage="industry"), ended(4))
    told[4] |= {"data": {"stage": "quality"}}
    told[2] |= {"data": None}
    found = measure(told, OneCalendar())
    assert [time.stage for time in found.stages] == ["industry"]
    assert found.case is not None


# --- holders ----------------------------------------------------------------------------------------------------------


def test_a_case_is_held_by_whoever_it_waits_for() -> None:
    told = ledger(
        opened(0),
        asked(0, "t-office", "governance_office"),
        decided(2, "t-office"),  # two hours of the office
        closed(2),
        opened(2, "review"),
        asked(2, "t-review", stage="review"),
        decided(5, "t-review", "review"),  # three of a reviewer
        closed(5, "changes_requested", "review"),
        (5, E.REVISION_REQUESTED, {"stage": "review", "round": 1}),  # three of the author until closing, and one more
        (25, E.PROPOSAL_VERSION_ADDED, {"version": 2}),
        opened(25, "industry"),
        asked(25, "t-partner", "industry_partner", "industry"),
        (27, *HELD),  # two of the partner, and then one of the office
        (28, *RESUMED),
        decided(29, "t-partner", "industry"),  # one more of the partner
        closed(29, stage="industry"),
        (30, E.STAGE_LAPSED, {"stage": "review", "changed": []}),  # nobody's
        ended(31),
    )
    case = measure(told, OneCalendar()).case
    assert case is not None
    hours = {party: seconds / HOUR for party, seconds in case.held.items()}
    assert hours == {Party.OFFICE: 3, Party.REVIEWER: 3, Party.AUTHOR: 4, Party.PARTNER: 3, Party.SYSTEM: 2}
    assert (case.seconds, case.rounds, case.changes_requested, case.lapsed) == (15 * HOUR, 2, 1, 1)
    assert case.on_time is True


def test_several_holders_at_once_part_the_time_equally() -> None:
    both = [asked(0, "t1"), asked(0, "t2", "industry_partner")]
    told = ledger(opened(0), *both, decided(4, "t1"), decided(6, "t2"), closed(6), ended(6))
    held = held_seconds(told, OneCalendar())
    assert (held[Party.REVIEWER], held[Party.PARTNER]) == (2 * HOUR, 4 * HOUR)


@given(st.integers(0, 10**6), st.lists(st.sampled_from(list(Party)), min_size=1, max_size=5, unique=True))
def test_parts_add_up_and_differ_by_a_second_at_most(seconds: int, parties: list[Party]) -> None:
    parts = dict(shared(seconds, parties))
    assert sum(parts.values()) == seconds
    assert max(parts.values()) - min(parts.values()) <= 1


STEPS = st.lists(
    st.tuples(
        st.timedeltas(dt.timedelta(0), dt.timedelta(days=9)),
        st.sampled_from([opened, closed, HELD, RESUMED, "ask", "answer", "revise", "again"]),
    ),
    max_size=25,
)


@given(STEPS)
def test_what_the_holders_had_is_all_the_time_there_was(steps: list[tuple[dt.timedelta, Any]]) -> None:
    hours, events = 0.0, []
    for number, (later, what) in enumerate(steps):
        hours += later.total_seconds() / HOUR
        events.append(_event(hours, what, number))
    told = ledger(*events, ended(hours + 1))
    case = measure(told, OneCalendar()).case
    assert case is not None
    begun, over = (row["at"].replace(microsecond=0) for row in (told[0], told[-1]))
    assert case.seconds == sum(case.held.values()) == business_seconds_between(begun, over, OFFICE_HOURS)
    assert all(
        time.seconds is None or 0 <= time.seconds <= case.seconds for time in measure(told, OneCalendar()).stages
    )


def _event(hours: float, what: Any, number: int) -> tuple[float, E, dict[str, Any]]:
    if callable(what):
        found: tuple[float, E, dict[str, Any]] = what(hours)
        return found
    if isinstance(what, tuple):
        return (hours, *what)
    roles = ("governance_office", "industry_partner", None)
    return {
        "ask": asked(hours, f"t{number % 4}", roles[number % 3]),
        "answer": decided(hours, f"t{number % 4}"),
        "revise": (hours, E.REVISION_REQUESTED, {"stage": "quality", "round": 1}),
        "again": (hours, E.PROPOSAL_VERSION_ADDED, {"version": number}),
    }[what]


# --- quantiles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7], 90, 7),
        ([1, 2], 50, 2),  # a half is rounded up
        ([10, 20, 30, 40], 50, 25),
        ([10, 20, 30, 40], 25, 18),  # 17.5
        ([0, 100], 90, 90),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 90, 10),
    ],
)
def test_percentiles_by_hand(values: list[int], percent: int, expected: int | None) -> None:
    assert percentile(values, percent) == expected


@given(st.lists(st.integers(0, 10**8), min_size=2, max_size=60), st.integers(1, 99))
def test_percentiles_are_those_that_are_called_inclusive(values: list[int], percent: int) -> None:
    exact = statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
    found = percentile(sorted(values), percent)
    assert found is not None
    assert abs(found - exact) <= 0.5 + exact * 1e-12


def test_a_rate_of_nothing_is_none() -> None:
    assert (rate(0, 0), rate(1, 3), rate(3, 3)) == (None, 33.3, 100.0)
