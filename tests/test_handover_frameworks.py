"""What a framework may say of hand-overs, and what is found wrong with it."""

from typing import Any

import pytest

from imprimatur.frameworks.checker import check_framework
from imprimatur.frameworks.loader import handovers
from models.framework import Framework
from tests.policies import GONE, changed, checked, policy, stage

HANDOVER: dict[str, Any] = {"framework": "delivery-handover", "targets": ["lms"]}
REVIEW: dict[str, Any] = {"framework": "improvement-review", "every": {"months": 24}}


def handing(stage_id: str = "team", *needs: str, **change: Any) -> dict[str, Any]:
    return stage(stage_id, *needs, **({"kind": "handover", "voting": GONE, "criteria": GONE} | change))


def of_handovers(*stages: dict[str, Any], **change: Any) -> dict[str, Any]:
    return policy(*(stages or (handing(),)), credential_kind="handover", **change)


def informing() -> dict[str, Any]:
    return stage("told", kind="information", voting=GONE, sla=GONE, criteria=GONE)


def codes(document: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(problem.code, problem.where) for problem in checked(document)]


def test_what_is_sound_has_no_problems() -> None:
    assert codes(of_handovers()) == []
    assert codes(of_handovers(handing(), handing("timetable", "team"), informing())) == []
    assert codes(policy(handover=HANDOVER)) == []
    assert [check_framework(found) for found in handovers().values()] == [[]]


@pytest.mark.parametrize(
    ("document", "code", "where"),
    [
        (of_handovers(stage("check")), "stage_unfit_for_handover", "stages[0].kind"),
        (of_handovers(informing()), "handover_stage_missing", "stages"),
        (of_handovers(handover=HANDOVER), "handover_key_idle", "handover"),
        (of_handovers(review=REVIEW), "handover_key_idle", "review"),
        (policy(handing(), stage("publication", "team", kind="publication", reviewers=GONE, voting=GONE, sla=GONE,
                                 criteria=GONE)), "handover_outside_handover", "stages[0].kind"),
        (of_handovers(handing(verdicts=["take_up"])), "handover_without_choice", "stages[0].verdicts"),
        (of_handovers(handing(verdicts=["take_up", "send_back", "approve"])), "verdict_unfit", "stages[0].verdicts[2]"),
        (of_handovers(stage("team", kind="handover", criteria=GONE)), "stage_key_idle", "stages[0].voting"),
        (of_handovers(handing(sla=GONE)), "sla_missing", "stages[0].sla"),
        (policy(handover=HANDOVER | {"framework": "tiny"}), "handover_framework_itself", "handover.framework"),
        (policy(handover=HANDOVER | {"targets": ["lms", "lms"]}), "target_repeated", "handover.targets[1]"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_found_at_its_place(document: dict[str, Any], code: str, where: str) -> None:
    assert (code, where) in codes(document)


def test_silence_takes_nothing_up() -> None:
    silent = changed(of_handovers(), "stages[0].sla.at_breach", "skip")
    silent = changed(silent, "stages[0].sla.policy_clause", "Silence is consent.")
    assert ("silence_takes_nothing_up", "stages[0].sla.at_breach") in codes(silent)


def test_a_framework_without_hand_overs_keeps_its_digest() -> None:
    assert "handover" not in Framework.model_validate(policy()).canonical
