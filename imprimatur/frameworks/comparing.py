"""Two versions of a framework beside each other: stage by stage and key by key, in plain words. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imprimatur.rules.migration import altered_stages
from models.framework import Framework, StageDef

# Keys whose plain word is not the key itself.
WORDS = {
    "asks": "what is asked",
    "needs": "comes after",
    "when": "applies when",
    "sla": "time",
    "within": "promised time",
    "remind_before": "reminders before the due time",
    "at_breach": "when the time runs out",
    "escalate_to": "escalates to the role",
    "escalate_count": "people asked on escalation",
    "then": "further escalations",
    "two_hats": "one person under several roles",
    "speed_to_market": "the whole way",
    "quorum_percent": "quorum in percent",
    "threshold_percent": "threshold in percent",
    "early_close": "closes as soon as it is decided",
    "counted_of": "counted of",
    "on_rejection": "on rejection",
    "material": "fields whose change asks the stage again",
    "carry": "earlier approvals after a change",
    "valid_for": "approvals hold for",
    "credential_kind": "for the kind",
    "min_items": "least number of entries",
    "max_items": "greatest number of entries",
    "max_words": "most words",
    "first_on": "first day",
    "last_on": "last day",
}
_LEFT_OUT = frozenset({"format", "id", "version", "stages"})
_NAMING = ("id", "field", "name", "role", "on")


@dataclass(frozen=True)
class Change:
    """``key`` is the place in the document, ``words`` the same in plain words; what is not there is empty."""

    key: str
    words: str
    before: str
    after: str


@dataclass(frozen=True)
class StageChange:
    """``fate`` is added, removed, altered or same; ``asked_again``: cases that move there do the stage anew."""

    stage: str
    name: str
    fate: str
    asked_again: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Comparison:
    before: Framework
    after: Framework
    whole: tuple[Change, ...]
    stages: tuple[StageChange, ...]

    @property
    def is_same(self) -> bool:
        return not self.whole and all(stage.fate == "same" for stage in self.stages)


def compare(before: Framework, after: Framework) -> Comparison:
    """Stages in the order of the version after, then those that are gone."""
    old, new = _plain(before), _plain(after)
    whole = tuple(_changes(old, new))
    again = frozenset(altered_stages(before, after))
    earlier = {stage.id: stage for stage in before.stages}
    later = {stage.id: stage for stage in after.stages}
    stages = [_stage(earlier.get(stage.id), stage, stage.id in again) for stage in after.stages]
    stages += [_stage(stage, None, False) for stage in before.stages if stage.id not in later]
    return Comparison(before, after, whole, tuple(stages))


def _plain(framework: Framework) -> dict[str, Any]:
    said = framework.model_dump(mode="json", exclude_defaults=True)
    return {name: value for name, value in said.items() if name not in _LEFT_OUT}


def _stage(before: StageDef | None, after: StageDef | None, again: bool) -> StageChange:
    found = after or before
    assert found is not None
    old, new = (_said(stage) if stage else {} for stage in (before, after))
    fate = "added" if before is None else "removed" if after is None else "altered" if old != new else "same"
    return StageChange(found.id, found.name, fate, again, tuple(_changes(old, new)))


def _said(stage: StageDef) -> dict[str, Any]:
    said = stage.model_dump(mode="json", exclude_defaults=True)
    said.pop("id", None)
    return said


def _changes(old: Any, new: Any, place: tuple[str, ...] = ()) -> Iterator[Change]:
    if old == new:
        return
    old_parts, new_parts = _parts(old), _parts(new)
    if (old_parts is None and new_parts is None) or not (_empty(old) or _empty(new) or (old_parts and new_parts)):
        yield Change(_spelled(place), _worded(place), _told(old), _told(new))
        return
    parts = dict.fromkeys([*(old_parts or {}), *(new_parts or {})])
    for part in parts:
        yield from _changes((old_parts or {}).get(part), (new_parts or {}).get(part), (*place, part))


def _empty(value: Any) -> bool:
    return value is None or value in ({}, [])


def _parts(value: Any) -> dict[str, Any] | None:
    """What can be looked at one by one: a mapping, or a list whose entries have names of their own."""
    if isinstance(value, Mapping):
        return None if _is_span(value) else dict(value)
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        named = {_name(item, number): item for number, item in enumerate(value, 1)}
        return named if len(named) == len(value) else {str(number): item for number, item in enumerate(value, 1)}
    return None


def _name(item: Mapping[str, Any], number: int) -> str:
    return next((str(item[key]) for key in _NAMING if isinstance(item.get(key), str)), str(number))


def _is_span(value: Mapping[str, Any]) -> bool:
    return set(value) in ({"business_days"}, {"business_hours"}, {"start", "end"}, {"months"})


def _spelled(place: tuple[str, ...]) -> str:
    return ".".join(place)


def _worded(place: tuple[str, ...]) -> str:
    return ", ".join(WORDS.get(part, part.replace("_", " ")) for part in place)


def _told(value: Any) -> str:
    """A value as people say it."""
    if _empty(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if _is_span(value):
            return _span(value)
        return "; ".join(f"{WORDS.get(k, str(k).replace('_', ' '))}: {_told(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_told(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _span(value: Mapping[str, Any]) -> str:
    match dict(value):
        case {"business_days": number}:
            return f"{number} business day{'s' * (number != 1)}"
        case {"business_hours": number}:
            return f"{number:g} business hour{'s' * (number != 1)}"
        case {"months": number}:
            return f"{number} month{'s' * (number != 1)}"
        case span:
            # JSON has the time of a day with its seconds.
            return f"{span['start'][:5]} to {span['end'][:5]}"
