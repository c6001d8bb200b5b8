"""Choosing reviewers: fair, the same for the same facts, repeatable by anyone, and never more than are wanted."""

import datetime as dt
import hashlib
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.rules.assignment import Contender, Pool, Record, Share, draw, staff
from models.vocabulary import Pick

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PEOPLE = [f"{name}@example.edu" for name in "abcdefgh"]

emails = st.sampled_from(PEOPLE)
records = st.builds(
    Record,
    load=st.integers(0, 4),
    last_asked=st.none() | st.integers(0, 9).map(lambda hours: START + hours * HOUR),
    familiar=st.booleans(),
)


@st.composite
def contenders(draw_: st.DrawFn) -> tuple[Contender, ...]:
    """Each person is named once; some are represented by anybody, some are away."""
    found = []
    for email in draw_(st.lists(emails, unique=True, max_size=8)):
        deputy, away = draw_(st.none() | emails), draw_(st.booleans())
        if deputy not in (None, email):
            found.append(Contender(deputy, principal=email))
        else:
            found.append(Contender(email, away="is away" if away else ""))
    return tuple(found)


pools = st.builds(
    Pool,
    contenders=contenders(),
    records=st.dictionaries(emails, records),
    count=st.none() | st.integers(1, 5),
    pick=st.sampled_from(Pick),
    familiar=st.booleans(),
)
offers = st.builds(Pool, contenders=contenders(), count=st.integers(1, 3), claim=st.just(True))
seeds = st.text("0123456789abcdef", min_size=64, max_size=64)


def chosen(shares: tuple[Share, ...]) -> list[str]:
    return [contender.email for share in shares for contender in share.chosen]


def people(*names: str, **records: Record) -> Pool:
    emails = [f"{name}@example.edu" for name in names]
    known = {f"{name}@example.edu": record for name, record in records.items()}
    return Pool(tuple(map(Contender, emails)), known)


@given(st.lists(pools | offers, max_size=3), st.integers(0, 6), seeds, st.sets(emails, max_size=3))
def test_nobody_is_asked_twice_and_no_rule_asks_more_than_it_may(
    several: list[Pool], needed: int, seed: str, taken: set[str]
) -> None:
    shares = staff(several, needed, seed, taken)
    asked = chosen(shares)
    assert len(asked) == len(set(asked))
    assert not taken.intersection(asked)
    for pool, share in zip(several, shares, strict=True):
        assert pool.count is None or share.seats <= pool.count
        assert share.seats == len(share.chosen) or pool.claim
        assert {(c.email, c.principal) for c in share.chosen if not c.away} <= {
            (c.email, c.principal) for c in pool.contenders
        }


@given(st.lists(pools | offers, max_size=3), st.integers(0, 6), seeds, st.randoms())
def test_the_order_in_which_people_are_found_does_not_matter(
    several: list[Pool], needed: int, seed: str, chance: Random
) -> None:
    mixed = []
    for pool in several:
        order = list(pool.contenders)
        chance.shuffle(order)
        mixed.append(replace(pool, contenders=tuple(order)))
    first, second = staff(several, needed, seed), staff(mixed, needed, seed)
    assert [set(share.chosen) for share in first] == [set(share.chosen) for share in second]
    assert [share.draws for share in first] == [share.draws for share in second]


@given(st.lists(pools, max_size=3), st.integers(0, 6), seeds)
def test_whoever_is_away_is_asked_only_if_nobody_else_can_do_it(several: list[Pool], needed: int, seed: str) -> None:
    shares = staff(several, needed, seed)
    enough = sum(share.seats for share in shares) <= needed
    for share in shares:
        away = [contender for contender in share.chosen if contender.away]
        assert not away or len(away) == len(share.chosen) or enough
        # Whoever was left out was not needed, or the rule asks no more people.
        assert not share.left or share.chosen or not [c for c in share.left if c.email not in chosen(shares)]


@given(st.lists(pools, min_size=1, max_size=2), seeds)
def test_people_who_are_away_are_asked_as_far_as_they_are_needed(several: list[Pool], seed: str) -> None:
    unlimited = [replace(pool, count=None) for pool in several]
    everybody = staff(unlimited, 99, seed)
    able = {c.email for pool in several for c in pool.contenders}
    named = {c.principal or c.email for pool in several for c in pool.contenders}
    assert set(chosen(everybody)) <= able | named
    assert not any(share.left and c.email not in chosen(everybody) for share in everybody for c in share.left)


@given(pools, seeds)
def test_a_draw_can_be_repeated_by_anyone(pool: Pool, seed: str) -> None:
    [share] = staff([replace(pool, pick=Pick.LOTTERY)], 0, seed)
    for drawn in share.draws:
        assert drawn.seed == seed
        assert draw(seed, drawn.pool, len(drawn.drawn)) == drawn.drawn
        by_hand = sorted(drawn.pool, key=lambda email: hashlib.sha256(f"{seed} {email}".encode()).hexdigest())
        assert tuple(by_hand[: len(drawn.drawn)]) == drawn.drawn
        assert set(drawn.drawn) <= set(chosen((share,)))


@given(seeds, st.lists(emails, unique=True, min_size=2), st.integers(1, 4), emails)
def test_whoever_leaves_a_draw_moves_nobody_but_those_behind(
    seed: str, pool: list[str], number: int, gone: str
) -> None:
    before, after = draw(seed, pool, len(pool)), draw(seed, [p for p in pool if p != gone], len(pool))
    assert after == tuple(person for person in before if person != gone)
    assert draw(seed, pool, number) == before[:number]


def test_a_lottery_is_fair() -> None:
    """Of 4000 draws of two out of eight each person is drawn in a thousand or so; the seeds are fixed."""
    drawn = Counter(
        person for number in range(4000) for person in draw(hashlib.sha256(b"%d" % number).hexdigest(), PEOPLE, 2)
    )
    assert sum(drawn.values()) == 8000
    # Four standard deviations of a fair draw: sqrt(4000 * 1/4 * 3/4) is 27.4.
    assert all(abs(drawn[person] - 1000) < 110 for person in PEOPLE), drawn


@given(st.integers(1, 5), st.integers(2, 8), st.integers(1, 40))
def test_in_turn_nobody_is_asked_twice_before_everybody_was_asked_once(count: int, size: int, times: int) -> None:
    asked: dict[str, dt.datetime] = {}
    often: Counter[str] = Counter()
    for hour in range(times):
        known = {person: Record(last_asked=at, times_asked=often[person]) for person, at in asked.items()}
        pool = Pool(tuple(map(Contender, PEOPLE[:size])), known, count, Pick.ROUND_ROBIN)
        for email in chosen(staff([pool], 0, "")):
            asked[email] = START + hour * HOUR
            often[email] += 1
    assert max(often.values()) - min(often[person] for person in PEOPLE[:size]) <= 1


@given(st.integers(1, 4), st.integers(4, 8), st.integers(1, 40))
def test_by_load_open_tasks_differ_by_one_at_most(count: int, size: int, times: int) -> None:
    load: Counter[str] = Counter()
    for _ in range(times):
        known = {person: Record(load=load[person]) for person in PEOPLE[:size]}
        load.update(chosen(staff([Pool(tuple(map(Contender, PEOPLE[:size])), known, count)], 0, "")))
    assert max(load[person] for person in PEOPLE[:size]) - min(load[person] for person in PEOPLE[:size]) <= 1


@pytest.mark.parametrize(
    ("pick", "expected"),
    [
        (Pick.LEAST_LOADED, ["b@example.edu", "d@example.edu"]),
        (Pick.ROUND_ROBIN, ["c@example.edu", "a@example.edu"]),
    ],
)
def test_each_way_of_choosing_looks_at_its_own_record(pick: Pick, expected: list[str]) -> None:
    pool = people(
        "a",
        "b",
        "c",
        "d",
        a=Record(load=3, last_asked=START),
        b=Record(load=0, last_asked=START + 2 * HOUR),
        c=Record(load=4),
        d=Record(load=1, last_asked=START + HOUR),
    )
    assert chosen(staff([replace(pool, count=2, pick=pick)], 0, "")) == expected


@pytest.mark.parametrize("pick", Pick)
def test_whoever_knows_the_case_comes_first_however_the_rest_is_chosen(pick: Pick) -> None:
    pool = people("a", "b", "c", c=Record(load=9, last_asked=START, familiar=True))
    [share] = staff([replace(pool, count=2, pick=pick, familiar=True)], 0, "0" * 64)
    assert share.chosen[0].email == "c@example.edu"
    [drawn] = share.draws or [None]
    assert drawn is None or drawn.pool == ("a@example.edu", "b@example.edu")


def test_of_more_who_know_the_case_than_are_wanted_some_are_drawn() -> None:
    pool = people("a", "b", "c", a=Record(familiar=True), b=Record(familiar=True))
    [share] = staff([replace(pool, count=1, pick=Pick.LOTTERY, familiar=True)], 0, "0" * 64)
    [drawn] = share.draws
    assert drawn.pool == ("a@example.edu", "b@example.edu")
    assert drawn.drawn == (share.chosen[0].email,)


def test_where_everybody_is_asked_they_stay_in_the_order_in_which_they_were_named() -> None:
    pool = Pool((Contender("c@x"), Contender("a@x", principal="z@x"), Contender("b@x")))
    assert chosen(staff([pool], 0, "")) == ["c@x", "a@x", "b@x"]


def test_where_everybody_is_asked_nothing_is_drawn() -> None:
    [share] = staff([replace(people("a", "b"), count=2, pick=Pick.LOTTERY)], 0, "0" * 64)
    assert (len(share.chosen), share.draws) == (2, ())


def test_a_deputy_who_is_asked_already_leaves_their_principal_away() -> None:
    a, b = "a@example.edu", "b@example.edu"
    pool = Pool((Contender(b), Contender(b, principal=a)))
    [share] = staff([pool], 0, "")
    assert share.chosen == (Contender(b),)
    [left] = share.left
    assert (left.email, left.away) == (a, f"is represented by {b}, who is asked already")
    [needed] = staff([pool], 2, "")
    assert [c.email for c in needed.chosen] == [b, a]


def test_two_people_may_represent_each_other() -> None:
    a, b = "a@example.edu", "b@example.edu"
    [share] = staff([Pool((Contender(b, principal=a), Contender(a, principal=b)))], 0, "")
    assert {(c.email, c.principal) for c in share.chosen} == {(b, a), (a, b)}


def test_a_task_on_offer_goes_to_all_and_few_have_it() -> None:
    pool = replace(people("a", "b", "c"), count=2, claim=True)
    [share] = staff([pool], 0, "")
    assert (len(share.chosen), share.seats) == (3, 2)
    [few] = staff([replace(pool, count=5)], 0, "")
    assert (len(few.chosen), few.seats) == (3, 3)
