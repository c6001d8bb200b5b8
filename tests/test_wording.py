"""How stages, verdicts and closures are called, the same everywhere."""

from typing import Any

import pytest

from imprimatur.rules.wording import asked_for, closed_because, closed_by, passes_by
from models.framework import StageDef
from models.vocabulary import AssignmentReason, StageKind, TaskClosure
from tests.governed import endorsement, information, review, window


def stage(document: dict[str, Any]) -> StageDef:
    return StageDef.model_validate(document)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (review(), "2 of at least 2"),
        (review(voting={"quorum_percent": 50, "threshold": 2}), "2 of at least 50 %"),
        (review(voting={"quorum": 2, "threshold": 3, "weights": {"chair": 2}}), "a weight of 3 of at least 2"),
        (review(voting={"quorum": 2, "method": "majority"}), "a majority of those asked, at least 2 answer"),
        (
            review(voting={"quorum": 1, "method": "percentage", "threshold_percent": 66.7, "counted_of": "votes"}),
            "66.7 % of the votes, at least 1 answer",
        ),
        (
            review(voting={"quorum": 3, "method": "unanimity", "weights": {"chair": 2}}),
            "all of those asked by weight, at least 3 answer",
        ),
        (endorsement(), "1 of at least 1"),
        (information(), "only informs"),
        (window(), "passes without an objection"),
        ({"id": "p", "name": "P", "asks": "Publish.", "kind": "publication"}, "automatic"),
    ],
)
def test_what_it_takes_to_pass_is_told_in_a_few_words(document: dict[str, Any], words: str) -> None:
    assert passes_by(stage(document)) == words


def test_what_is_asked_for_depends_on_the_stage_and_on_why_somebody_is_asked() -> None:
    kinds = {kind: asked_for(stage(review(kind=str(kind))), "role") for kind in StageKind}
    assert kinds == dict.fromkeys(StageKind, "decision") | {
        StageKind.INFORMATION: "acknowledgement",
        StageKind.OBJECTION: "objection",
        StageKind.HANDOVER: "handover",
    }
    assert asked_for(stage(window()), AssignmentReason.ESCALATION) == "decision"


@pytest.mark.parametrize("closure", TaskClosure)
def test_a_closed_task_names_the_person_and_never_the_system(closure: TaskClosure) -> None:
    assert closed_by(closure, "system") == closed_because(closure)
    told = closed_by(closure, "sam@example.edu")
    assert told.startswith(closed_because(closure)) and told.endswith(" sam@example.edu")
