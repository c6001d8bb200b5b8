"""What a review comes to, from what its stages recommended. Pure."""

from collections.abc import Mapping

from imprimatur.rules.voting import GRAVITY
from models.case import StageState, TaskState
from models.improvement import ConcludeReview, ReviewOf
from models.plan import Plan
from models.vocabulary import DecidedBy, ReviewOutcome, Verdict

NOBODY = "no stage recommended anything, so it goes on as it is"


def conclusion(
    about: ReviewOf, plan: Plan, stages: Mapping[str, StageState], tasks: Mapping[str, TaskState]
) -> ConcludeReview:
    """The outcome by the framework's rule: what the last stage recommended that did, or the gravest of all.

    Learners of what is retired have until the latest day that anybody named who recommended it in that stage.
    """
    recommended = {stage.id: found for stage in plan.stages if (found := stages[stage.id].recommendation) is not None}
    if not recommended:
        return ConcludeReview(about=about, outcome=ReviewOutcome.CONTINUE, reason=NOBODY)
    decisive = _decisive(about.decided_by, recommended)
    verdict = recommended[decisive]
    days = [
        task.teach_out_on
        for task in tasks.values()
        if verdict is Verdict.RETIRE
        and (task.stage, task.round, task.verdict) == (decisive, stages[decisive].round, Verdict.RETIRE)
        and task.teach_out_on is not None
    ]
    named = {"teach_out_on": max(days)} if days else {}
    return ConcludeReview(
        about=about,
        outcome=ReviewOutcome(verdict),
        recommended=recommended,
        reason=f"the stage {decisive} recommended to {verdict}",
        **named,
    )


def _decisive(rule: DecidedBy, recommended: Mapping[str, Verdict]) -> str:
    """The stage whose recommendation is the outcome; the later one of two that recommended the same."""
    stages = list(recommended)
    if rule is DecidedBy.LAST:
        return stages[-1]
    return max(stages, key=lambda stage: (GRAVITY.index(recommended[stage]), stages.index(stage)))
