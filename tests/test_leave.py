"""Leave and delegations: who stands in for whom, who is asked although away, and what becomes of leavers' work."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imprimatur.errors import ImprimaturError
from imprimatur.history.export import history, sentence
from imprimatur.history.verify import verify_case
from imprimatur.rules.assignment import Contender
from imprimatur.rules.standing import Bench, Deputy, Facts, Held, Interest, Matter
from imprimatur.store import leave
from imprimatur.store.engine import Database
from imprimatur.store.interests import add_interest
from imprimatur.store.leave import Scope
from imprimatur.store.reading import show_case
from imprimatur.store.standing import facts_of
from models.events import Annulled, Claimed, Decided, HandedOver, PassedOn, Resumed
from models.events import Held as OnHold
from models.vocabulary import AssignmentReason, EventType, InterestKind, StageOutcome, TaskClosure, TaskStatus, Verdict
from tests.facts import (
    OFFICE,
    PROPOSER,
    START,
    Play,
    add_people,
    amended,
    everything,
    example,
    furnish,
    ledger_rows,
)
from tests.mails import contexts, rendered

LENA, DIRECTOR, ADVISER = "lena.office@example.edu", "dora.director@example.edu", "ivo.adviser@example.org"
QUINN, ROSA, SAM = (f"{name}.reviewer@example.edu" for name in ("quinn", "rosa", "sam"))
TODAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)


# --- rules --------------------------------------------------------------------------------------------------------


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


# --- what is declared ---------------------------------------------------------------------------------------------


def let(database: Database, person: str, deputy: str, days: int = 5, start: dt.date = TODAY, **scope: Any) -> str:
    """A delegation; answers its id."""
    last_on = start + (days - 1) * DAY
    return leave.add_delegation(database, person, deputy, start, last_on, Scope(**scope), START).delegation_id


def gone(database: Database, person: str, days: int = 5, start: dt.date = TODAY) -> None:
    leave.add_absence(database, person, start, start + (days - 1) * DAY, "holiday")


def code_of(act: Any) -> str:
    with pytest.raises(ImprimaturError) as raised:
        act()
    return raised.value.code


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


# --- assignment ---------------------------------------------------------------------------------------------------


def asked(play: Play, stage: str = "quality") -> list[str]:
    return sorted(task.assignee for task in play.state.open_tasks(stage))


def task_of(play: Play, person: str) -> str:
    return next(task.id for task in play.state.open_tasks() if task.assignee == person)


def in_quality(database: Database, folder: Path, **change: Any) -> Play:
    play = Play(database, folder, amended(database, "industry-credit", "quality", **change))
    play.submit(example("industry-credit"))
    play.decide("proposal")
    return play


def why(play: Play, person: str) -> str:
    rows = ledger_rows(play.database, play.case_id)
    events = [row["data"] for row in rows if row["type"] == EventType.REVIEWERS_PASSED_OVER]
    return next(str(item["why"]) for event in events for item in event["people"] if item["person"] == person)


def incidents(play: Play) -> dict[str, str]:
    return {incident.kind: incident.detail for incident in show_case(play.database, play.case_id).incidents}


def mail_to(database: Database, person: str) -> str:
    """The text of the mail that was written for a person last."""
    [*_, context] = [context for context in contexts(database) if context.mail.recipient == person]
    return " ".join(rendered(context).text.split())


def test_a_deputy_is_asked_and_both_names_are_told(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER)
    play = in_quality(database, tmp_path)
    assert asked(play) == [ADVISER, ROSA, SAM]
    [event] = [
        row["data"]
        for row in ledger_rows(database, play.case_id)
        if row["type"] == EventType.TASK_ASSIGNED and row["data"]["assignee"] == ADVISER
    ]
    assert (event["on_behalf_of"], event["role"], event["reason"]) == (QUINN, "quality_reviewer", "role")
    told = [sentence(found) for found in history(database, play.case_id)]
    assert (
        f"Asked {ADVISER} to review quality (round 1), as holder of the role quality reviewer, standing in for {QUINN}"
    ) in told
    assert f"You are asked because you stand in for Quinn Abara ({QUINN})." in mail_to(database, ADVISER)
    [view] = [task for task in show_case(database, play.case_id).tasks if task.assignee == ADVISER]
    assert view.on_behalf_of == QUINN
    assert verify_case(database, play.case_id).ok


def test_a_deputys_own_deputy_is_not_asked(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER)
    let(database, ADVISER, LENA)
    assert asked(in_quality(database, tmp_path)) == [ADVISER, ROSA, SAM]


def test_a_delegation_of_another_stage_or_time_changes_nothing(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER, stage="industry")
    let(database, ROSA, ADVISER, start=TODAY + 30 * DAY)
    let(database, SAM, ADVISER, framework="non-credit")
    assert asked(in_quality(database, tmp_path)) == [QUINN, ROSA, SAM]


def test_days_are_those_of_the_stages_calendar(database: Database, tmp_path: Path) -> None:
    """Ten in the evening of the second of March in Auckland is nine in the morning in London."""
    furnish(database)
    let(database, QUINN, ADVISER, days=1, start=dt.date(2026, 3, 3))
    play = Play(database, tmp_path, at=dt.datetime(2026, 3, 2, 11, 30, tzinfo=dt.UTC))
    play.submit(example("industry-credit"))
    play.decide("proposal")
    assert ADVISER in asked(play)


@pytest.mark.parametrize("deputy", [PROPOSER, DIRECTOR, LENA], ids=["proposer", "interested", "other hat"])
def test_a_deputy_whom_something_stands_against_is_not_asked(database: Database, tmp_path: Path, deputy: str) -> None:
    """Quinn is passed over as if away, for the two others can do it."""
    furnish(database)
    add_people(database, tmp_path, f"{OFFICE},Omar,,no")
    add_interest(database, DIRECTOR, Interest(InterestKind.PERSON, PROPOSER), "", START)
    let(database, QUINN, deputy)
    play = in_quality(database, tmp_path, voting={"quorum": 2, "threshold": 2})
    assert asked(play) == [ROSA, SAM]
    assert why(play, QUINN).startswith(f"is represented by {deputy}, who ")


def test_a_deputy_who_is_asked_already_is_asked_once(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ROSA)
    play = in_quality(database, tmp_path, voting={"quorum": 2, "threshold": 2})
    assert asked(play) == [ROSA, SAM]
    assert why(play, QUINN) == f"is represented by {ROSA}, who is asked already"


def test_whoever_is_away_is_passed_over_when_others_can_do_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, QUINN)
    play = in_quality(database, tmp_path, voting={"quorum": 2, "threshold": 2})
    assert asked(play) == [ROSA, SAM]
    assert why(play, QUINN) == "is away until 2026-03-06"
    assert incidents(play) == {}


def test_whoever_is_away_is_asked_when_nobody_else_can_do_it(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, QUINN)
    play = in_quality(database, tmp_path, voting={"quorum": 3, "threshold": 2})
    assert asked(play) == [QUINN, ROSA, SAM]
    assert incidents(play) == {
        "reviewer_absent": f"asked all the same, for nobody else can do it: {QUINN} is away until 2026-03-06"
    }
    due = {task.due_at for task in show_case(database, play.case_id).tasks if task.stage == "quality"}
    assert due == {play.state.stages["quality"].due_at}, "and has the same time as the others"


def test_an_escalation_asks_the_absent_director_only_if_there_is_no_other(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, DIRECTOR, days=60)
    add_people(database, tmp_path, "second.director@example.edu,Second,academic_director,yes")
    play = in_quality(database, tmp_path)
    play.pass_time(play.state.stages["quality"].due_at - play.now)  # type: ignore[operator]
    assert "second.director@example.edu" in asked(play) and DIRECTOR not in asked(play)
    alone = Play(database, tmp_path, case_id="mc-alone")
    add_people(database, tmp_path, "second.director@example.edu,Second,,no")
    alone.submit(example("industry-credit"))
    alone.decide("proposal", Verdict.ABSTAIN)
    assert asked(alone, "proposal") == [DIRECTOR]
    assert "reviewer_absent" in incidents(alone)


def test_an_information_goes_to_people_on_leave_as_well(database: Database, tmp_path: Path) -> None:
    furnish(database)
    gone(database, QUINN)
    let(database, ROSA, ADVISER)
    change: dict[str, Any] = {"kind": "information", "voting": None, "sla": None, "criteria": [], "quality_gate": False}
    play = in_quality(database, tmp_path, verdicts=[], **change)
    assert asked(play) == [ADVISER, QUINN, SAM]


# --- leaving ------------------------------------------------------------------------------------------------------


def depart(play: Play, person: str, actor: str = "system") -> None:
    event = HandedOver(actor=actor, task_id=task_of(play, person), reason="gone", by_office=actor != "system")
    leave.leave(play.database, person, START)
    play.act(event)


def test_leaving_ends_delegations_and_finds_all_work(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER, stage="elsewhere")
    let(database, SAM, QUINN, stage="elsewhere")
    play = in_quality(database, tmp_path)
    assert [work.task_id for work in leave.work_of(database, QUINN)] == [task_of(play, QUINN)]
    assert leave.abandoned_work(database) == []
    assert leave.leave(database, QUINN.title(), START) == QUINN
    assert leave.list_delegations(database) == []
    [work] = leave.abandoned_work(database)
    assert (work.assignee, work.stage, work.round, work.on_offer) == (QUINN, "quality", 1, False)
    assert leave.open_proposals(database, PROPOSER) == [play.case_id]
    assert code_of(lambda: leave.leave(database, "nobody@example.edu", START)) == "person_unknown"


def test_work_goes_to_whom_the_stages_rules_name(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path, reviewers=[{"role": "quality_reviewer", "count": 2}])
    first, second, third = QUINN, ROSA, SAM
    assert asked(play) == [first, second]
    depart(play, first)
    assert asked(play) == sorted([second, third])
    [task] = [task for task in play.state.open_tasks("quality") if task.assignee == third]
    assert (task.reason, task.role) == (AssignmentReason.SUCCESSION, "quality_reviewer")
    rows = {row["assignee"]: row for row in everything(database)["task"] if row["stage"] == "quality"}
    assert rows[third]["on_behalf_of"] == first
    assert rows[third]["due_at"] == rows[second]["due_at"]
    assert (rows[first]["closure"], rows[first]["closed_by"]) == ("left", "system")
    assert first not in [m["recipient"] for m in everything(database)["outbox"] if m["kind"] == "task_closed"]
    assert f"you take the place of Quinn Abara ({first})" in mail_to(database, third)
    assert verify_case(database, play.case_id).ok


def test_work_that_nobody_else_can_do_is_an_incident(database: Database, tmp_path: Path) -> None:
    furnish(database)
    add_interest(database, SAM, Interest(InterestKind.PERSON, PROPOSER), "", START)
    play = in_quality(database, tmp_path, voting={"quorum": 1, "threshold": 1})
    depart(play, QUINN)
    assert asked(play) == [ROSA]
    assert incidents(play) == {
        "no_successor": f"nobody can take over the task of {QUINN} "
        f"({SAM} has declared an interest in the person {PROPOSER})"
    }


def test_the_last_reviewer_who_leaves_takes_the_stage_to_the_director(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(database, tmp_path)
    for person in (QUINN, ROSA, SAM):
        depart(play, person)
    assert asked(play) == [DIRECTOR]
    depart(play, DIRECTOR)
    assert asked(play) == []
    assert play.state.stages["quality"].retry_at is not None, "the search goes on"
    add_people(database, tmp_path, "new.director@example.edu,New Director,academic_director,yes")
    play.pass_time(4 * DAY)
    assert asked(play) == ["new.director@example.edu"]
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


def undecided(database: Database, folder: Path) -> Play:
    """All reviewers abstain: one approval does not suffice, unless it is the casting vote."""
    play = in_quality(database, folder)
    for _ in range(3):
        play.decide("quality", Verdict.ABSTAIN)
    assert asked(play) == [DIRECTOR]
    return play


def test_a_director_who_is_asked_once_more_has_the_casting_vote_again(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = undecided(database, tmp_path)
    task = task_of(play, DIRECTOR)
    play.decide("quality", Verdict.ABSTAIN)
    play.act(Annulled(actor=OFFICE, task_id=task, reason="a slip", by_office=True))
    assert asked(play) == [DIRECTOR]
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


def test_whoever_succeeds_an_escalated_director_has_the_casting_vote(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = undecided(database, tmp_path)
    add_people(database, tmp_path, "new.director@example.edu,New Director,academic_director,yes")
    depart(play, DIRECTOR, OFFICE)
    [task] = play.state.open_tasks("quality")
    assert (task.assignee, task.reason) == ("new.director@example.edu", AssignmentReason.ESCALATION)
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


@pytest.mark.parametrize("by_office", [True, False])
def test_whoever_takes_over_an_escalated_task_has_the_casting_vote(
    database: Database, tmp_path: Path, by_office: bool
) -> None:
    furnish(database)
    play = undecided(database, tmp_path)
    actor = OFFICE if by_office else DIRECTOR
    play.act(PassedOn(actor=actor, task_id=task_of(play, DIRECTOR), to=ADVISER, reason="x", by_office=by_office))
    assert "Dora Keller" in mail_to(database, ADVISER)
    play.decide("quality")
    assert play.state.stages["quality"].outcome is StageOutcome.APPROVED


def test_an_offer_of_someone_who_leaves_stays_with_the_others(database: Database, tmp_path: Path) -> None:
    furnish(database)
    play = in_quality(
        database,
        tmp_path,
        reviewers=[{"role": "quality_reviewer", "claim": True}],
        voting={"quorum": 1, "threshold": 1},
    )

    def offers() -> list[str]:
        return sorted(t.assignee for t in play.state.tasks.values() if t.status is TaskStatus.OFFERED)

    def left(person: str) -> None:
        task = next(t.id for t in play.state.tasks.values() if t.assignee == person and t.status.is_pending)
        leave.leave(database, person, START)
        play.act(HandedOver(actor="system", task_id=task, reason="gone"))

    left(QUINN)
    assert offers() == [ROSA, SAM]
    play.act(Claimed(actor=ROSA, task_id=[t.id for t in play.state.tasks.values() if t.assignee == ROSA][-1]))
    left(ROSA)
    assert offers() == [SAM], "what had been claimed is on offer again"
    closed = [t.closure for t in play.state.tasks.values() if t.assignee == ROSA and t.stage == "quality"]
    assert closed == [TaskClosure.LEFT]
    left(SAM)
    assert asked(play) == [DIRECTOR], "nobody is left, so the stage is escalated"
    assert verify_case(database, play.case_id).ok


def test_whoever_was_only_told_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    furnish(database)
    change: dict[str, Any] = {"kind": "information", "voting": None, "sla": None, "criteria": [], "quality_gate": False}
    play = in_quality(database, tmp_path, verdicts=[], **change)
    depart(play, QUINN)
    assert asked(play) == [ROSA, SAM]
    assert incidents(play) == {}


def test_a_case_that_is_resumed_goes_on_looking_for_somebody(database: Database, tmp_path: Path) -> None:
    """Holding stops every clock, also that of the search; resuming must start it again."""
    furnish(database)
    add_people(database, tmp_path, f"{DIRECTOR},Dora,,no")
    play = Play(database, tmp_path)
    play.submit(example("industry-credit"))
    play.decide("proposal", Verdict.ABSTAIN)
    assert play.state.stages["proposal"].retry_at is not None
    play.act(OnHold(actor=OFFICE, reason="x", by_office=True))
    play.act(Resumed(actor=OFFICE, reason="x", by_office=True))
    assert play.state.stages["proposal"].retry_at is not None
    add_people(database, tmp_path, f"{DIRECTOR},Dora,academic_director,yes")
    play.pass_time(4 * DAY)
    assert asked(play, "proposal") == [DIRECTOR]


def test_a_decision_of_a_deputy_is_the_deputys(database: Database, tmp_path: Path) -> None:
    furnish(database)
    let(database, QUINN, ADVISER)
    play = in_quality(database, tmp_path)
    task = task_of(play, ADVISER)
    play.act(Decided(decision_id="d", task_id=task, actor=ADVISER, verdict=Verdict.APPROVE))
    [row] = [row for row in everything(database)["decision"] if row["task_id"] == task]
    assert row["actor"] == ADVISER
