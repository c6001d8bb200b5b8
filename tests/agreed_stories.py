"""Cases that together know conditions of approvals, approvals that are to be confirmed, and tracks; for tests."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from imprimatur.rules.condition_words import condition
from imprimatur.store.engine import Database
from imprimatur.store.frameworks import add_framework
from models.conditions import ConditionFulfilled, ConditionJudged
from models.vocabulary import CaseStatus, ConditionAct, Verdict
from tests.facts import START, Play, example, furnish
from tests.governed import framework_of, review, submitted
from tests.tracks import FAST, USUAL, proposal

DAY = dt.timedelta(days=1)


def conditions_of_all_sorts(database: Database, folder: Path, case_id: str) -> Play:
    """Everything that can become of a condition, and an approval that is to be confirmed."""
    agreed = review(conditions="allowed", carry="confirm", material=[])
    play = submitted(database, folder, agreed, review("industry"), case_id=case_id)
    given = [condition(f"Do thing {number}.", due="6d", blocking=number == 1) for number in range(1, 5)]
    play.decide("quality", conditions=given)
    play.decide("quality")
    play.pass_time(15 * DAY)
    first, second, *_ = play.state.conditions.values()
    for act in (ConditionAct.REOPEN, ConditionAct.ACCEPT):
        play.act(ConditionFulfilled(actor=first.owner, condition_id=first.id, evidence="See page 3."))
        play.act(ConditionJudged(actor=first.set_by, condition_id=first.id, act=act, reason="as agreed"))
    play.act(ConditionJudged(actor=second.set_by, condition_id=second.id, act=ConditionAct.WAIVE, reason="moot"))
    _send_back(play, "industry")
    play.revise(example("industry-credit.revised"))
    play.withdraw("enough")
    return play


def confirmed_and_decided_anew(database: Database, folder: Path, case_id: str) -> Play:
    """One of two does not confirm, so a third is asked; of the next version all know what they say."""
    play = submitted(
        database, folder, review(carry="confirm", material=[]), review("industry", "quality"), case_id=case_id
    )
    for _ in range(2):
        play.decide("quality")
    _send_back(play, "industry")
    play.revise(example("industry-credit.revised"))
    for verdict in (Verdict.APPROVE, Verdict.ABSTAIN, Verdict.APPROVE):
        play.decide("quality", verdict)
    _send_back(play, "industry")
    play.revise(example("industry-credit"))
    while play.state.open_tasks():
        play.decide(play.state.open_tasks()[0].stage)
    return play


def published_on_conditions(database: Database, folder: Path, case_id: str) -> Play:
    """The mail about the outcome tells what stays to be done."""
    play = submitted(database, folder, review(conditions="allowed"), case_id=case_id)
    play.decide("quality", conditions=[condition("Print a flyer.", due="9d"), condition("Thank the partner.")])
    play.decide("quality")
    return play


def on_the_fast_track(database: Database, folder: Path, case_id: str) -> Play:
    """The second version is too large for it."""
    furnish(database)
    tracks = [FAST | {"sla": {}}, USUAL]
    policy = framework_of(review("industry"), review("quality", "industry"), framework_id="on-a-track", tracks=tracks)
    add_framework(database, policy, START)
    play = Play(database, folder, policy, case_id=case_id)
    play.submit(proposal(4))
    _send_back(play, "industry")
    play.revise(proposal(15))
    play.decide("industry")
    return play


def _send_back(play: Play, stage: str) -> None:
    while play.state.status is CaseStatus.IN_REVIEW:
        play.decide(stage, Verdict.REQUEST_CHANGES, "Unclear.")


AGREED: dict[str, Callable[[Database, Path, str], Play]] = {
    told.__name__.replace("_", "-"): told
    for told in (conditions_of_all_sorts, confirmed_and_decided_anew, published_on_conditions, on_the_fast_track)
}
