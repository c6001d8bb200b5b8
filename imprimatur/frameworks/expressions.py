"""Conditions in a framework: expressions in the Common Expression Language (CEL) over what is known of a case.

``proposal`` is the proposal, typed like the document; ``answers``, ``lowest`` and ``highest`` are the scores that
reviewers gave, by stage and criterion: their mean, the lowest, the highest. A hyphen in an id is written as ``_``.
Expressions are compiled and type-checked before they are used. What a proposal does not state is null, and an
expression that needs it comes to neither true nor false.
"""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from imprimatur.errors import Problem
from imprimatur.frameworks.fields import model_in
from imprimatur.frameworks.situation import AGGREGATES, SCORES, Known, Situation, plain
from models.proposal import Proposal

LONGEST_VALUE = 200
_QUOTED = re.compile(r'"""(?:.|\n)*?"""|\'\'\'(?:.|\n)*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*')
_NAMED = re.compile(r"(?<![\w.])(proposal|answers|lowest|highest)\b((?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*)")


@dataclass(frozen=True)
class Judgement:
    """``holds`` is None where something that the expression needs is not stated."""

    holds: bool | None
    values: dict[str, Any]


def asks_for_scores(expression: str) -> bool:
    """Whether it can be judged only when other stages have been answered."""
    return any(root in SCORES for root, _ in _mentioned(expression))


def problem_of(expression: str, known: Known = ()) -> Problem | None:
    """What keeps an expression from being used; None when nothing does."""
    from imprimatur.frameworks.cel import compiled

    found = compiled(expression, known)
    return found if isinstance(found, Problem) else None


def judge(expression: str, situation: Situation, known: Known = ()) -> Judgement:
    """Raises ValueError for an expression that has a problem: a framework that was checked holds none."""
    from imprimatur.frameworks.cel import compiled, evaluated

    found = compiled(expression, known)
    if isinstance(found, Problem):
        raise ValueError(f"{expression}: {found.problem}")
    return Judgement(evaluated(found, situation, known), _values(expression, situation))


def _mentioned(expression: str) -> list[tuple[str, tuple[str, ...]]]:
    bare = _QUOTED.sub('""', expression)
    return [(match[1], tuple(part.strip() for part in match[2].split(".")[1:])) for match in _NAMED.finditer(bare)]


def _values(expression: str, situation: Situation) -> dict[str, Any]:
    """What the expression saw, by field."""
    seen: dict[str, Any] = {}
    for root, path in _mentioned(expression):
        if root == "proposal":
            name, value = _field(situation.proposal, path)
            seen[".".join(("proposal", *name))] = _told(value)
        elif len(path) >= 2:
            given = situation.scores.get(path[0], {}).get(path[1], ())
            seen[".".join((root, *path[:2]))] = AGGREGATES[root](given) if given else None
    return seen


def _field(proposal: Proposal, path: tuple[str, ...]) -> tuple[tuple[str, ...], Any]:
    """As far as the path names fields; what follows is something that is done to the last of them."""
    name: tuple[str, ...] = ()
    model: type[BaseModel] | None = Proposal
    value: Any = proposal
    for step in path:
        info = model.model_fields.get(step) if model else None
        if info is None or isinstance(value, tuple):
            break
        name, model = (*name, step), model_in(info.annotation)
        value = getattr(value, step) if value is not None else None
    return name, value


def _told(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return "stated"
    if isinstance(value, tuple):
        return f"{len(value)} entries" if len(value) != 1 else "1 entry"
    if value is None or isinstance(value, bool | int | float):
        return value
    text = plain(value)
    return text if not isinstance(text, str) or len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
