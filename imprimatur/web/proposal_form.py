"""The form of a proposal: fields in sections, from the proposal's model and what its framework asks of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imprimatur.frameworks.forms import NOT_TYPED, Shape, Wrong, shape
from imprimatur.rules.completeness import FieldProblem, rules_of
from imprimatur.web.proposal_words import CHOICES, HINTS, LABELS, ROWS, SECTIONS
from models.framework import FieldRule, Framework

LENGTHS = {"line": 500, "prose": 20_000, "email": 320, "number": 20, "date": 10}


@dataclass(frozen=True)
class Entry:
    """A field, a group of fields, or rows: ``parts`` of a group, ``rows`` of rows (each an entry, too).

    ``asked`` is ``required`` or ``recommended`` where the framework asks for it; ``wrong`` what is wrong in place.
    """

    name: str
    kind: str
    label: str
    hint: str = ""
    asked: str = ""
    why: str = ""
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()
    parts: Sequence["Entry"] = ()
    rows: Sequence["Entry"] = ()
    singular: str = ""
    wrong: Sequence[str] = ()
    length: int = 500

    @property
    def id(self) -> str:
        return self.name.replace(".", "-")

    @property
    def described(self) -> str:
        told = [f"hint-{self.id}"] * bool(self.hint or self.why) + [f"wrong-{self.id}"] * bool(self.wrong)
        return " ".join(told)


@dataclass
class Builder:
    """``at`` is the field that the page has just been asked to go to."""

    policy: Framework
    wrong: Sequence[Wrong]
    lacking: Sequence[FieldProblem]
    rules: dict[str, FieldRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for rule in rules_of(self.policy):
            known = self.rules.get(rule.field)
            if known is None or (known.presence != "required" and rule.presence == "required"):
                self.rules[rule.field] = rule

    def sections(self, body: Mapping[str, Any]) -> list[tuple[str, str, list[Entry]]]:
        """Id, title and entries of each section, in order."""
        parts = shape().parts
        return [
            (title.lower().replace(" ", "-"), title, [self._entry(parts[name], name, body.get(name)) for name in names])
            for title, names in SECTIONS
        ]

    def asked_of(self, path: str) -> str:
        rule = self.rules.get(path)
        return rule.presence if rule else ""

    def _entry(self, of: Shape, name: str, value: Any) -> Entry:
        path = ".".join(part for part in name.split(".") if not part.isdecimal())
        rule = self.rules.get(path)
        told: dict[str, Any] = {
            "name": name,
            "kind": of.kind,
            "label": LABELS[path],
            "hint": _limits(HINTS.get(path, ""), rule),
            "asked": rule.presence if rule else "",
            "why": (rule.why or "") if rule else "",
            "wrong": self._wrong_at(name, path),
            "length": LENGTHS.get(of.kind, 500),
        }
        if of.kind == "group":
            known = value if isinstance(value, dict) else {}
            told["parts"] = [self._entry(part, f"{name}.{key}", known.get(key)) for key, part in of.parts.items()]
            return Entry(**told)
        if of.kind == "rows":
            return self._rows(of, name, path, value, told)
        chosen = of.choices or (rule.one_of if rule and of.kind == "line" else None) or ()
        text = str(value or "")
        words = CHOICES.get(path, {})
        if of.kind == "line" and chosen:
            told["kind"] = "choice"
            chosen = (*chosen, *([text] if text and text not in chosen else []))
        told["choices"] = [(choice, words.get(choice, choice.replace("_", " "))) for choice in chosen]
        return Entry(**told, value=text)

    def _rows(self, of: Shape, name: str, path: str, value: Any, told: dict[str, Any]) -> Entry:
        assert of.entry is not None
        rows = value if isinstance(value, list) else []
        found = []
        for number, row in enumerate(rows or [None]):
            row_name = f"{name}.{number}"
            if of.entry.kind == "group":
                known = row if isinstance(row, dict) else {}
                parts = [self._entry(part, f"{row_name}.{key}", known.get(key)) for key, part in of.entry.parts.items()]
                found.append(Entry(row_name, "group", f"{ROWS[path]} {number + 1}", parts=parts))
            else:
                found.append(
                    Entry(
                        row_name,
                        of.entry.kind,
                        f"{ROWS[path]} {number + 1}",
                        value=str(row or ""),
                        wrong=[item.problem for item in self.wrong if item.name == row_name],
                        length=LENGTHS[of.entry.kind],
                    )
                )
        return Entry(**told, rows=found, singular=ROWS[path].lower())

    def _wrong_at(self, name: str, path: str) -> list[str]:
        unreadable = [f"{item.problem}; give {item.expected}" if item.expected else item.problem
                      for item in self.wrong if item.name == name]  # fmt: skip
        # That nothing is said yet is no mistake: the list of what is missing tells it.
        broken = [item.problem for item in self.lacking if item.field == path and item.problem != "is missing"]
        return unreadable + (broken if name == path else [])


def _limits(hint: str, rule: FieldRule | None) -> str:
    """What the framework limits, before it is broken."""
    if rule is None:
        return hint
    told = [hint] if hint else []
    if rule.max_words is not None:
        told.append(f"At most {rule.max_words} words.")
    if rule.min_items is not None:
        told.append(f"At least {rule.min_items}.")
    if rule.minimum is not None:
        told.append(f"At least {rule.minimum:g}.")
    if rule.maximum is not None:
        told.append(f"At most {rule.maximum:g}.")
    return " ".join(told)


def label_of(path: str) -> str:
    """A field of a framework's rules, in the words of the form: ``workload.hours`` is Workload, Hours."""
    head, _, part = path.partition(".")
    names = [LABELS.get(head, head.replace("_", " "))] + ([LABELS.get(path, part.replace("_", " "))] if part else [])
    return ": ".join(names)


def anchor(path: str) -> str:
    """Where on the page a field of a framework's rules is: what is asked of each row, at the rows."""
    head, _, part = path.partition(".")
    of = shape().parts.get(head)
    return f"{head}-{part}" if part and of is not None and of.kind == "group" else head


def shown_fields() -> set[str]:
    return {name for _, names in SECTIONS for name in names} | NOT_TYPED
