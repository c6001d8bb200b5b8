"""Plays traces again and says of each whether it came out as it had been, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.vocabulary import CaseStatus
from tests.approvals.log import Act, Trace, UnknownActivity, outcome, wanted
from tests.approvals.players import Player

REPRODUCED = "reproduced"


@dataclass(frozen=True)
class Finding:
    """``code`` is ``reproduced``, the product's own code for the act that it refused, or one of three others.

    ``activity_unknown``: the log names an activity that has no meaning here. ``acts_differ``: all acts were admitted,
    and the record tells others, or in another order. ``outcome_differs``: all are on record, and the case stands
    otherwise.
    """

    case: str
    code: str
    detail: str = ""

    @property
    def reproduced(self) -> bool:
        return self.code == REPRODUCED


def replay(trace: Trace, player: Player) -> Finding:
    """At the times of the log. A trace is reproduced when acts, their order and how the case stands are the same."""
    try:
        acts = wanted(trace)
    except UnknownActivity as error:
        return Finding(trace.case, "activity_unknown", str(error))
    player.begin(acts[0].at)
    for number, act in enumerate(acts, 1):
        player.until(act.at)
        refused = player.repeat(act)
        if refused is not None:
            return Finding(trace.case, refused.code, f"event {number}, {trace.variant[number - 1]}: {refused.message}")
    return compared(trace, player.told(), player.state.status)


def compared(trace: Trace, told: Sequence[Act], status: CaseStatus) -> Finding:
    """What is on record of a case that was played to its end, beside the log."""
    asked = [act.act for act in wanted(trace)]
    if told != asked:
        return Finding(trace.case, "acts_differ", f"on record: {', '.join(map(str, told))}")
    if status is not outcome(asked):
        return Finding(trace.case, "outcome_differs", f"{status} in place of {outcome(asked)}")
    return Finding(trace.case, REPRODUCED)
