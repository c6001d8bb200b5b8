"""What a new version of a proposal changed, field by field; prose word by word. Pure."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from imprimatur.rules.completeness import changed_fields
from models.proposal import Proposal

CONTEXT_WORDS = 6
Part = Literal["same", "removed", "added"]


@dataclass(frozen=True)
class Piece:
    """Some words of a text, and what became of them."""

    part: Part
    text: str

    @property
    def folded(self) -> tuple[str, str, str]:
        """Beginning, middle and end: the middle of a long part that stayed is not needed to find the place."""
        words = self.text.split()
        if self.part != "same" or len(words) <= 2 * CONTEXT_WORDS:
            return self.text, "", ""
        ends = words[:CONTEXT_WORDS], words[CONTEXT_WORDS:-CONTEXT_WORDS], words[-CONTEXT_WORDS:]
        return " ".join(ends[0]), " ".join(ends[1]), " ".join(ends[2])

    @property
    def short(self) -> str:
        """Enough to find the place; what was removed or added is never cut."""
        beginning, middle, end = self.folded
        return f"{beginning} ... {end}" if middle else self.text


@dataclass(frozen=True)
class FieldChange:
    """``entries`` are the texts that changed: one of a plain field, those of a list that are new, gone or reworded."""

    field: str
    entries: tuple[tuple[Piece, ...], ...]


def delta(old: Proposal, new: Proposal) -> tuple[FieldChange, ...]:
    """Every field that differs, in the document's order."""
    return tuple(
        FieldChange(path, tuple(_changes(_texts(_at(old, path)), _texts(_at(new, path)))))
        for path in changed_fields(old, new)
    )


def unchanged(old: Proposal, new: Proposal) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Whatever else the proposal says: each field that did not change at all, with its texts."""
    touched = {path.partition(".")[0] for path in changed_fields(old, new)}
    found = ((name, tuple(_texts(_at(new, name)))) for name in Proposal.model_fields if name not in touched)
    return tuple((name, texts) for name, texts in found if any(texts))


def _at(proposal: Proposal, path: str) -> Any:
    value: Any = proposal
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return value


def _texts(value: Any) -> list[str]:
    """A value as the texts that people read: one, or one an entry of a list."""
    if value is None:
        return []
    if isinstance(value, tuple):
        return [_text(entry) for entry in value]
    return [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, BaseModel):
        stated = value.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return ", ".join(f"{name.replace('_', ' ')} {_text(part)}" for name, part in stated.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Piece, ...]]:
    for kind, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        gone, come = list(old[first:last]), list(new[begin:end])
        both = min(len(gone), len(come))
        yield from (tuple(word_changes(*pair)) for pair in zip(gone[:both], come[:both], strict=True))
        yield from ((Piece("removed", text),) for text in gone[both:])
        yield from ((Piece("added", text),) for text in come[both:])


def word_changes(old: str, new: str) -> Iterator[Piece]:
    """Words that stayed, went and came; white space between words does not count."""
    before, after = old.split(), new.split()
    for kind, first, last, begin, end in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal":
            yield Piece("same", " ".join(before[first:last]))
            continue
        if first < last:
            yield Piece("removed", " ".join(before[first:last]))
        if begin < end:
            yield Piece("added", " ".join(after[begin:end]))
