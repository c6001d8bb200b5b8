"""How some are chosen of many, in the real commit: in turn, by lot, by load, and who knows the case already."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from imprimatur.history.chain import check_draws
from imprimatur.history.export import history, sentence
from imprimatur.history.verify import verify_case
from imprimatur.rules.assignment import draw
from imprimatur.rules.standing import Interest
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest
from imprimatur.store.leave import Scope
from models.framework import Framework
from models.vocabulary import EventType, InterestKind, Verdict
from tests.facts import START, Play, add_people, amended, example, furnish, ledger_rows

QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
REVIEWERS = {QUINN, ROSA, SAM}


def policy(database: Database, **rule: Any) -> Framework:
    """Whoever reviews quality decides the first stage: ``rule`` says how they are chosen."""
    furnish(database)
    rules = [{"role": "quality_reviewer"} | rule]
    return amended(database, "industry-credit", "proposal", reviewers=rules, voting={"quorum": 1, "threshold": 1})


def asked(play: Play, stage: str = "proposal") -> list[str]:
    return [task.assignee for task in play.state.open_tasks(stage)]


def submitted(database: Database, folder: Path, framework: Framework, number: int) -> Play:
    play = Play(database, folder, framework, case_id=f"mc-{number:012d}")
    play.submit(example("industry-credit"))
    return play


def drawn_in(play: Play) -> list[dict[str, Any]]:
    rows = ledger_rows(play.database, play.case_id)
    return [row["data"] for row in rows if row["type"] == EventType.REVIEWERS_DRAWN]


def test_reviewers_are_asked_in_turn(database: Database, tmp_path: Path) -> None:
    framework = policy(database, count=1, pick="round_robin")
    plays = [submitted(database, tmp_path, framework, number) for number in range(6)]
    order = [asked(play)[0] for play in plays]
    assert order == [QUINN, ROSA, SAM] * 2
    # Who answers at once is not asked sooner for it.
    plays[3].decide("proposal")
    assert asked(submitted(database, tmp_path, framework, 6)) == [QUINN]


def test_turns_are_counted_by_role(database: Database, tmp_path: Path) -> None:
    framework = policy(database, count=1, pick="round_robin")
    add_people(database, tmp_path, f"{QUINN},Quinn,quality_reviewer;peer,yes")
    peers = [{"role": "peer", "count": 1, "pick": "round_robin"}]
    other = Play(database, tmp_path, amended(database, "coursework-credit", "proposal", reviewers=peers))
    other.submit(example("coursework-credit"))
    assert asked(other) == [QUINN]
    plays = [submitted(database, tmp_path, framework, number) for number in range(2)]
    assert [asked(play) for play in plays] == [[QUINN], [ROSA]], "asked as a peer only, he is the first in this role"


@pytest.mark.parametrize("pick", ["round_robin", "least_loaded"])
def test_cases_that_begin_together_are_spread_evenly(database: Database, tmp_path: Path, pick: str) -> None:
    framework = policy(database, count=1, pick=pick)
    steps = [
        Play(database, tmp_path, framework, case_id=f"mc-{number:012d}").first_step(example("industry-credit"))
        for number in range(6)
    ]
    answers = Play(database, tmp_path, framework).committer.write_steps(steps)
    found = [answer.stages[0].tasks[0].assignee for answer in answers]  # type: ignore[union-attr]
    assert sorted(found) == sorted([*REVIEWERS, *REVIEWERS])


def test_a_lottery_is_in_the_ledger_and_anyone_can_repeat_it(database: Database, tmp_path: Path) -> None:
    framework = policy(database, count=2, pick="lottery")
    play = submitted(database, tmp_path, framework, 1)
    [told] = drawn_in(play)
    assert told["pool"] == sorted(REVIEWERS)
    assert told["drawn"] == asked(play) == list(draw(told["seed"], told["pool"], 2))
    rows = ledger_rows(database, play.case_id)
    [event] = [row for row in rows if row["type"] == EventType.REVIEWERS_DRAWN]
    assert told["seed"] in {row["digest"] for row in rows[: event["position"] - 1]}
    assert (told["stage"], told["round"]) == ("proposal", 1)
    assert verify_case(database, play.case_id).ok


def test_every_case_draws_anew(sqlite_database: Database, tmp_path: Path) -> None:
    framework = policy(sqlite_database, count=1, pick="lottery")
    found = [asked(submitted(sqlite_database, tmp_path, framework, number))[0] for number in range(40)]
    assert set(found) == REVIEWERS


@pytest.mark.parametrize(
    "change",
    [
        {"drawn": [QUINN, ROSA, "friend@example.edu"]},
        {"seed": "f" * 64},
        {"pool": None},
        {"drawn": 1},
        {"pool": [1, 2]},
    ],
    ids=str,
)
def test_a_draw_that_its_seed_does_not_lead_to_is_found(
    sqlite_database: Database, tmp_path: Path, change: dict[str, Any]
) -> None:
    play = submitted(sqlite_database, tmp_path, policy(sqlite_database, count=2, pick="lottery"), 1)
    rows = ledger_rows(sqlite_database, play.case_id)
    assert list(check_draws(play.case_id, rows)) == []
    forged = [row | {"data": row["data"] | change} if row["type"] == EventType.REVIEWERS_DRAWN else row for row in rows]
    [problem] = check_draws(play.case_id, forged)
    assert "does not lead to this draw" in problem.problem


def test_a_draw_is_told(sqlite_database: Database, tmp_path: Path) -> None:
    play = submitted(sqlite_database, tmp_path, policy(sqlite_database, count=1, pick="lottery"), 1)
    [event] = [e for e in history(sqlite_database, play.case_id) if e.type is EventType.REVIEWERS_DRAWN]
    [told] = drawn_in(play)
    assert sentence(event) == (f"Drew {told['drawn'][0]} out of 3 for proposal (round 1), with the seed {told['seed']}")


def second_round(database: Database, folder: Path, verdict: Verdict, **rule: Any) -> tuple[str, list[str]]:
    """Who decided in the first round, and who is asked in the second, after which they had more to do than others."""
    framework = policy(database, count=1, **rule)
    play = Play(database, folder, framework)
    play.submit(example("industry-credit"))
    [first] = asked(play)
    if verdict is Verdict.RECUSE:
        play.decide("proposal", Verdict.RECUSE)
        assert play.state.open_tasks("proposal")[0].reason == "escalation"
    play.decide("proposal", Verdict.REQUEST_CHANGES, "unclear")
    others = [submitted(database, folder, framework, number) for number in range(6)]
    assert {person for other in others for person in asked(other)} == REVIEWERS
    for other in others:
        if asked(other) != [first]:
            other.decide("proposal")
    play.revise(example("industry-credit.revised"))
    return first, asked(play)


@pytest.mark.parametrize("pick", ["least_loaded", "round_robin", "lottery"])
def test_whoever_reviewed_the_last_round_comes_first(database: Database, tmp_path: Path, pick: str) -> None:
    first, second = second_round(database, tmp_path, Verdict.REQUEST_CHANGES, familiar=True, pick=pick)
    assert second == [first]


def test_otherwise_whoever_has_least_to_do_comes_first(database: Database, tmp_path: Path) -> None:
    first, second = second_round(database, tmp_path, Verdict.REQUEST_CHANGES)
    assert second != [first]


def test_whoever_stood_aside_is_not_preferred_for_it(database: Database, tmp_path: Path) -> None:
    first, second = second_round(database, tmp_path, Verdict.RECUSE, familiar=True)
    assert second != [first]


class Counting:
    """Counts the queries that a database answers while it is entered."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self.queries = 0

    def __enter__(self) -> "Counting":
        event.listen(self._engine, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self.queries += 1


def crowd(database: Database, folder: Path, number: int) -> None:
    """So many more reviewers, each with an interest elsewhere, a deputy in another stage, and days off long ago."""
    people = [f"peer{index}.reviewer@example.edu" for index in range(number)]
    add_people(database, folder, *(f"{person},Peer,quality_reviewer,yes" for person in people))
    for person in people:
        add_interest(database, person, Interest(InterestKind.UNIT, "Elsewhere"), "", START)
        leave.add_absence(database, person, START.date(), START.date(), "")
        today = START.date()
        leave.add_delegation(database, person, QUINN, today, today, Scope(stage="elsewhere"), START)


@pytest.mark.parametrize("pick", ["least_loaded", "round_robin", "lottery"])
def test_opening_a_stage_asks_the_database_as_often_for_many_as_for_few(
    database: Database, tmp_path: Path, pick: str
) -> None:
    furnish(database)
    crowd(database, tmp_path, 3)
    framework = amended(
        database,
        "industry-credit",
        "quality",
        reviewers=[{"role": "quality_reviewer", "count": 2, "pick": pick, "familiar": True}],
        voting={"quorum": 1, "threshold": 1},
    )
    numbers = []
    for case in range(2):
        play = Play(database, tmp_path, framework, case_id=f"mc-{case}")
        play.submit(example("industry-credit"))
        with Counting(database) as counting:
            play.decide("proposal")
        numbers.append(counting.queries)
        assert len(asked(play, "quality")) == 2
        crowd(database, tmp_path, 40)
    assert numbers[0] == numbers[1], numbers
