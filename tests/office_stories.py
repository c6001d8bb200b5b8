"""Cases that together know every act of the office, every policy at breach, every kind of stage; for tests."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from imprimatur.store import leave
from imprimatur.store.engine import Database
from models.events import (
    AdviceAsked,
    AdviceGiven,
    Annulled,
    Claimed,
    ConflictFound,
    Extended,
    HandedOver,
    Held,
    Nudged,
    PassedOn,
    Resumed,
    SentBack,
    TaskReturned,
)
from models.framework import BusinessDuration
from models.vocabulary import OfficeAct, TaskStatus, Verdict
from tests.facts import START, Play, add_people, example
from tests.governed import (
    CLAUSE,
    DAYS,
    DIRECTOR,
    QUINN,
    ROSA,
    SAM,
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
REGISTRARS = ("rita.registrar@example.edu", "ron.registrar@example.edu")
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
def offered_and_given_back(database: Database, folder: Path, case_id: str) -> Play:
    """A task on offer goes through everybody's hands; one has an interest, and the last of them leaves."""
    offer = [{"role": "quality_reviewer", "claim": True}]
    play = submitted(
        database, folder, review(reviewers=offer, voting={"quorum": 1, "threshold": 1}), information(), case_id=case_id
    )
    for person in (QUINN, ROSA):
        play.act(Claimed(actor=person, task_id=on_offer(play, person)))
        [task] = play.state.open_tasks("quality")
        play.act(AdviceAsked(actor=person, task_id=task.id, adviser=VERA, question="Is the title fair?"))
        play.act(AdviceGiven(actor=VERA, task_id=task.id, text="It promises too much."))
        reason = "has declared an interest in the partner Harbour Software"
        play.act(ConflictFound(actor=person, task_id=task.id, reason=reason))
        play.act(TaskReturned(actor=person, task_id=task.id, reason="I know the partner too well."))
    play.act(Claimed(actor=SAM, task_id=on_offer(play, SAM)))
    [task] = play.state.open_tasks("quality")
    play.act(HandedOver(actor="system", task_id=task.id, reason="no longer active"))
    play.decide("quality")
    return play


def on_offer(play: Play, person: str) -> str:
    tasks = play.state.tasks.values()
    return next(task.id for task in tasks if task.assignee == person and task.status is TaskStatus.OFFERED)


@story
def drawn_and_left(database: Database, folder: Path, case_id: str) -> Play:
    """Two are drawn; two registrars are away and one is asked all the same; a reviewer leaves and is replaced."""
    add_people(database, folder, *(f"{person},Registrar,registrar,yes" for person in REGISTRARS))
    lot = [{"role": "quality_reviewer", "count": 2, "pick": "lottery"}, {"role": "registrar", "count": 1}]
    rule = {"quorum": 2, "threshold": 2}
    stages = (review(reviewers=lot, voting=rule), review("last", "quality"))
    for person in REGISTRARS:
        leave.add_absence(database, person, START.date(), START.date() + 9 * DAY, "holiday")
    play = submitted(database, folder, *stages, case_id=case_id)
    for person in REGISTRARS:
        leave.end_absences(database, person, START.date())
    task = next(task for task in play.state.open_tasks("quality") if task.role == "quality_reviewer")
    play.act(HandedOver(actor="system", task_id=task.id, reason="no longer active"))
    while play.state.open_tasks("quality"):
        play.decide("quality")
    return play


@story
def withdrawn_on_hold(database: Database, folder: Path, case_id: str) -> Play:
    play = submitted(database, folder, review(), information(), case_id=case_id)
    play.office(Held)
    play.act(PassedOn(actor=QUINN, task_id=play.state.open_tasks("quality")[0].id, to=VERA, reason="I left."))
    play.withdraw("The partner was sold.")
    return play
