"""What the expressions of a framework can ask about, and how it is named and told in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.framework import StageDef
from models.proposal import Proposal

SCORES = ("answers", "lowest", "highest")

# Stage and criterion, as an expression names them, and the scores given.
Scores = Mapping[str, Mapping[str, Sequence[int]]]
Known = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Situation:
    """What an expression can ask about."""

    proposal: Proposal
    scores: Scores = field(default_factory=dict)


def spelled_in_expressions(identifier: str) -> str:
    return identifier.replace("-", "_")


def known_scores(stages: Sequence[StageDef]) -> Known:
    """The scores that these stages can give."""
    return tuple(
        (spelled_in_expressions(stage.id), tuple(spelled_in_expressions(c.id) for c in stage.criteria))
        for stage in stages
        if stage.criteria
    )


def plain(value: Any) -> Any:
    """A value of a proposal as an expression sees it: text, number or truth value."""
    if isinstance(value, bool):
        return value
    if hasattr(value, "as_tuple") or isinstance(value, int | float):
        return float(value)
    return str(value)


def _mean(scores: Sequence[int]) -> float:
    return sum(scores) / len(scores)


AGGREGATES: dict[str, Any] = {"answers": _mean, "lowest": min, "highest": max}
