"""What a framework may say of reviews, and what is found wrong with it."""

from typing import Any

import pytest

from imprimatur.frameworks.checker import check_framework
from imprimatur.frameworks.loader import reviews
from models.framework import Framework
from tests.policies import GONE, HOLDERS, changed, checked, policy, stage

REVIEW: dict[str, Any] = {"framework": "improvement-review", "every": {"months": 24}}
OPTIONS = ["continue", "revise", "pause", "retire"]


def recommending(stage_id: str = "peers", *needs: str, **change: Any) -> dict[str, Any]:
    return stage(stage_id, *needs, **({"kind": "recommendation"} | change))


def of_reviews(*stages: dict[str, Any], **change: Any) -> dict[str, Any]:
    return policy(*(stages or (recommending(),)), credential_kind="review", **change)


def codes(document: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(problem.code, problem.where) for problem in checked(document)]


def test_what_is_sound_has_no_problems() -> None:
    assert codes(of_reviews()) == []
    assert codes(of_reviews(recommending(), recommending("last", "peers", verdicts=["continue", "retire"]))) == []
    assert codes(policy(review=REVIEW)) == []
    assert [check_framework(found) for found in reviews().values()] == [[]]


@pytest.mark.parametrize(
    ("document", "code", "where"),
    [
        (of_reviews(stage("check")), "stage_unfit_for_review", "stages[0].kind"),
        (of_reviews(review=REVIEW), "review_key_idle", "review"),
        (policy(recommending(), stage("publication", "peers", kind="publication", reviewers=GONE, voting=GONE, sla=GONE,
                                      criteria=GONE)), "recommendation_outside_review", "stages[0].kind"),
        (of_reviews(recommending(verdicts=["continue"])), "recommendation_without_choice", "stages[0].verdicts"),
        (of_reviews(recommending(verdicts=["pause", "retire", "approve"])), "verdict_unfit", "stages[0].verdicts[2]"),
        (of_reviews(recommending(conditions="allowed")), "stage_key_idle", "stages[0].conditions"),
        (of_reviews(recommending(voting=GONE)), "voting_missing", "stages[0].voting"),
        (changed(of_reviews(), "stages[0].voting.veto", ["reviewer"]), "stage_key_idle", "stages[0].voting.veto"),
        (policy(review=REVIEW | {"at_most": {"months": 12}}), "review_beyond_limit", "review.at_most"),
        (policy(review=REVIEW | {"framework": "tiny"}), "review_framework_itself", "review.framework"),
        (policy(review=REVIEW | {"thresholds": [{"indicator": "enrolment", "below": 5}] * 2}), "threshold_repeated",
         "review.thresholds[1].indicator"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_found_at_its_place(document: dict[str, Any], code: str, where: str) -> None:
    assert (code, where) in codes(document)


def test_silence_recommends_nothing() -> None:
    silent = changed(of_reviews(), "stages[0].sla.at_breach", "approve")
    silent = changed(silent, "stages[0].sla.policy_clause", "Silence is consent.")
    assert ("silence_recommends_nothing", "stages[0].sla.at_breach") in codes(silent)


@pytest.mark.parametrize(("months", "unusual"), [(11, True), (12, False), (36, False), (37, True)])
def test_an_unusual_interval_is_a_warning_and_no_problem(months: int, unusual: bool) -> None:
    found = Framework.model_validate(policy(review=REVIEW | {"every": {"months": months}, "at_most": {"months": 48}}))
    assert check_framework(found) == []
    warned = [problem.code for problem in check_framework(found, HOLDERS)]
    assert ("review_interval_unusual" in warned) is unusual


def test_a_framework_without_reviews_keeps_its_digest() -> None:
    assert "review" not in Framework.model_validate(policy()).canonical
