"""Cases that together know every act of the office, every policy at breach, every kind of stage; for tests."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from imprimatur.store.engine import Database
from models.events import Annulled, Extended, Held, Nudged, PassedOn, Resumed, SentBack
from models.framework import BusinessDuration
from models.vocabulary import OfficeAct, Verdict
from tests.facts import Play, add_people, example
from tests.governed import (
    CLAUSE,
    DAYS,
    DIRECTOR,
    QUINN,
    VERA,
    confirmed,
    endorsement,
    information,
    play_of,
    proposed,
    review,
    sla,
    submitted,
    window,
)

DAY = dt.timedelta(days=1)
A, R, C, N, X = Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ABSTAIN, Verdict.RECUSE
Story = Callable[[Database, Path, str], Play]
STORIES: dict[str, Story] = {}


def story(told: Story) -> Story:
    STORIES[told.__name__.replace("_", "-")] = told
    return told


def tell(name: str, database: Database, folder: Path) -> Play:
    return STORIES[name](database, folder, f"mc-{name}")


@story
def held_and_extended(database: Database, folder: Path, case_id: str) -> Play:
    steps = [{"after": {DAYS: 2}, "to": "governance_office"}]
    play = submitted(database, folder, review(sla=sla(then=steps)), case_id=case_id)
    play.office(Nudged)
    play.office(Held, reason="The partner is being sold.")
    play.pass_time(9 * DAY)
    play.office(Resumed, reason="The partner has been sold.")
    play.pass_time(20 * DAY)
    play.office(Extended, stage="quality", by=BusinessDuration(business_days=3))
    play.office(Nudged)
    play.pass_time(20 * DAY)
    return play


@story
def passed_on_and_annulled(database: Database, folder: Path, case_id: str) -> Play:
    rule = {"quorum": 3, "method": "unanimity", "deputies": "deputy"}
    play = submitted(database, folder, review(voting=rule), case_id=case_id)
    task = play.decide("quality", R, "In the wrong window.")
    play.office(Annulled, task_id=task)
    first, second, *_ = play.state.open_tasks()
    play.act(PassedOn(actor=first.assignee, task_id=first.id, to=VERA, reason=""))
    play.office(PassedOn, task_id=second.id, to=DIRECTOR, reason="She is ill.")
    for verdict in (X, A, A, A):
        play.decide("quality", verdict)
    return play


@story
def stood_aside(database: Database, folder: Path, case_id: str) -> Play:
    """One deputy, then none; then nobody is left who could decide, until someone is."""
    play = submitted(
        database, folder, review(voting={"quorum": 2, "threshold": 2, "deputies": "deputy"}), case_id=case_id
    )
    while play.state.open_tasks() and play.state.open_tasks()[0].assignee != DIRECTOR:
        play.decide("quality", X)
    play.decide("quality", N)
    add_people(database, folder, "dean@example.edu,Dean,academic_director,yes")
    play.pass_time(3 * DAY)
    play.decide("quality")
    return play


@story
def sent_back_and_skipped(database: Database, folder: Path, case_id: str) -> Play:
    play = submitted(
        database, folder, review(), information("notice", "quality"), review("last", "quality"), case_id=case_id
    )
    for _ in range(2):
        play.decide("quality")
    play.office(SentBack, stage="quality", reason="The wrong file was judged.")
    proposed(play, OfficeAct.OVERRIDE, "rejected")
    confirmed(play)
    confirmed(play, OfficeAct.OVERRIDE, "approved", "last")
    return play


@story
def overruled(database: Database, folder: Path, case_id: str) -> Play:
    play = submitted(database, folder, review(), review("beside"), case_id=case_id)
    confirmed(play, OfficeAct.OVERRIDE, "rejected")
    return play


@story
def every_kind_of_stage(database: Database, folder: Path, case_id: str) -> Play:
    stages = (information(), endorsement(), window("board", "faculty"), review("quality", "board"))
    play = submitted(database, folder, *stages, case_id=case_id)
    play.decide("notice", Verdict.ACKNOWLEDGE)
    play.decide("faculty", Verdict.ENDORSE)
    play.decide("board", Verdict.ACKNOWLEDGE)
    play.office(Nudged)
    play.pass_time(9 * DAY)
    for _ in range(2):
        play.decide("quality", C, "Unclear.")
    play.revise(example("industry-credit.revised"))
    return play


@story
def objected(database: Database, folder: Path, case_id: str) -> Play:
    play = submitted(database, folder, window(), case_id=case_id)
    play.decide("window", Verdict.OBJECT, "It repeats a course.")
    play.pass_time(9 * DAY)
    play.decide("window", A, "It does not.")
    return play


@story
def nobody_could_object(database: Database, folder: Path, case_id: str) -> Play:
    play = submitted(database, folder, window(reviewers=[{"role": "ombudsman"}]), case_id=case_id)
    play.pass_time(9 * DAY)
    return play


def late(policy: str) -> Story:
    def play_it(database: Database, folder: Path, case_id: str) -> Play:
        silent = {"policy_clause": CLAUSE} if policy in ("skip", "approve", "reject") else {}
        deputies = {"deputies": "deputy"} if policy == "reassign" else {}
        promise = sla(at_breach=policy, then=[{"after": {DAYS: 2}, "to": "governance_office"}], **silent, **deputies)
        play = submitted(database, folder, review(sla=promise, quality_gate=policy == "reject"), case_id=case_id)
        if policy != "reject":
            play.decide("quality", N)
        play.pass_time(14 * DAY)
        while play.state.open_tasks():
            play.decide("quality", A)
        return play

    return play_it


for at_breach in ("escalate", "remind", "reassign", "skip", "approve", "reject"):
    STORIES[f"late-{at_breach}"] = late(at_breach)


@story
def deputies_were_too_few(database: Database, folder: Path, case_id: str) -> Play:
    play = play_of(database, folder, review(sla=sla(at_breach="reassign", deputies="deputy")), case_id=case_id)
    add_people(database, folder, f"{VERA},Vera,,yes")
    play.submit(example("industry-credit"))
    play.pass_time(9 * DAY)
    return play


@story
def withdrawn_on_hold(database: Database, folder: Path, case_id: str) -> Play:
    play = submitted(database, folder, review(), information(), case_id=case_id)
    play.office(Held)
    play.act(PassedOn(actor=QUINN, task_id=play.state.open_tasks("quality")[0].id, to=VERA, reason="I left."))
    play.withdraw("The partner was sold.")
    return play
