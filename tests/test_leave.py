"""Leave and delegations: the rule about who stands in for whom, and what can be declared."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.rules.assignment import Contender
from imprimatur.rules.standing import Bench, Deputy, Facts, Held, Interest, Matter
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.leave import Scope
from imprimatur.store.standing import facts_of
from models.vocabulary import InterestKind
from tests.facts import (
    START,
    add_people,
    furnish,
)
from tests.leaves import (
    ADVISER,
    DAY,
    DIRECTOR,
    LENA,
    QUINN,
    ROSA,
    SAM,
    TODAY,
    code_of,
    gone,
    let,
)

# --- rules ------------------------------------------------------------------------------------------------------------


def bench(**facts: Any) -> Bench:
    return Bench(Matter("ana@x"), (Held("hat@x", "office", "check"),), False, Facts(**facts))


NEXT_WEEK = dt.date(2026, 3, 9)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, Contender("p@x")),
        ({"absent": {"p@x": NEXT_WEEK}}, Contender("p@x", away="is away until 2026-03-09")),
        ({"deputies": {"p@x": (Deputy("d@x"),)}}, Contender("d@x", principal="p@x")),
        ({"absent": {"p@x": NEXT_WEEK}, "deputies": {"p@x": (Deputy("d@x"),)}}, Contender("d@x", principal="p@x")),
        # Not followed any further, in a circle or not.
        (
            {"deputies": {"p@x": (Deputy("d@x"),), "d@x": (Deputy("e@x"),), "e@x": (Deputy("p@x"),)}},
            Contender("d@x", principal="p@x"),
        ),
        (
            {"absent": {"d@x": NEXT_WEEK}, "deputies": {"p@x": (Deputy("d@x"),)}},
            Contender("p@x", away="is represented by d@x, who is away until 2026-03-09"),
        ),
        (
            {"inactive": frozenset({"d@x"}), "deputies": {"p@x": (Deputy("d@x"),)}},
            Contender("p@x", away="is represented by d@x, who is no longer active"),
        ),
        (
            {"deputies": {"p@x": (Deputy("ana@x"),)}},
            Contender("p@x", away="is represented by ana@x, who proposed it"),
        ),
        (
            {"deputies": {"p@x": (Deputy("hat@x"),)}},
            Contender("p@x", away="is represented by hat@x, who decides in check already, as office"),
        ),
        (
            {
                "interests": {"d@x": (Interest(InterestKind.PERSON, "ana@x"),)},
                "deputies": {"p@x": (Deputy("d@x"), Deputy("e@x"))},
            },
            Contender("e@x", principal="p@x"),
        ),
    ],
)
def test_whom_to_ask_in_whose_place(facts: dict[str, Any], expected: Contender) -> None:
    assert bench(**facts).contender("p@x", "reviewer") == expected


def test_where_nobody_waits_leave_does_not_count() -> None:
    away = bench(absent={"p@x": NEXT_WEEK})
    assert away.contender("p@x", "reviewer", leave_counts=False) == Contender("p@x")


people = st.sampled_from(["p@x", "d@x", "e@x", "ana@x", "hat@x"])


@given(
    st.frozensets(people),
    st.dictionaries(people, st.just(NEXT_WEEK)),
    st.dictionaries(people, st.lists(people.map(Deputy), max_size=3).map(tuple)),
)
def test_a_deputy_is_one_step_away_and_able(
    inactive: frozenset[str], absent: dict[str, dt.date], deputies: dict[str, tuple[Deputy, ...]]
) -> None:
    found = bench(inactive=inactive, absent=absent, deputies=deputies)
    contender = found.contender("p@x", "reviewer")
    if contender.principal is None:
        assert contender.email == "p@x"
        return
    assert contender.principal == "p@x" and not contender.away
    assert contender.email in {deputy.email for deputy in deputies["p@x"]}
    assert found.barrier(contender.email, "reviewer") is None
    assert contender.email not in absent


# --- what is declared -------------------------------------------------------------------------------------------------


def test_delegations_are_declared_listed_and_ended(database: Database) -> None:
    furnish(database)
    first = let(database, QUINN.upper(), ROSA, stage="quality")
    second = let(database, SAM, QUINN)
    assert [(e.person, e.deputy, e.stage) for e in leave.list_delegations(database)] == [
        (QUINN, ROSA, "quality"),
        (SAM, QUINN, None),
    ]
    assert {e.delegation_id for e in leave.list_delegations(database, QUINN)} == {first, second}
    assert leave.end_delegation(database, first, START).ended_at == START
    assert [e.delegation_id for e in leave.list_delegations(database)] == [second]
    assert code_of(lambda: leave.end_delegation(database, first, START)) == "delegation_unknown"


def test_a_delegation_that_cannot_be_is_refused(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_people(database, tmp_path, f"{SAM},Sam,,no")
    assert code_of(lambda: let(database, QUINN, QUINN)) == "own_deputy"
    assert code_of(lambda: let(database, QUINN, SAM)) == "person_inactive"
    assert code_of(lambda: let(database, QUINN, "nobody@example.edu")) == "person_unknown"
    assert code_of(lambda: let(database, QUINN, ROSA, days=0)) == "dates_reversed"
    assert code_of(lambda: gone(database, QUINN, days=0)) == "dates_reversed"
    assert leave.list_delegations(database) == []
    assert leave.list_absences(database) == []


def test_absences_are_noted_corrected_and_cut_short(database: Database) -> None:
    furnish(database)
    gone(database, QUINN, days=3)
    gone(database, QUINN, days=5)
    gone(database, QUINN, days=2, start=TODAY + 30 * DAY)
    gone(database, ROSA, days=1)
    assert [(e.first_on, e.last_on) for e in leave.list_absences(database, QUINN)] == [
        (TODAY, TODAY + 4 * DAY),
        (TODAY + 30 * DAY, TODAY + 31 * DAY),
    ]
    assert leave.end_absences(database, QUINN, TODAY + 2 * DAY) == 2
    assert [(e.first_on, e.last_on) for e in leave.list_absences(database, QUINN)] == [(TODAY, TODAY + DAY)]
    assert len(leave.list_absences(database)) == 2


def test_facts_hold_on_their_days_and_in_their_scope(database: Database) -> None:
    furnish(database)
    unit = "School of Digital Design"
    let(database, QUINN, ADVISER)
    let(database, QUINN, LENA, framework="industry-credit")
    let(database, QUINN, ROSA, unit=unit.upper())
    let(database, QUINN, SAM, stage="quality")
    let(database, QUINN, DIRECTOR, stage="proposal")
    let(database, ROSA, QUINN)
    gone(database, ROSA, days=2)

    def found(on: dt.date, framework: str = "industry-credit", stage: str = "quality", of: str | None = unit) -> Any:
        with database.read() as connection:
            return facts_of(connection, {QUINN, ROSA}, on, framework=framework, stage=stage, unit=of)

    def deputies(facts: Facts) -> list[str]:
        return [deputy.email for deputy in facts.deputies.get(QUINN, ())]

    assert deputies(found(TODAY)) == [SAM, ROSA, LENA, ADVISER], "the narrowest first"
    assert deputies(found(TODAY, framework="non-credit", stage="check")) == [ROSA, ADVISER]
    assert deputies(found(TODAY, framework="non-credit", stage="check", of=None)) == [ADVISER]
    assert deputies(found(TODAY + 4 * DAY)) == [SAM, ROSA, LENA, ADVISER]
    assert deputies(found(TODAY + 5 * DAY)) == deputies(found(TODAY - DAY)) == []
    assert found(TODAY + DAY).absent == {ROSA: TODAY + DAY}
    assert found(TODAY + 2 * DAY).absent == {}
    assert found(TODAY).deputies[QUINN][0].name == "Sam Okafor"


def test_of_two_delegations_of_one_scope_the_later_counts_first(database: Database) -> None:
    furnish(database)
    for deputy, hours in ((ROSA, 0), (SAM, 2), (LENA, 1)):
        at = START + dt.timedelta(hours=hours)
        leave.add_delegation(database, QUINN, deputy, TODAY, TODAY, Scope(), at)
    with database.read() as connection:
        facts = facts_of(connection, {QUINN}, TODAY, framework="f", stage="s", unit=None)
    assert [deputy.email for deputy in facts.deputies[QUINN]] == [SAM, LENA, ROSA]
