"""A fast track for small proposals, and a proposal of any size."""

from typing import Any

from models.proposal import Proposal
from tests.facts import example

SMALL = "has(proposal.workload.credits) && proposal.workload.credits <= 5"
FAST: dict[str, Any] = {
    "id": "fast",
    "when": SMALL,
    "why": "five credits or less",
    "without": ["quality"],
    "sla": {"industry": {"business_days": 5}},
    "speed_to_market": {"business_days": 10},
}
USUAL = {"id": "usual", "why": "everything else"}


def proposal(points: float | None) -> Proposal:
    document = example("industry-credit")
    assert document.workload is not None
    return document.model_copy(update={"workload": document.workload.model_copy(update={"credits": points})})
