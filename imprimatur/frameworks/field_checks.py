"""Whether a framework's rules on proposal fields can be met, and say anything at all."""

from collections.abc import Iterator

from imprimatur.frameworks.fields import FieldKind, closed_values, is_proposal_field, kind_of
from imprimatur.frameworks.json_lines import Place
from models.framework import FieldRule, Framework

Found = Iterator[tuple[Place, str, str, str]]

# Which sorts of value a key of a rule speaks of.
_SPEAKS_OF: dict[str, tuple[FieldKind, ...]] = {
    "minimum": ("number",),
    "maximum": ("number",),
    "min_items": ("list", "texts"),
    "max_items": ("list", "texts"),
    "max_words": ("text", "texts"),
    "one_of": ("text", "texts"),
    "forbidden_words": ("text", "texts"),
}
_NAMES: dict[FieldKind, str] = {
    "text": "a text",
    "number": "a number",
    "list": "a list",
    "texts": "a list of texts",
    "other": "neither text, number nor list",
}


def unknown_field(path: str, place: Place) -> Found:
    if not is_proposal_field(path):
        yield place, "field_unknown", f"a proposal has no field {path!r}", "a field of a proposal"


def field_problems(framework: Framework) -> Found:
    seen = set()
    for index, rule in enumerate(framework.proposal.fields):
        place: Place = ("proposal", "fields", index)
        yield from unknown_field(rule.field, (*place, "field"))
        if rule.field in seen:
            yield (*place, "field"), "field_repeated", f"the field {rule.field!r} has two rules", "one rule a field"
        seen.add(rule.field)
        if is_proposal_field(rule.field):
            yield from _idle_keys(rule, place)
            yield from _impossible_values(rule, place)
        yield from _contradictions(rule, place)


def _idle_keys(rule: FieldRule, place: Place) -> Found:
    kind = kind_of(rule.field)
    for key, kinds in _SPEAKS_OF.items():
        if getattr(rule, key) not in (None, ()) and kind not in kinds:
            wanted = " or ".join(_NAMES[kind] for kind in kinds)
            problem = f"{key!r} says nothing here: {rule.field} is {_NAMES[kind]}"
            yield (*place, key), "rule_idle", problem, f"{key!r} for {wanted} only"


def _impossible_values(rule: FieldRule, place: Place) -> Found:
    possible = closed_values(rule.field)
    for index, value in enumerate(rule.one_of or ()):
        if possible is not None and value not in possible:
            problem = f"{rule.field} can never be {value!r}"
            yield (*place, "one_of", index), "value_unknown", problem, ", ".join(possible)


def _contradictions(rule: FieldRule, place: Place) -> Found:
    for least, most in (("minimum", "maximum"), ("min_items", "max_items")):
        low, high = getattr(rule, least), getattr(rule, most)
        if low is not None and high is not None and low > high:
            problem = f"{least!r} is {low:g} and {most!r} is {high:g}: nothing can meet both"
            yield (*place, least), "rule_contradictory", problem, f"at most {high:g}"
