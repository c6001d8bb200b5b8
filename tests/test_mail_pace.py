"""A relay's pace: never more mails in a minute than it takes, however many wait."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.mailer import Pace
from imprimatur.mail.pacing import MINUTE_SECONDS, Bucket
from imprimatur.store.engine import Database
from tests.relay import GUESTS, Script, eventually, invite, posting

BEGIN = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@given(st.integers(1, 200), st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 50)), max_size=80))
def test_no_minute_holds_more_than_was_said(per_minute: int, looks: list[tuple[int, int]]) -> None:
    """However often somebody looks (pauses in milliseconds), and however many are wanted."""
    bucket, now, taken = Bucket(per_minute), BEGIN, list[dt.datetime]()
    for pause, wanted in looks:
        now += dt.timedelta(milliseconds=pause)
        number = min(wanted, bucket.holds(now))
        bucket.take(number)
        taken += [now] * number
    for begin in taken:
        assert sum(begin <= at < begin + MINUTE for at in taken) <= per_minute


@pytest.mark.parametrize("per_minute", [1, 2, 7, 30, 600])
def test_whoever_always_has_mail_gets_nearly_all_of_each_minute(per_minute: int) -> None:
    bucket, sent = Bucket(per_minute), 0
    for second in range(10 * MINUTE_SECONDS):
        number = bucket.holds(BEGIN + dt.timedelta(seconds=second))
        bucket.take(number)
        sent += number
    assert 8 * per_minute <= sent <= 10 * per_minute


def test_a_clock_that_is_set_back_gives_nothing_away() -> None:
    bucket = Bucket(60)
    bucket.take(bucket.holds(BEGIN))
    assert bucket.holds(BEGIN - dt.timedelta(days=1)) == 0
    assert bucket.holds(BEGIN - dt.timedelta(days=1) + MINUTE) == 6


async def test_the_mailer_keeps_to_it_and_leaves_the_rest_unclaimed(sqlite_database: Database, tmp_path: Path) -> None:
    invite(sqlite_database, tmp_path)
    script, pace, counts = Script(), Pace(connections=2, look_every=0.01, per_minute=2), list[int]()
    async with posting(sqlite_database, script, pace=pace) as post, post.running():

        def one_more_is_sent() -> bool:
            return list(post.statuses().values()).count("sent") > len(counts)

        for _ in GUESTS:
            await eventually(one_more_is_sent)
            counts.append(len(script.received))
            assert set(post.statuses().values()) <= {"sent", "queued"}
            post.now += MINUTE / 2
    assert counts == [1, 2, 3, 4, 5, 6]
    assert sorted(script.recipients) == GUESTS


async def test_what_is_dropped_costs_nothing_of_it(sqlite_database: Database, tmp_path: Path) -> None:
    play = invite(sqlite_database, tmp_path)
    play.decide("proposal")
    script, pace = Script(), Pace(look_every=0.01, per_minute=1)
    async with posting(sqlite_database, script, pace=pace) as post:
        await post.run(until=lambda: len(script.received) == 1)
        assert "dropped" in post.statuses().values()
