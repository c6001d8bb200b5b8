"""Whether a proposal says what its framework asks for: everything missing, at once. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from imprimatur.rules.profiles import PROFILES
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
    found: dict[str, dict[tuple[str, str], FieldProblem]] = {"required": {}, "recommended": {}}
    for rule in rules_of(framework):
        for problem in _rule_problems(proposal, rule):
            # What the framework says itself stands; a profile adds nothing to the same problem.
            found[rule.presence].setdefault((rule.field, problem), FieldProblem(rule.field, problem, rule.why))
    required = found["required"]
    recommended = {key: problem for key, problem in found["recommended"].items() if key not in required}
    return Missing(tuple(required.values()), tuple(recommended.values()))


@dataclass(frozen=True)
class Progress:
    """``met`` of ``asked`` required fields are as the framework wants them."""

    met: int
    asked: int

    @property
    def percent(self) -> int:
        """Whole, and 100 only where nothing is missing."""
        return 100 * self.met // self.asked if self.asked else 100


def progress(framework: Framework, lacking: Iterable[str]) -> Progress:
    """``lacking`` are the fields that something is wrong with, whatever it is."""
    unmet = set(lacking)
    asked = unmet | {rule.field for rule in rules_of(framework) if rule.presence == "required"}
    return Progress(len(asked - unmet), len(asked))


def rules_of(framework: Framework) -> tuple[FieldRule, ...]:
    """All that a framework asks of a proposal's fields, itself and by the profile that it demands."""
    return (*framework.proposal.fields, *_demanded(framework))


def _demanded(framework: Framework) -> tuple[FieldRule, ...]:
    profile = framework.proposal.requires_profile
    return PROFILES[profile] if profile else ()


def _rule_problems(proposal: Proposal, rule: FieldRule) -> Iterator[str]:
    """A path such as ``partners.contact_email`` asks it of every entry that there is."""
    name, _, part = rule.field.partition(".")
    value = getattr(proposal, name)
    if part and isinstance(value, tuple):
        for number, entry in enumerate(value, 1):
            yield from (f"{problem}, in entry {number}" for problem in _problems(getattr(entry, part), rule))
    elif part:
        yield from _problems(None if value is None else getattr(value, part), rule)
    else:
        yield from _problems(value, rule)


def _is_stated(value: Any) -> bool:
    if isinstance(value, BaseModel):
        return any(_is_stated(getattr(value, name)) for name in value.model_dump(exclude_defaults=True))
    if isinstance(value, tuple):
        return any(map(_is_stated, value))
    return value not in (None, "")


def _problems(value: Any, rule: FieldRule) -> Iterator[str]:
    if not _is_stated(value):
        yield "is missing"
    elif isinstance(value, tuple):
        entries = [entry for entry in value if _is_stated(entry)]
        yield from _count_problems(len(entries), rule)
        for number, entry in enumerate(entries, 1):
            if isinstance(entry, str):
                yield from (f"{problem}, in entry {number}" for problem in _text_problems(entry, rule))
    elif isinstance(value, str):
        yield from _text_problems(value, rule)
    elif isinstance(value, int | float | Decimal):
        yield from _size_problems(value, rule)


def _count_problems(number: int, rule: FieldRule) -> Iterator[str]:
    if rule.min_items is not None and number < rule.min_items:
        yield f"needs at least {_counted(rule.min_items, 'entry', 'entries')}, has {number}"
    if rule.max_items is not None and number > rule.max_items:
        yield f"may have at most {_counted(rule.max_items, 'entry', 'entries')}, has {number}"


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _size_problems(value: float | Decimal, rule: FieldRule) -> Iterator[str]:
    if rule.minimum is not None and value < rule.minimum:
        yield f"must be at least {rule.minimum:g}, is {value:g}"
    if rule.maximum is not None and value > rule.maximum:
        yield f"may be at most {rule.maximum:g}, is {value:g}"


def _text_problems(value: str, rule: FieldRule) -> Iterator[str]:
    words = len(value.split())
    if rule.max_words is not None and words > rule.max_words:
        yield f"may have at most {_counted(rule.max_words, 'word', 'words')}, has {words}"
    if rule.one_of is not None and value not in rule.one_of:
        yield f"must be one of {', '.join(rule.one_of)}, not {value}"
    for word in rule.forbidden_words:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", value, re.IGNORECASE):
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
    if not isinstance(before, BaseModel) or not isinstance(after, BaseModel):
        return []
    return [part for part in type(before).model_fields if getattr(before, part) != getattr(after, part)]
