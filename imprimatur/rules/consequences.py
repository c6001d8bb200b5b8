"""What a transition would write, in a few words for a preview. Pure."""

from collections import Counter
from collections.abc import Iterable

from models.effects import CloseTask, Effect


def consequences(effects: Iterable[Effect]) -> list[str]:
    """In order; the same words once, with how often they hold."""
    told = Counter(_words(effect) for effect in effects)
    return [words if number == 1 else f"{words} ({number} times)" for words, number in told.items()]


def _words(effect: Effect) -> str:
    kind, stage = effect.kind.replace("_", " "), getattr(effect, "stage", None)
    if isinstance(effect, CloseTask):
        return f"{kind}: {effect.closure.replace('_', ' ')}"
    outcome = getattr(effect, "outcome", None) or getattr(effect, "status", None)
    told = f"{kind} {stage}" if stage else kind
    return f"{told} as {outcome}" if outcome else told
