"""A framework that is sound, as the document that people would write, and ways to spoil it."""

import copy
import json
import re
from pathlib import Path
from typing import Any

from imprimatur.errors import Problem
from imprimatur.frameworks.checker import Holders, check_file, check_framework
from imprimatur.frameworks.json_lines import Place
from models.framework import Framework

HOLDERS = {"office": 2, "reviewer": 3, "director": 1}
GONE = object()


def stage(stage_id: str, *needs: str, **change: Any) -> dict[str, Any]:
    document = {
        "id": stage_id,
        "name": stage_id.capitalize(),
        "asks": "Judge it.",
        "needs": list(needs),
        "reviewers": [{"role": "reviewer", "count": 2}],
        "voting": {"quorum": 2, "threshold": 1},
        "sla": {
            "within": {"business_days": 5},
            "calendar": "campus",
            "remind_before": [{"business_days": 2}],
            "escalate_to": "director",
        },
        "criteria": [{"id": "clear", "question": "Is it clear?"}],
    }
    return without_gaps(document | change)


def publication(*needs: str) -> dict[str, Any]:
    return {"id": "publication", "name": "Publication", "asks": "Publish.", "kind": "publication", "needs": list(needs)}


def policy(*stages: dict[str, Any], **change: Any) -> dict[str, Any]:
    document = {
        "format": 1,
        "id": "tiny",
        "version": "1.0",
        "name": "Tiny",
        "summary": "The least that works.",
        "credential_kind": "non_credit",
        "calendars": {
            "campus": {"country": "NZ", "time_zone": "Pacific/Auckland", "hours": {"start": "09:00", "end": "17:00"}}
        },
        "proposal": {"fields": [{"field": "title", "max_words": 12}, {"field": "learning_outcomes", "min_items": 1}]},
        "stages": list(stages)
        or [
            stage("check", reviewers=[{"role": "office"}], voting={"quorum": 1, "threshold": 1}),
            stage("quality", "check"),
            stage("industry", "check", reviewers=[{"partners": "all"}], voting={"quorum": 1, "threshold": 1}),
            publication("quality", "industry"),
        ],
        "speed_to_market": {"within": {"business_days": 30}, "calendar": "campus", "escalate_to": "director"},
        "publication": {"issuer_name": "Example College", "quality_statement": "Reviewed."},
    }
    return copy.deepcopy(without_gaps(document | change))


def without_gaps(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not GONE}


def changed(document: dict[str, Any], where: str, value: Any) -> dict[str, Any]:
    """A copy with another value at one place such as ``stages[1].voting``; GONE takes the key away."""
    place, spoilt = place_of(where), copy.deepcopy(document)
    around: Any = spoilt
    for part in place[:-1]:
        around = around[part]
    if value is GONE:
        del around[place[-1]]
    else:
        around[place[-1]] = value
    return spoilt


def checked(document: dict[str, Any], holders: Holders | None = None) -> list[Problem]:
    return check_framework(Framework.model_validate(document), holders)


def checked_file(folder: Path, document: Any, holders: Holders | None = None) -> list[Problem]:
    """Written with one value a line: :func:`lines_when_indented` says on which."""
    file = folder / "policy.json"
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return check_file(file, holders)[1]


def place_of(where: str) -> Place:
    """``stages[1].voting`` as the keys on the way there."""
    return tuple(int(number) if number else key for number, key in re.findall(r"\[(\d+)\]|([^.\[\]]+)", where))


def lines_when_indented(document: Any) -> dict[Place, int]:
    """On which line ``json.dumps(indent=...)`` writes each value, found by counting along with it."""
    found: dict[Place, int] = {}
    _count_lines(document, (), 1, found)
    return found


def _count_lines(value: Any, place: Place, line: int, found: dict[Place, int]) -> int:
    """Answers the line on which the value ends."""
    found[place] = line
    if not isinstance(value, dict | list) or not value:
        return line
    for part, entry in value.items() if isinstance(value, dict) else enumerate(value):
        line = _count_lines(entry, (*place, part), line + 1, found)
    return line + 1


def nearest_line(document: Any, where: str) -> int:
    """The line of a value, or of what is around it when it is missing."""
    place, lines = place_of(where), lines_when_indented(document)
    while place not in lines:
        place = place[:-1]
    return lines[place]
