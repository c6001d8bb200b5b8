"""A committee that meets every second Wednesday of a month, and a review window; for tests."""

from typing import Any

from tests.governed import DAYS, review, sla

BOARD = "curriculum_board"
SECRETARY = "quinn.reviewer@example.edu"
ONE = {"quorum": 1, "threshold": 1}


def board(**change: Any) -> dict[str, Any]:
    """Meets at 14:00 in Auckland, and takes items until five business days before."""
    document = {
        "name": "Curriculum Board",
        "calendar": "campus",
        "sittings": {"rule": "FREQ=MONTHLY;BYDAY=2WE", "first_on": "2026-01-01", "at": "14:00"},
        "cut_off": {DAYS: 5},
    }
    return document | change


def boards(**change: Any) -> dict[str, Any]:
    return {BOARD: board(**change)}


def sitting(stage_id: str = "board", *needs: str, **change: Any) -> dict[str, Any]:
    """A stage that the board decides; its secretary has two business days after the sitting to record it."""
    facts = {
        "committee": BOARD,
        "reviewers": [{"addresses": [SECRETARY]}],
        "voting": ONE,
        "sla": sla(within={DAYS: 2}, remind_before=[{DAYS: 1}]),
    }
    return review(stage_id, *needs, **facts | change)


def windows(**change: Any) -> dict[str, Any]:
    document = {
        "name": "the autumn review window",
        "calendar": "campus",
        "every_year": [{"first": "04-13", "last": "04-24"}],
    }
    return {"autumn": document | change}
