"""Whether a proposal says what its framework asks for: everything missing, at once. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.framework import FieldRule, Framework
from models.proposal import Proposal


@dataclass(frozen=True)
class FieldProblem:
    """One field that does not meet its rule; ``why`` is the framework's own explanation."""

    field: str
    problem: str
    why: str | None = None


@dataclass(frozen=True)
class Missing:
    """``required`` problems return a proposal; ``recommended`` ones are shown to the reviewers."""

    required: tuple[FieldProblem, ...]
    recommended: tuple[FieldProblem, ...]


def missing(proposal: Proposal, framework: Framework) -> Missing:
    found: dict[str, list[FieldProblem]] = {"required": [], "recommended": []}
    for rule in framework.proposal.fields:
        value = value_at(proposal, rule.field)
        for problem in _problems(value, rule):
            found[rule.presence].append(FieldProblem(rule.field, problem, rule.why))
    return Missing(tuple(found["required"]), tuple(found["recommended"]))


def value_at(proposal: Proposal, path: str) -> Any:
    """The value at a path such as ``workload.hours``; None when it is not stated."""
    value: Any = proposal
    for name in path.split("."):
        if value is None:
            return None
        value = getattr(value, name)
    return value


def _problems(value: Any, rule: FieldRule) -> Iterator[str]:
    if value is None or value in ("", ()):
        yield "is missing"
        return
    if isinstance(value, tuple):
        yield from _count_problems(value, rule)
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _size_problems(value, rule)
    if isinstance(value, str):
        yield from _text_problems(value, rule)
    if rule.one_of is not None and str(value) not in rule.one_of:
        yield f"must be one of {', '.join(rule.one_of)}, not {value}"


def _count_problems(value: tuple[Any, ...], rule: FieldRule) -> Iterator[str]:
    if rule.min_items is not None and len(value) < rule.min_items:
        yield f"needs at least {rule.min_items} entries, has {len(value)}"
    if rule.max_items is not None and len(value) > rule.max_items:
        yield f"may have at most {rule.max_items} entries, has {len(value)}"


def _size_problems(value: float, rule: FieldRule) -> Iterator[str]:
    if rule.minimum is not None and value < rule.minimum:
        yield f"must be at least {rule.minimum:g}, is {value:g}"
    if rule.maximum is not None and value > rule.maximum:
        yield f"may be at most {rule.maximum:g}, is {value:g}"


def _text_problems(value: str, rule: FieldRule) -> Iterator[str]:
    words = len(value.split())
    if rule.max_words is not None and words > rule.max_words:
        yield f"may have at most {rule.max_words} words, has {words}"
    for word in rule.forbidden_words:
        if re.search(rf"\b{re.escape(word)}\b", value, re.IGNORECASE):
            yield f"may not contain the word {word!r}"


def changed_fields(old: Proposal, new: Proposal) -> list[str]:
    """Fields that differ, one level deep: ``title``, ``workload.credits``."""
    changed = []
    for name in Proposal.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        parts = _changed_parts(before, after)
        changed += [f"{name}.{part}" for part in parts] if parts else [name]
    return changed


def _changed_parts(before: Any, after: Any) -> list[str]:
    if before is None or after is None or not hasattr(type(before), "model_fields"):
        return []
    return [part for part in type(before).model_fields if getattr(before, part) != getattr(after, part)]
