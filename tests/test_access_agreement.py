"""What a page says one may do is what the case itself admits: both are asked, in many situations."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imprimatur.access.acts import CaseAct, acts_on
from imprimatur.access.viewer import viewer_of
from imprimatur.rules.admission import refusal
from imprimatur.rules.condition_words import condition
from imprimatur.store.access import facts_of
from imprimatur.store.engine import Database
from models.calendars import BusinessDuration
from models.conditions import ConditionFulfilled, ConditionJudged
from models.events import (
    ActConfirmed,
    ActProposed,
    Annulled,
    Event,
    Extended,
    Held,
    Nudged,
    PassedOn,
    Placed,
    Resumed,
    Revised,
    SentBack,
    Withdrawn,
)
from models.vocabulary import (
    ConditionAct,
    Conditions,
    OfficeAct,
    StageOutcome,
    StageStatus,
    Strength,
    TaskStatus,
    Verdict,
)
from tests.facts import OFFICE, PROPOSER, SECOND, Play, amended, example, furnish

SCORES: dict[str, Any] = {"fit": 4, "no_duplication": 3, "outcomes": 4, "assessment": 4, "need": 4, "value": 4}
HEIR = "ivo.adviser@example.org"


def incomplete(play: Play) -> None:
    play.submit(example("industry-credit").model_copy(update={"learning_outcomes": ()}))


def submitted(play: Play) -> None:
    play.submit(example("industry-credit"))


def side_by_side(play: Play) -> None:
    submitted(play)
    play.decide("proposal", **SCORES)


def half_decided(play: Play) -> None:
    side_by_side(play)
    play.decide("quality", **SCORES)


def sent_back(play: Play) -> None:
    side_by_side(play)
    for _ in range(2):
        play.decide("quality", Verdict.REQUEST_CHANGES, "Show how.", **SCORES)


def on_hold(play: Play) -> None:
    side_by_side(play)
    play.office(Held)


def proposed(play: Play) -> None:
    side_by_side(play)
    play.act(skipping(OFFICE))


def proposed_by_another(play: Play) -> None:
    side_by_side(play)
    play.act(skipping(SECOND))


def withdrawn(play: Play) -> None:
    side_by_side(play)
    play.withdraw("Enough.")


def published(play: Play) -> None:
    submitted(play)
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage, **SCORES)


def held_up_by_a_condition(play: Play) -> None:
    submitted(play)
    wanted = [condition("Name an assessor.", blocking=True)]
    while play.state.open_tasks():
        stage = play.state.open_tasks()[0].stage
        play.decide(stage, conditions=wanted if stage == "quality" else [], **SCORES)
    assert play.state.waits_for_conditions


SITUATIONS = [
    incomplete,
    submitted,
    side_by_side,
    half_decided,
    sent_back,
    on_hold,
    proposed,
    proposed_by_another,
    held_up_by_a_condition,
    withdrawn,
    published,
]


def skipping(actor: str) -> ActProposed:
    return ActProposed(
        act_id=f"a-{actor}",
        act=OfficeAct.SKIP,
        actor=actor,
        stage="quality",
        outcome=StageOutcome.SKIPPED,
        reason="It has to be.",
        by_office=True,
    )


def attempts(play: Play, actor: str, by_office: bool) -> dict[CaseAct, list[Event]]:
    """Every way to try an act; one that is admitted is enough."""
    state, why = play.state, "It has to be."
    who: dict[str, Any] = {"actor": actor, "by_office": by_office}
    stages = [stage for stage in state.stages if state.stages[stage].status is not StageStatus.WAITING] or ["proposal"]
    day = BusinessDuration(business_days=1)
    set_to = {
        CaseAct.SKIP: (OfficeAct.SKIP, StageOutcome.SKIPPED),
        CaseAct.OVERRIDE: (OfficeAct.OVERRIDE, StageOutcome.APPROVED),
    }
    pending = [task.id for task in state.tasks.values() if task.status is TaskStatus.OPEN]
    found: dict[CaseAct, list[Event]] = {
        CaseAct.HOLD: [Held(reason=why, **who)],
        CaseAct.RESUME: [Resumed(reason=why, **who)],
        CaseAct.EXTEND: [Extended(stage=stage, by=day, reason=why, **who) for stage in stages],
        CaseAct.SEND_BACK: [SentBack(stage=stage, reason=why, **who) for stage in stages],
        CaseAct.NUDGE: [Nudged(stage=stage, **who) for stage in stages],
        CaseAct.CONFIRM: [ActConfirmed(act_id=act, **who) for act in state.proposed],
        CaseAct.REASSIGN: [PassedOn(task_id=task, to=HEIR, reason=why, **who) for task in pending],
        CaseAct.ANNUL: [Annulled(task_id=task, reason=why, **who) for task in state.tasks],
        CaseAct.WITHDRAW: [Withdrawn(reason=why, **who)],
        CaseAct.MOVE_ITEM: [
            Placed(stage=stage, on=dt.date(2026, 6, 1), reason=why, **who)
            for stage in stages
            if play.plan.stage(stage).committee is not None
        ],
        CaseAct.FULFIL: [
            ConditionFulfilled(actor=actor, condition_id=number, evidence="Page 4.") for number in state.conditions
        ],
        CaseAct.JUDGE: [
            ConditionJudged(condition_id=number, act=ConditionAct.WAIVE, reason=why, **who)
            for number in state.conditions
        ],
        CaseAct.REVISE: [Revised(actor=actor, digest="0" * 64, complete=True, changed=())],
    }
    for act, (kind, outcome) in set_to.items():
        found[act] = [
            ActProposed(act_id="a-new", act=kind, stage=stage, outcome=outcome, reason=why, **who) for stage in stages
        ]
    return found


@pytest.mark.parametrize(("person", "role"), [(OFFICE, "governance_office"), (PROPOSER, "proposer")])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_what_may_be_done_is_what_the_case_admits(
    sqlite_database: Database, tmp_path: Path, situation: Callable[[Play], None], person: str, role: str
) -> None:
    furnish(sqlite_database)
    policy = amended(sqlite_database, "industry-credit", "quality", conditions=Conditions.ALLOWED)
    play = Play(sqlite_database, tmp_path, policy)
    situation(play)
    viewer = viewer_of(person, "", [role], [], has_tasks=False, strength=Strength.OIDC)
    with sqlite_database.read() as connection:
        told = acts_on(viewer, facts_of(connection, viewer, play.case_id))
    for act, events in attempts(play, person, viewer.is_office).items():
        admitted = any(refusal(play.state, event, play.plan) is None for event in events)
        assert (told[act] is None) == admitted, f"{act}: {told[act]}"
