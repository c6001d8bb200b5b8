"""Whether what a framework says about reviews of published micro-credentials can be, and may be."""

from imprimatur.frameworks.field_checks import Found
from imprimatur.frameworks.json_lines import Place
from models.framework import Framework, StageDef
from models.vocabulary import AtBreach, StageKind

IN_REVIEWS = (StageKind.RECOMMENDATION, StageKind.INFORMATION)
_DECIDED_BY_PEOPLE = (AtBreach.ESCALATE, AtBreach.REMIND, AtBreach.REASSIGN)
# Quality frameworks ask for a review after one year at the earliest, and after three at the latest.
USUAL_MONTHS = range(12, 37)


def review_problems(framework: Framework) -> Found:
    """Of a framework whose cases are reviews, and of one whose micro-credentials are to be reviewed."""
    if framework.reviews:
        yield from _own_stages(framework)
    for index, stage in enumerate(framework.stages):
        if stage.kind is StageKind.RECOMMENDATION:
            yield from _recommendation(framework, stage, ("stages", index))
    if framework.review is not None:
        yield from _schedule(framework)


def review_warnings(framework: Framework) -> Found:
    """What can be, and is unusual."""
    rule = framework.review
    if rule is not None and rule.every.months not in USUAL_MONTHS:
        problem = f"a review every {rule.every.months} months is unusual"
        yield ("review", "every"), "review_interval_unusual", problem, "between 12 and 36 months"


def _own_stages(framework: Framework) -> Found:
    for index, stage in enumerate(framework.stages):
        if stage.kind not in IN_REVIEWS:
            problem = f"a review has no use for a stage of kind {stage.kind}"
            yield ("stages", index, "kind"), "stage_unfit_for_review", problem, " or ".join(IN_REVIEWS)
    if not any(stage.kind is StageKind.RECOMMENDATION for stage in framework.stages):
        problem = "no stage recommends what is to become of the micro-credential"
        yield ("stages",), "recommendation_missing", problem, "a stage of kind recommendation"
    for key in ("review", "handover"):
        if getattr(framework, key) is not None:
            problem = f"{key!r} says nothing in a framework whose cases are reviews themselves"
            yield (key,), "review_key_idle", problem, f"no {key} here"


def _recommendation(framework: Framework, stage: StageDef, place: Place) -> Found:
    if not framework.reviews:
        problem = "only a review recommends what is to become of a published micro-credential"
        yield (*place, "kind"), "recommendation_outside_review", problem, "credential_kind: review, or another kind"
    if stage.sla is not None and stage.sla.at_breach not in _DECIDED_BY_PEOPLE:
        problem = f"a stage that recommends cannot {stage.sla.at_breach} by silence"
        yield (*place, "sla", "at_breach"), "silence_recommends_nothing", problem, ", ".join(_DECIDED_BY_PEOPLE)
    for key in ("veto", "tie_break"):
        if stage.voting is not None and getattr(stage.voting, key):
            problem = f"{key!r} says nothing where options are counted: nothing is rejected"
            yield (*place, "voting", key), "stage_key_idle", problem, f"no {key} here"


def _schedule(framework: Framework) -> Found:
    rule = framework.review
    assert rule is not None, "asked only where there is one"
    if rule.at_most.months < rule.every.months:
        problem = f"a review every {rule.every.months} months would come later than {rule.at_most.months} months"
        yield ("review", "at_most"), "review_beyond_limit", problem, f"at least {rule.every.months} months"
    if rule.framework == framework.id:
        problem = "a framework cannot be the one of its own reviews"
        yield ("review", "framework"), "review_framework_itself", problem, "a framework of the kind review"
    named = [threshold.indicator for threshold in rule.thresholds]
    for index, indicator in enumerate(named):
        if named.index(indicator) != index:
            problem = f"two thresholds are for {indicator}"
            yield ("review", "thresholds", index, "indicator"), "threshold_repeated", problem, "one for each indicator"
